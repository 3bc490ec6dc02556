"""A model of one's own: what it may change, what it needs, and that Splink fits one."""

from __future__ import annotations

import csv
import importlib.util
import random
from pathlib import Path

import pytest

from crm_hub.flow.train import FEWEST, _blended, train
from crm_hub.model.errors import ConfigError
from crm_hub.resolve.kinds import PEOPLE
from crm_hub.resolve.weights import column_name, model_of, read_model, shipped

BEFORE = read_model(shipped())


def _table(path: Path, people: int) -> Path:
    """Write a table in which each person stands twice, with another column missing each time."""
    rng = random.Random(3)
    heads, tails = (
        "Ahl Brand Ced Dross Eis Farn Grav Holl Isen Jasp".split(),
        "er quist mann ow".split(),
    )
    columns = ("record_id", "first_name", "last_name", "email", "phone", "city")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for at in range(people):
            first = rng.choice("Nora Timo Greta Ivo Selma Henning Alva Boris Dunja Erwin".split())
            last = f"{rng.choice(heads)}{rng.choice(tails)}"
            box, phone = f"{first}.{last}{at}@box.example".lower(), f"+4930{at:07d}"
            city = f"Town {at % 30}"
            writer.writerow((f"a{at}", first, last, box, phone if at % 2 else "", city))
            writer.writerow((f"b{at}", first, last, box if at % 3 else "", phone, ""))
    return path


def test_without_splink_the_remedy_is_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="Splink") as caught:
        train(_table(tmp_path / "people.csv", 5))
    assert "crm-hub[bulk]" in caught.value.remedy


def test_what_is_learned_moves_a_weight_by_two_bits_at_most_and_silence_by_none() -> None:
    learned = {
        column_name(comparison): {
            level.name: (None, None) if at % 3 == 0 else (1.0, 1e-12) if at % 3 == 1 else (0.0, 1.0)
            for at, level in enumerate(comparison.levels)
        }
        for comparison in PEOPLE.comparisons
    }
    found = _blended(BEFORE, learned, 5_000)
    for row, before in zip(found.model.levels, BEFORE.levels, strict=True):
        for at, (after, weight) in enumerate(zip(row, before, strict=True)):
            assert abs(after.bits - weight.bits) <= (2.02 if at % 3 else 0.0)
    assert model_of(found.settings, PEOPLE.comparisons) == found.model
    assert found.moved
    assert all(comparison != "country" for comparison, _ in found.moved)


needs_splink = pytest.mark.skipif(
    not (importlib.util.find_spec("splink") and importlib.util.find_spec("duckdb")),
    reason="no Splink: install the extra `bulk`",
)


@needs_splink
def test_a_table_that_is_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="usable rows"):
        train(_table(tmp_path / "people.csv", FEWEST // 2 - 1))


@needs_splink
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_splink_fits_a_model_that_dedupe_reads(tmp_path: Path) -> None:
    found = train(_table(tmp_path / "people.csv", 600))
    assert found.records == 1_200
    assert found.moved
    assert model_of(found.settings, PEOPLE.comparisons) == found.model
