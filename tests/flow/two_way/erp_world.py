"""A hub between a real Tryton and a side in memory; people of both do what people do."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from crm_hub.config import add_connection
from crm_hub.flow.inbound import SyncReport
from crm_hub.flow.outbound import push
from crm_hub.sdk.testing.servers.tryton import DATABASE, USER, Erp
from tests.flow.two_way import names
from tests.flow.two_way.fake import Clock, Side
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
      email: {at: email, dir: both}
      phone: {at: phone, dir: both}
      status: {at: state, as: {enum: {on: active, off: inactive}}, dir: both}
    create: {when: [display_name]}
    delete: propagate
"""
# What an admin writes beside hub.yaml to let the hub make, archive and delete parties.
PARTIES = """\
version: 1
connector: tryton
streams:
  parties:
    fields:
      status: {at: active, as: {enum: {"true": active, "false": inactive}}, dir: both}
    create: {when: [display_name], never_when: {status: inactive}}
    delete: propagate
"""
LATEST = "version: 1\nentities: {person: {status: latest}}\n"
_AREAS = (
    "201 202 203 206 207 208 209 210 212 213 214 215 216 217 218 301 302 303 304 305 307 308 309"
    " 310 312 313 314 315 316 317 401 402 404 405 406 408 409 410 412 413 414 415 501 502 503 504"
).split()


class ErpWorld(World):
    """One side in memory, and Tryton's parties; `people` makes random edits on both."""

    def __init__(self, folder: Path, erp: Erp, seed: int = 1, **side: Any) -> None:
        self.erp, self.writes = erp, Counter[str]()
        self._rng = random.Random(seed)
        self._numbers, self._phones = itertools.count(1), itertools.count()
        self._own = {row[0] for row in self.sql("SELECT party FROM company_company")}
        self._own |= {row[0] for row in self.sql("SELECT party FROM company_employee")}
        super().__init__(
            folder, [Side("a", Clock(), many=("email", "phone"), **side)], mapping=SIDE_MAPPING
        )
        self.hub.close()
        word = folder / "password"
        word.write_text(Erp.password(USER))
        word.chmod(0o600)
        settings = {
            "url": erp.url, "database": DATABASE, "username": USER,
            "password": f"file:{word}", "streams": "parties",
        }  # fmt: skip
        add_connection(folder, "erp", "tryton", settings)
        path = folder / "hub.yaml"
        path.write_text(path.read_text().replace("  erp:\n", "  erp:\n    direction: both\n"))
        (folder / "mappings").mkdir(exist_ok=True)
        (folder / "mappings" / "tryton.yaml").write_text(PARTIES)
        (folder / "mappings" / "survivorship.yaml").write_text(LATEST)
        self.open()

    # rounds

    def round(self, yes: bool = True) -> int:
        """One round, and a look at what it made: a party that is deleted unseen is not missed."""
        sent = super().round(yes)
        self.pull()
        return sent

    def push(self, *chosen: str, yes: bool = True) -> list[SyncReport]:
        found = [push(self.hub, name, yes=yes, many=True) for name in chosen or ("a", "erp")]
        reports = [one for one in found if one is not None]
        for report in reports:
            assert report.error is None, report.error
            self.writes.update(report.counts)
        return reports

    @property
    def sent(self) -> int:
        return sum(self.writes[kind] for kind in ("created", "updated", "deleted"))

    def stamps(self) -> list[Any]:
        """Return when each row of a party and its mechanisms was written last."""
        return [
            self.sql(f"SELECT id, create_date, write_date FROM {table} ORDER BY id")
            for table in ("party_party", "party_contact_mechanism", "party_identifier")
        ]

    # what the sides hold

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.erp.path, timeout=30)) as db, db:
            return db.execute(statement).fetchall()

    def parties(self) -> dict[int, dict[str, Any]]:
        """Return the parties that are somebody's, with what is in force of their mechanisms."""
        fields = ["name", "active", "contact_mechanisms.type", "contact_mechanisms.value",
                 "contact_mechanisms.active"]  # fmt: skip
        context = {**self.erp.context, "active_test": False}
        rows = self.erp.call("model.party.party.search_read", [], 0, None, None, fields, context)
        return {row["id"]: row for row in rows if row["id"] not in self._own}

    def held(self) -> tuple[Counter[Any], Counter[Any]]:
        """Return what each of the two holds, in the same words."""
        erp = Counter(
            _words(
                row["name"],
                [m["value"] for m in _live(row) if m["type"] == "email"],
                [m["value"] for m in _live(row) if m["type"] in ("phone", "mobile")],
                row["active"],
            )
            for row in self.parties().values()
        )
        side = Counter(
            _words(
                r["name"],
                r.get("email", []),
                r.get("phone", []),
                r.get("state", "").strip() != "off",
            )
            for r in self.sides["a"].live().values()
        )
        return erp, side

    # what people do

    def people(self, count: int) -> None:
        """Do so many random things; a record is touched by one of the two systems only."""
        touched: set[str] = set()
        for _ in range(count):
            choose = self._in_erp if self._rng.random() < 0.5 else self._in_side
            choose(touched)

    def email(self) -> str:
        return names.email(next(self._numbers))

    def phone(self) -> str:
        # No two people share one: that would make them the same person.
        number = next(self._phones)
        return f"+1{_AREAS[number // 100]}55501{number % 100:02}"

    def name(self) -> str:
        number = next(self._numbers)
        return f"{names.given(number)} {names.family(number)}"

    def add_party(self) -> int:
        reached = [
            {"type": "email", "value": self.email()},
            {"type": "phone", "value": self.phone()},
        ]
        row = {"name": self.name(), "contact_mechanisms": [["create", reached]]}
        return int(self.erp.model("party.party", "create", [row])[0])

    def _in_erp(self, touched: set[str]) -> None:
        found = self.parties()
        free = [n for n, row in found.items() if not touched & _marks(_reached(row))]
        if not free or self._rng.random() < 0.2:
            added = self.add_party()
            touched |= _marks(_reached(self.parties()[added]))
            return
        number = self._rng.choice(free)
        row = found[number]
        touched |= _marks(_reached(row))
        what = self._rng.choice(["name", "edit", "add", "archive one", "active", "delete"])
        if not row["active"]:
            what = self._rng.choice(["active", "add", "delete"])  # Tryton allows no more
        if what == "delete" and self._rng.random() < 0.5:
            what = "add"
        if what == "delete":
            self.erp.model("party.party", "delete", [number])
        elif what == "active":
            self._write(number, {"active": not row["active"]})
        elif what in ("edit", "archive one") and _live(row):
            one = self._rng.choice(_live(row))
            fresh = self.email() if one["type"] == "email" else self.phone()
            change = {"value": fresh} if what == "edit" else {"active": False}
            self._write(number, {"contact_mechanisms": [["write", [one["id"]], change]]})
        elif what == "add":
            # In the list of all mechanisms, so that the party's own stamp stays.
            new = {"party": number, "type": "mobile", "value": self.phone()}
            self.erp.model("party.contact_mechanism", "create", [new])
        else:
            self._write(number, {"name": self.name()})

    def _write(self, number: int, values: dict[str, Any]) -> None:
        self.erp.model("party.party", "write", [number], values)

    def _in_side(self, touched: set[str]) -> None:
        side = self.sides["a"]
        found = side.live()
        free = [k for k, row in found.items() if not touched & _marks(_listed(row))]
        if not free or self._rng.random() < 0.2:
            row = {"name": self.name(), "email": [self.email()], "phone": [self.phone()]}
            side.add(**row, state="on")
            touched |= _marks(_listed(row))
            return
        key = self._rng.choice(free)
        row = found[key]
        touched |= _marks(_listed(row))
        what = self._rng.choice(["name", "email", "phone", "fewer", "state", "delete"])
        is_off = row.get("state", "").strip() == "off"
        if is_off:  # As in Tryton: one that is archived is not renamed.
            what = self._rng.choice(["email", "phone", "state", "delete"])
        if what == "delete" and self._rng.random() < 0.5:
            what = "phone"
        if what == "delete":
            side.drop(key)
        elif what == "state":
            side.edit(key, state="on" if is_off else "off")
        elif what == "fewer" and row.get("email"):
            side.edit(key, email=[*row["email"][1:], self.email()])
        elif what in ("email", "phone"):
            fresh = self.email() if what == "email" else self.phone()
            side.edit(key, **{what: [*row.get(what, []), fresh]})
        else:
            side.edit(key, name=self.name())


def _live(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [m for m in row["contact_mechanisms."] if m["active"]]


def _reached(row: dict[str, Any]) -> Iterator[str]:
    yield row["name"]
    yield from (m["value"] for m in row["contact_mechanisms."])


def _listed(row: dict[str, Any]) -> Iterator[str]:
    yield row["name"]
    yield from (*row.get("email", []), *row.get("phone", []))


def _marks(values: Iterator[str]) -> set[str]:
    """Return what tells that two records are one person, however each system writes it."""
    plain = [" ".join(v.casefold().split()) for v in values]
    return {_digits(v) if v.startswith("+") else v for v in plain}


def _words(name: str, emails: Sequence[str], phones: Sequence[str], active: bool) -> Any:
    # A side may keep texts in lower case or with blanks around: that is no difference.
    reached = (frozenset(e.strip().lower() for e in emails), frozenset(map(_digits, phones)))
    return " ".join(name.casefold().split()), *reached, bool(active)


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())
