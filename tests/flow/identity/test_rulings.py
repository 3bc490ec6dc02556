"""What a person decided about who is who holds for ever, and can be taken back byte for byte."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crm_hub.flow.hub import Hub
from crm_hub.flow.rebuilding import rebuild
from crm_hub.flow.replay import replay
from crm_hub.flow.reviewing import answer, questions
from crm_hub.flow.rulings import never, same, split, unlink
from crm_hub.model.errors import ConfigError
from crm_hub.store import EMPTY_GOLDEN
from tests.flow.hubs import content, ids, make_hub, sync_all, write_rows

HISTORIES = int(os.environ.get("CRM_HUB_HISTORIES", "40"))
SCALE = int(os.environ.get("CRM_HUB_SOAK_SCALE", "1"))
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None

EAGER = "version: 1\nthresholds: {weigh: -30, review: -30, link: -30}\n"

ANN = {"id": "1", "first": "Ann", "last": "Smith", "email": "ann@firm.example"}
BEN = {"id": "2", "first": "Ben", "last": "Smith", "email": "ben@firm.example"}
PHONE = "+12125550123"


def _hub(folder: Path, contacts: list[dict[str, Any]], mails: list[dict[str, Any]] = ()) -> Hub:  # type: ignore[assignment]
    write_rows(folder / "src" / "crm", {"contacts": contacts, "mails": mails})
    hub = make_hub(folder / "hub", {"crm": folder / "src" / "crm"})
    (folder / "hub" / "hub.db").write_bytes(_empty_tables())
    sync_all(hub)
    return hub


@cache
def _empty_tables() -> bytes:
    """Return the database of a new hub: making its tables is a third of what a history costs."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        hub = make_hub(Path(folder) / "hub", {})
        with hub.store.read():
            pass
        hub.close()
        return (Path(folder) / "hub" / "hub.db").read_bytes()


def _state(hub: Hub) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that identity, golden records and timelines are, as stored."""
    tables = {
        "links": "SELECT * FROM identity_link ORDER BY record_id",
        "identities": "SELECT id, entity, display_name, redirect_to, golden FROM identity"
        " ORDER BY id",
        "keys": "SELECT * FROM match_key ORDER BY key, record_id",
        "questions": "SELECT a_record, b_record, bits, doc FROM review ORDER BY a_record, b_record",
        "pairs": "SELECT * FROM liked ORDER BY 1, 2",
        "lines": "SELECT * FROM shared_key ORDER BY key",
        "participants": "SELECT * FROM participant ORDER BY event_id, ord",
        "entries": "SELECT * FROM timeline_entry ORDER BY 1, 2, 3, 4",
        "memberships": "SELECT * FROM membership ORDER BY 1, 2",
    }
    with hub.store.read() as db:
        return {
            name: [tuple(r) for r in db.conn.execute(text(sql))] for name, sql in tables.items()
        }


def _person(hub: Hub, key: str) -> str:
    return f"P{ids(hub)[f'crm/contacts#{key}']}"


# rules ----------------------------------------------------------------------------------------


def test_records_that_share_nothing_are_one_by_ruling_and_stay_so(tmp_path: Path) -> None:
    hub = _hub(tmp_path, [ANN, BEN])
    found = same(hub, "crm/contacts#1", "crm/contacts#2", who="kim", reason="told us")
    assert [one.records for one in found.outcome] == [["crm/contacts#1", "crm/contacts#2"]]
    assert _person(hub, "1") == _person(hub, "2")
    write_rows(tmp_path / "src" / "crm", {"contacts": [{**ANN, "title": "Head"}, BEN]})
    sync_all(hub)
    replay(hub)
    assert _person(hub, "1") == _person(hub, "2")
    with pytest.raises(ConfigError, match="one already"):
        same(hub, "P1", "P2")


def test_a_ruling_outlives_the_record_s_death_and_return(tmp_path: Path) -> None:
    hub = _hub(tmp_path, [ANN, BEN])
    same(hub, "crm/contacts#1", "crm/contacts#2")
    write_rows(tmp_path / "src" / "crm", {"contacts": [ANN]})
    sync_all(hub, accept_deletes=True)
    write_rows(tmp_path / "src" / "crm", {"contacts": [ANN, BEN]})
    sync_all(hub)
    assert _person(hub, "1") == _person(hub, "2")


def test_a_certain_key_joins_nobody_whom_a_ruling_keeps_apart(tmp_path: Path) -> None:
    twin = {**ANN, "id": "2"}
    hub = _hub(tmp_path, [ANN, twin])
    before = _state(hub)
    assert _person(hub, "1") == _person(hub, "2")
    never(hub, "crm/contacts#1", "crm/contacts#2")
    assert _person(hub, "1") != _person(hub, "2")
    write_rows(tmp_path / "src" / "crm", {"contacts": [ANN, {**twin, "title": "Head"}]})
    sync_all(hub)
    replay(hub)
    assert _person(hub, "1") != _person(hub, "2")
    write_rows(tmp_path / "src" / "crm", {"contacts": [ANN, twin]})
    sync_all(hub)
    same(hub, "crm/contacts#1", "crm/contacts#2")
    assert [row[:2] for row in _state(hub)["links"]] == [row[:2] for row in before["links"]]


def test_a_record_of_somebody_else_leaves_alone_and_its_id_is_its_own(tmp_path: Path) -> None:
    hub = _hub(tmp_path, [ANN])
    other = {"id": "2", "name": "Ann Smith", "email": "ann@firm.example"}
    write_rows(tmp_path / "src" / "crm", {"contacts": [ANN, other, {**other, "id": "3"}]})
    sync_all(hub)
    found = unlink(hub, "crm/contacts#2", reason="a namesake")
    assert sorted(one.records for one in found.outcome) == [
        ["crm/contacts#1", "crm/contacts#3"],
        ["crm/contacts#2"],
    ]
    assert _person(hub, "1") == "P1"
    with pytest.raises(ConfigError, match="no other record"):
        unlink(hub, "crm/contacts#2")


def test_the_later_of_two_rulings_holds(tmp_path: Path) -> None:
    hub = _hub(tmp_path, [ANN, BEN])
    never(hub, "P1", "P2")
    assert same(hub, "P1", "P2").overrules == [1]
    assert _person(hub, "1") == _person(hub, "2")
    assert split(hub, "P1").taken_back == [2]
    assert (_person(hub, "1"), _person(hub, "2")) == ("P1", "P2")


def test_who_was_made_one_is_met_under_either_name(tmp_path: Path) -> None:
    married = {"id": "2", "first": "Ann", "last": "Jones", "email": "jones@firm.example"}
    hub = _hub(tmp_path, [ANN, married])
    same(hub, "P1", "P2")
    new = {"id": "3", "first": "Ann", "last": "Jones", "email": "jones@firm.example"}
    write_rows(tmp_path / "src" / "crm", {"contacts": [ANN, married, new]})
    sync_all(hub)
    assert _person(hub, "3") == "P1"


def test_what_cannot_be_ruled_is_refused_with_a_remedy(tmp_path: Path) -> None:
    firm = {"id": "1", "name": "Firm Ltd", "domain": "firm.example"}
    write_rows(tmp_path / "src" / "crm", {"contacts": [ANN], "companies": [firm]})
    hub = make_hub(tmp_path / "hub", {"crm": tmp_path / "src" / "crm"})
    sync_all(hub)
    with pytest.raises(ConfigError, match="cannot be one"):
        same(hub, "crm/contacts#1", "crm/companies#1")
    with pytest.raises(ConfigError, match="no source record"):
        same(hub, "crm/contacts#1", "crm/contacts#9")
    with pytest.raises(ConfigError, match="nobody merged"):
        split(hub, "crm/contacts#1")
    with pytest.raises(ConfigError, match="at present"):
        never(hub, "crm/contacts#1", "crm/contacts#1")


def test_rulings_give_the_same_people_in_any_order_of_arrival(tmp_path: Path) -> None:
    """A second hub learns the rulings first and the records last."""
    rng = random.Random(5)
    contacts, mails = _rows(rng, 30)
    hub = _hub(tmp_path / "a", contacts, mails)
    other = _hub(
        tmp_path / "b", [{**row, "first": "", "email": "", "phone": ""} for row in contacts]
    )
    pairs = [rng.sample(contacts, 2) for _ in range(8)]
    for number, (one, two) in enumerate(pairs):
        for each in (hub, other):
            rule = never if number % 2 else same
            try:
                rule(each, f"crm/contacts#{one['id']}", f"crm/contacts#{two['id']}")
            except ConfigError:
                continue
    rng.shuffle(contacts)
    write_rows(tmp_path / "b" / "src" / "crm", {"contacts": contacts, "mails": mails})
    sync_all(other)
    assert content(other)["golden"] == content(hub)["golden"]


# undo -----------------------------------------------------------------------------------------


def _rows(rng: random.Random, people: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return contacts that share mailboxes and numbers, and mails of some of them."""
    contacts: list[dict[str, Any]] = []
    for i in range(people):
        row = {
            "id": str(i),
            "first": rng.choice(["Ann", "Ben", "Cleo", "A", ""]),
            "last": rng.choice(["Smith", "Jones", ""]),
            "email": rng.choice(["", f"m{rng.randrange(people)}@firm.example"]),
            "phone": rng.choice(["", f"+1212555{rng.randrange(people):04d}"]),
            "title": rng.choice(["", "Buyer", "Head"]),
            "changed_at": f"2026-01-{1 + rng.randrange(27):02d}T10:00:00+00:00",
        }
        contacts.append(row)
    return contacts, [_mail(rng, i, people) for i in range(people // 2)]


Rows = Callable[[random.Random, int], tuple[list[dict[str, Any]], list[dict[str, Any]]]]
BOXES = "amber birch cedar dune elder fern gorse hazel iris juniper kale laurel maple".split()


def _unnumbered(
    rng: random.Random, people: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return rows whose mailboxes bear no number, which would tell namesakes of a firm apart."""
    contacts, mails = _rows(rng, people)
    for row in contacts:
        box, at, domain = row["email"].partition("@")
        row["email"] = f"{BOXES[int(box[1:])]}{at}{domain}" if box else ""
    return contacts, mails


def _mail(rng: random.Random, i: int, people: int) -> dict[str, Any]:
    return {
        "id": f"e{i}", "message_id": f"<{i}@x>", "subject": "Hello", "body": "",
        "date": f"2026-02-{1 + i % 27:02d}T08:00:00+00:00",
        "from": f"m{rng.randrange(people)}@firm.example",
        "from_name": rng.choice(["Ann Smith", "Ben Jones", ""]), "to": "sales@ours.example",
    }  # fmt: skip


class _History:
    """A hub whose records come, change and go, and in which people decide things."""

    def __init__(self, seed: int, rows: Rows = _rows) -> None:
        self.rng = random.Random(seed)
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY))
        self.contacts, self.mails = rows(self.rng, self.rng.randrange(4, 14))
        self.hub = _hub(self.folder, self.contacts, self.mails)

    def write(self) -> None:
        rows = {"contacts": self.contacts, "mails": self.mails}
        write_rows(self.folder / "src" / "crm", rows)
        sync_all(self.hub, accept_deletes=True)

    def people(self) -> list[str]:
        return sorted({f"P{number}" for number in ids(self.hub).values()})

    def step(self) -> None:
        act = self.rng.choice(["edit", "edit", "drop", "merge", "part", "rebuild"])
        if act == "edit":
            row = self.rng.choice(self.contacts)
            row |= {k: v for k, v in _rows(self.rng, 9)[0][0].items() if k != "id"}
            self.write()
        elif act == "drop" and len(self.contacts) > 3:
            self.contacts.remove(self.rng.choice(self.contacts))
            self.write()
        elif act == "merge" and len(found := self.people()) > 1:
            same(self.hub, *self.rng.sample(found, 2))
        elif act == "part":
            record = self.rng.choice(sorted(ids(self.hub)))
            try:
                unlink(self.hub, record)
            except ConfigError:
                return
        elif act == "rebuild":
            rebuild(self.hub, full=self.rng.random() < 0.5)

    def eager(self) -> Hub:
        """Open the hub again with rules by which whatever is worth weighing joins."""
        self.hub.close()
        mappings = self.folder / "hub" / "mappings"
        mappings.mkdir(exist_ok=True)
        (mappings / "identity.yaml").write_text(EAGER)
        self.hub = Hub(self.folder / "hub")
        return self.hub

    def close(self) -> None:
        self.hub.close()
        shutil.rmtree(self.folder)


def _known(state: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Leave out ids given out in between, which nobody has, and questions now answered."""
    assert set(state["questions"]) <= set(before["questions"])
    ids_before = {row[0] for row in before["identities"]}
    new = [row for row in state["identities"] if row[0] not in ids_before]
    assert all(row[4] == EMPTY_GOLDEN for row in new)
    known = [row for row in state["identities"] if row[0] in ids_before]
    return {**state, "identities": known, "questions": before["questions"]}


def _merge_and_unmerge(seed: int) -> None:
    history = _History(seed)
    rng = history.rng
    for _ in range(rng.randrange(4)):
        history.step()
    people = history.people()
    if len(people) > 1:
        before = _state(history.hub)
        one, other = rng.sample(people, 2)
        same(history.hub, one, other)
        if rng.random() < 0.3:
            replay(history.hub)
        assert len(history.people()) < len(people)
        kept = min(one, other, key=lambda text: int(text[1:]))
        assert split(history.hub, kept).taken_back
        assert _known(_state(history.hub), before) == before, seed
        replay(history.hub)
        assert _known(_state(history.hub), before) == before, seed
    history.close()


@pytest.mark.parametrize("part", range(4))
def test_merge_and_unmerge_restores_every_byte(part: int) -> None:
    for seed in range(part, HISTORIES, 4):
        _merge_and_unmerge(seed)


def _reject_and_go_on(seed: int) -> None:
    """Reject pairs that are asked about or only alike, and let the records live on."""
    history = _History(seed, _unnumbered)
    hub, rng = history.hub, history.rng
    if rng.random() < 0.5:
        rebuild(hub)
    rejected = set()
    for _ in range(3):
        found, _ = questions(hub)
        if found:
            one = rng.choice(found)
            rejected.add(frozenset(one.records))
            answer(hub, one.number, one=False)
        for _ in range(rng.randrange(3)):
            row = rng.choice(history.contacts)
            row |= {k: v for k, v in _unnumbered(rng, 6)[0][0].items() if k != "id"}
            history.write()
    if rng.random() < 0.5:
        hub = history.eager()  # as a model would be to which all that is alike is one
    rebuild(hub, full=True)
    replay(hub)
    after = ids(hub)
    rebuild(hub, full=True)
    assert ids(hub) == after, seed
    asked = {frozenset(one.records) for one in questions(hub)[0]}
    assert not rejected & asked, seed
    for pair in rejected:
        assert len({after.get(record, record) for record in pair}) == 2, (seed, pair)
    history.close()


@pytest.mark.parametrize("part", range(2))
def test_what_was_rejected_never_returns(part: int) -> None:
    for seed in range(part, HISTORIES // 2, 2):
        _reject_and_go_on(seed)


@pytest.mark.soak
def test_what_was_rejected_never_returns_in_hundreds_of_histories() -> None:
    for seed in range(300 * SCALE):
        _reject_and_go_on(2_000_000 + seed)


@pytest.mark.soak
def test_merge_and_unmerge_restores_every_byte_in_thousands_of_histories() -> None:
    for seed in range(2_000 * SCALE):
        _merge_and_unmerge(1_000_000 + seed)


def test_what_happens_while_two_are_one_returns_to_its_own_person(tmp_path: Path) -> None:
    hub = _hub(tmp_path, [{**ANN, "phone": PHONE}, {**BEN, "phone": PHONE}])
    apart = _hub(tmp_path / "apart", [{**ANN, "phone": PHONE}, {**BEN, "phone": PHONE}])
    same(hub, "P1", "P2")
    rng = random.Random(3)
    mails = [
        {**_mail(rng, day, 9), "from": rng.choice([ANN, BEN])["email"], "from_name": ""}
        for day in range(21)
    ]
    rows = {"contacts": [{**ANN, "phone": PHONE}, {**BEN, "phone": PHONE}], "mails": mails}
    for folder, each in ((tmp_path, hub), (tmp_path / "apart", apart)):
        write_rows(folder / "src" / "crm", rows)
        sync_all(each)
    assert len(content(hub)["golden"]) == 1
    split(hub, "P1", ["P2"])
    assert content(hub) == content(apart)
    assert _state(hub)["entries"] == _state(apart)["entries"]
