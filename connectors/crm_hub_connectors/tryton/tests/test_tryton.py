"""What only Tryton has, on a real Tryton 8.2: log-ins, rights, related records, ids that go."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.tryton.connector import TrytonConnector
from crm_hub_connectors.tryton.settings import TrytonSettings
from crm_hub_connectors.tryton.tests.erp_source import Front

from crm_hub.sdk import (
    AuthRefused,
    Change,
    CheckpointExpired,
    ConfigError,
    Context,
    Page,
    StreamInfo,
    TransientError,
    Unavailable,
)
from crm_hub.sdk.http import HttpClient
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply
from crm_hub.sdk.testing.harness import WRONG, MiniHub
from crm_hub.sdk.testing.servers import free_port
from crm_hub.sdk.testing.servers.tryton import DATABASE, USER, Erp
from crm_hub.sdk.testing.servers.tryton_data import Books, days_ago

Pull = Callable[[str], list[Change]]


def connect(erp: Erp, folder: Path, **settings: Any) -> TrytonConnector:
    given = {
        "url": erp.url, "database": DATABASE, "username": USER,
        "password": Erp.password(settings.get("username", USER)), **settings,
    }  # fmt: skip
    context = Context(
        connection="erp", base_dir=folder, zone="UTC",
        http=functools.partial(HttpClient, timeout_s=10, sleep=lambda _s: None),
    )  # fmt: skip
    return TrytonConnector(TrytonSettings.model_validate(given), context)


def stream(connector: TrytonConnector, name: str) -> StreamInfo:
    (found,) = [one for one in connector.discover() if one.name == name]
    return found


def sql(erp: Erp, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(erp.path, timeout=30)) as db, db:
        return db.execute(statement).fetchall()


@pytest.fixture
def books(erp: Erp) -> Books:
    return Books(erp)


@pytest.fixture
def known(erp: Erp, tmp_path: Path) -> dict[str, MiniHub]:
    """A hub for each stream, which has read all there is."""
    connector = connect(erp, tmp_path)
    hubs = {one.name: MiniHub() for one in connector.discover()}
    for name, hub in hubs.items():
        hub.pull(connector, stream(connector, name))
    return hubs


@pytest.fixture
def pull(erp: Erp, tmp_path: Path, known: dict[str, MiniHub]) -> Pull:
    """Pull what is new in one stream and commit it; return the changes."""

    def pulled(name: str) -> list[Change]:
        connector = connect(erp, tmp_path)
        hub = known[name]
        assert hub.checkpoint is not None
        pages = list(connector.pull(stream(connector, name), json.loads(hub.checkpoint)))
        for page in pages:
            hub.commit(page)
        return [change for page in pages for change in page.changes]

    return pulled


# who may log in, and what he may see ------------------------------------------------------


def test_the_check_says_who_is_logged_in_and_for_which_company(erp: Erp, tmp_path: Path) -> None:
    report = connect(erp, tmp_path).check()
    assert report.lines[0] == "Logged in as hub, for Tidewater Trading GmbH."
    assert report.account == "Tidewater Trading GmbH (erp at 127.0.0.1)"
    assert report.clock_skew_s is not None
    assert abs(report.clock_skew_s) < 5


def test_a_wrong_password_is_refused(erp: Erp, tmp_path: Path) -> None:
    with pytest.raises(AuthRefused) as caught:
        connect(erp, tmp_path, password=WRONG).check()
    assert WRONG not in str(caught.value)


def test_a_dead_host_is_unavailable(erp: Erp, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        connect(erp, tmp_path, url=f"http://127.0.0.1:{free_port()}").check()


def test_a_user_without_rights_is_told_which_groups_to_get(erp: Erp, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        connect(erp, tmp_path, username="clerk").check()
    assert "may not read sales, invoices, payments, opportunities" in caught.value.message
    assert "Sales, Accounting, Sale Opportunity" in caught.value.remedy


def test_a_stream_without_rights_names_the_groups_and_the_others_go_on(
    erp: Erp, tmp_path: Path
) -> None:
    connector = connect(erp, tmp_path, username="clerk")
    with pytest.raises(ConfigError) as caught:
        list(connector.pull(stream(connector, "sales"), None))
    assert "You are not allowed to access" in caught.value.message
    only = connect(erp, tmp_path, username="clerk", streams="parties")
    assert [one.name for one in only.discover()] == ["parties"]
    assert only.check().lines[0].startswith("Logged in as clerk")
    assert list(only.pull(stream(only, "parties"), None))


def test_a_module_that_is_not_activated_is_named(erp: Erp, tmp_path: Path) -> None:
    sql(erp, "UPDATE ir_module SET state = 'not activated' WHERE name = 'sale_opportunity'")
    try:
        connector = connect(erp, tmp_path)
        assert "sale_opportunity" in connector.check().lines[-1]
        assert "opportunities" not in [one.name for one in connector.discover()]
        with pytest.raises(ConfigError, match="no opportunities"):
            connect(erp, tmp_path, streams="opportunities").discover()
    finally:
        sql(erp, "UPDATE ir_module SET state = 'activated' WHERE name = 'sale_opportunity'")


def test_a_session_that_ended_between_two_pages_costs_one_log_in(
    erp: Erp, tmp_path: Path, books: Books
) -> None:
    for number in range(12):
        books.party(f"Session {number}")
    with FaultServer() as server:
        server.route("POST", "/", Front(erp, keeps_log_ins=False))
        connector = connect(erp, tmp_path, url=server.url, page_size=5)
        pages = connector.pull(stream(connector, "parties"), None)
        seen = {change.id for change in next(pages).changes}
        sql(erp, "DELETE FROM ir_session WHERE create_uid = "
                 f"(SELECT id FROM res_user WHERE login = '{USER}')")  # fmt: skip
        before = log_ins(server)
        seen |= {change.id for page in pages for change in page.changes}
        assert log_ins(server) - before == 1
    assert {str(row[0]) for row in sql(erp, "SELECT id FROM party_party")} - seen <= own(erp)


def log_ins(server: FaultServer) -> int:
    return sum(b'"common.db.login"' in call.body for call in server.calls)


def own(erp: Erp) -> set[str]:
    rows = sql(erp, "SELECT party FROM company_company UNION SELECT party FROM company_employee")
    return {str(row[0]) for row in rows}


# what changes -----------------------------------------------------------------------------


def test_the_firm_itself_and_its_employees_are_no_customers(
    erp: Erp, known: dict[str, MiniHub]
) -> None:
    assert own(erp)
    assert not own(erp) & known["parties"].records.keys()


@pytest.mark.parametrize(
    ("model", "table", "values"),
    [
        ("party.contact_mechanism", "contact_mechanisms", {"value": "new@moved.example"}),
        ("party.address", "addresses", {"city": "Husum"}),
        ("party.identifier", "identifiers", {"code": "BE0897290877"}),
    ],
)
def test_a_party_is_told_anew_when_only_what_belongs_to_it_changed(
    erp: Erp, books: Books, pull: Pull, model: str, table: str, values: dict[str, Any]
) -> None:
    party = books.party("Moved GmbH", email="old@moved.example", vat="DE136695976")
    pull("parties")
    settle(erp)
    before = sql(erp, f"SELECT write_date FROM party_party WHERE id = {party}")
    (row,) = erp.model("party.party", "read", [party], [table])
    erp.model(model, "write", row[table], values)
    assert sql(erp, f"SELECT write_date FROM party_party WHERE id = {party}") == before
    changes = {change.id: change.payload for change in pull("parties")}
    payload = changes[str(party)]
    assert payload is not None
    assert next(iter(values.values())) in json.dumps(payload[table])


def test_contact_data_that_was_deleted_in_the_party_s_form_is_gone(
    erp: Erp, books: Books, pull: Pull
) -> None:
    party = books.party("Two Ways GmbH", email="old@ways.example", phone="+12125550147")
    pull("parties")
    settle(erp)
    (row,) = erp.model("party.party", "read", [party], ["contact_mechanisms"])
    gone = [("delete", row["contact_mechanisms"][:1])]
    erp.model("party.party", "write", [party], {"contact_mechanisms": gone})
    (payload,) = [change.payload for change in pull("parties") if change.id == str(party)]
    assert payload is not None
    assert len(payload["contact_mechanisms"]) == 1


def settle(erp: Erp) -> None:
    """Let what was done be a day old, so that nothing is read again for being recent."""
    for table in ("party_party", "party_contact_mechanism", "party_address", "party_identifier"):
        old = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
        sql(erp, f"UPDATE {table} SET create_date = '{old}', write_date = NULL")


def test_where_nothing_happened_nothing_is_told(
    erp: Erp, books: Books, tmp_path: Path, known: dict[str, MiniHub]
) -> None:
    books.party("Quiet GmbH")
    settle(erp)
    connector, hub = connect(erp, tmp_path), MiniHub()
    assert hub.pull(connector, stream(connector, "parties")) > 0
    for _ in range(3):
        assert hub.pull(connector, stream(connector, "parties")) == 0


def test_a_record_that_became_visible_late_is_read_by_its_overlap(
    erp: Erp, books: Books, pull: Pull
) -> None:
    settle(erp)
    pull("parties")
    party = books.party("Long transaction GmbH")
    begun = (datetime.now(UTC) - timedelta(minutes=3)).strftime("%Y-%m-%d %H:%M:%S.%f")
    for table, column in (("party_party", "id"), ("party_address", "party")):
        sql(erp, f"UPDATE {table} SET create_date = '{begun}', write_date = NULL "
                 f"WHERE {column} = {party}")  # fmt: skip
    assert str(party) in [change.id for change in pull("parties")]


def test_a_part_payment_tells_the_invoice_and_the_payment_anew(books: Books, pull: Pull) -> None:
    party = books.party("Part GmbH")
    invoice = books.invoice(party, [("3", "33.33", "0.19")])
    pull("invoices")
    books.pay(invoice, D("18.99"))
    (payload,) = [c.payload for c in pull("invoices") if c.id == str(invoice)]
    assert payload is not None
    assert (payload["total_amount"], payload["amount_to_pay"]) == ("118.99", "100.00")
    (paid,) = [c.payload for c in pull("payments") if (c.payload or {})["party"]["id"] == party]
    assert paid is not None
    assert (paid["received"], paid["unallocated"], paid["direction"]) == ("18.99", "0", "in")


def test_an_invoice_is_told_anew_on_the_day_it_becomes_overdue(
    books: Books, known: dict[str, MiniHub], pull: Pull, erp: Erp
) -> None:
    invoice = books.invoice(books.party("Late GmbH"), [("1", "10", "")], term="At once")
    sql(erp, "UPDATE account_move_line SET maturity_date = "
             f"'{days_ago(1).isoformat()}' WHERE maturity_date = '{days_ago(0).isoformat()}'")  # fmt: skip
    pull("invoices")
    checkpoint = json.loads(known["invoices"].checkpoint or "")
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    known["invoices"].checkpoint = json.dumps({**checkpoint, "since": later})
    assert not pull("invoices")
    # As if the last walk had been the day before.
    known["invoices"].checkpoint = json.dumps(
        {**checkpoint, "since": later, "day": days_ago(1).isoformat()}
    )
    (told,) = [c.payload for c in pull("invoices") if c.id == str(invoice)]
    assert told is not None
    assert told["overdue_on"] == days_ago(0).isoformat()
    assert not [c for c in pull("invoices") if c.id != str(invoice) and not c.payload]


def test_drafts_and_bills_of_suppliers_are_no_invoices(books: Books, pull: Pull) -> None:
    draft = books.invoice(books.party("Draft GmbH"), [("1", "10", "")], post=False)
    assert str(draft) not in [change.id for change in pull("invoices")]
    books.post(draft)
    assert str(draft) in [change.id for change in pull("invoices")]


# what is gone -----------------------------------------------------------------------------


def test_a_deleted_party_is_told_once_and_only_after_all_ids_were_listed(
    erp: Erp, books: Books, tmp_path: Path
) -> None:
    parties = [books.party(f"Gone {number}") for number in range(9)]
    connector = connect(erp, tmp_path, page_size=5)
    hub, info = MiniHub(), stream(connector, "parties")
    hub.pull(connector, info)
    erp.model("party.party", "delete", parties[:3])
    gone, left = {str(p) for p in parties[:3]}, {str(p) for p in parties[3:]}
    hub.pull(connector, info, pages=1)
    assert gone | left <= hub.records.keys()
    for _ in range(len(hub.records)):
        # Cut short after every page, and yet it gets there.
        hub.pull(connector, info, pages=1)
        assert left <= hub.records.keys()
    assert not gone & hub.records.keys()
    settle(erp)
    hub.pull(connector, info)
    assert hub.pull(connector, info) == 0


def test_a_delete_and_a_new_record_in_one_go_do_not_hide_each_other(
    erp: Erp, books: Books, pull: Pull, known: dict[str, MiniHub]
) -> None:
    old = books.party("Swapped out")
    pull("parties")
    erp.model("party.party", "delete", [old])
    new = books.party("Swapped in")
    pull("parties")
    assert str(old) not in known["parties"].records
    assert str(new) in known["parties"].records


def test_when_most_records_vanish_the_engine_is_asked_to_read_all_anew(
    erp: Erp, books: Books, tmp_path: Path, known: dict[str, MiniHub]
) -> None:
    books.party("Left over")
    connector, hub = connect(erp, tmp_path), known["parties"]
    info = stream(connector, "parties")
    hub.pull(connector, info)
    checkpoint = json.loads(hub.checkpoint or "")
    from crm_hub_connectors.tryton.known import Known

    many = Known.load(checkpoint["known"])
    many.add(range(10_000, 20_000))
    with pytest.raises(CheckpointExpired, match="more than half"):
        list(connector.pull(info, {**checkpoint, "known": many.dump()}))
    pages = list(connector.pull(info, None))
    assert pages[-1].complete


def test_an_archived_party_is_told_as_inactive_and_not_as_gone(
    erp: Erp, books: Books, pull: Pull
) -> None:
    party = books.party("Archived GmbH")
    pull("parties")
    erp.model("party.party", "write", [party], {"active": False})
    (payload,) = [change.payload for change in pull("parties") if change.id == str(party)]
    assert payload is not None
    assert not payload["active"]


# what is broken ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "harm",
    [
        {"create_date": {"__class__": "datetime", "year": "x"}, "write_date": None},
        {"name": {"__class__": "Decimal", "decimal": "1E+999999999"}},
        {"contact_mechanisms.": [7]},
        {"create_date": None, "write_date": None, "addresses.": [], "contact_mechanisms.": []},
    ],
)
def test_a_malformed_record_is_set_aside_and_the_rest_goes_on(
    erp: Erp, books: Books, tmp_path: Path, harm: dict[str, Any]
) -> None:
    bad = books.party("Bad Row GmbH", email="secret.person@bad.example")
    good = books.party("Good Row GmbH")

    def spoil(row: dict[str, Any]) -> None:
        if row["id"] == bad:
            row.update(harm)

    with FaultServer() as server:
        front = Front(erp)
        front.harm = spoil
        server.route("POST", "/", front)
        connector = connect(erp, tmp_path, url=server.url)
        hub = MiniHub()
        hub.pull(connector, stream(connector, "parties"))
    assert [reject.id for reject in hub.rejects] == [str(bad)]
    assert hub.rejects[0].remedy
    assert "secret" not in str(hub.rejects)
    assert str(good) in hub.records
    assert str(bad) not in hub.records


def test_a_record_that_breaks_tryton_itself_is_set_aside(
    erp: Erp, books: Books, tmp_path: Path
) -> None:
    bad, good = books.party("Breaks it"), books.party("Does not")
    front = Front(erp)

    def breaks(call: Call) -> Reply:
        method = call.json()["method"] if call.body else ""
        params = call.json().get("params") or []
        single = method.endswith("party.party.read") and params[0] == [bad]
        if method == "model.party.party.search_read" or single:
            return Reply.json({"id": 1, "error": ["'NoneType' object has no attribute 'x'", ""]})
        return front(call)

    with FaultServer() as server:
        server.route("POST", "/", breaks)
        connector = connect(erp, tmp_path, url=server.url)
        hub = MiniHub()
        hub.pull(connector, stream(connector, "parties"))
    assert [reject.id for reject in hub.rejects] == [str(bad)]
    assert str(good) in hub.records


@pytest.mark.parametrize(
    ("answer", "family"),
    [
        ({"id": 1, "error": ["'res.user'", ""]}, TransientError),
        ({"id": 1, "error": ["ConcurrencyException", "x"]}, TransientError),
        ({"id": 1}, TransientError),
        ([], TransientError),
        ({"id": 1, "result": None}, TransientError),
        ({"id": 1, "result": "x"}, TransientError),
        ({"id": 1, "error": ["LoginException", ["code", "Code for hub", "char"]]}, AuthRefused),
        ({"id": 1, "error": ["UserError", ["No way in.", "", None]]}, ConfigError),
    ],
)
def test_a_strange_answer_with_status_200_becomes_the_right_error(
    erp: Erp, tmp_path: Path, answer: Any, family: type[Exception]
) -> None:
    with FaultServer() as server:
        server.route("POST", "/", lambda _call: Reply.json(answer))
        connector = connect(erp, tmp_path, url=server.url)
        for ask in (connector.check, connector.discover):
            with pytest.raises(family):
                ask()


def pages_of(connector: TrytonConnector, name: str) -> Iterator[Page]:
    return connector.pull(stream(connector, name), None)


def test_every_stream_gives_its_records_with_stamp_and_version(
    erp: Erp, books: Books, tmp_path: Path
) -> None:
    party = books.party("Whole GmbH")
    books.pay(books.invoice(party, [("1", "10", "0.19")]), D("1.00"))
    books.sale(party, [("1", "12.40", "0.19")])
    books.press("sale.opportunity", "opportunity", books.opportunity(party, D("500.00")))
    connector = connect(erp, tmp_path)
    for info in connector.discover():
        found = [change for page in pages_of(connector, info.name) for change in page.changes]
        assert found, info.name
        for change in found:
            assert change.changed_at is not None
            assert change.changed_at.tzinfo is not None
            assert change.payload is not None
            assert (change.version or "").partition("/")[0] == change.payload["_timestamp"]
            assert b"__class__" not in json.dumps(change.payload).encode()
