"""A book for each rep on real servers: whose customers are in it, and what their cards say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import vobject

from crm_hub.config import add_connection, create
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.flow.outbound import push
from crm_hub.sdk.formats.vcard import card_payload
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.store import Machinery, Outbox
from tests.flow.hubs import HERE, write_rows
from tests.flow.two_way.far_books import Side, three_sides
from tests.flow.two_way.test_contact_books import Contacts

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
_MAPPING = """\
version: 1
connector: scripted
streams:
  contacts:
    fields:
      owner: owner
      company: firm
      phone: {at: phone, dir: pull}
  meetings:
    events:
      meeting:
        type: meeting.booked
        occurred_at: {at: date, as: time}
        key: [meeting, {at: id}]
        subject: {at: subject}
        participants:
          - {role: attendee, match: email, at: with}
  invoices:
    entity: invoice
    identity:
      - {strong: invoice_id, at: id}
    fields:
      display_name: id
      due_on: {at: due, as: date}
      open_amount: {at: open, as: {money: {currency: USD}}}
    links:
      customer: {entity: person, strong: contact_id, at: customer}
"""
ANN, BEN = "ann@firm.example", "ben@firm.example"


@pytest.fixture(scope="module")
def sides() -> Iterator[list[Side]]:
    try:
        with three_sides(Contacts()) as found:
            yield found
    except Unobtainable as reason:
        pytest.skip(str(reason))


class Office:
    """A CRM and a mailbox, and a book each for two reps: one on Radicale, one on Xandikos."""

    def __init__(self, folder: Path, sides: list[Side]) -> None:
        self.now, self.rows = START, folder / "rows"
        self.bob, self.cleo = sides[0], sides[1]
        self.contacts = [
            {"id": "1", "first": "Ann", "last": "Lee", "email": ANN, "phone": "+12025550101",
             "title": "Buyer", "firm": "Acme, Pumps", "stage": "customer", "owner": "Bob"},
            {"id": "2", "first": "Ben", "last": "Okoro", "email": BEN, "phone": "+12025550102",
             "stage": "lead", "owner": "Cleo"},
        ]  # fmt: skip
        self.mails = [self.mail(1, ANN, "Quote for two pumps")]
        self.meetings: list[dict[str, Any]] = []
        self.invoices: list[dict[str, Any]] = []
        self.write()
        hub = folder / "hub"
        create(hub, own=["ours.example"], zone="America/New_York")
        shutil.copytree(HERE / "scripted", hub / "connectors" / "scripted", dirs_exist_ok=True)
        (hub / "mappings").mkdir(exist_ok=True)
        (hub / "mappings" / "scripted.yaml").write_text(_MAPPING, "utf-8")
        secret = folder / "password"
        secret.write_text("radicale-secret", "utf-8")
        secret.chmod(0o600)
        add_connection(hub, "crm", "scripted", {"path": str(self.rows)})
        text = (hub / "hub.yaml").read_text("utf-8")
        for name, side in (("bob", self.bob), ("cleo", self.cleo)):
            add_connection(hub, name, "carddav", {**side.settings, "password": f"file:{secret}"})
        text = (hub / "hub.yaml").read_text("utf-8")
        for name in ("bob", "cleo"):
            more = f"direction: both\n    brief: true\n    only: {{owner: {name.title()}}}"
            text = text.replace(f"  {name}:\n", f"  {name}:\n    {more}\n")
        text += "timeline_url: https://hub.acme.example/timeline/{id}\n"
        (hub / "hub.yaml").write_text(text, "utf-8")
        self.hub = Hub(hub, now=self._tick)

    def _tick(self) -> datetime:
        self.now += timedelta(milliseconds=5)
        return self.now

    def mail(self, number: int, sender: str, subject: str) -> dict[str, Any]:
        date = (self.now - timedelta(hours=3) + timedelta(minutes=number)).isoformat()
        return {
            "id": f"m{number}", "message_id": f"<{number}@x>", "subject": subject, "date": date,
            "from": sender, "from_name": "", "to": "sales@ours.example", "body": "hello",
        }  # fmt: skip

    def write(self) -> None:
        rows = {"contacts": self.contacts, "mails": self.mails}
        write_rows(self.rows, {**rows, "meetings": self.meetings, "invoices": self.invoices})

    def round(self) -> dict[str, int]:
        """Pull from all, write to all; return how many writes each book got."""
        for report in sync(self.hub):
            assert report.error is None, report.error
        made = {}
        for name in ("bob", "cleo"):
            report = push(self.hub, name, yes=True, many=True)
            assert report is None or report.error is None, report
            counts = {} if report is None else report.counts
            with self.hub.store.read() as db:
                assert not counts.get("dead"), Machinery(db).dead(name)
            made[name] = sum(counts.get(word, 0) for word in ("created", "updated", "deleted"))
        self.now += timedelta(minutes=2)
        return made

    def card(self, side: Side, who: str) -> bytes:
        (raw,) = [raw for raw in side.all().values() if who.encode() in raw]
        return raw

    def close(self) -> None:
        self.hub.close()
        for side in (self.bob, self.cleo):
            for name in side.names():
                side.delete(name)


@pytest.fixture
def office(tmp_path: Path, sides: list[Side]) -> Iterator[Office]:
    made = Office(tmp_path, sides)
    yield made
    made.close()


QUIET = {"bob": 0, "cleo": 0}
WHO = "Buyer, Acme, Pumps · customer · owner Bob"


def _brief(raw: bytes) -> list[str]:
    return str(card_payload(raw).get("brief", "")).split("\n")


def test_each_rep_gets_the_cards_of_their_customers_and_then_there_is_rest(
    office: Office,
) -> None:
    assert office.round() == {"bob": 1, "cleo": 1}
    card = vobject.readOne(office.card(office.bob, ANN).decode())
    assert card.note.value.split("\n") == [
        "[crm_hub]", f"> {WHO}", "> Last: 2026-03-10 mail from them: Quote for two pumps",
        "[/crm_hub]",
    ]  # fmt: skip
    assert card.url.value.startswith("https://hub.acme.example/timeline/P")
    assert _brief(office.card(office.cleo, BEN)) == ["lead · owner Cleo"]
    assert [office.round() for _ in range(3)] == [QUIET] * 3
    with office.hub.store.read() as db:
        assert Outbox(db).conflicts(None) == []


def test_a_new_mail_is_on_the_card_with_one_write_however_many_came(office: Office) -> None:
    office.round()
    office.now += timedelta(days=1)
    office.mails += [office.mail(n, ANN, f"Question {n}") for n in range(2, 9)]
    office.write()
    assert office.round() == {"bob": 1, "cleo": 0}
    assert _brief(office.card(office.bob, ANN))[1] == "Last: 2026-03-11 mail from them: Question 8"
    assert [office.round() for _ in range(3)] == [QUIET] * 3
    office.mails.append({**office.mails[-1], "id": "again", "body": "told by another mailbox"})
    office.write()
    assert office.round() == QUIET, "what says nothing new is not written"


def test_a_note_of_the_rep_stays_and_comes_in_without_the_brief(office: Office) -> None:
    office.round()
    (name,) = office.bob.names()
    raw = office.bob.get(name)
    lines = raw.replace(b"\r\n ", b"").split(b"\r\n")
    (note,) = [line for line in lines if line.startswith(b"NOTE")]
    typed = note.replace(b"NOTE:", b"NOTE:Likes tea; ask about\\, well\\, pumps\\n\\n") + b"\\nhm "
    office.bob.put(name, b"\r\n".join(typed if one is note else one for one in lines))
    office.round()
    with office.hub.store.read() as db:
        golden = db.conn.exec_driver_sql(
            "select golden from identity where golden like '%Likes tea%'"
        ).scalar_one()
    assert "crm_hub" not in golden
    assert "> " not in golden
    office.mails.append(office.mail(9, ANN, "And now?"))
    office.now += timedelta(hours=1)
    office.write()
    assert office.round()["bob"] == 1
    after = card_payload(office.bob.get(name))
    assert after["note"] == "Likes tea; ask about, well, pumps\n\n\nhm".replace("\n\n\n", "\n\n")
    assert "And now?" in after["brief"]
    assert [office.round() for _ in range(3)] == [QUIET] * 3


def test_what_is_to_come_becomes_the_last_touch_when_its_day_has_passed(office: Office) -> None:
    office.meetings = [
        {"id": "k1", "date": "2026-03-12T15:00:00+00:00", "subject": "Audit", "with": ANN}
    ]
    office.invoices = [{"id": "INV-1", "due": "2026-03-20", "open": "128.48", "customer": "1"}]
    office.write()
    office.round()
    assert _brief(office.card(office.bob, ANN))[2] == (
        "Open: USD 128.48 · Next: 2026-03-12 meeting: Audit"
    )
    office.now = datetime(2026, 3, 13, 9, tzinfo=UTC)
    assert office.round() == {"bob": 1, "cleo": 0}
    assert _brief(office.card(office.bob, ANN))[1:] == [
        "Last: 2026-03-12 meeting: Audit", "Open: USD 128.48",
    ]  # fmt: skip
    assert office.round() == QUIET
    office.now = datetime(2026, 3, 25, 9, tzinfo=UTC)
    assert office.round() == {"bob": 1, "cleo": 0}
    late = "Open: USD 128.48, USD 128.48 of it overdue since 2026-03-20"
    assert _brief(office.card(office.bob, ANN))[2] == late
    office.now += timedelta(days=3)
    assert office.round() == QUIET, "another day overdue is no news"
    office.invoices[0]["open"] = "0.00"
    office.write()
    assert office.round() == {"bob": 1, "cleo": 0}
    assert len(_brief(office.card(office.bob, ANN))) == 2


def test_who_goes_to_another_rep_gets_a_card_there_and_no_brief_here(office: Office) -> None:
    office.round()
    office.contacts[0]["owner"] = "Cleo"
    office.write()
    assert office.round() == {"bob": 1, "cleo": 1}
    assert b"crm_hub" not in office.card(office.bob, ANN)
    assert _brief(office.card(office.cleo, ANN))[0].endswith("owner Cleo")
    assert [office.round() for _ in range(3)] == [QUIET] * 3


def test_a_card_of_version_4_that_the_rep_made_gets_its_brief_and_keeps_the_rest(
    office: Office,
) -> None:
    made = (
        "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:own-1\r\nFN:Ann Lee\r\nN:Lee;Ann;;;\r\n"
        f"EMAIL;PREF=1:{ANN}\r\nTEL;VALUE=uri:tel:+1-202-555-0101\r\nX-KEEP;X-P=1:as it was\r\n"
        "NOTE:met at the fair\r\nURL:https://acme.example\r\nEND:VCARD\r\n"
    )
    office.cleo.put("own.vcf", made.encode())
    office.contacts[0]["owner"] = "Cleo"
    office.write()
    office.round()
    raw = office.card(office.cleo, ANN)
    assert b"X-KEEP;X-P=1:as it was" in raw
    said = card_payload(raw)
    assert said["note"] == "met at the fair"
    assert said["urls"] == ["https://acme.example"]
    assert _brief(raw)[1] == "Last: 2026-03-10 mail from them: Quote for two pumps"
    assert [office.round() for _ in range(3)] == [QUIET] * 3


def test_a_hub_that_does_not_say_brief_writes_none(office: Office) -> None:
    path = office.hub.folder / "hub.yaml"
    path.write_text(path.read_text("utf-8").replace("brief: true", "brief: false"), "utf-8")
    office.hub.close()
    office.hub = Hub(office.hub.folder, now=office._tick)
    assert office.round() == {"bob": 1, "cleo": 1}
    assert b"crm_hub" not in office.card(office.bob, ANN)
    with office.hub.store.read() as db:
        assert db.conn.exec_driver_sql("select count(*) from brief_due").scalar_one() == 0


def test_a_brief_switched_on_later_comes_to_the_cards_that_are_there(office: Office) -> None:
    path = office.hub.folder / "hub.yaml"
    said = path.read_text("utf-8")
    path.write_text(said.replace("brief: true", "brief: false"), "utf-8")
    office.hub.close()
    office.hub = Hub(office.hub.folder, now=office._tick)
    office.round()
    path.write_text(said, "utf-8")
    office.hub.close()
    office.hub = Hub(office.hub.folder, now=office._tick)
    assert office.round() == {"bob": 1, "cleo": 1}
    assert _brief(office.card(office.bob, ANN))[0] == WHO
    assert [office.round() for _ in range(3)] == [QUIET] * 3
