"""What records say is made once in a rebuild and kept in a file beside it, while there is room."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import orjson
import pytest

from crm_hub.flow import evidence_file, stored_evidence
from crm_hub.flow.evidence_file import EvidenceFile
from crm_hub.flow.helper import Helper
from crm_hub.flow.hub import Hub
from crm_hub.flow.rebuilding import rebuild
from crm_hub.flow.walk_records import held_node
from crm_hub.observe import logger
from crm_hub.resolve.evidence import contact_of, evidence, profile_of
from crm_hub.resolve.measured import NOT_MEASURED
from crm_hub.resolve.profile import Profile
from crm_hub.store import Identities
from tests.flow.hubs import content, make_hub, sync_all, write_rows

PEOPLE = [
    {"id": str(n), "name": f"{first} {last}", "email": f"{first}.{last}{n % 3}@acme.example".lower(),
     "phone": f"+1212555{n:04d}"}
    for n, (first, last) in enumerate(
        [(f, x) for f in ("Ann", "Bob", "Cleo", "Ann") for x in ("Kestrel", "Lee", "Moor", "Lee")], 1
    )
]  # fmt: skip


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is warned of, whatever another test has told the log to do with it."""
    told: list[str] = []
    log = logger("flow")
    monkeypatch.setattr(log, "warning", lambda text, *given: told.append(text % given))
    return told


def _hub(folder: Path) -> Hub:
    write_rows(folder / "source", {"contacts": PEOPLE})
    hub = make_hub(folder / "hub", {"crm": folder / "source"})
    sync_all(hub)
    return hub


def _all(hub: Hub, keep: EvidenceFile | None = None) -> list[Profile]:
    with hub.store.read() as db:
        found = stored_evidence.stored_evidence(db, hub.tools, "person", keep)
        return [one for some in found for one in some]


def _plain(hub: Hub) -> list[Profile]:
    """Return what is said, made one by one in this process."""
    with hub.store.read() as db:
        repo = Identities(db)
        nodes = [held_node(h, hub.tools) for h in repo.held(repo.mapped_numbers("person", 0, 99))]
    rules = hub.tools.rules
    return [evidence(str(n.source), "person", n.values, rules, NOT_MEASURED) for n in nodes]


def test_what_is_kept_is_what_is_said_and_nobody_elses(tmp_path: Path) -> None:
    hub = _hub(tmp_path)
    with EvidenceFile(tmp_path) as kept:
        assert _all(hub, kept) == _plain(hub)
        with hub.store.read() as db:
            held = Identities(db).held(Identities(db).mapped_numbers("person", 0, 99))
        assert len(held) == len(PEOPLE)
        for one in held:
            values = orjson.loads(one.data)
            contact = contact_of(f"{one.connection}/{one.stream}#{one.key}", "person", values)
            said = kept.of(one.record_id, one.data)
            assert said == profile_of(contact, "person", hub.tools.rules)
            said.contested = True  # a copy of one's own
            again = kept.of(one.record_id, one.data)
            assert again is not None
            assert not again.contested
            assert kept.of(one.record_id, one.data + " ") is None  # other values by now
        assert kept.of(10_000, "{}") is None


def test_those_of_one_name_stand_together(tmp_path: Path) -> None:
    hub = _hub(tmp_path)
    with EvidenceFile(tmp_path) as kept:
        names = [(one.family, one.given) for one in _all(hub, kept)]
        with hub.store.read() as db:
            numbers = Identities(db).mapped_numbers("person", 0, 99)
        by_number = dict(zip(numbers, names, strict=True))
        order = [by_number[n] for n in kept.by_name(numbers)]
        assert sorted(order) == sorted(names)
        starts = [name for at, name in enumerate(order) if at == 0 or order[at - 1] != name]
        assert len(starts) == len(set(names))
        assert kept.by_name(numbers[::-1]) == kept.by_name(numbers)
        assert kept.by_name([10_001, 10_000]) == [10_000, 10_001]  # came since


def test_without_room_all_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    def full(*_args: object, **_options: object) -> Any:
        raise OSError(28, "No space left on device")

    one, other = _hub(tmp_path / "a"), _hub(tmp_path / "b")
    rebuild(one)
    monkeypatch.setattr(evidence_file, "TemporaryFile", full)
    rebuild(other)
    assert content(one) == content(other)
    assert any("no room for evidence: No space left on device" in one for one in logged)


def test_a_second_process_makes_the_same_and_may_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    hub = _hub(tmp_path)
    monkeypatch.setattr(stored_evidence, "MANY", 1)
    monkeypatch.setattr(stored_evidence, "cores", lambda: 2)
    monkeypatch.setattr(stored_evidence, "_BATCH", 3)
    started: list[Helper] = []

    def start(*given: Any) -> Helper:
        started.append(Helper(*given))
        return started[-1]

    monkeypatch.setattr(stored_evidence, "Helper", start)
    assert _all(hub) == _plain(hub)
    assert len(started) == 1
    assert logged == []

    with hub.store.read() as db:
        found = []
        for some in stored_evidence.stored_evidence(db, hub.tools, "person"):
            found += some
            if len(found) == 3:
                os.kill(started[-1].pid, signal.SIGKILL)
    assert found == _plain(hub)
    assert any("understands records has ended" in one for one in logged)


def test_where_no_process_can_be_started_this_one_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    def refused(*_given: object) -> Any:
        raise OSError(11, "Resource temporarily unavailable")

    hub = _hub(tmp_path)
    monkeypatch.setattr(stored_evidence, "MANY", 1)
    monkeypatch.setattr(stored_evidence, "cores", lambda: 2)
    monkeypatch.setattr(stored_evidence, "Helper", refused)
    assert _all(hub) == _plain(hub)
    assert any("no second process to understand records in" in one for one in logged)
