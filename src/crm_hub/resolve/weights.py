"""The model: how much each level of likeness weighs, read from a Splink settings JSON.

A weight is log2(m/u): m is how often the level holds for two records of one person, u for records
of two people. Both stand in mappings/identity_model.json, in Splink's own format and for
MODEL_RECORDS records. `calibrated` moves them to the size at hand, which keeps one threshold good
for thousands and for a million: with n records a chance pair is one person in k/n cases, and a
stranger has this very mailbox in c/n cases; the share of a name stays what it is. From MANY records
on the prior falls more slowly, by n^-0.6: how many others bear the name is held against a pair as
well (resolve/standing.py), and that grows with n too. docs/adr/0032.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import Any

from crm_hub.data import data_folder
from crm_hub.model.errors import ConfigError
from crm_hub.resolve.ladder import Comparison
from crm_hub.resolve.levels import PERSON
from crm_hub.resolve.population import Population

MODEL_RECORDS = 20_000
MANY = 200_000
_FLATTER = 0.4
# Levels that name one person: how often a stranger shares the value falls as people are added.
_SCALED = {
    ("e-mail", "same mailbox"),
    ("e-mail", "mailbox with a slip"),
    ("phone", "same number"),
    ("reference", "same reference"),
}
# Levels whose u is counted in the population itself.
_COUNTED = {
    ("firm or address", "same firm by domain"): "firms",
    ("firm or address", "same shared line or mailbox"): "lines",
}
_LEAST_U, _MOST_U = 1e-9, 0.2


@dataclass(frozen=True, slots=True)
class LevelWeight:
    """One level in numbers; is_null: there was nothing to compare."""

    m: float
    u: float
    is_null: bool = False

    @property
    def bits(self) -> float:
        """Return log2(m/u), 0 where there was nothing to compare."""
        return 0.0 if self.is_null else log2(self.m / self.u)


@dataclass(frozen=True, slots=True)
class Model:
    """prior: the chance that two records drawn blindly are one. levels: as in `comparisons`."""

    prior: float
    comparisons: tuple[Comparison, ...]
    levels: tuple[tuple[LevelWeight, ...], ...]


def shipped(name: str = "identity_model.json") -> Path:
    """Return where a model that comes with the hub lies."""
    return data_folder("mappings") / name


def model_file(name: str, folders: Sequence[Path]) -> Path:
    """Return the model of this name in the last of the folders that has one, else the shipped."""
    own = [path for folder in folders if (path := folder / name).is_file()]
    return own[-1] if own else shipped(name)


def read_model(path: Path, comparisons: Sequence[Comparison] = PERSON) -> Model:
    """Return the model of a Splink settings JSON.

    Raises: ConfigError when its comparisons are not those of levels.py.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        return model_of(data, comparisons)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}: this is no identity model of this version ({error}).",
            remedy="Train it anew (crm-hub identity train), or remove it: the hub has its own.",
        ) from error


def model_of(data: Mapping[str, Any], comparisons: Sequence[Comparison]) -> Model:
    """Return the model of parsed settings."""
    found = {one["output_column_name"]: one["comparison_levels"] for one in data["comparisons"]}
    rows = []
    for comparison in comparisons:
        given = {level["label_for_charts"]: level for level in found[column_name(comparison)]}
        row = []
        for level in comparison.levels:
            one = given[level.name]
            if one["sql_condition"] != level.duckdb:
                raise ValueError(f"{comparison.name}: {level.name}: another condition")
            null = bool(one.get("is_null_level"))
            row.append(
                LevelWeight(1.0, 1.0, True)
                if null
                else LevelWeight(float(one["m_probability"]), float(one["u_probability"]))
            )
        rows.append(tuple(row))
    prior = float(data["probability_two_random_records_match"])
    return Model(prior, tuple(comparisons), tuple(rows))


def column_name(comparison: Comparison) -> str:
    """Return the name of a comparison as a column: `first name` is first_name."""
    return comparison.name.replace(" ", "_").replace("-", "_")


def is_scaled(comparison: str, level: str) -> bool:
    """Tell whether a level names one person, so that its u falls with the number of records."""
    return (comparison, level) in _SCALED


def settings_of(model: Model, dialect: str = "duckdb") -> dict[str, Any]:
    """Return the model as Splink settings for `duckdb` or `spark`."""
    comparisons = []
    for comparison, weights in zip(model.comparisons, model.levels, strict=True):
        levels = []
        for level, weight in zip(comparison.levels, weights, strict=True):
            one: dict[str, Any] = {
                "sql_condition": level.spark if dialect == "spark" else level.duckdb,
                "label_for_charts": level.name,
            }
            if weight.is_null:
                one["is_null_level"] = True
            else:
                one |= {"m_probability": weight.m, "u_probability": weight.u}
                if level.tf:
                    one |= {
                        "tf_adjustment_column": level.tf,
                        "tf_adjustment_weight": 1.0,
                        "tf_minimum_u_value": 0.0,
                    }
            levels.append(one)
        comparisons.append(
            {"output_column_name": column_name(comparison), "comparison_levels": levels}
        )
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "id",
        "probability_two_random_records_match": model.prior,
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [],
        "sql_dialect": dialect,
    }


def calibrated(model: Model, population: Population) -> Model:
    """Return the model for a population: prior and u moved to its size."""
    scale = MODEL_RECORDS / max(population.records, 2)
    rows = []
    for comparison, weights in zip(model.comparisons, model.levels, strict=True):
        row = []
        for level, weight in zip(comparison.levels, weights, strict=True):
            key = (comparison.name, level.name)
            u = weight.u
            if key in _SCALED:
                u = min(max(u * scale, _LEAST_U), _MOST_U)
            elif key in _COUNTED and population.shares.get(_COUNTED[key]):
                u = min(max(population.shares[_COUNTED[key]], _LEAST_U), _MOST_U)
            row.append(LevelWeight(weight.m, u, weight.is_null))
        rows.append(tuple(row))
    prior = model.prior * scale * max(1.0, population.records / MANY) ** _FLATTER
    return Model(min(prior, 0.2), model.comparisons, tuple(rows))
