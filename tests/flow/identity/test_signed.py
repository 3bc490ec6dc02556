"""Who works where by the signatures below mails: dated, resolved when asked, gone with the mail."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crm_hub.flow.hub import Hub
from crm_hub.flow.reading import explain_fields
from crm_hub.flow.replay import replay
from crm_hub.flow.rulings import same, unlink
from crm_hub.model.values import from_us
from tests.flow.hubs import make_hub, sync_all, write_rows

ANN = {"id": "1", "first": "Ann", "last": "Lindqvist", "email": "ann@gmail.com"}
OAK = {"id": "o", "name": "Oak Pumps Ltd", "domain": "oak.example"}
ELM = {"id": "e", "name": "Elm Tools", "domain": "elm.example"}
AT_OAK = "Kind regards,\nAnn Lindqvist\nHead of Purchasing\nOak Pumps Limited"
AT_ELM = "Mit freundlichen Grüßen\nAnn Lindqvist\nEinkaufsleiterin\nElm Tools GmbH"


def _mail(number: int, day: str, signature: str, **more: str) -> dict[str, Any]:
    return {
        "id": f"m{number}", "message_id": f"<{number}@x>", "subject": "Offer",
        "date": f"{day}T10:00:00+00:00", "from": "ann@gmail.com", "from_name": "Ann Lindqvist",
        "to": "us@ours.example", "body": f"Hello\n\nTen pumps.\n\n{signature}\n", **more,
    }  # fmt: skip


MAILS = [
    _mail(1, "2026-02-03", AT_OAK),
    _mail(2, "2026-03-04", AT_OAK),
    _mail(3, "2026-05-05", AT_ELM),
    _mail(4, "2026-06-06", "Ann"),
]


def _hub(folder: Path, store: str = "sqlite:///hub.db", **rows: list[dict[str, Any]]) -> Hub:
    write_rows(folder / "src" / "crm", rows)
    hub = make_hub(folder / "hub", {"crm": folder / "src" / "crm"}, store=store)
    sync_all(hub)
    return hub


def _works(hub: Hub, who: str) -> list[tuple[str, str, list[str], str, str, str]]:
    def day(at_us: int | None) -> str:
        return "" if at_us is None else f"{from_us(at_us):%Y-%m-%d}"

    return [
        (m.name, m.title, m.how, day(m.first_seen_us), day(m.last_seen_us), day(m.to_us))
        for m in explain_fields(hub, who).memberships
    ]


def _rows(hub: Hub) -> list[tuple[Any, ...]]:
    with hub.store.read() as db:
        rows = db.conn.execute(text("SELECT * FROM signature ORDER BY event_id"))
        return [tuple(row) for row in rows]


ELM_ROW = ("Elm Tools", "Einkaufsleiterin", ["signature of a mail on 2026-05-05"], "2026-05-05",
           "2026-05-05", "")  # fmt: skip
OAK_ROW = ("Oak Pumps Ltd", "Head of Purchasing", ["signature of a mail on 2026-03-04"],
           "2026-02-03", "2026-03-04", "2026-05-05")  # fmt: skip


def test_a_signature_is_a_dated_membership_and_a_later_one_ends_it(
    tmp_path: Path, store: str
) -> None:
    hub = _hub(tmp_path, store, contacts=[ANN], companies=[OAK, ELM], mails=MAILS)
    assert _works(hub, "Ann Lindqvist") == [ELM_ROW, OAK_ROW]
    assert _works(hub, "Oak Pumps Ltd") == [("Ann Lindqvist", *OAK_ROW[1:])]
    assert _works(hub, "Elm Tools") == [("Ann Lindqvist", *ELM_ROW[1:])]
    before = _rows(hub)
    assert len(before) == 3
    with hub.store.write() as db:
        db.conn.execute(text("DELETE FROM signature WHERE event_id > 1"))
    replay(hub)
    assert _rows(hub) == before
    changed = hub.store.rows_changed()
    sync_all(hub)
    assert hub.store.rows_changed() == changed
    hub.close()


def test_what_a_signature_tells_goes_with_its_mail(tmp_path: Path) -> None:
    hub = _hub(tmp_path, contacts=[ANN], companies=[OAK, ELM], mails=MAILS)
    write_rows(tmp_path / "src" / "crm", {"mails": MAILS[1:2] + MAILS[3:]})
    sync_all(hub, accept_deletes=True)
    assert len(_rows(hub)) == 1
    assert _works(hub, "Ann Lindqvist") == [
        (*OAK_ROW[:3], "2026-03-04", "2026-03-04", "")
    ]  # fmt: skip
    write_rows(tmp_path / "src" / "crm", {"mails": [MAILS[0], *MAILS[1:]]})
    sync_all(hub)
    assert _works(hub, "Ann Lindqvist") == [ELM_ROW, OAK_ROW]


@pytest.mark.parametrize("visibility", ["subject", "metadata"])
def test_nothing_is_read_in_a_mail_that_is_not_shown_in_full(
    tmp_path: Path, visibility: str
) -> None:
    hidden = [{**mail, "visibility": visibility} for mail in MAILS]
    hub = _hub(tmp_path, contacts=[ANN], companies=[OAK, ELM], mails=hidden)
    assert _works(hub, "Ann Lindqvist") == []
    assert _rows(hub) == []


def test_a_mail_that_another_mailbox_hides_is_no_longer_read(tmp_path: Path) -> None:
    write_rows(tmp_path / "src" / "a", {"contacts": [ANN], "companies": [OAK], "mails": MAILS[:1]})
    write_rows(tmp_path / "src" / "b", {"mails": []})
    hub = make_hub(tmp_path / "hub", {n: tmp_path / "src" / n for n in ("a", "b")})
    sync_all(hub)
    assert [name for name, *_ in _works(hub, "Ann Lindqvist")] == ["Oak Pumps Ltd"]
    write_rows(tmp_path / "src" / "b", {"mails": [{**MAILS[0], "visibility": "metadata"}]})
    sync_all(hub)
    assert _works(hub, "Ann Lindqvist") == []
    assert _rows(hub) == []


def test_merging_and_parting_firms_or_people_gives_back_what_was_told(tmp_path: Path) -> None:
    twin = {**ANN, "id": "2", "email": "ann.l@web.de"}
    hub = _hub(tmp_path, contacts=[ANN, twin], companies=[OAK, ELM], mails=MAILS)
    rows, ann = _rows(hub), _works(hub, "ann@gmail.com")
    assert _works(hub, "ann.l@web.de") == []
    same(hub, "crm/contacts#1", "crm/contacts#2")
    assert _works(hub, "ann.l@web.de") == ann == [ELM_ROW, OAK_ROW]
    unlink(hub, "crm/contacts#2")
    assert (_works(hub, "ann@gmail.com"), _works(hub, "ann.l@web.de")) == (ann, [])
    same(hub, "crm/companies#o", "crm/companies#e")
    assert [how for _, _, how, *_ in _works(hub, "ann@gmail.com")] == [ELM_ROW[2]]
    unlink(hub, "crm/companies#e")
    assert _works(hub, "ann@gmail.com") == ann
    assert _rows(hub) == rows


@pytest.mark.parametrize(
    ("signature", "firms"),
    [
        ("-- \nAnn Lindqvist\nBuyer\nOak", []),  # one usual word, and nothing else
        ("-- \nAnn Lindqvist\nBuyer\nOak\nwww.oak.example", ["Oak"]),
        ("-- \nAnn Lindqvist\nBuyer\nOak Ltd", ["Oak"]),
        ("-- \nAnn Lindqvist\nBuyer\nhttps://oak.example/shop", ["Oak"]),
        ("-- \nAnn Lindqvist\nBuyer\nhttps://www.linkedin.com/in/ann", []),
        ("-- \nAnn Lindqvist\nBuyer\nMaple House", []),  # two firms of that name
        ("-- \nAnn Lindqvist\nBuyer\nMaple House\nwww.maple-leeds.example", ["Maple House"]),
        ("-- \nAnn Lindqvist\nBuyer\nOak Ltd\nElm Tools", []),  # two firms
        ("-- \nAnn Lindqvist\nBuyer\nBirch Works", []),  # nobody's
    ],
)
def test_only_one_known_firm_is_told(tmp_path: Path, signature: str, firms: list[str]) -> None:
    companies = [
        {"id": "o", "name": "Oak", "domain": "oak.example"}, ELM,
        {"id": "l", "name": "LinkedIn", "domain": "linkedin.com"},
        {"id": "m1", "name": "Maple House", "domain": "maple-leeds.example"},
        {"id": "m2", "name": "Maple House", "domain": "maple-york.example"},
    ]  # fmt: skip
    mails = [_mail(1, "2026-02-03", signature)]
    hub = _hub(tmp_path, contacts=[ANN], companies=companies, mails=mails)
    assert [name for name, *_ in _works(hub, "Ann Lindqvist")] == firms


@pytest.mark.parametrize(
    "sender",
    [
        {"from": "us@ours.example"},
        {"from_name": "Ben Marsh"},
        {"from_name": ""},
        {"from": "ann@elsewhere.example"},
    ],
)
def test_nobody_else_s_signature_is_told_of_somebody(
    tmp_path: Path, sender: dict[str, str]
) -> None:
    mails = [_mail(1, "2026-02-03", AT_OAK, **sender)]
    hub = _hub(tmp_path, contacts=[ANN], companies=[OAK], mails=mails)
    assert _works(hub, "Ann Lindqvist") == []


def test_a_mailbox_that_somebody_else_holds_tells_nothing_of_the_holder(tmp_path: Path) -> None:
    ben = {"id": "2", "first": "Ben", "last": "Marsh", "email": "ben@oak.example"}
    mails = [_mail(1, "2026-02-03", AT_OAK, **{"from": "ben@oak.example"})]
    hub = _hub(tmp_path, contacts=[ben], companies=[OAK], mails=mails)
    assert all("signature" not in "".join(how) for _, _, how, *_ in _works(hub, "Ben Marsh"))


def test_mailbox_record_and_signature_are_one_membership(tmp_path: Path) -> None:
    ann = {**ANN, "email": "ann@oak.example", "company": "o"}
    mails = [_mail(1, "2026-02-03", AT_OAK, **{"from": "ann@oak.example"})]
    hub = _hub(tmp_path, contacts=[ann], companies=[OAK], mails=mails)
    assert _works(hub, "Ann Lindqvist") == [
        ("Oak Pumps Ltd", "Head of Purchasing",
         ["crm/contacts#1", "mail at oak.example", "signature of a mail on 2026-02-03"],
         "2026-02-03", "2026-02-03", "")
    ]  # fmt: skip


def test_what_is_told_is_the_same_in_any_order(tmp_path: Path) -> None:
    rng = random.Random(5)
    rows = {"contacts": [ANN], "companies": [OAK, ELM], "mails": MAILS}
    for turn in range(6):
        folder, names = tmp_path / str(turn), list(rows)
        rng.shuffle(names)
        shown: dict[str, list[dict[str, Any]]] = {"contacts": [], "companies": [], "mails": []}
        hub = _hub(folder, **shown)
        for name in names:
            shown[name] = rng.sample(rows[name], len(rows[name]))
            write_rows(folder / "src" / "crm", shown)
            sync_all(hub)
        assert _works(hub, "Ann Lindqvist") == [ELM_ROW, OAK_ROW], names
        hub.close()
