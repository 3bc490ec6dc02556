"""Three address books on real servers, edited at random by other programs, kept equal by the hub."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import vobject

from crm_hub.sdk.formats.vcard import card_payload
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.store import Outbox
from tests.flow.two_way.far_books import Between, Side, three_sides

_WORDS = ["buyer", "head of sales", "Käufer", "engineer, pumps", "a;b", "on\\site", ""]
_GIVEN = (
    "Ann Boris Chidi Dagmar Elif Farid Greta Hiroshi Ingrid Jorge Katya Liam Mei Noor Olga Pablo "
    "Quentin Rosa Sven Tariq Uma Viktor Wanda Xavier Yusuf Zofia"
).split()
_FAMILY = (
    "Abernathy Brockmann Castellano Dvorak Eriksen Fontaine Grigoryan Haddad Ivanova Jankowski "
    "Kowalczyk Lindqvist Moriarty Nakamura Okonkwo Pettersson Quispe Rasmussen Szabo Thibault"
).split()
_MAPPING = """\
version: 1
connector: carddav
streams:
  contacts:
    delete: propagate
"""


class Contacts:
    """Cards as phones and desktop programs write them."""

    connector, kind, setting = "carddav", "addressbook", "book"
    suffix, media_type, mapping = ".vcf", "text/vcard", _MAPPING

    def new(self, number: int, rng: random.Random, now: datetime) -> bytes:
        version = "3.0" if rng.random() < 0.8 else "4.0"
        given, family = _name(number)
        email = f"{given}.{family}@{family}-{number}.example".lower()
        lines = [
            "BEGIN:VCARD", f"VERSION:{version}", f"UID:made/{number} x", f"FN:{given} {family}",
            f"N:{family};{given};;;", f"EMAIL;TYPE=WORK:{email}",
            f"item1.TEL;TYPE=CELL:(202) 555-{number:04d}", "item1.X-ABLabel:car",
            f'X-KEEP;X-P="a;b":kept by {number}', f"URL:https://visitors.example/no-{number}-", "PHOTO;ENCODING=b;TYPE=JPEG:" + "QUJD" * 60,
            f"REV:{_stamp(now)}", "END:VCARD", "",
        ]  # fmt: skip
        return "\r\n".join(lines).encode()

    def edit(self, raw: bytes, number: int, rng: random.Random, now: datetime) -> bytes:
        card = vobject.readOne(raw.decode())
        what = rng.choice(["title", "note", "tel", "name", "categories", "address", "org"])
        if what == "name":
            card.fn.value = f"{' '.join(_name(number))} {rng.choice(['Jr.', 'PhD', 'MD'])}"
        elif what == "tel" and len(card.contents.get("tel", [])) > 1 and rng.random() < 0.5:
            card.remove(rng.choice(card.contents["tel"]))
        elif what == "tel":
            card.add("tel").value = f"+1202555{rng.randint(0, 9)}{number:03d}"
        elif what == "address":
            _clear(card, "adr")
            card.add("adr").value = vobject.vcard.Address(
                street=f"{rng.randint(1, 9)} Pier", city="Springfield", code="62701"
            )
        elif what == "org":
            _clear(card, "org")
            card.add("org").value = [rng.choice(["Acme", "Clearwater", "Brook & Co"])]
        else:
            _clear(card, what)
            value = rng.choice(_WORDS)
            if value:
                card.add(what).value = [value, "more"] if what == "categories" else value
        _clear(card, "rev")
        card.add("rev").value = _stamp(now)
        return card.serialize().encode()

    def said(self, raw: bytes) -> Any:
        card = card_payload(raw)
        numbers = {"".join(c for c in t["value"] if c.isdigit())[-10:] for t in card["tels"]}
        adrs = sorted(str({k: v for k, v in a.items() if k != "types"}) for a in card["adrs"])
        names = ("fn", "n", "org", "department", "title", "note", "bday")
        return (
            {name: card[name] for name in names},
            sorted(e["value"] for e in card["emails"]),
            sorted(numbers), sorted(card["categories"]), adrs,
        )  # fmt: skip


def _name(number: int) -> tuple[str, str]:
    """Return names that nobody takes for another's: people are told apart by them."""
    return _GIVEN[number % len(_GIVEN)], _FAMILY[number // len(_GIVEN) % len(_FAMILY)]


def _clear(card: Any, name: str) -> None:
    for one in list(card.contents.get(name, [])):
        card.remove(one)


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def sides() -> Iterator[list[Side]]:
    try:
        with three_sides(Contacts()) as found:
            yield found
    except Unobtainable as reason:
        pytest.skip(str(reason))


def _hunt(folder: Path, sides: list[Side], edits: int, seed: int) -> None:
    world = Between(folder, Contacts(), sides, seed)
    for number in range(edits):
        world.someone_edits()
        if number % 12 == 11:
            world.round()
    rounds = world.settle()
    assert len(rounds) <= 3, f"it took {rounds} writes to come to rest"
    assert world.round() == 0, "an echo was written back"
    states = world.states()
    assert states["one"] == states["two"] == states["three"], world.done
    people = [said[1] for said in states["one"]]
    assert len(people) == world.done["added"] - world.done["deleted"]
    assert len({tuple(p) for p in people}) == len(people), "somebody is there twice"
    for side in sides:
        for name, raw in side.all().items():
            if name.startswith("made-"):
                assert b"X-KEEP" in raw, f"{side.name}/{name} lost what the hub does not know"
                assert b"PHOTO" in raw, f"{side.name}/{name} lost its picture"
    world.hub.close()
    for side in sides:
        for name in side.names():
            side.delete(name)


def test_three_books_become_equal_and_come_to_rest(tmp_path: Path, sides: list[Side]) -> None:
    _hunt(tmp_path, sides, 60, seed=7)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(int(os.environ.get("CRM_HUB_SOAK_SCALE", "1"))))
def test_a_thousand_edits_end_in_three_equal_books(
    tmp_path: Path, sides: list[Side], seed: int
) -> None:
    _hunt(tmp_path, sides, 1_000, seed)


def test_a_card_made_by_the_hub_and_deleted_before_it_looks_again_is_deleted_everywhere(
    tmp_path: Path, sides: list[Side]
) -> None:
    """A server that tells what changed since a mark says nothing of what came and went since."""
    world = Between(tmp_path, Contacts(), sides, seed=1)
    one, two, _three = sides
    for number in (1, 2, 3):
        one.put(f"made-{number}.vcf", Contacts().new(number, world.rng, world.now))
    assert world.round() == 6
    gone = next(name for name in two.names() if b"/no-2-" in two.get(name))
    two.delete(gone)
    world.settle()
    left = {name: len(said) for name, said in world.states().items()}
    world.hub.close()
    for side in sides:
        for name in side.names():
            side.delete(name)
    assert left == {"one": 2, "two": 2, "three": 2}


def test_an_edit_on_two_sides_at_once_is_decided_by_the_later_and_logged(
    tmp_path: Path, sides: list[Side]
) -> None:
    world = Between(tmp_path, Contacts(), sides, seed=1)
    one, two, three = sides
    one.put("made-1.vcf", Contacts().new(1, world.rng, world.now))
    world.settle()
    for side, title, minutes in ((one, "Buyer", 9), (three, "Head of Sales", 2)):
        (name,) = side.names()
        card = vobject.readOne(side.get(name).decode())
        card.add("title").value = title
        _clear(card, "rev")
        card.add("rev").value = _stamp(world.now + timedelta(minutes=minutes))
        side.put(name, card.serialize().encode())
    world.settle()
    titles = {card_payload(raw)["title"] for side in sides for raw in side.all().values()}
    with world.hub.store.read() as db:
        decided = [row for row in Outbox(db).conflicts(None) if row.field == "title"]
    world.hub.close()
    for side in sides:
        for name in side.names():
            side.delete(name)
    assert titles == {"Buyer"}
    assert decided, "the other title is kept in sight"
    assert not two.names()
