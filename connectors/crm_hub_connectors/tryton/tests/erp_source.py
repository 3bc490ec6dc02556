"""Tryton as the source of the contract suite: a real server behind a front that plays faults."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable, Mapping, Set
from contextlib import closing
from datetime import datetime
from typing import Any

import httpx

from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply
from crm_hub.sdk.testing.harness import WRONG, Alteration, Source
from crm_hub.sdk.testing.servers import free_port
from crm_hub.sdk.testing.servers.tryton import DATABASE, USER, Erp

_STAMP = "%Y-%m-%d %H:%M:%S.%f"
_KEPT = ("authorization", "content-type")


class Front:
    """Hands each call on to Tryton and its answer back; `harm` may spoil the parties in it.

    The answer to a good log-in is kept: the session stays good, and hashing a password anew
    costs the server a sixth of a second, hundreds of times.
    """

    def __init__(self, erp: Erp, *, keeps_log_ins: bool = True) -> None:
        self._erp = erp
        self._keeps = keeps_log_ins
        self._client = httpx.Client(timeout=60)
        self._log_ins: dict[bytes, Reply] = {}
        self.harm: Callable[[dict[str, Any]], object] | None = None

    def __call__(self, call: Call) -> Reply:
        if call.body in self._log_ins:
            return self._log_ins[call.body]
        headers = {name: call.headers[name] for name in _KEPT if name in call.headers}
        answer = self._client.post(self._erp.url + call.path, content=call.body, headers=headers)
        kind = answer.headers.get("content-type", "text/plain")
        reply = Reply(answer.status_code, answer.content, kind)
        if self._keeps and b'"common.db.login"' in call.body and answer.status_code == 200:
            self._log_ins[call.body] = reply
        return self._harmed(call, reply) if self.harm else reply

    def _harmed(self, call: Call, reply: Reply) -> Reply:
        if b'"model.party.party.search_read"' not in call.body:
            return reply
        answer = json.loads(reply.body)
        for row in answer["result"]:
            assert self.harm is not None
            self.harm(row)
        return Reply.json(answer)


class ErpSource(Source):
    """The parties of a Tryton, emptied for each use. Stamps that a user cannot set go by SQL."""

    def __init__(self, server: FaultServer, erp: Erp, front: Front, page_size: int) -> None:
        self.server = server
        self._erp = erp
        self._page_size = page_size
        self._numbers = itertools.count(1)
        self._front = front
        front.harm = None
        server.route("POST", "/", front)
        self._sql("DELETE FROM party_contact_mechanism")
        self._sql("DELETE FROM party_address")
        self._sql("DELETE FROM party_identifier")
        # What the firm itself is made of stays out of the way.
        self._own = {row[0] for row in self._sql("SELECT party FROM company_company")}
        self._own |= {row[0] for row in self._sql("SELECT party FROM company_employee")}
        marks = ",".join(str(number) for number in sorted(self._own))
        self._sql(f"DELETE FROM party_party WHERE id NOT IN ({marks})")

    def settings(self) -> dict[str, Any]:
        assert self.server is not None
        return self._settings(self.server.port, Erp.password(USER))

    def bad_settings(self) -> dict[str, Any]:
        assert self.server is not None
        return self._settings(self.server.port, WRONG)

    def dead_settings(self) -> dict[str, Any]:
        return self._settings(free_port(), Erp.password(USER))

    def ids(self) -> Set[str]:
        found = self._sql("SELECT id FROM party_party")
        return {str(row[0]) for row in found if row[0] not in self._own}

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        stamp = None if at is None else at.strftime(_STAMP)
        if same_stamp:
            stamp = self._newest()
        numbers = self._many(count) if count > 50 else self._few(count)
        if stamp is not None:
            self._stamp(numbers, stamp)
        return [str(number) for number in numbers]

    def change(self, id: str) -> None:
        """Give a phone number to a party whose own record stays as it is."""
        row = {"party": int(id), "type": "phone", "value": "+12125550147"}
        self._erp.model("party.contact_mechanism", "create", [row])

    def delete(self, id: str) -> None:
        self._erp.model("party.party", "delete", [int(id)])

    def new_fields(self) -> Mapping[str, Any]:
        number = next(self._numbers)
        return {"kind": "person", "name": f"New {number}", "emails": [f"new.{number}@bell.example"]}

    def changed_fields(self, id: str) -> Mapping[str, Any]:
        return {"name": f"Changed {id}", "emails": [f"c.{id}@bell.example", f"d.{id}@bell.example"]}

    def bad_fields(self) -> Mapping[str, Any]:
        return {"phones": ["no number at all"]}

    def held(self, id: str) -> Mapping[str, Any] | None:
        names = ["name", "active", "code", "lang", "categories", "write_date", "replaced_by"]
        found = self._erp.model("party.party", "search_read", [["id", "=", int(id)]], 0, 1, None,
                                [*names, "contact_mechanisms.type", "contact_mechanisms.value",
                                 "contact_mechanisms.active", "addresses.street",
                                 "identifiers.code"])  # fmt: skip
        if not found:
            return None
        row = dict(found[0])
        reached = [m for m in row.pop("contact_mechanisms.") if m["active"]]
        emails = [m["value"] for m in reached if m["type"] == "email"]
        return {**row, "emails": emails, "rest": [m for m in reached if m["type"] != "email"]}

    def moves(self) -> Set[str]:
        return frozenset({"write_date"})

    def alter(self, how: Alteration) -> None:
        """Let a party come as another version of Tryton might write it."""
        chosen = int(min(self.ids()))
        harms: dict[Alteration, Callable[[dict[str, Any]], object]] = {
            "field added": lambda row: row.update({"since.": {"id": 1, "on": None}}),
            "field removed": lambda row: row.pop("categories."),
            "field retyped": lambda row: row.update(name=["Ann", 7], active="yes"),
        }
        harm = harms[how]
        self._front.harm = lambda row: harm(row) if row["id"] == chosen else None

    def _few(self, count: int) -> list[int]:
        rows: list[Mapping[str, Any]] = [
            {
                "name": f"Ann Bell {number}",
                "contact_mechanisms": [
                    ("create", [{"type": "email", "value": f"ann.{number}@bell.example"}])
                ],
            }
            for number in range(count)
        ]
        return list(self._erp.model("party.party", "create", rows))

    def _many(self, count: int) -> list[int]:
        first = max([*self._own, *map(int, self.ids())]) + 1
        rows = ((first + n, f"Ann Bell {n}", f"C{first + n}") for n in range(count))
        with closing(sqlite3.connect(self._erp.path, timeout=30)) as db, db:
            db.executemany(
                "INSERT INTO party_party (id, name, code, active, create_date) "
                "VALUES (?, ?, ?, 1, '2026-03-01 10:00:00.000000')",
                rows,
            )
        return list(range(first, first + count))

    def _newest(self) -> str:
        found = self._sql(
            "SELECT MAX(COALESCE(write_date, create_date)) FROM "
            "(SELECT write_date, create_date FROM party_party UNION ALL "
            "SELECT write_date, create_date FROM party_contact_mechanism)"
        )
        return str(found[0][0])

    def _stamp(self, numbers: list[int], stamp: str) -> None:
        marks = ",".join(map(str, numbers))
        for table, column in (("party_party", "id"), ("party_contact_mechanism", "party")):
            self._sql(
                f"UPDATE {table} SET create_date = '{stamp}', write_date = NULL "
                f"WHERE {column} IN ({marks})"
            )
        self._sql(f"DELETE FROM party_address WHERE party IN ({marks})")

    def _sql(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._erp.path, timeout=30)) as db, db:
            return db.execute(statement).fetchall()

    def _settings(self, port: int, password: str) -> dict[str, Any]:
        return {
            "url": f"http://127.0.0.1:{port}", "database": DATABASE, "username": USER,
            "password": password, "page_size": self._page_size,
        }  # fmt: skip
