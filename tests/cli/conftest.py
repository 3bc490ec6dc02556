"""The command line as tests call it: in this process, with what it printed and its exit status."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from crm_hub.cli.main import run
from crm_hub.mapping import reading

PEOPLE = """Record ID,First Name,Last Name,Email,Phone Number,City,Last Modified Date
1,Ann,Lindqvist,ann@lindqvist.example,+1 212-555-0101,Boston,2026-02-01 10:00
2,Bo,Carver,bo@carver.example,212-555-0102,Albany,2026-02-02 10:00
3,Ann,Lindqvist,ann.l@private.example,,Boston,2026-02-03 10:00
"""


@dataclass(frozen=True)
class Done:
    """What one command line left behind."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The one JSON document on stdout; anything beside it makes this fail."""
        return json.loads(self.out)


class Cli:
    """Calls `crm-hub` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object, stdin: str = "") -> Done:
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self._capsys.readouterr()
        status = run([str(one) for one in arguments])
        captured = self._capsys.readouterr()
        return Done(status, captured.out, captured.err)

    def fine(self, *arguments: object, stdin: str = "") -> Done:
        """Call a command that must succeed."""
        done = self(*arguments, stdin=stdin)
        assert done.status == 0, done.err + done.out
        return done


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command configures logging for its process; here the process lives on."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    quiet = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "urllib3")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture(autouse=True)
def _no_hub_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRM_HUB_DIR", raising=False)
    monkeypatch.delenv("CRM_HUB_KEY", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def crm(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line."""
    return Cli(capsys, monkeypatch)


@pytest.fixture(autouse=True, scope="session")
def _mapping_texts_are_read_once() -> Iterator[None]:
    """Each command of a person is a process of its own; here they share the YAML of one text."""
    before = reading.read_document
    reading.read_document = lru_cache(before)
    yield
    reading.read_document = before


@pytest.fixture(scope="session")
def templates(_mapping_texts_are_read_once: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new hub, and one that has read a small HubSpot export; made once, copied for each test."""
    place = tmp_path_factory.mktemp("templates")
    new, people = place / "new", place / "people"
    with contextlib.redirect_stdout(io.StringIO()):
        own = ("--own", "clearwater.example", "--zone", "America/New_York")
        assert run(["init", "--hub", str(new), *own]) == 0
        shutil.copytree(new, people)
        (people / "people.csv").write_text(PEOPLE, "utf-8")
        here = ("--hub", str(people))
        assert run(["connect", "files", "people", "--set", "path=people.csv", *here]) == 0
        assert run(["sync", *here]) == 0
    return place


@pytest.fixture
def hub_dir(templates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new hub with nothing connected; it is the current folder."""
    folder = tmp_path / "hub"
    shutil.copytree(templates / "new", folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def people_hub(templates: Path, hub_dir: Path) -> Path:
    """A hub that has read a small HubSpot export; it is the current folder."""
    shutil.copytree(templates / "people", hub_dir, dirs_exist_ok=True)
    return hub_dir
