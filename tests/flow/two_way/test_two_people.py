"""Two people edit at once for twenty rounds, with clocks seven minutes apart."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from crm_hub.flow.reading import explain_fields
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import MAPPING, World, only

RULES = (
    MAPPING.replace("title: {at: title, dir: both", "title: {at: title, dir: both, win: latest")
    .replace("department: {at: department", "department: {win: [b, a], at: department")
    .replace("given_name: {at: first", "given_name: {win: manual, at: first")
)
SEVEN_MINUTES_US = 420_000_000


def test_each_field_as_its_rule_says_and_the_loser_is_visible(tmp_path: Path) -> None:
    clock = Clock()
    sides = [Side("a", clock), Side("b", clock, skew_us=SEVEN_MINUTES_US)]
    world = World(tmp_path, sides, mapping=RULES)
    a, b = sides
    a.add(first="Dana", last="Whitfield", email=["dana@firm.example"], title="t", department="d")
    world.settle()
    for number in range(20):
        sent = {side.name: len(side.pushed) for side in sides}
        known = {c.id for c in world.conflicts()}
        b.edit("b1", title=f"tb{number}", department=f"db{number}")
        clock.tick(5_000_000)
        # A minute later by the wall, six minutes earlier by its clock.
        a.edit("a1", title=f"ta{number}", department=f"da{number}", note=f"n{number}")
        world.settle()
        assert only(a)["title"] == only(b)["title"] == f"tb{number}"  # the later stamp
        assert only(a)["department"] == only(b)["department"] == f"db{number}"  # b comes first
        assert only(a)["note"] == only(b)["note"] == f"n{number}"  # nobody else edited it
        lost = {c.field: c.doc["lost"] for c in world.conflicts() if c.id not in known}
        assert lost == {"title": f"ta{number}", "department": f"da{number}"}
        for side in sides:
            written = Counter(f for w in side.pushed[sent[side.name] :] for f in w.fields)
            assert set(written.values()) <= {1}, (side.name, written)
    told = explain_fields(world.hub, "dana@firm.example", "title").conflicts
    assert {f"ta{n}" for n in range(20)} == {c.doc["lost"] for c in told}


def test_a_rule_that_asks_a_person_writes_neither_value(tmp_path: Path) -> None:
    clock = Clock()
    sides = [Side("a", clock), Side("b", clock, skew_us=SEVEN_MINUTES_US)]
    world = World(tmp_path, sides, mapping=RULES)
    a, b = sides
    a.add(first="Dana", last="Whitfield", email=["dana@firm.example"])
    world.settle()
    a.edit("a1", first="Dany")
    b.edit("b1", first="Daniela")
    sent = world.sent
    world.settle()
    assert world.sent == sent
    assert (only(a)["first"], only(b)["first"]) == ("Dany", "Daniela")
    (conflict,) = world.conflicts("open")
    assert set(conflict.doc["values"].values()) == {"Dany", "Daniela"}
