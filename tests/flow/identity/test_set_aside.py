"""Who only shares a line with what changed is not looked at, and all is as if everybody were."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from crm_hub.flow import walk_components, walk_names
from crm_hub.flow.hub import Hub
from crm_hub.flow.walk_records import Batch
from crm_hub.resolve.kinds import PEOPLE
from crm_hub.resolve.measured import rules_mark
from crm_hub.store import Likeness
from tests.flow.hubs import FIRST, LAST, content, make_hub, sync_all, write_rows
from tests.flow.identity.test_kept_pairs import kept_pairs
from tests.flow.identity.test_likeness import MEASURED, _open, _small_caps

CAP = 6  # of _small_caps
LINES = [f"+1212555{n:04d}" for n in range(16)]
FIRMS = ("Acme", "Acme Tools", "Acme Iron", "Bolt", "Bolt Iron", "Kestrel")
Rows = dict[str, list[dict[str, Any]]]


def _person(number: int, rng: random.Random) -> dict[str, Any]:
    """Return a contact that hangs together with many by its numbers and mailboxes."""
    first, last = rng.choice(FIRST[:5]), rng.choice(LAST[:4])
    row = {
        "id": f"p{number}", "first": first[0] if rng.random() < 0.3 else first, "last": last,
        "company": rng.choice(["Firm A", "Firm B", "Firm C", ""]),
    }  # fmt: skip
    if rng.random() < 0.9:
        row["phone"] = rng.choice(LINES)
    for name in ("email", "email2"):
        if rng.random() < 0.5:
            row[name] = f"desk{rng.randrange(30)}@firm{rng.randrange(2)}.example"
    return row


def _firm(number: int, rng: random.Random) -> dict[str, Any]:
    row = {"id": f"c{number}", "name": rng.choice(FIRMS)}
    if rng.random() < 0.8:
        row["domain"] = f"firm{rng.randrange(4)}.example"
    if rng.random() < 0.5:
        row["email"] = f"desk{rng.randrange(30)}@firm{rng.randrange(2)}.example"
    return row


def _rows(people: int, rng: random.Random) -> Rows:
    """Return rows in which no key has a crowd of few names: once a crowd's, it stays so."""
    while True:
        rows = {
            "contacts": [_person(n, rng) for n in range(people)],
            "companies": [_firm(n, rng) for n in range(people // 4)],
        }
        held = defaultdict(list)
        for row in (*rows["contacts"], *rows["companies"]):
            for key in {row.get(name) for name in ("phone", "email", "email2", "domain")} - {None}:
                held[key].append(row.get("name") or (row["first"], row["last"]))
        if all(len(set(names)) > CAP or len(names) <= CAP for names in held.values()):
            return rows


def _changed(rows: Rows, rng: random.Random) -> Rows:
    """Return rows of which some are others, and some have gone."""
    make = {"contacts": _person, "companies": _firm}
    share = rng.choice([0.03, 0.1, 0.4])
    out: Rows = {}
    for name, found in rows.items():
        kept = [row for row in found if rng.random() > share / 2]
        out[name] = [
            make[name](int(row["id"][1:]), rng) if rng.random() < share else row for row in kept
        ]
    return out


def _hub(folder: Path, *, kept: bool, page_size: int) -> Hub:
    write_rows(folder / "src", {"contacts": [], "companies": []})
    hub = make_hub(folder / "hub", {"crm": folder / "src"}, page_size=page_size)
    hub.close()
    _small_caps(folder / "hub")
    hub = Hub(folder / "hub")
    mark = rules_mark(hub.tools.rules, PEOPLE.model) if kept else ""
    with hub.store.write() as db:
        Likeness(db).keep_measured("person", 1, MEASURED, mark)
    return hub


def _told(hub: Hub, folder: Path, rows: Rows) -> None:
    write_rows(folder / "src", rows)
    sync_all(hub, accept_deletes=True)


@pytest.mark.parametrize("seed", [*range(12), 24])
def test_a_history_ends_as_if_all_were_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(walk_names, "CROWD", 7)
    monkeypatch.setattr(walk_names, "NEAR_CROWD", 3)
    aside = _counted(monkeypatch)
    rng = random.Random(seed)
    now = end = _rows(rng.choice([20, 40, 70]), rng)
    hub = _hub(tmp_path / "a", kept=True, page_size=rng.choice([1, 5, 100]))
    for _ in range(6):
        _told(hub, tmp_path / "a", now)
        now = _changed(end if rng.random() < 0.3 else now, rng)
    _told(hub, tmp_path / "a", end)
    assert sum(aside), "somebody was set aside"
    # Whoever keeps no pairs looks at everybody.
    other = _hub(tmp_path / "b", kept=False, page_size=100)
    del aside[:]
    _told(other, tmp_path / "b", end)
    assert not sum(aside)
    assert content(hub) == content(other)
    assert _open(hub) == _open(other)
    assert kept_pairs(hub) == kept_pairs(other)


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list to which it is added how many records were set aside, batch by batch."""
    found: list[int] = []
    usual = walk_components._split

    def split(batch: Batch, *rest: Any) -> Any:
        found.append(len(batch.aside))
        return usual(batch, *rest)

    monkeypatch.setattr(walk_components, "_split", split)
    return found
