"""Weights of the hub's own: in force from the next rebuild on, and only until then unchanged."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest

from crm_hub.flow import rebuilding
from crm_hub.flow.hub import Hub
from crm_hub.flow.train import train_hub
from crm_hub.model.errors import ConfigError
from crm_hub.resolve.kinds import PEOPLE
from crm_hub.resolve.weights import LevelWeight, model_of, read_model, settings_of, shipped
from tests.flow.hubs import ids, make_hub, sync_all, write_rows

ANN = {"first": "Ann", "last": "Lindqvist", "title": "Buyer"}
TWO = [
    {"id": "1", **ANN, "email": "ann@firm.example"},
    {"id": "2", **ANN, "email": "ann.l@firm.example"},
]
ONE_MORE = [*TWO, {"id": "3", **ANN, "email": "lindqvist@firm.example"}]
MODEL = PEOPLE.model


def _hub(folder: Path) -> Hub:
    write_rows(folder / "src" / "crm", {"contacts": TWO})
    hub = make_hub(folder / "hub", {"crm": folder / "src" / "crm"})
    sync_all(hub)
    return hub


def _people(hub: Hub) -> int:
    return len(set(ids(hub).values()))


def _nothing_counts(folder: Path) -> Path:
    """Write a model by which nothing speaks for anybody."""
    before = read_model(shipped())
    never = LevelWeight(1e-9, 0.9)
    levels = tuple(tuple(w if w.is_null else never for w in row) for row in before.levels)
    path = folder / "hub" / "mappings" / MODEL
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(settings_of(replace(before, levels=levels))))
    return path


def test_a_model_beside_the_mappings_holds_from_the_next_rebuild_on(tmp_path: Path) -> None:
    hub = _hub(tmp_path)
    rebuilding.rebuild(hub)
    assert _people(hub) == 1
    path = _nothing_counts(tmp_path)
    write_rows(tmp_path / "src" / "crm", {"contacts": ONE_MORE})
    sync_all(hub)
    assert _people(hub) == 1  # by the weights of the last rebuild, all three
    shown = rebuilding.preview(hub)
    assert (shown.measured, _people(hub)) == (["person"], 1)
    done = rebuilding.rebuild(hub)
    assert (done.moved_records, _people(hub)) == (shown.moved_records, 3)
    hub.close()
    hub = Hub(tmp_path / "hub")
    path.unlink()
    rebuilding.rebuild(hub)
    assert _people(hub) == 1
    hub.close()


def test_a_model_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    hub = _hub(tmp_path)
    rebuilding.rebuild(hub)
    _nothing_counts(tmp_path).write_text('{"comparisons": []}')
    with pytest.raises(ConfigError, match="no identity model of this version") as caught:
        rebuilding.rebuild(hub)
    assert "identity train" in caught.value.remedy
    assert _people(hub) == 1
    write_rows(tmp_path / "src" / "crm", {"contacts": ONE_MORE})
    sync_all(hub)
    assert _people(hub) == 1
    hub.close()


needs_splink = pytest.mark.skipif(
    not (importlib.util.find_spec("splink") and importlib.util.find_spec("duckdb")),
    reason="no Splink: install the extra `bulk`",
)


@needs_splink
def test_a_small_hub_teaches_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="This hub has 2 such records"):
        train_hub(_hub(tmp_path))


@needs_splink
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_model_of_the_hubs_own_records_is_taken_by_the_next_rebuild(tmp_path: Path) -> None:
    heads = [a + b for a in ("Ahl", "Bran", "Ced", "Dros", "Eis") for b in ("er", "ow", "mann")]
    rows = []
    for at in range(600):
        first, last = ("Nora", "Timo", "Greta", "Ivo")[at % 4], heads[at % 13]
        box = f"{first}.{last}{at}@box.example".lower()
        rows.append({"id": f"a{at}", "first": first, "last": last, "email": box})
        rows.append({"id": f"b{at}", "first": first, "last": last, "email": box if at % 3 else ""})
    write_rows(tmp_path / "src" / "crm", {"contacts": rows})
    hub = make_hub(tmp_path / "hub", {"crm": tmp_path / "src" / "crm"})
    sync_all(hub)
    path = tmp_path / "hub" / "mappings" / MODEL
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(train_hub(hub).settings))
    assert model_of(json.loads(path.read_text()), PEOPLE.comparisons) != read_model(shipped())
    assert rebuilding.rebuild(hub).measured == ["person"]
    hub.close()
