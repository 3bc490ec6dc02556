"""Writing parties of a real Tryton: what is kept, what is refused, and what happens on a bad line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.tryton.connector import TrytonConnector
from crm_hub_connectors.tryton.kinds import party
from crm_hub_connectors.tryton.mechanisms import commands
from crm_hub_connectors.tryton.settings import TrytonSettings
from crm_hub_connectors.tryton.tests.erp_source import Front

from crm_hub.sdk import Change, ConfigError, Context, Outcome, Ref, Unavailable, Write
from crm_hub.sdk.http import HttpClient
from crm_hub.sdk.testing.fault_server import Call, Exchange, FaultServer
from crm_hub.sdk.testing.servers.tryton import DATABASE, USER, Erp
from crm_hub.sdk.testing.servers.tryton_data import Books

KEY = "0123456789abcdef"


class Line:
    """A connector on Tryton behind a front that can break the line at one chosen call."""

    def __init__(self, erp: Erp, server: FaultServer, user: str = USER) -> None:
        self.erp, self.server = erp, server
        server.route("POST", "/", Front(erp))
        settings = TrytonSettings.model_validate({
            "url": server.url, "database": DATABASE, "username": user,
            "password": Erp.password(user),
        })  # fmt: skip
        http = partial(HttpClient, allow_private=True, sleep=lambda _s: None, timeout_s=5)
        self.connector = TrytonConnector(settings, Context("erp", Path(), http=http))

    def push(self, **given: Any) -> Outcome:
        write = Write(**{"operation": "upsert", "stream": "parties", "id": None, "fields": {},
                         "base": {}, "guard": None, "idempotency_key": KEY, **given})  # fmt: skip
        (outcome,) = self.connector.push([write])
        return outcome

    def fetch(self, number: int) -> Change:
        ((_, change),) = self.connector.fetch([Ref("parties", str(number))])
        return change

    def break_at(self, method: str, *, after: bool) -> None:
        """Let calls of this method be reset, before or after Tryton has done what was asked."""

        def fault(exchange: Exchange) -> None:
            if f'"model.{method}"'.encode() not in exchange.call.body:
                exchange.send(exchange.reply())
                return
            if after:
                exchange.reply()
            exchange.reset()

        self.server.script(*[fault] * 30)


@pytest.fixture
def line(erp: Erp) -> Iterator[Line]:
    with FaultServer() as server:
        yield Line(erp, server)


def make(erp: Erp, **values: Any) -> int:
    return int(erp.model("party.party", "create", [{"name": "Ann Bell", **values}])[0])


def reached(erp: Erp, number: int) -> list[tuple[Any, ...]]:
    """Return (id, type, value, name, active) of a party's mechanisms, archived ones too."""
    names = ["type", "value", "name", "active"]
    context = {**erp.context, "active_test": False}
    domain = [["party", "=", number]]
    rows = erp.call("model.party.contact_mechanism.search_read", domain, 0, None,
                    [["id", "ASC"]], names, context)  # fmt: skip
    return [(r["id"], r["type"], r["value"], r["name"], bool(r["active"])) for r in rows]


def mechanisms(*rows: Mapping[str, Any]) -> dict[str, Any]:
    return {"contact_mechanisms": [["create", list(rows)]]}


def test_an_edited_address_keeps_its_label_and_its_neighbours(line: Line, erp: Erp) -> None:
    number = make(erp, **mechanisms(
        {"type": "email", "value": "old@bell.example", "name": "Office"},
        {"type": "email", "value": "stays@bell.example", "name": "Home"},
        {"type": "mobile", "value": "+12125550147"},
    ))  # fmt: skip
    before = reached(erp, number)
    outcome = line.push(
        id=str(number), fields={"emails": ["Stays@bell.example", "new@bell.example"]}
    )
    assert outcome.result == "applied"
    after = reached(erp, number)
    assert after == [(before[0][0], "email", "new@bell.example", "Office", True), *before[1:]]


def test_what_is_taken_away_is_archived_and_taken_out_again(line: Line, erp: Erp) -> None:
    number = make(erp, **mechanisms({"type": "phone", "value": "+12125550147", "name": "Desk"}))
    (before,) = reached(erp, number)
    assert line.push(id=str(number), fields={"phones": None}).result == "applied"
    assert reached(erp, number) == [(*before[:4], False)]
    assert line.fetch(number).payload["phones"] == []  # type: ignore[index]
    again = line.push(id=str(number), fields={"phones": ["+12125550147"]})
    assert again.result == "applied"
    assert reached(erp, number) == [before]


def test_a_write_of_what_stands_there_writes_nothing(line: Line, erp: Erp) -> None:
    number = make(erp, **mechanisms({"type": "phone", "value": "+12125550147"}))
    version = line.fetch(number).version
    outcome = line.push(id=str(number), fields={"name": "Ann Bell", "phones": ["+12125550147"]})
    assert (outcome.result, outcome.version) == ("applied", version)
    assert line.fetch(number).version == version


def test_an_edit_in_the_moment_of_writing_is_found_by_tryton_itself(line: Line, erp: Erp) -> None:
    """The user saves the form after the hub has read and before it writes."""
    number = make(erp)

    def meanwhile(exchange: Exchange) -> None:
        if b'"model.party.party.write"' in exchange.call.body:
            erp.model("party.party", "write", [number], {"name": "Ann Quist"})
        exchange.send(exchange.reply())

    line.server.script(*[meanwhile] * 30)
    outcome = line.push(id=str(number), fields={"name": "Ann Marlow"})
    assert outcome.result == "conflict"
    assert outcome.current is not None
    assert outcome.current["name"] == "Ann Quist"
    assert line.fetch(number).payload["name"] == "Ann Quist"  # type: ignore[index]


def test_an_edit_between_writing_and_reading_back_is_not_taken_for_ours(
    line: Line, erp: Erp
) -> None:
    number = make(erp)

    def afterwards(exchange: Exchange) -> None:
        reply = exchange.reply()
        if b'"model.party.party.write"' in exchange.call.body:
            erp.model("party.party", "write", [number], {"name": "Ann Quist"})
        exchange.send(reply)

    line.server.script(*[afterwards] * 30)
    outcome = line.push(id=str(number), fields={"name": "Ann Marlow"})
    assert (outcome.result, outcome.version) == ("applied", None)


@pytest.mark.parametrize("after", [False, True])
def test_a_create_without_an_answer_makes_one_party(line: Line, erp: Erp, after: bool) -> None:
    fields = {"kind": "person", "name": "Once Only", "emails": ["once@bell.example"]}
    key = f"{KEY}{after}"
    line.break_at("party.party.create", after=after)
    with pytest.raises(Unavailable):
        line.push(fields=fields, idempotency_key=key)
    line.server.calm()
    outcome = line.push(fields=fields, idempotency_key=key)
    assert outcome.result == ("duplicate" if after else "applied")
    found = line.connector.fetch([Ref("parties", "", {"external_id": key})])
    assert [change.id for _, change in found] == [outcome.id]
    bearers = erp.model("party.identifier", "search_count", [["code", "like", f"%{key}"]])
    assert bearers == 1


def test_a_create_that_was_only_slow_is_not_doubled(line: Line, erp: Erp) -> None:
    """A try of which no answer came ends while the next one is under way."""
    stamped = {"identifiers": [["create", [{"code": "crm-hub:person:slow"}]]]}
    first: list[int] = []

    def late(exchange: Exchange) -> None:
        if b'"model.party.party.create"' in exchange.call.body:
            first.append(make(erp, **stamped))
        exchange.send(exchange.reply())

    line.server.script(*[late] * 30)
    outcome = line.push(fields={"kind": "person", "name": "Ann Bell"}, idempotency_key="slow")
    assert (outcome.result, outcome.id) == ("duplicate", str(first[0]))
    count = erp.model("party.identifier", "search_count", [["code", "=", "crm-hub:person:slow"]])
    assert count == 1


def test_an_update_is_sent_once_only(line: Line, erp: Erp) -> None:
    number = make(erp)
    line.break_at("party.party.write", after=True)
    with pytest.raises(Unavailable):
        line.push(id=str(number), fields={"name": "Ann Marlow"})
    sent = [c for c in line.server.calls if b'"model.party.party.write"' in c.body]
    assert len(sent) == 1


@pytest.mark.parametrize("kind", ["person", "organization"])
def test_a_party_the_hub_made_is_read_as_what_it_was_made(line: Line, erp: Erp, kind: str) -> None:
    outcome = line.push(fields={"kind": kind, "name": "Harbor Lane"}, idempotency_key=f"kind{kind}")
    payload = line.fetch(int(outcome.id or 0)).payload
    assert payload is not None
    assert party(payload)["kind"] == kind


def test_orders_invoices_and_payments_are_never_written(line: Line, erp: Erp) -> None:
    for stream in ("sales", "invoices", "payments", "opportunities"):
        outcome = line.push(stream=stream, id="1", fields={"untaxed_amount": "0"})
        assert outcome.result == "rejected"
        assert stream in outcome.reasons
    writes = [s.name for s in line.connector.discover() if s.caps.write]
    assert writes == ["parties"]
    assert not _written(line.server.calls)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": "Ann", "account_receivable": 3}, "account_receivable"),
        ({"customer_payment_term": 1}, "customer_payment_term"),
        ({"name": 7}, "name"),
        ({"emails": [7]}, "emails"),
        ({"kind": "organization"}, "kind"),
        ({"active": "perhaps"}, "active"),
    ],
)
def test_a_field_that_is_not_the_hubs_to_write_is_refused(
    line: Line, erp: Erp, fields: dict[str, Any], path: str
) -> None:
    number = make(erp)
    outcome = line.push(id=str(number), fields=fields)
    assert outcome.result == "rejected"
    assert list(outcome.reasons) == [path]
    assert line.fetch(number).payload["name"] == "Ann Bell"  # type: ignore[index]


def test_what_tryton_refuses_is_told_without_the_value(line: Line, erp: Erp) -> None:
    number = make(erp)
    outcome = line.push(id=str(number), fields={"name": "Ann Secret", "phones": ["no number"]})
    assert outcome.result == "rejected"
    assert list(outcome.reasons) == ["phones"]
    assert "no number" not in outcome.reasons["phones"]
    assert "phone number" in outcome.reasons["phones"].lower()
    assert line.fetch(number).payload["name"] == "Ann Bell"  # type: ignore[index]


def test_a_party_with_documents_is_not_deleted_and_others_are(line: Line, erp: Erp) -> None:
    books = Books(erp)
    customer = books.party("Buys Things Ltd")
    books.invoice(customer, [("1", "12.40", "0.19")])
    refused = line.push(operation="delete", id=str(customer))
    assert refused.result == "rejected"
    assert line.fetch(customer).payload is not None
    number = make(erp)
    assert line.push(operation="delete", id=str(number)).result == "applied"
    assert line.push(operation="delete", id=str(number)).result == "gone"
    assert line.fetch(number).payload is None


def test_an_archived_party_is_renamed_only_when_it_is_activated(line: Line, erp: Erp) -> None:
    number = make(erp, **mechanisms({"type": "email", "value": "ann@bell.example"}))
    erp.model("party.party", "write", [number], {"active": False})
    refused = line.push(id=str(number), fields={"name": "Ann Marlow"})
    assert refused.result == "rejected"
    assert "archived" in refused.reasons["name"]
    done = line.push(id=str(number), fields={"name": "Ann Marlow", "active": "true"})
    assert done.result == "applied"
    payload = line.fetch(number).payload or {}
    assert (payload["name"], payload["active"]) == ("Ann Marlow", True)


def test_a_party_that_was_merged_away_is_left_alone(line: Line, erp: Erp) -> None:
    stays, goes = make(erp), make(erp, name="Annie Bel")
    erp.model("party.party", "write", [goes], {"active": False})
    with closing(sqlite3.connect(erp.path, timeout=30)) as db, db:
        db.execute(f"UPDATE party_party SET replaced_by = {stays} WHERE id = {goes}")
    outcome = line.push(id=str(goes), fields={"active": "true"})
    assert outcome.result == "rejected"
    assert "merged" in outcome.reasons["replaced_by"]


def test_a_user_who_may_only_read_is_told_so_before_anything_is_sent(erp: Erp) -> None:
    made = erp.model("ir.model.access", "create", [
        {"model": "party.party", "perm_read": True, "perm_write": False, "perm_create": False,
         "perm_delete": False}
    ])  # fmt: skip
    try:
        with FaultServer() as server:
            line = Line(erp, server)
            with pytest.raises(ConfigError, match=r"may not write party.party"):
                line.push(id="1", fields={"name": "x"})
            assert not _written(server.calls)
    finally:
        erp.model("ir.model.access", "delete", made)


def test_commands_are_empty_for_what_is_there() -> None:
    rows = [
        {"id": 1, "type": "phone", "value": "0431 555 0147", "active": True},
        {"id": 2, "type": "mobile", "value": "+1 212-555-0147", "active": 1},
        {"id": 3, "type": "mobile", "value": "+12125550199", "active": 0},
    ]
    assert commands("phones", ["+494315550147", "+12125550147"], rows) == []
    assert commands("phones", ["+12125550147"], rows) == [["write", [1], {"active": False}]]
    back = commands("phones", ["+494315550147", "+12125550147", "+12125550199"], rows)
    assert back == [["write", [3], {"active": True}]]


def _written(calls: list[Call]) -> list[bytes]:
    verbs = (b".create", b".write", b".delete")
    return [c.body for c in calls if any(v + b'"' in c.body for v in verbs)]
