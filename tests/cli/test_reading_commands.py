"""people, timeline, explain: what people ask, as text and as data."""

from __future__ import annotations

from pathlib import Path

import pytest

MAIL = """From nobody Sun Mar {day} 16:00:00 2026
From: Ann Lindqvist <ann@lindqvist.example>
To: Sales <sales@clearwater.example>
Subject: Two coolers
Date: Tue, {day} Mar 2026 11:12:00 -0400
Message-ID: <m{day}@lindqvist.example>

Could you come by tomorrow?

"""


@pytest.fixture
def mail_hub(crm, people_hub: Path) -> Path:
    """A hub with a mailbox of twelve mails beside the HubSpot export."""
    text = "".join(MAIL.format(day=f"{day:02}") for day in range(1, 13))
    (people_hub / "mail.mbox").write_text(text)
    crm.fine("connect", "files", "mail", "--set", "path=mail.mbox")
    crm.fine("sync")
    return people_hub


def test_people_are_listed_by_name_and_found_by_what_they_have(crm, people_hub: Path) -> None:
    table = crm.fine("people").out.splitlines()
    assert table[0].split() == ["id", "name", "what", "e-mail", "phone", "records", "events"]
    assert len(table) == 4
    found = crm.fine("people", "bo@carver", "--json").data["people"]
    assert [one["name"] for one in found] == ["Bo Carver"]
    assert crm.fine("people", "nobody at all").out == "Nobody.\n"
    assert "--limit" in crm.fine("people", "--limit", "1").out


def test_a_timeline_shows_the_company_s_clock_and_who_told(crm, mail_hub: Path) -> None:
    shown = crm.fine("timeline", "ann@lindqvist.example", "--limit", "3").out
    assert shown.startswith("P")
    assert "2026-03-12 11:12  email.received  Two coolers  [mail]" in shown
    assert "Could you come by tomorrow?" in shown
    assert "from Ann Lindqvist" in shown
    assert "--before" in shown


def test_a_line_names_its_conversation_and_that_can_be_read_alone(crm, mail_hub: Path) -> None:
    answer = MAIL.format(day="13").replace("Two coolers", "Re: Two coolers")
    named = "\nIn-Reply-To: <m12@lindqvist.example>\n\nCould"
    answer = answer.replace("\n\nCould", named)
    with (mail_hub / "mail.mbox").open("a") as box:
        box.write(answer)
    crm.fine("sync")
    events = crm.fine("timeline", "ann@lindqvist.example", "--json").data["events"]
    number = events[0]["conversation"]
    assert [e["conversation"] == number for e in events] == [True, True] + [False] * 11
    alone = crm.fine("timeline", number, "--json").data
    assert (alone["id"], alone["entity"], alone["name"]) == (number, "conversation", "Two coolers")
    assert alone["events"] == events[:2]
    page = crm.fine("timeline", number, "--json", "--limit", "1").data
    older = crm.fine("timeline", number, "--json", "--before", page["next"]).data
    assert page["events"] + older["events"] == events[:2]
    shown = crm.fine("timeline", number.lower()).out.splitlines()
    assert shown[0] == f"{number} Two coolers"
    assert f"Re: Two coolers  [mail]  {number}" in shown[1]


def test_a_conversation_that_never_was_is_refused_with_a_remedy(crm, mail_hub: Path) -> None:
    done = crm("timeline", "V999999")
    assert done.status == 2
    assert "crm-hub timeline WHO" in done.err


def test_pages_joined_by_their_cursor_are_the_whole_timeline(crm, mail_hub: Path) -> None:
    whole = crm.fine("timeline", "ann@lindqvist.example", "--json").data
    assert len(whole["events"]) == 12
    assert whole["next"] is None
    joined, cursor = [], None
    for _ in range(9):
        before = ("--before", cursor) if cursor else ()
        page = crm.fine("timeline", whole["id"], "--limit", "5", "--json", *before).data
        joined += page["events"]
        cursor = page["next"]
        if cursor is None:
            break
    assert joined == whole["events"]


def test_who_may_be_the_same_person_is_suggested_and_not_merged(crm, people_hub: Path) -> None:
    shown = crm.fine("timeline", "ann@lindqvist.example")
    assert "Possibly the same person: P" in shown.out
    assert "(same name, same city)" in shown.out
    [one] = crm.fine("timeline", "ann@lindqvist.example", "--json").data["suggestions"]
    assert one["evidence"] == ["same name", "same city"]


def test_a_name_that_several_have_lists_them(crm, people_hub: Path) -> None:
    done = crm("timeline", "Ann Lindqvist", "--json")
    assert done.status == 2
    assert done.data["error"].count("Ann Lindqvist") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("timeline", "nobody"),
        ("timeline", ""),
        ("timeline", "P999999"),
        ("timeline", "P1", "--before", "not-a-cursor"),
        ("timeline", "P1", "--limit", "0"),
        ("explain", "P1", "shoe_size"),
        ("explain", "ghost@nowhere.example"),
    ],
)
def test_a_wrong_question_ends_in_a_message_and_status_two(
    crm, people_hub: Path, arguments
) -> None:
    done = crm(*arguments, "--json")
    assert done.status == 2
    assert done.data["remedy"]
    assert done.err


def test_explain_names_value_record_rule_time_and_what_lost(crm, people_hub: Path) -> None:
    (people_hub / "other.csv").write_text(
        "Record ID,First Name,Last Name,Email,City,Last Modified Date\n"
        "9,Anne,Lindqvist,ann@lindqvist.example,Boston,2026-03-01 10:00\n"
    )
    crm.fine("connect", "files", "other", "--set", "path=other.csv")
    crm.fine("sync")
    shown = crm.fine("explain", "ann@lindqvist.example", "given_name").out
    assert "given_name  Anne" in shown
    assert "from other/other.csv#9, 2026-03-01 10:00; rule latest" in shown
    assert "lost Ann, from people/people.csv#1, 2026-02-01 10:00" in shown
    assert "e-mail" in shown
    data = crm.fine("explain", "ann@lindqvist.example", "--json").data
    story = next(one for one in data["fields"] if one["field"] == "given_name")
    assert [one["value"] for one in story["candidates"]] == ["Anne", "Ann"]
    assert len(data["records"]) == 2


def test_explain_shows_where_somebody_works_by_the_signature_of_a_mail(
    crm, people_hub: Path
) -> None:
    (people_hub / "firms.csv").write_text("Company ID,Company name\n7,Oak Pumps Ltd\n", "utf-8")
    signed = MAIL.format(day="10") + "Kind regards,\nAnn Lindqvist\nBuyer\nOak Pumps Limited\n\n"
    (people_hub / "mail.mbox").write_text(signed, "utf-8")
    crm.fine("connect", "files", "firms", "--set", "path=firms.csv")
    crm.fine("connect", "files", "mail", "--set", "path=mail.mbox")
    crm.fine("sync")
    (works,) = crm.fine("explain", "ann@lindqvist.example", "--json").data["memberships"]
    assert works["known_by"] == ["signature of a mail on 2026-03-10"]
    assert (works["name"], works["title"], works["primary"]) == ("Oak Pumps Ltd", "Buyer", True)
    assert works["first_seen"] == works["last_seen"]
    assert (works["from"], works["to"]) == (None, None)
    shown = crm.fine("explain", "Oak Pumps Ltd").out
    assert "signature of a mail on 2026-03-10" in shown
    assert shown.splitlines()[-1].rstrip().endswith("yes")


def test_a_subject_cannot_steer_the_terminal(crm, people_hub: Path) -> None:
    nasty = MAIL.format(day="10").replace("Two coolers", "\x1b]0;owned\x07 red\x1b[31m \u202egnp")
    (people_hub / "mail.mbox").write_text(nasty, "utf-8")
    crm.fine("connect", "files", "mail", "--set", "path=mail.mbox")
    crm.fine("sync")
    shown = crm.fine("timeline", "ann@lindqvist.example").out
    assert "red" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
