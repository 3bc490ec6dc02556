"""Three lines on a customer: what they say, and that they say the same until something happens."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from crm_hub.config import parse
from crm_hub.mapping import amount_text
from crm_hub.mapping import parse as parse_mapping
from crm_hub.merge.brief import LONGEST_LINE, Touch, brief
from crm_hub.merge.figures import Figures, Sums
from crm_hub.model.errors import ConfigError

TODAY = date(2026, 3, 20)
MAIL = Touch("email.received", date(2026, 3, 18), "Re: quote")
ROBOT = Touch("email.received", date(2026, 3, 19), "Your parcel", by_machine=True)
ADVERT = Touch("campaign.sent", date(2026, 3, 19), "Spring sale")
AUDIT = Touch("meeting.booked", date(2026, 4, 2), "Audit")
OFF = Touch("meeting.cancelled", date(2026, 3, 25), "Lunch")
OWES = Figures([Sums("EUR", open=1000), Sums("USD", open=128480, overdue=30000)], overdue_days=5)


def _brief(values: dict[str, Any], past: Any = (), coming: Any = (), sums: Any = None) -> list[str]:
    text = brief(values, past, coming, sums or Figures(), TODAY, amount_text)
    return text.split("\n") if text else []


def test_who_it_is_the_last_touch_and_what_is_open() -> None:
    values = {"title": "Buyer", "company": "Acme", "stage": "sales_qualified", "owner": "Bob"}
    assert _brief(values, [ROBOT, ADVERT, MAIL], [OFF, AUDIT], OWES) == [
        "Buyer, Acme · sales qualified · owner Bob",
        "Last: 2026-03-18 mail from them: Re: quote",
        "Open: EUR 10.00 + USD 1,284.80, USD 300.00 of it overdue since 2026-03-15"
        " · Next: 2026-04-02 meeting: Audit",
    ]


def test_what_is_not_known_has_no_line() -> None:
    assert _brief({}) == []
    assert _brief({"display_name": "Ann"}, [ADVERT]) == []
    assert _brief({}, [MAIL]) == ["Last: 2026-03-18 mail from them: Re: quote"]


def test_a_subject_that_is_hidden_is_not_told() -> None:
    assert _brief({}, [MAIL._replace(subject="")]) == ["Last: 2026-03-18 mail from them"]


def test_who_is_blocked_or_watched_is_said_so_and_usual_states_are_not() -> None:
    assert _brief({"status": "blocked", "credit_status": "watch"}) == ["blocked · credit watch"]
    assert _brief({"status": "active", "credit_status": "ok"}) == []


def test_days_that_pass_without_an_event_change_nothing() -> None:
    later = Figures([Sums("USD", open=30000, overdue=30000)], overdue_days=9)
    first = Figures([Sums("USD", open=30000, overdue=30000)], overdue_days=5)
    told = [
        brief({"title": "Buyer"}, [MAIL], [AUDIT], sums, day, amount_text)
        for sums, day in ((first, TODAY), (later, TODAY + timedelta(days=4)))
    ]
    assert told[0] == told[1]


def test_a_line_is_one_line_of_a_telephone() -> None:
    (line,) = _brief({"title": "Head of\nmany  things " * 30})
    assert len(line) <= LONGEST_LINE
    assert line.endswith("…")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("timeline_url: https://hub.example/t", "must hold {id}"),
        ("timeline_url: https://hub.example/#/{id}", "without #"),
        ("connections: {book: {kind: carddav, only: {ownr: Bob}}}", "did you mean owner"),
    ],
)
def test_settings_that_make_no_sense_are_refused(more: str, said: str, tmp_path: Any) -> None:
    with pytest.raises(ConfigError, match=said):
        parse(f"version: 1\n{more}\n", tmp_path)


def test_one_value_or_several_say_whom_a_book_is_for(tmp_path: Any) -> None:
    text = "connections: {a: {kind: carddav, only: {owner: Bob}}, b: {kind: carddav, only: {owner: [Bob, B. Ray]}}}"
    found = parse(f"version: 1\n{text}\n", tmp_path).connections
    assert [dict(one.only) for one in found.values()] == [
        {"owner": ("Bob",)}, {"owner": ("Bob", "B. Ray")},
    ]  # fmt: skip


def test_what_the_hub_makes_is_never_read() -> None:
    with pytest.raises(ConfigError, match="the hub makes 'brief' itself"):
        parse_mapping(
            "version: 1\nconnector: x\nstreams:\n  a:\n    entity: person\n    fields:\n"
            "      brief: {at: note, dir: both}\n",
            "x.yaml",
        )
