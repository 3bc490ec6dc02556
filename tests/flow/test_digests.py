"""The digests that `status` compares: kept beside what they depend on, and never out of date."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crm_hub.flow.digests import Digests
from crm_hub.flow.hub import Hub
from tests.flow.hubs import make_hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rows").mkdir()
    hub = make_hub(tmp_path / "hub", {"crm": tmp_path / "rows"})
    hub.close()
    return tmp_path / "hub"


def compiled(folder: Path) -> dict[str, str]:
    return {shape: one.digest for shape, one in Hub(folder).plan("crm").sections.items()}


def test_what_is_kept_is_what_compiling_gives(folder: Path) -> None:
    first = Digests(Hub(folder)).of("crm")
    assert first == compiled(folder)
    hub = Hub(folder)
    assert Digests(hub).of("crm") == first
    assert hub._plans == {}, "it was compiled again"


def test_a_changed_mapping_region_or_zone_is_seen(folder: Path) -> None:
    first = Digests(Hub(folder)).of("crm")
    path = folder / "hub.yaml"
    path.write_text(path.read_text().replace('zone: "UTC"', 'zone: "Europe/Berlin"'))
    second = Digests(Hub(folder)).of("crm")
    assert second != first
    assert second == compiled(folder)
    (folder / "mappings").mkdir(exist_ok=True)
    shape = next(iter(first))
    text = f"version: 1\nconnector: scripted\nstreams:\n  {shape}:\n    delete: propagate\n"
    (folder / "mappings" / "scripted.yaml").write_text(text)
    third = Digests(Hub(folder)).of("crm")
    assert third != second
    assert third == compiled(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"crm": 7}'])
def test_a_spoiled_file_costs_time_and_nothing_else(folder: Path, text: str) -> None:
    wanted = Digests(Hub(folder)).of("crm")
    path = folder / "run" / "digests.json"
    path.write_text(text)
    assert Digests(Hub(folder)).of("crm") == wanted
    assert json.loads(path.read_text())["crm"]["sections"] == wanted


def test_looking_into_a_hub_imports_neither_mapping_nor_connectors_nor_http() -> None:
    code = (
        "import sys; import crm_hub.flow.status;"
        "print([m for m in ('crm_hub.mapping.language', 'crm_hub_connectors', 'httpx', 'alembic')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
