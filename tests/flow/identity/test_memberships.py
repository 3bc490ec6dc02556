"""Who works where: by what records refer to, and by mailboxes at a firm's own domain, dated."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crm_hub.flow.hub import Hub
from crm_hub.flow.reading import explain_fields, timeline
from crm_hub.flow.replay import replay
from crm_hub.flow.rulings import same, unlink
from crm_hub.model.values import from_us
from tests.flow.hubs import content, ids, make_hub, sync_all, write_rows

ANN = {"id": "1", "first": "Ann", "last": "Lindqvist", "email": "ann@oak.example", "title": "Buyer"}
OAK = {"id": "o", "name": "Oak Ltd", "domain": "oak.example"}
ELM = {"id": "e", "name": "Elm Inc", "domain": "elm.example"}


def _mail(number: int, day: str, sender: str) -> dict[str, Any]:
    return {
        "id": f"m{number}", "message_id": f"<{number}@x>", "subject": "Offer", "body": "Hello",
        "date": f"{day}T10:00:00+00:00", "from": sender, "from_name": "", "to": "us@ours.example",
    }  # fmt: skip


def _hub(folder: Path, page_size: int = 1000, **rows: list[dict[str, Any]]) -> Hub:
    write_rows(folder / "src" / "crm", rows)
    hub = make_hub(folder / "hub", {"crm": folder / "src" / "crm"}, page_size=page_size)
    sync_all(hub)
    return hub


def _works(hub: Hub, who: str) -> list[tuple[str, str, list[str], str, str]]:
    found = explain_fields(hub, who).memberships
    return [
        (
            m.name,
            m.title,
            m.how,
            *("" if at is None else f"{from_us(at):%Y-%m-%d}" for at in m[4:6]),
        )
        for m in found
    ]


def _told(hub: Hub, who: str) -> list[str]:
    _, lines = timeline(hub, who)
    return sorted(f"{line.occurred_at:%Y-%m-%d}" for line in lines)


def test_a_mailbox_at_a_firm_s_domain_is_a_membership_dated_by_mail(tmp_path: Path) -> None:
    mails = [_mail(1, "2026-02-03", "ann@oak.example"), _mail(2, "2026-05-04", "ann@oak.example")]
    hub = _hub(tmp_path, contacts=[ANN], companies=[OAK], mails=mails)
    expected = ("Buyer", ["mail at oak.example"], "2026-02-03", "2026-05-04")
    assert _works(hub, "Ann Lindqvist") == [("Oak Ltd", *expected)]
    assert _works(hub, "Oak Ltd") == [("Ann Lindqvist", *expected)]


def test_who_changes_employer_was_at_both_and_the_old_firm_hears_nothing_more(
    tmp_path: Path,
) -> None:
    moved = {**ANN, "email2": "ann@elm.example"}
    mails = [
        _mail(1, "2026-02-03", "ann@oak.example"),
        _mail(2, "2026-06-01", "ann@elm.example"),
        _mail(3, "2026-07-01", "ann@elm.example"),
    ]
    hub = _hub(tmp_path, contacts=[moved], companies=[OAK, ELM], mails=mails)
    assert _works(hub, "Ann Lindqvist") == [
        ("Elm Inc", "", ["mail at elm.example"], "2026-06-01", "2026-07-01"),
        ("Oak Ltd", "", ["mail at oak.example"], "2026-02-03", "2026-02-03"),
    ]
    assert _told(hub, "Oak Ltd") == ["2026-02-03"]
    assert _told(hub, "Elm Inc") == ["2026-06-01", "2026-07-01"]
    assert len(_told(hub, "Ann Lindqvist")) == 3


@pytest.mark.parametrize("known", [True, False])
def test_who_left_writes_for_the_new_firm_though_the_record_still_names_the_old_one(
    tmp_path: Path, known: bool
) -> None:
    moved = {**ANN, "email2": "ann@elm.example", "company": "o"}
    mails = [
        _mail(1, "2026-02-03", "ann@oak.example"),
        _mail(2, "2026-06-01", "ann@elm.example"),
        _mail(3, "2026-07-01", "ann@sales.oak.co.uk"),
    ]
    firms = [OAK, *([ELM] if known else [])]
    people = [moved, {**ANN, "id": "3", "email": "ann@sales.oak.co.uk", "email2": ANN["email"]}]
    hub = _hub(tmp_path, contacts=people, companies=firms, mails=mails)
    assert _told(hub, "Oak Ltd") == ["2026-02-03", "2026-07-01"]
    assert len(_told(hub, "Ann Lindqvist")) == 3
    if known:
        assert _told(hub, "Elm Inc") == ["2026-06-01"]
    # Without a mailbox there the record alone says whose mail it is.
    write_rows(tmp_path / "src" / "crm", {"companies": [{**OAK, "domain": ""}, *firms[1:]]})
    sync_all(hub)
    assert _told(hub, "Oak Ltd") == ["2026-02-03", "2026-06-01", "2026-07-01"]
    write_rows(tmp_path / "src" / "crm", {"companies": firms})
    sync_all(hub)
    assert _told(hub, "Oak Ltd") == ["2026-02-03", "2026-07-01"]


def test_a_ruling_on_firms_or_people_moves_their_mail_and_its_undoing_puts_it_back(
    tmp_path: Path,
) -> None:
    moved = {**ANN, "email2": "ann@elm.example", "company": "o"}
    twin = {"id": "2", "first": "Ann", "last": "Lindqvist", "email": "a.l@oak.example"}
    mails = [_mail(1, "2026-02-03", "ann@oak.example"), _mail(2, "2026-06-01", "ann@elm.example")]
    firms = [{**OAK, "domain": ""}, {"id": "x", "name": "Acorn", "domain": "oak.example"}]
    hub = _hub(tmp_path, contacts=[moved, twin], companies=firms, mails=mails)
    before, whole = _stored(hub), ["2026-02-03", "2026-06-01"]
    assert _told(hub, "Oak Ltd") == whole
    same(hub, "crm/companies#o", "crm/companies#x")
    assert _told(hub, f"O{ids(hub)['crm/companies#o']}") == whole[:1]
    unlink(hub, "crm/companies#x")
    assert _stored(hub) == before
    same(hub, "crm/contacts#1", "crm/contacts#2")
    unlink(hub, "crm/contacts#2")
    assert _stored(hub) == before


def _stored(hub: Hub) -> list[list[tuple[Any, ...]]]:
    queries = (
        "SELECT * FROM membership ORDER BY 1, 2", "SELECT * FROM participant ORDER BY 1, 2",
        "SELECT * FROM timeline_entry ORDER BY 1, 2, 3, 4", "SELECT * FROM signature ORDER BY 1",
        "SELECT id, entity, display_name, redirect_to, golden FROM identity ORDER BY id",
    )  # fmt: skip
    with hub.store.read() as db:
        return [[tuple(row) for row in db.conn.execute(text(sql))] for sql in queries]


def test_what_records_say_of_from_and_to_bounds_what_a_firm_sees(tmp_path: Path) -> None:
    ann = {**ANN, "email": "ann@gmail.com"}
    people = [
        {**ann, "company": "o", "since": "2026-01-01", "until": "2026-05-01"},
        {**ann, "id": "2", "company": "e", "since": "2026-05-01"},
    ]
    mails = [_mail(i, f"2026-0{i}-03", "ann@gmail.com") for i in range(1, 8)]
    hub = _hub(tmp_path, contacts=people, companies=[OAK, ELM], mails=mails)
    assert _told(hub, "Oak Ltd") == [f"2026-0{i}-03" for i in range(1, 5)]
    assert _told(hub, "Elm Inc") == [f"2026-0{i}-03" for i in range(5, 8)]
    found = explain_fields(hub, "Ann Lindqvist").memberships
    spans = [
        (m.name, m.primary, *("" if at is None else f"{from_us(at):%m-%d}" for at in m[6:8]))
        for m in found
    ]
    assert spans == [("Elm Inc", True, "05-01", ""), ("Oak Ltd", False, "01-01", "05-01")]
    assert [m.primary for m in explain_fields(hub, "Oak Ltd").memberships] == [False]
    write_rows(tmp_path / "src" / "crm", {"contacts": [{**people[0], "until": ""}, people[1]]})
    sync_all(hub)
    assert _told(hub, "Oak Ltd") == [f"2026-0{i}-03" for i in range(1, 8)]


def test_who_works_where_now_was_last_seen_there(tmp_path: Path) -> None:
    moved = {**ANN, "email2": "ann@elm.example", "company": "o"}
    mails = [_mail(1, "2026-02-03", "ann@oak.example"), _mail(2, "2026-06-01", "ann@elm.example")]
    hub = _hub(tmp_path, contacts=[moved], companies=[OAK, ELM], mails=mails)
    primary = [m.name for m in explain_fields(hub, "Ann Lindqvist").memberships if m.primary]
    assert primary == ["Elm Inc"]
    write_rows(tmp_path / "src" / "crm", {"mails": mails[:1]})
    sync_all(hub, accept_deletes=True)
    primary = [m.name for m in explain_fields(hub, "Ann Lindqvist").memberships if m.primary]
    assert primary == ["Oak Ltd"]


def test_a_replay_brings_memberships_of_an_older_hub_up_to_date(tmp_path: Path) -> None:
    moved = {**ANN, "email2": "ann@elm.example", "company": "o"}
    mails = [_mail(1, "2026-02-03", "ann@oak.example"), _mail(2, "2026-06-01", "ann@elm.example")]
    hub = _hub(tmp_path, contacts=[moved], companies=[OAK, ELM], mails=mails)
    entries = text("SELECT * FROM timeline_entry ORDER BY 1, 2, 3, 4")
    with hub.store.write() as db:
        before = db.conn.execute(entries).fetchall()
        oak = db.conn.execute(text("SELECT organization_id FROM membership")).scalar_one()
        db.conn.execute(
            text(
                "INSERT INTO timeline_entry SELECT :oak, occurred_at_us, seq, event_id"
                " FROM timeline_entry t WHERE NOT EXISTS (SELECT 1 FROM timeline_entry o"
                " WHERE o.event_id = t.event_id AND o.identity_id = :oak) LIMIT 1"
            ),
            {"oak": oak},
        )
    assert len(_told(hub, "Oak Ltd")) == 2
    replay(hub)
    with hub.store.read() as db:
        assert db.conn.execute(entries).fetchall() == before


def test_a_record_s_reference_and_a_mailbox_are_one_membership(tmp_path: Path) -> None:
    hub = _hub(tmp_path, contacts=[{**ANN, "company": "o"}], companies=[OAK])
    assert _works(hub, "Ann Lindqvist") == [
        ("Oak Ltd", "Buyer", ["crm/contacts#1", "mail at oak.example"], "", "")
    ]
    hub = _hub(tmp_path / "b", contacts=[{**ANN, "company": "e"}], companies=[OAK, ELM])
    assert [(name, how) for name, _, how, *_ in _works(hub, "Ann Lindqvist")] == [
        ("Elm Inc", ["crm/contacts#1"]),
        ("Oak Ltd", ["mail at oak.example"]),
    ]


@pytest.mark.parametrize("address", ["ann@gmail.com", "info@oak.example"])
def test_a_free_mailbox_and_a_role_make_nobody_a_member(tmp_path: Path, address: str) -> None:
    firm = {**OAK, "domain": "oak.example"}
    gmail = {"id": "g", "name": "Gmail Services", "domain": "gmail.com"}
    mails = [_mail(1, "2026-02-03", address)]
    hub = _hub(tmp_path, contacts=[{**ANN, "email": address}], companies=[firm, gmail], mails=mails)
    assert _works(hub, "Ann Lindqvist") == []
    assert _works(hub, "Gmail Services") == []


def test_of_two_firms_at_one_domain_the_company_field_tells_which(tmp_path: Path) -> None:
    people = [
        {**ANN, "firm": "Oak Leasing GmbH"},
        {**ANN, "id": "2", "first": "Ben", "email": "ben@oak.example"},
    ]
    branch = {"id": "l", "name": "Oak Leasing", "domain": "oak.example"}
    hub = _hub(tmp_path, contacts=people, companies=[OAK, branch])
    unlink(hub, "crm/companies#l", reason="a daughter")
    assert [name for name, *_ in _works(hub, "Ann Lindqvist")] == ["Oak Leasing"]
    assert _works(hub, "Ben Lindqvist") == []


def test_memberships_and_firms_timelines_are_the_same_in_any_order(tmp_path: Path) -> None:
    rng = random.Random(3)
    domains = ["oak.example", "elm.example", "gmail.com"]
    contacts = [
        {"id": str(i), "first": f"Name{i}", "last": "Lind", "email": f"n{i}@{rng.choice(domains)}",
         "email2": f"n{i}@{rng.choice(domains)}", "company": rng.choice(["", "o", "e", "o;e"]),
         "until": rng.choice(["", "2026-03-15"])}
        for i in range(12)
    ]  # fmt: skip
    mails = [
        _mail(i, f"2026-03-{i + 1:02d}", f"n{rng.randrange(14)}@{rng.choice(domains)}")
        for i in range(28)
    ]
    rows = {"contacts": contacts, "companies": [OAK, ELM], "mails": mails}
    first = _hub(tmp_path / "a", **rows)
    second = _hub(tmp_path / "b", mails=mails)
    for name in ("companies", "contacts"):
        shown = {n: rows[n] for n in rows if n in ("mails", "companies", name)}
        write_rows(tmp_path / "b" / "src" / "crm", shown)
        sync_all(second)
    assert content(second)["timelines"] == content(first)["timelines"]
    for firm in ("Oak Ltd", "Elm Inc"):
        assert _works(second, firm) == _works(first, firm)
        assert _works(first, firm)
