"""A hub between a folder of cards and a side in memory; people edit both, as programs do."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from pathlib import Path
from typing import Any

from crm_hub.config import add_connection
from crm_hub.flow.inbound import SyncReport
from crm_hub.flow.outbound import push
from crm_hub.sdk.formats.vcard import card_payload
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.names import email, family, given
from tests.flow.two_way.worlds import World

SIDE_MAPPING = """\
version: 1
connector: fake
streams:
  contacts:
    entity: person
    identity: [{strong: side_id, at: id}, {match: email}, {match: phone}]
    fields:
      display_name: {at: name, dir: both}
      given_name: {at: first, dir: both}
      family_name: {at: last, dir: both}
      title: {at: title, dir: both, blank: clears}
      email: {at: email, dir: both}
      phone: {at: phone, dir: both, blank: clears}
    create: {when: [display_name]}
    delete: propagate
"""
CARDS = "version: 1\nconnector: files\nstreams:\n  cards:\n    delete: propagate\n"
KEPT = (
    "X-PHONETIC-LAST-NAME;X-P=\"a;b\":bel\r\n"
    "item9.X-CUSTOM:one\\, two\r\n"
    "X-FOLDED:a long value that a program folded at a place of its own cho\r\n ice\r\n"
)  # fmt: skip


class CardWorld(World):
    """One side in memory and one folder, `book`, each card a file."""

    def __init__(self, folder: Path, seed: int = 1, **side: Any) -> None:
        self.writes = Counter[str]()
        self._rng = random.Random(seed)
        self._numbers = itertools.count(1)
        self.book = folder.parent / "book"
        self.book.mkdir(exist_ok=True)
        one = Side("a", Clock(), many=("email", "phone"), **side)
        super().__init__(folder, [one], mapping=SIDE_MAPPING)
        self.hub.close()
        add_connection(folder, "book", "files", {"path": str(self.book), "format": "vdir"})
        path = folder / "hub.yaml"
        path.write_text(path.read_text().replace("  book:\n", "  book:\n    direction: both\n"))
        (folder / "mappings").mkdir(exist_ok=True)
        (folder / "mappings" / "files.yaml").write_text(CARDS)
        self.open()

    # rounds

    def round(self, yes: bool = True) -> int:
        """One round, and a look at what it made: a card that is deleted unseen is not missed."""
        sent = super().round(yes)
        self.pull()
        return sent

    def push(self, *names: str, yes: bool = True) -> list[SyncReport]:
        found = [push(self.hub, name, yes=yes, many=True) for name in names or ("a", "book")]
        reports = [one for one in found if one is not None]
        for report in reports:
            assert report.error is None, report.error
            self.writes.update(report.counts)
        return reports

    @property
    def sent(self) -> int:
        return sum(self.writes[kind] for kind in ("created", "updated", "deleted"))

    # what the sides hold

    def cards(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.book.glob("*.vcf"))}

    def held(self) -> tuple[Counter[Any], Counter[Any]]:
        """Return what each of the two holds, in the same words."""
        book = Counter(
            _words(
                {
                    "name": p["fn"], "first": p["n"].get("given"), "last": p["n"].get("family"),
                    "title": p["title"], "email": [e["value"] for e in p["emails"]],
                    "phone": [t["value"] for t in p["tels"]],
                }
            )
            for p in map(card_payload, self.cards().values())
        )  # fmt: skip
        return book, Counter(_words(row) for row in self.sides["a"].live().values())

    # what people do

    def people(self, count: int) -> None:
        """Do so many random things; a record is touched by one of the two only."""
        touched: set[str] = set()
        for _ in range(count):
            choose = self._in_book if self._rng.random() < 0.5 else self._in_side
            choose(touched)

    def add_card(self) -> str:
        n = next(self._numbers)
        text = (
            f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:card-{n}\r\nFN:{given(n)} {family(n)}\r\n"
            f"N:{family(n)};{given(n)};;;\r\nEMAIL;TYPE=work:{email(n)}\r\n{KEPT}END:VCARD\r\n"
        )
        self.save(f"card-{n}.vcf", text.encode())
        return f"card-{n}.vcf"

    def save(self, name: str, raw: bytes) -> None:
        waiting = self.book / f".{name}.other.tmp"
        waiting.write_bytes(raw)
        waiting.replace(self.book / name)

    def _in_book(self, touched: set[str]) -> None:
        free = {n: raw for n, raw in self.cards().items() if _mark(card_payload(raw)["fn"])
                not in touched}  # fmt: skip
        if not free or self._rng.random() < 0.25:
            touched.add(_mark(card_payload((self.book / self.add_card()).read_bytes())["fn"]))
            return
        name = self._rng.choice(sorted(free))
        raw, n = free[name], next(self._numbers)
        touched.add(_mark(card_payload(raw)["fn"]))
        what = self._rng.choice(["fn", "title", "email", "delete", "unknown"])
        lines = raw.decode().splitlines(keepends=True)
        if what == "delete":
            (self.book / name).unlink()
            return
        if what == "fn":
            first = card_payload(raw)["n"].get("given", "")
            new = f"FN:{first} {family(n)}\r\n"
            lines = [new if one.startswith("FN") else one for one in lines]
        if what == "title":
            lines = [one for one in lines if not one.startswith("TITLE")]
            lines.insert(-1, f"TITLE:Buyer {n}\r\n")
        if what == "email":
            lines.insert(-1, f"EMAIL;TYPE=home:{email(n)}\r\n")
        if what == "unknown":
            lines.insert(-1, f"X-NOTED:{n}\r\n")
        self.save(name, "".join(lines).encode())

    def _in_side(self, touched: set[str]) -> None:
        side = self.sides["a"]
        free = [k for k, row in side.live().items() if _mark(row["name"]) not in touched]
        n = next(self._numbers)
        if not free or self._rng.random() < 0.25:
            row = {"name": f"{given(n)} {family(n)}", "first": given(n), "last": family(n)}
            side.add(**row, email=[email(n)], phone=[_phone(n)])
            touched.add(_mark(row["name"]))
            return
        key = self._rng.choice(sorted(free))
        row = side.live()[key]
        touched.add(_mark(row["name"]))
        what = self._rng.choice(["title", "email", "fewer", "phone", "delete", "last"])
        if what == "delete":
            side.drop(key)
        elif what == "title":
            side.edit(key, title=None if row.get("title") else f"Head {n}")
        elif what == "fewer" and len(row.get("email", [])) > 1:
            side.edit(key, email=row["email"][1:])
        elif what == "phone":
            side.edit(key, phone=[_phone(n)])
        elif what == "last":
            side.edit(key, last=family(n), name=f"{row['first']} {family(n)}")
        else:
            side.edit(key, email=[*row.get("email", []), email(n)])


def _phone(number: int) -> str:
    area = 201 + number // 100
    return f"+1{area if area % 100 != 11 else 999}55501{number % 100:02}"


def _mark(name: str) -> str:
    """Return the given name, which nobody changes here: it tells who is who on both sides."""
    return name.split()[0].casefold()


def _words(row: dict[str, Any]) -> Any:
    # A side may keep texts in lower case or with blanks around: that is no difference.
    parts = ("name", "first", "last", "title")
    texts = tuple(" ".join((row.get(part) or "").casefold().split()) for part in parts)
    emails = frozenset(e.strip().lower() for e in row.get("email") or ())
    phones = frozenset("".join(filter(str.isdigit, t)) for t in row.get("phone") or ())
    return *texts, emails, phones
