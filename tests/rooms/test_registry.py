"""Connectors are found in three places; a bad one never stops the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crm_hub.model.errors import ConfigError
from crm_hub.registry import Registry

CONNECTOR = """
from pydantic import BaseModel
from crm_hub.sdk import Connector, Manifest

class Settings(BaseModel):
    pass

class Sample(Connector[Settings]):
    manifest = Manifest(id={name!r}, version="1", title="Sample", settings=Settings)

connector = Sample
"""


def drop_in(folder: Path, name: str, text: str | None = None) -> Path:
    place = folder / name
    place.mkdir(parents=True)
    (place / "connector.py").write_text(CONNECTOR.format(name=name) if text is None else text)
    return place


def install_wheel(site: Path, name: str) -> None:
    """Lay out what pip leaves behind: a package and its metadata with an entry point."""
    package = site / f"acme_{name}"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "plug.py").write_text(CONNECTOR.format(name=name))
    (package / "mapping.yaml").write_text("version: 1\n")
    info = site / f"acme_{name}-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 2.5\n")
    points = f"[crm_hub.connectors]\n{name} = acme_{name}.plug:connector\n"
    (info / "entry_points.txt").write_text(points)


def test_a_drop_in_is_found_and_usable(tmp_path: Path) -> None:
    drop_in(tmp_path, "acme")
    entry = Registry([tmp_path]).get("acme")
    assert entry.connector is not None
    assert entry.connector.manifest.id == "acme"
    assert str(tmp_path / "acme") in entry.origin


def test_a_mapping_that_is_no_text_is_said_of_its_connector(tmp_path: Path) -> None:
    (drop_in(tmp_path, "acme") / "mapping.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"acme/mapping\.yaml could not be read"):
        Registry([tmp_path]).mapping_text("acme")
    with pytest.raises(ConfigError, match=r"cannot be used: .*could not be read"):
        Registry([tmp_path]).get("acme")


def test_a_folder_made_later_is_found_without_a_restart(tmp_path: Path) -> None:
    registry = Registry([tmp_path / "connectors"])
    assert "late" not in registry.names()
    drop_in(tmp_path / "connectors", "late")
    assert registry.get("late").connector is not None


def test_an_installed_wheel_is_found_with_its_own_mapping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_wheel(tmp_path, "wheelie")
    monkeypatch.syspath_prepend(tmp_path)
    entry = Registry().get("wheelie")
    assert (entry.origin, entry.mapping_text) == ("wheel acme-wheelie 2.5", "version: 1\n")


def test_a_name_offered_twice_names_both_places_and_the_rest_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_wheel(tmp_path / "site", "twin")
    monkeypatch.syspath_prepend(tmp_path / "site")
    drop_in(tmp_path / "hub", "twin")
    drop_in(tmp_path / "hub", "fine")
    registry = Registry([tmp_path / "hub"])
    with pytest.raises(ConfigError) as error:
        registry.get("twin")
    assert "wheel acme-twin 2.5" in error.value.message
    assert str(tmp_path / "hub" / "twin") in error.value.message
    entries = {entry.name: entry for entry in registry.list()}
    assert entries["twin"].connector is None
    assert entries["fine"].connector is not None


def test_the_same_folder_given_twice_is_no_clash(tmp_path: Path) -> None:
    drop_in(tmp_path, "acme")
    (tmp_path / "link").symlink_to(tmp_path)
    assert Registry([tmp_path, tmp_path, tmp_path / "link"]).get("acme").connector


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no `connector`"),
        ("connector = 3", "subclass of Connector"),
        ("from crm_hub.sdk import Connector as connector", "no `manifest`"),
        (CONNECTOR.format(name="other"), "says id 'other'"),
        ("import a_package_nobody_has", "'a_package_nobody_has', which is not installed"),
        ("1 / 0", "ZeroDivisionError"),
        ("def (", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("raise RuntimeError('token=very-secret-value')", r"token=\*\*\*"),
        ("\x00", "SyntaxError|ValueError"),
    ],
)
def test_a_broken_one_is_listed_with_the_reason_and_the_rest_run(
    tmp_path: Path, text: str, reason: str
) -> None:
    drop_in(tmp_path, "broken", text)
    drop_in(tmp_path, "fine")
    registry = Registry([tmp_path])
    entries = {entry.name: entry for entry in registry.list()}
    assert entries["broken"].connector is None
    assert entries["broken"].error
    assert entries["fine"].connector is not None
    with pytest.raises(ConfigError, match=reason):
        registry.get("broken")


def test_a_broken_one_works_once_it_is_repaired(tmp_path: Path) -> None:
    place = drop_in(tmp_path, "acme", "1 / 0")
    registry = Registry([tmp_path])
    assert registry.list()
    (place / "connector.py").write_text("# repaired\n" + CONNECTOR.format(name="acme"))
    assert registry.get("acme").connector is not None


def test_an_unknown_name_names_the_nearest(tmp_path: Path) -> None:
    drop_in(tmp_path, "hubspot")
    with pytest.raises(ConfigError, match="Did you mean hubspot"):
        Registry([tmp_path]).get("hubpsot")


def test_folders_that_are_no_connectors_are_passed_over(tmp_path: Path) -> None:
    for name in ("_private", ".hidden", "With Space", "UPPER", "__pycache__"):
        drop_in(tmp_path, name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.py").write_text("")
    known = set(Registry().names())
    assert set(Registry([tmp_path, tmp_path / "nowhere"]).names()) == known


def test_drop_ins_shadow_nothing_and_see_their_own_files(tmp_path: Path) -> None:
    for name in ("json", "first", "second"):
        text = "from .client import WHO\n" + CONNECTOR.format(name=name)
        place = drop_in(tmp_path, name, text)
        (place / "client.py").write_text(f"WHO = {name!r}\n")
        (place / "logging.py").write_text("raise RuntimeError('shadowed')\n")
    path_before = sys.path[:]
    entries = {entry.name: entry for entry in Registry([tmp_path]).list()}
    for name in ("json", "first", "second"):
        connector = entries[name].connector
        assert connector is not None
        assert name == sys.modules[connector.__module__].WHO
    assert sys.path == path_before
    assert json.loads("1") == 1
    assert sys.modules["json"] is json


def test_names_are_listed_without_importing_any_connector(tmp_path: Path) -> None:
    drop_in(tmp_path, "bomb", "raise RuntimeError('imported')")
    program = (
        "import sys; from pathlib import Path; from crm_hub.registry import Registry\n"
        f"names = Registry([Path({str(tmp_path)!r})]).names()\n"
        "assert 'bomb' in names and 'files' in names, names\n"
        "print([m for m in sys.modules if 'bomb' in m or m == 'pydantic'\n"
        "       or m.startswith('crm_hub_connectors.')])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{root / 'src'}:{root / 'connectors'}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_every_built_in_connector_is_usable() -> None:
    built_in = [entry for entry in Registry().list() if entry.origin == "built in"]
    assert {"files", "google_ads", "meta_ads", "web_form"} <= {entry.name for entry in built_in}
    assert {entry.name: entry.error for entry in built_in if entry.connector is None} == {}
