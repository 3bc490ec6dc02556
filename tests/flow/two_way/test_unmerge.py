"""Two people made one by mistake, in a hub that writes: everything is taken back everywhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from crm_hub.config import add_connection
from crm_hub.flow.rulings import same, split, unlink
from crm_hub.store import Identities, Timelines
from tests.flow.hubs import HERE, ids, write_rows
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import World

SCRIPTED = HERE / "scripted"
HOME = {"phone": ["+12125550123"], "department": "12 Mill Lane"}
FATHER = {"first": "Karl", "last": "Huber", "email": ["karl@huber.example"], **HOME}
SON = {"first": "Emil", "last": "Huber", "email": ["emil@huber.example"], **HOME}


def _family(folder: Path, *, both_create: bool = True) -> World:
    clock = Clock()
    world = World(folder, [Side("a", clock), Side("b", clock)])
    world.sides["a"].add(**FATHER, title="Owner")
    world.sides["a" if both_create else "b"].add(**SON, title="Apprentice")
    if both_create:
        world.settle()
    else:
        world.pull()
    return world


def _mailbox(world: World, folder: Path) -> None:
    """Connect a mailbox to which both write, three weeks of it."""
    shutil.copytree(SCRIPTED, world.folder / "connectors" / "scripted")
    mails = [
        {
            "id": f"m{day}", "message_id": f"<{day}@x>", "subject": f"Day {day}", "body": "",
            "date": f"2026-02-{1 + day:02d}T09:00:00+00:00", "to": "sales@ours.example",
            "from": (FATHER if day % 3 else SON)["email"][0], "from_name": "",
        }
        for day in range(21)
    ]  # fmt: skip
    write_rows(folder / "mailbox", {"mails": mails})
    add_connection(world.folder, "mailbox", "scripted", {"path": str(folder / "mailbox")})
    world.hub.close()
    world.open()


def _events(world: World) -> dict[str, list[str]]:
    """Return the subjects on the timeline of whoever holds each first record."""
    with world.hub.store.read() as db:
        found = {}
        for key in ("a/contacts#a1", "a/contacts#a2"):
            rows = Timelines(db).page(ids(world.hub)[key], 100, None)
            found[key] = sorted(orjson.loads(row.shown)[2] for row in rows)
        return found


def _live(world: World) -> dict[str, list[dict[str, Any]]]:
    return {
        name: sorted(side.live().values(), key=lambda row: str(row["id"]))
        for name, side in world.sides.items()
    }


def _goldens(world: World) -> dict[int, str]:
    with world.hub.store.read() as db:
        return {n: row.golden for n, row in Identities(db).identities(_numbers(world)).items()}


def _numbers(world: World) -> set[int]:
    return set(ids(world.hub).values())


def test_father_and_son_are_two_again_in_every_system(tmp_path: Path) -> None:
    world = _family(tmp_path)
    before, goldens, were = _live(world), _goldens(world), ids(world.hub)
    assert len(goldens) == 2
    one, other = sorted(goldens)
    same(world.hub, f"P{one}", f"P{other}", who="kim", reason="by mistake")
    world.settle()
    assert len(_numbers(world)) == 1
    assert _live(world) != before
    _mailbox(world, tmp_path)
    world.settle()
    assert [len(found) for found in _events(world).values()] == [21, 21]
    found = split(world.hub, f"P{one}", reason="father and son")
    assert found.repairs
    assert ids(world.hub) == were
    own = {
        "a/contacts#a1": sorted(f"Day {day}" for day in range(21) if day % 3),
        "a/contacts#a2": sorted(f"Day {day}" for day in range(21) if not day % 3),
    }
    assert _events(world) == own
    world.settle()
    assert _live(world) == before
    assert ids(world.hub) == were
    assert _events(world) == own
    assert _goldens(world) == goldens
    assert world.conflicts("open") == []


def test_an_edit_made_in_the_meantime_stays_where_it_was_made(tmp_path: Path) -> None:
    world = _family(tmp_path)
    one, other = sorted(_numbers(world))
    same(world.hub, f"P{one}", f"P{other}")
    world.settle()
    a = world.sides["a"]
    a.edit("a1", note="pays late")
    world.settle()
    split(world.hub, f"P{one}")
    world.settle()
    notes = {row["first"]: row.get("note") for row in a.live().values()}
    assert notes == {"Karl": "pays late", "Emil": None}


def test_what_was_not_sent_yet_is_not_sent_any_more(tmp_path: Path) -> None:
    world = _family(tmp_path)
    before = _live(world)
    one, other = sorted(_numbers(world))
    same(world.hub, f"P{one}", f"P{other}")
    assert world.open_writes()
    split(world.hub, f"P{one}")
    assert world.open_writes() == []
    assert world.settle() == 1
    assert _live(world) == before


@pytest.mark.parametrize("record", ["a/contacts#a2", "b/contacts#b2"])
def test_unlink_undoes_link(tmp_path: Path, record: str) -> None:
    world = _family(tmp_path)
    before, were = _live(world), ids(world.hub)
    same(world.hub, "a/contacts#a1", record)
    world.settle()
    unlink(world.hub, record)
    world.settle()
    assert (_live(world), ids(world.hub)) == (before, were)


def test_who_was_parted_by_mistake_can_be_made_one_again(tmp_path: Path) -> None:
    world = _family(tmp_path)
    same(world.hub, "a/contacts#a1", "a/contacts#a2")
    world.settle()
    once = _live(world)
    unlink(world.hub, "a/contacts#a2")
    world.settle()
    same(world.hub, "a/contacts#a1", "a/contacts#a2")
    world.settle()
    assert _live(world) == once


def test_what_came_from_a_third_before_they_were_made_one_stays(tmp_path: Path) -> None:
    world = _family(tmp_path)
    world.sides["a"].add(first="Lena", last="Ott", email=["lena@ott.example"])
    world.settle()
    world.settle()
    before = _live(world)
    same(world.hub, "a/contacts#a1", "a/contacts#a2")
    world.settle()
    unlink(world.hub, "a/contacts#a2")
    world.settle()
    assert _live(world) == before


def test_what_keys_have_joined_can_be_ruled_to_be_one_and_parted_again(tmp_path: Path) -> None:
    world = _family(tmp_path)
    same(world.hub, "b/contacts#b1", "karl@huber.example", reason="sure")
    unlink(world.hub, "b/contacts#b1")
    same(world.hub, "a/contacts#a1", "b/contacts#b1")
    world.settle()
    found = ids(world.hub)
    assert found["a/contacts#a1"] == found["b/contacts#b1"]
    unlink(world.hub, "b/contacts#b1")
    found = ids(world.hub)
    assert found["a/contacts#a1"] != found["b/contacts#b1"]
