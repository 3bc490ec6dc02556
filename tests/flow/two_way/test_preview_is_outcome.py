"""What a preview shows is what the far side holds afterwards, row by row, on dirty contacts.

CRM_HUB_PREVIEW_CONTACTS contacts; scripts/soak takes 2,000.
"""

from __future__ import annotations

import copy
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crm_hub.flow.preview import Line, apply, preview, save_plan
from crm_hub.model.errors import ConfigError
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import World

CONTACTS = int(os.environ.get("CRM_HUB_PREVIEW_CONTACTS", "300"))
PATHS = {
    "given_name": "first",
    "family_name": "last",
    "title": "title",
    "department": "department",
    "email": "email",
    "phone": "phone",
    "note": "note",
}


def dirty(rng: random.Random, i: int) -> dict[str, Any]:
    """Return a contact as people keep them: odd cases, blanks, doubles, values that do not fit."""
    first, last = f"F{i}", f"L{i}"
    email = f"p{i}@x{i % 7}.example"
    found: dict[str, Any] = {
        "first": rng.choice([first, first.upper(), f" {first} ", ""]),
        "last": rng.choice([last, last, f"{last} ", "" if i % 11 == 0 else last]),
        "email": rng.choice([[email], [email.upper()], [f" {email}"], [], [email, f"x{email}"]]),
        "title": rng.choice(["Buyer", "Head", "", None, "CEO; Founder"]),
        "department": rng.choice(["Sales", "secret", "", "Purchasing"]),
        "phone": rng.choice([f"+1212555{i:04d}", f"(212) 555-{i:04d}", "call me", ""]),
        "note": rng.choice(["", "short", "x" * 250]),
    }
    return {k: v for k, v in found.items() if v not in ("", None, [])}


def filled(folder: Path, half: bool) -> World:
    rng = random.Random(7)
    clock = Clock()
    a, b = Side("a", clock), Side("b", clock, batch_size=20)
    world = World(folder, [a, b])
    path = folder / "hub.yaml"
    path.write_text(path.read_text().replace("  b:\n", "  b:\n    creates: 100000\n"))
    world.open()
    for i in range(CONTACTS):
        a.add(**dirty(rng, i))
        if i % 40 == 0:
            a.add(**dirty(rng, i))
        if half and i % 2:
            b.add(**dirty(rng, i))
    return world


def as_shown(before: dict[str, Any], lines: list[Line]) -> Counter[str]:
    """Return what the far side holds once the rows have been carried out, ids left out."""
    held = copy.deepcopy(before)
    for number, line in enumerate(lines):
        if line.kind == "create":
            held[f"new {number}"] = {}
        elif line.kind == "merge":
            continue
        record = held[line.record or f"new {number}"]
        for name, (_was, to) in line.fields.items():
            if to in (None, []):
                record.pop(PATHS[name], None)
            else:
                record[PATHS[name]] = to
    return as_held(held)


def as_held(held: dict[str, Any]) -> Counter[str]:
    return Counter(
        repr(sorted((k, _flat(v)) for k, v in p.items() if k != "id")) for p in held.values()
    )


def _flat(value: Any) -> str:
    return "|".join(sorted(map(str, value if isinstance(value, list) else [value])))


@pytest.mark.parametrize("half", [False, True], ids=["an empty target", "a half-filled target"])
def test_the_rows_of_a_preview_are_what_is_there_afterwards(tmp_path: Path, half: bool) -> None:
    world = filled(tmp_path, half)
    world.pull()
    side = world.sides["b"]
    before = copy.deepcopy(side.live())
    found = preview(world.hub, "b")
    assert side.pushed == []
    kinds = Counter(line.kind for line in found.lines)
    assert kinds == Counter({k: n for k, n in found.counts.items() if n and k in kinds})
    assert kinds["create"] > CONTACTS // 10
    assert (kinds["update"] > CONTACTS // 10, kinds["merge"] > CONTACTS // 10) == (half, half)
    plan = save_plan(world.hub, found)

    report = apply(world.hub, plan)
    assert report.error is None, report.error
    assert as_held(side.live()) == as_shown(before, found.lines)
    assert len(side.pushed) == kinds["create"] + kinds["update"]
    written = {w.id or w.idempotency_key for w in side.pushed}
    assert len(written) == len(side.pushed), "one record was written twice"
    again = preview(world.hub, "b")
    assert [line for line in again.lines if line.kind != "merge"] == []
    # What was created belongs to its source from now on, and so does what was merged.
    assert again.counts["merge"] == 0
    assert report.counts["created"] == kinds["create"]
    assert report.counts["updated"] == kinds["update"]


def test_a_plan_that_was_applied_is_refused_after_a_change(tmp_path: Path) -> None:
    world = filled(tmp_path, half=True)
    world.pull()
    plan = save_plan(world.hub, preview(world.hub, "b"))
    assert apply(world.hub, plan).error is None
    world.sides["a"].edit("a1", title="Chief")
    world.pull()
    sent = world.sent
    refused = apply(world.hub, plan).error
    assert isinstance(refused, ConfigError)
    assert "crm-hub preview b" in refused.remedy
    assert world.sent == sent


def test_a_record_that_will_be_taken_for_another_is_a_row_of_its_own(tmp_path: Path) -> None:
    clock = Clock()
    world = World(tmp_path, [Side("a", clock), Side("b", clock)])
    dana = {"first": "Dana", "last": "Whitfield", "email": ["dana@firm.example"]}
    world.sides["a"].add(**dana, title="Buyer")
    world.sides["b"].add(**dana)
    world.pull()
    found = preview(world.hub, "b")
    merge = next(line for line in found.lines if line.kind == "merge")
    assert (merge.record, merge.joins) == ("b1", ("a/contacts#a1",))
    assert found.counts["merge"] == 1
    assert found.calls == 1  # the update; being taken for another costs none
    assert apply(world.hub, save_plan(world.hub, found)).error is None
    assert preview(world.hub, "b").counts["merge"] == 0
