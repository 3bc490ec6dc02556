"""`crm-hub identity train`: a model fitted on one's own records, those of a hub or of a table.

Splink (extra `bulk`) counts how often each level holds for two strangers (on random pairs) and
learns how often it holds for one person (by expectation maximisation, where names or mailboxes
agree). What a table says nothing about keeps the weight of the shipped model, and nothing moves
further from it than two bits: a table of some thousand rows proves little about rare levels.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crm_hub.flow.dedupe import understood
from crm_hub.flow.hub import Hub
from crm_hub.flow.stored_evidence import stored_evidence
from crm_hub.model.errors import ConfigError
from crm_hub.resolve.kinds import KINDS
from crm_hub.resolve.ladder import Comparison
from crm_hub.resolve.population import TF_COLUMNS, Population, settle
from crm_hub.resolve.profile import Profile, table_row
from crm_hub.resolve.weights import (
    LevelWeight,
    Model,
    calibrated,
    column_name,
    is_scaled,
    read_model,
    settings_of,
    shipped,
)
from crm_hub.store import Identities

FEWEST = 1_000
_FURTHEST = 2.0  # a factor, of m and of u: two bits together
# That two names go together says the country already: counting it would count that twice.
_JUDGED = ("country",)
_LEAST_M = 0.002
_SESSIONS = {"person": (("given", "family"), ("mail",)), "organization": (("company",), ("city",))}
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, how many records it saw, and the bits that each changed level has won or lost."""

    model: Model
    records: int
    moved: Mapping[tuple[str, str], float]

    @property
    def settings(self) -> dict[str, Any]:
        """Return the model as Splink writes it."""
        return settings_of(self.model)


def train(
    path: Path,
    *,
    entity: str = "person",
    told: Mapping[str, str] | None = None,
    id_column: str = "",
    region: str = "",
    folders: Sequence[Path] = (),
    progress: Progress = lambda _step, _done, _all: None,
) -> Trained:
    """Return a model fitted on the table at `path`; the other arguments are those of `dedupe`.

    Raises: ConfigError without the extra, and for a table too small to learn from.
    """
    _need_splink()
    _, profiles = understood(path, entity, told or {}, id_column, region, folders, progress)
    return _trained(str(path), "usable rows", profiles, entity, progress)


def train_hub(
    hub: Hub,
    *,
    entity: str = "person",
    progress: Progress = lambda _step, _done, _all: None,
) -> Trained:
    """Return a model fitted on the hub's own records; nothing is written.

    All of them are in memory meanwhile, 3 kB each. Raises: ConfigError, as `train`.
    """
    _need_splink()
    profiles: list[Profile] = []
    with hub.store.read() as db:
        count = Identities(db).count_mapped(entity)
        for some in stored_evidence(db, hub.tools, entity):
            profiles += some
            progress("reading", len(profiles), count)
    return _trained("This hub", "such records", profiles, entity, progress)


def _need_splink() -> None:
    if importlib.util.find_spec("splink") is None or importlib.util.find_spec("duckdb") is None:
        raise ConfigError(
            "Training needs Splink, which is not installed.",
            remedy="Install it: pip install 'crm-hub[bulk]'.",
        )


def _trained(
    origin: str, unit: str, profiles: Sequence[Profile], entity: str, progress: Progress
) -> Trained:
    if len(profiles) < FEWEST:
        raise ConfigError(
            f"{origin} has {len(profiles):,} {unit}; a model needs {FEWEST:,} to learn from.",
            remedy="Train on more records, or keep the model that ships with the hub.",
        )
    kind = KINDS[entity]
    before = read_model(shipped(kind.model), kind.comparisons)
    population = settle(profiles)
    progress("training", 0, 0)
    found = _splink(profiles, calibrated(before, population), population, _SESSIONS[entity])
    return _blended(before, found, len(profiles))


def _splink(
    profiles: Sequence[Profile],
    model: Model,
    population: Population,
    sessions: Sequence[tuple[str, ...]],
) -> dict[str, dict[str, tuple[float | None, float | None]]]:
    """Return comparison → level → m and u as Splink has learned them; None where it could not."""
    logging.getLogger("splink").setLevel(logging.ERROR)  # it warns of each level it has not seen
    duckdb = importlib.import_module("duckdb")
    arrow = importlib.import_module("pyarrow")
    splink = importlib.import_module("splink")
    backend = importlib.import_module("splink.backends.duckdb")
    rows = [table_row(one) for one in profiles]
    api = backend.DuckDBAPI(duckdb.connect())
    linker = splink.Linker(api.register(_typed(arrow, rows)), settings_of(model), log_level=None)
    used = {level.tf for c in model.comparisons for level in c.levels} & set(TF_COLUMNS)
    for column in sorted(used):
        shares = population.tf[column]
        lookup = arrow.table({column: list(shares), f"tf_{column}": list(shares.values())})
        linker.table_management.register_term_frequency_lookup(api.register(lookup), column)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for columns in sessions:
        linker.training.estimate_parameters_using_expectation_maximisation(
            splink.block_on(*columns)
        )
    return _levels(linker.misc.save_model_to_json())


def _levels(
    learned: Mapping[str, Any],
) -> dict[str, dict[str, tuple[float | None, float | None]]]:
    return {
        one["output_column_name"]: {
            level["label_for_charts"]: (level.get("m_probability"), level.get("u_probability"))
            for level in one["comparison_levels"]
        }
        for one in learned["comparisons"]
    }


def _typed(arrow: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return rows as an Arrow table, every column with its type even where all are NULL."""
    empty = Profile("")
    fields = []
    for name in rows[0]:
        default = getattr(empty, name)
        kind = arrow.list_(arrow.string()) if isinstance(default, frozenset) else arrow.string()
        fields.append(arrow.field(name, arrow.bool_() if isinstance(default, bool) else kind))
    return arrow.Table.from_pylist(list(rows), schema=arrow.schema(fields))


def _blended(
    before: Model,
    learned: Mapping[str, Mapping[str, tuple[float | None, float | None]]],
    records: int,
) -> Trained:
    rows = []
    moved = {}
    for comparison, weights in zip(before.comparisons, before.levels, strict=True):
        row = []
        for level, weight in zip(comparison.levels, weights, strict=True):
            m, u = learned[column_name(comparison)][level.name]
            keeps = weight.is_null or comparison.name in _JUDGED
            after = weight if keeps else _near(comparison, level.name, weight, m, u)
            if abs(after.bits - weight.bits) >= 0.1:
                moved[comparison.name, level.name] = after.bits - weight.bits
            row.append(after)
        rows.append(tuple(row))
    return Trained(replace(before, levels=tuple(rows)), records, moved)


def _near(
    comparison: Comparison, level: str, weight: LevelWeight, m: float | None, u: float | None
) -> LevelWeight:
    """Return the learned weight, no further from the shipped one than a table may take it.

    The u of a mailbox or a number stays: what a million random pairs do not show is not counted.
    """
    kept = u is None or is_scaled(comparison.name, level)
    return LevelWeight(
        max(_between(m, weight.m), _LEAST_M), weight.u if kept else _between(u, weight.u)
    )


def _between(value: float | None, shipped_value: float) -> float:
    if value is None:
        return shipped_value
    low, high = shipped_value / _FURTHEST, min(shipped_value * _FURTHEST, 1.0)
    return float(f"{min(max(value, low), high):.3g}")
