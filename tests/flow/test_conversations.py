"""Conversations in a whole hub: mailboxes in, the same mail twice, mail deleted, a replay."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import pytest

from crm_hub.config import add_connection, create
from crm_hub.flow.hub import Hub
from crm_hub.flow.reading import timeline
from crm_hub.flow.replay import replay
from tests.flow.hubs import sync_all

ANN, BOB, SALES = "ann@acme.example", "bob@ours.example", "sales@ours.example"


def mail(number: int, sender: str, to: str, subject: str, refs: str = "", extra: str = "") -> str:
    lines = [
        f"From x Thu Jan  1 00:00:{number:02} 2026",
        f"From: {sender}",
        f"To: {to}",
        f"Date: Thu, {number} Jan 2026 10:00:00 +0000",
        f"Message-ID: <{number}@x.example>",
        f"Subject: {subject}",
        *([f"References: {refs}", f"In-Reply-To: {refs.split()[-1]}"] if refs else []),
        *([extra] if extra else []),
    ]
    return "\n".join([*lines, "", f"Text {number}.", "", ""])


TALKS = {
    "filters": [
        mail(1, ANN, SALES, "Filters"),
        mail(2, BOB, ANN, "AW: Filters", "<1@x.example>"),
        mail(3, ANN, BOB, "Re: AW: Filters"),  # its ids were lost
        mail(4, BOB, ANN, "AW: Re: AW: Filters", "<gone@x.example> <3@x.example>"),
    ],
    "party": [
        mail(5, ANN, BOB, "Garden party", "<1@x.example> <2@x.example>"),  # the reply button
        mail(6, BOB, ANN, "AW: Garden party", "<1@x.example> <2@x.example> <5@x.example>"),
    ],
    "hello": [mail(7, ANN, BOB, "Hello")],
    "hello again": [mail(8, ANN, BOB, "Hello"), mail(9, BOB, ANN, "Re: Hello")],
    "report": [mail(10, "robot@acme.example", BOB, "Report", "", "Auto-Submitted: auto-generated")],
    "report 2": [mail(11, "robot@acme.example", BOB, "Report", "", "Precedence: bulk")],
}
TRUTH = {
    frozenset(text.split("Text ")[1].split(".")[0] for text in talk) for talk in TALKS.values()
}


def hub_of(folder: Path, boxes: dict[str, list[str]]) -> Hub:
    create(folder / "hub", own=["ours.example"])
    for name, mails in boxes.items():
        (folder / f"{name}.mbox").write_text("".join(mails))
        add_connection(folder / "hub", name, "files", {"path": str(folder / f"{name}.mbox")})
    hub = Hub(folder / "hub")
    sync_all(hub)
    return hub


def conversations(hub: Hub) -> dict[str, str | None]:
    """Return message number → conversation, by what the timeline of everybody shows."""
    found = {}
    for who in (ANN, "robot@acme.example"):
        for line in timeline(hub, who)[1]:
            found[line.snippet.split()[1].rstrip(".")] = line.conversation
    return found


def parts(hub: Hub) -> set[frozenset[str]]:
    out = defaultdict(set)
    for number, conversation in conversations(hub).items():
        out[conversation].add(number)
    return {frozenset(part) for part in out.values()}


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An address book, so that both correspondents have a timeline."""
    rows = ["Record ID,First Name,Email", f"1,Ann,{ANN}", "2,Robot,robot@acme.example"]
    path = tmp_path / "people.csv"
    path.write_text("\n".join(rows))
    return str(path)


def with_people(hub: Hub, path: str) -> Hub:
    add_connection(hub.folder, "people", "files", {"path": path})
    found = Hub(hub.folder)
    sync_all(found)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_two_mailboxes_in_any_order_show_the_conversations(tmp_path, people, seed) -> None:
    rng = random.Random(seed)
    mails = [text for talk in TALKS.values() for text in talk]
    boxes = {
        "one": rng.sample(mails, len(mails)),
        "two": rng.sample(mails, len(mails) // 2),
    }
    hub = with_people(hub_of(tmp_path, boxes), people)
    assert parts(hub) == TRUTH


def test_a_deleted_mail_splits_no_conversation_and_ids_stay(tmp_path, people) -> None:
    hub = with_people(hub_of(tmp_path, {"one": [t for k in TALKS.values() for t in k]}), people)
    before = conversations(hub)
    kept = [t for k in TALKS.values() for t in k if "Text 2." not in t and "Text 3." not in t]
    (tmp_path / "one.mbox").write_text("".join(kept))
    sync_all(hub)
    after = conversations(hub)
    assert after == {n: c for n, c in before.items() if n not in ("2", "3")}
    assert after["1"] == after["4"]
    assert [r.error for r in replay(hub)] == [None, None]
    assert conversations(hub) == after


def test_mail_that_comes_again_after_it_was_deleted_is_where_it_was(tmp_path, people) -> None:
    mails = [t for k in TALKS.values() for t in k]
    hub = with_people(hub_of(tmp_path, {"one": mails}), people)
    before = conversations(hub)
    (tmp_path / "one.mbox").write_text("".join(mails[3:]))
    sync_all(hub)
    (tmp_path / "one.mbox").write_text("".join(mails))
    sync_all(hub)
    assert conversations(hub) == before


def test_one_message_id_of_different_mails_hides_none_and_copies_of_one_are_one(
    tmp_path, people
) -> None:
    def invoice(number: int, day: int, text: str, more: str = "") -> str:
        found = mail(number, ANN, SALES, f"Invoice {number}").replace(f"<{number}@", "<same@")
        return found.replace(f"{number} Jan", f"{day} Jan").replace(f"Text {number}.", text) + more

    first, second = "The first of them is paid.", "The second one is not yet paid."
    boxes = {
        "one": [invoice(1, 3, first), invoice(2, 4, second)],
        "two": [invoice(2, 4, second, "-- \nsales, a list\n\n")],
        "three": [invoice(1, 3, first)],
    }
    hub = with_people(hub_of(tmp_path / "all", boxes), people)
    lines = timeline(hub, ANN)[1]
    assert [line.subject for line in lines] == ["Invoice 2", "Invoice 1"]
    assert [len(line.sources) for line in lines] == [2, 2]
    (hub.folder.parent / "three.mbox").write_text("")
    sync_all(Hub(hub.folder), accept_deletes=True)
    again = timeline(Hub(hub.folder), ANN)[1]
    assert [len(line.sources) for line in again] == [2, 1]
    for name in ("one", "two"):
        (hub.folder.parent / f"{name}.mbox").write_text(boxes["three"][0])
    sync_all(Hub(hub.folder), accept_deletes=True)
    (line,) = timeline(Hub(hub.folder), ANN)[1]
    assert (line.subject, line.sources) == ("Invoice 1", ["one/one.mbox", "two/two.mbox"])


def test_a_mail_that_is_told_otherwise_keeps_its_place_and_its_number(tmp_path, people) -> None:
    boxes = {"one": [TALKS["hello"][0]], "two": [TALKS["hello"][0]]}
    hub = with_people(hub_of(tmp_path / "all", boxes), people)
    (before,) = timeline(hub, ANN)[1]
    for name in boxes:
        text = boxes[name][0].replace("Text 7.", "Text 7. And more of it, much more than before.")
        (hub.folder.parent / f"{name}.mbox").write_text(text)
        sync_all(Hub(hub.folder))
        (after,) = timeline(Hub(hub.folder), ANN)[1]
        assert (after.cursor, after.conversation) == (before.cursor, before.conversation)
        assert after.sources == before.sources
    assert "much more" in after.snippet
