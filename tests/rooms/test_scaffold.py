"""A new connector from the template works before its author has changed a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crm_hub.data import data_folder
from crm_hub.model.errors import ConfigError
from crm_hub.registry import Registry
from crm_hub.scaffold import new_connector

ROOT = Path(__file__).parents[2]


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "src"), "MYPYPATH": str(ROOT / "src"), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_new_connector_in_a_drop_in_folder_is_listed_and_usable(tmp_path: Path) -> None:
    files = new_connector("acme_crm", tmp_path)
    assert all(file.is_file() for file in files)
    entry = Registry([tmp_path]).get("acme_crm")
    assert entry.connector is not None
    assert entry.connector.__name__ == "AcmeCrmConnector"
    assert entry.connector.manifest.title == "Acme crm"
    assert "connector: acme_crm" in (entry.mapping_text or "")


def test_its_own_tests_pass_as_they_are(tmp_path: Path) -> None:
    new_connector("acme_crm", tmp_path)
    options = ["--import-mode=importlib", "-W", "error", "-q", "-p", "no:cacheprovider"]
    assert "passed" in run(tmp_path / "acme_crm", "pytest", *options)


def test_it_is_strictly_typed(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed; scripts/check installs it")
    new_connector("acme_crm", tmp_path)
    cache = f"--cache-dir={tmp_path / 'cache'}"
    source = "acme_crm/connector.py"
    assert "no issues" in run(tmp_path, "mypy", "--strict", cache, "--config-file=", source)


def test_it_is_formatted_and_clean(tmp_path: Path) -> None:
    pytest.importorskip("ruff", reason="ruff is not installed; scripts/check installs it")
    new_connector("acme_crm", tmp_path)
    run(tmp_path, "ruff", "format", "--isolated", "--line-length=100", "--check", "acme_crm")
    rules = "--select=E,F,W,B,UP,SIM,RUF"
    run(tmp_path, "ruff", "check", "--isolated", "--line-length=100", rules, "acme_crm")


def test_no_placeholder_is_left(tmp_path: Path) -> None:
    for file in new_connector("x", tmp_path):
        text = file.read_text(encoding="utf-8")
        assert not any(word in text for word in ("__NAME__", "__TITLE__", "__CLASS__"))


@pytest.mark.parametrize(
    "name", ["", "Acme", "1a", "a-b", "a b", "../a", "a/b", "class", "match", "a" * 42, "a\n"]
)
def test_a_name_that_python_or_a_mapping_cannot_use_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a connector"):
        new_connector(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    with pytest.raises(ConfigError, match="is there already"):
        new_connector("acme", tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["acme"]


def test_the_data_folders_are_those_of_the_checkout() -> None:
    assert data_folder("mappings") == ROOT / "mappings"
    assert data_folder("connector_template") == ROOT / "connectors" / "_template"
    with pytest.raises(ValueError, match="there are: mappings, connector_template, clearwater"):
        data_folder("other")
