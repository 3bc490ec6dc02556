"""Payload → timeline events: type, time, keys, near, participants."""

from __future__ import annotations

from typing import Any

import pytest

from crm_hub.mapping import SectionPlan, compile_section
from crm_hub.model.canonical import EventDraft, Mapped, ParticipantDraft
from crm_hub.model.errors import ConfigError, RecordError
from crm_hub.model.events import VISIBILITIES

AT = "2026-03-10T12:40:00Z"
AT_US = 1_773_146_400_000_000


def plan(events: dict[str, Any], zone: str = "UTC", **more: Any) -> SectionPlan:
    section = {"events": events, **more}
    return compile_section(section, name="things", connection="erp1", region="US", zone=zone)


def mapped(event: dict[str, Any], payload: dict[str, Any], **more: Any) -> Mapped:
    usual = {"type": "note", "occurred_at": "at"}
    return plan({"made": usual | event}, **more).map({"at": AT} | payload)


def draft(event: dict[str, Any], payload: dict[str, Any], **more: Any) -> EventDraft:
    result = mapped(event, payload, **more)
    assert result.drifts == []
    return result.events[0]


def test_one_record_gives_several_events_and_no_record_when_it_has_no_entity() -> None:
    events = {
        "issued": {"type": "invoice.issued", "occurred_at": {"at": "issued_on", "as": "date"},
                   "when": {"at": "status", "not": ["draft"]},
                   "key": ["invoice", {"at": "no"}, "issued"]},
        "paid": {"type": "invoice.paid", "occurred_at": {"at": "paid_on", "as": "date"},
                 "when": {"at": "paid_on", "present": True},
                 "key": ["invoice", {"at": "no"}, "paid"]},
    }  # fmt: skip
    invoice = {"no": 7, "status": "paid", "issued_on": "2026-03-12", "paid_on": "2026-03-19"}
    result = plan(events, zone="America/New_York").map(invoice)
    assert result.record is None
    assert [(e.entry, e.type, e.key) for e in result.events] == [
        ("issued", "invoice.issued", "erp1|invoice|7|issued"),
        ("paid", "invoice.paid", "erp1|invoice|7|paid"),
    ]
    midnight = 1_773_288_000_000_000
    assert result.events[0].occurred_at_us == midnight, "2026-03-12 00:00 in New York"
    assert plan(events).map({"status": "draft"}) == Mapped(None, [], [])


def test_the_words_of_an_event_are_texts_or_values() -> None:
    event = {
        "direction": "in",
        "status": {"at": "st", "as": {"enum": {"1": "open"}}},
        "subject": {"join": ["Invoice ", {"at": "no"}]},
        "body": {"at": "text"},
        "seq": {"at": "seq"},
        "zone": "Europe/Berlin",
        "conversation": {"at": "thread"},
        "snippet": {"at": "nothing"},
        "attributes": {
            "total": {"at": "total", "as": {"money": {"currency": "USD"}}},
            "files": {"at": "files.name"},
            "tags": {"at": "tags", "as": {"split": ","}},
            "raw": {"at": "raw"},
            "by": "import",
            "none": {"at": "nothing"},
        },
    }
    payload = {
        "st": 1, "no": 7, "text": "a\nb ", "seq": "3", "thread": "t1", "total": "12.50",
        "files": [{"name": "a.pdf"}, {"name": "b.pdf"}], "tags": "x", "raw": {"k": [1]},
    }  # fmt: skip
    made = draft(event, payload)
    assert (made.occurred_at_us, made.direction, made.status) == (AT_US, "in", "open")
    assert (made.subject, made.body, made.seq) == ("Invoice 7", "a\nb", 3)
    assert (made.zone, made.conversation, made.snippet) == ("Europe/Berlin", "erp1|t1", "")
    assert made.attributes == {
        "total": {"minor_units": 1250, "currency": "USD"},
        "files": ["a.pdf", "b.pdf"],
        "tags": ["x"],
        "raw": {"k": [1]},
        "by": "import",
    }


def test_a_key_of_the_hub_carries_no_connection() -> None:
    assert draft({"key": ["mail", {"at": "id"}], "scope": "hub"}, {"id": "m1"}).key == "mail|m1"


def test_with_a_blank_part_there_is_no_key_and_near_takes_its_place() -> None:
    event = {
        "key": ["form", {"at": "id"}],
        "near": {"by": ["form", {"at": "mail", "as": "email"}], "within_s": 600},
    }
    with_key = draft(event, {"id": "f1", "mail": "ann@acme.example"})
    assert (with_key.key, with_key.bucket, with_key.tolerance_us) == ("erp1|form|f1", "", 0)
    first = draft(event, {"mail": "ann@ACME.example"})
    assert (first.key, first.tolerance_us) == ("", 600_000_000)
    assert len(first.bucket) == 32
    assert first.bucket == draft(event, {"id": " ", "mail": "ann@acme.example"}).bucket
    assert first.bucket != draft(event, {"mail": "bob@acme.example"}).bucket
    assert "acme" not in first.bucket
    nobody = draft(event, {})
    assert (nobody.key, nobody.bucket, nobody.tolerance_us) == ("", "", 0)


def test_buckets_of_two_connections_differ_unless_the_scope_is_the_hub() -> None:
    near = {"near": {"by": [{"at": "x"}], "within_s": 1}}

    def bucket(connection: str, scope: str) -> str:
        event = {"type": "note", "occurred_at": "at", "scope": scope, **near}
        where = {"name": "s", "connection": connection, "region": "US", "zone": "UTC"}
        return (
            compile_section({"events": {"e": event}}, **where)
            .map({"at": AT, "x": 1})
            .events[0]
            .bucket
        )

    assert bucket("a", "connection") != bucket("b", "connection")
    assert bucket("a", "hub") == bucket("b", "hub")


def test_participants_come_from_single_values_and_from_lists() -> None:
    event = {
        "participants": [
            {"role": "customer", "strong": "customer_number", "at": "no", "name": "customer"},
            {"role": "from", "match": "email", "at": "from.address", "name": "from.name"},
            {"role": "to", "match": "email", "each": "to", "at": "address", "name": "name"},
            {"role": "cc", "match": "email", "each": "cc", "at": "."},
            {"role": "caller", "match": "phone", "at": "tel"},
            {"role": "contact", "match": "domain", "at": "site"},
            {"role": "author", "name": "who"},
            {"role": "owner", "name": "who", "when": {"at": "who", "is": "Bob"}},
        ]
    }
    payload = {
        "no": 42, "customer": "Acme", "from": {"address": "Ann@Acme.example", "name": "Ann"},
        "to": [{"address": "bob@x.example", "name": "Bob"}] * 2 + [{"name": "Carl"}, {}, "odd"],
        "cc": ["d@x.example"], "tel": ["212-555-0147", "11"], "site": "www.acme.example",
        "who": "Eve",
    }  # fmt: skip
    assert draft(event, payload).participants == [
        ParticipantDraft("customer", "s:erp1:customer_number:42", "Acme"),
        ParticipantDraft("from", "e:ann@acme.example", "Ann"),
        ParticipantDraft("to", "e:bob@x.example", "Bob"),
        ParticipantDraft("to", "", "Carl"),
        ParticipantDraft("cc", "e:d@x.example", ""),
        ParticipantDraft("caller", "p:+12125550147", ""),
        ParticipantDraft("caller", "", "11"),
        ParticipantDraft("contact", "d:acme.example", ""),
        ParticipantDraft("author", "", "Eve"),
    ]


def test_an_address_that_does_not_fit_leaves_the_name_and_a_drift() -> None:
    event = {"participants": [{"role": "from", "match": "email", "at": "a", "name": "n"}]}
    result = mapped(event, {"a": "undisclosed", "n": "Ann"})
    assert result.events[0].participants == [ParticipantDraft("from", "", "Ann")]
    assert [drift.field for drift in result.drifts] == ["events.made"]


def test_the_record_decides_the_type() -> None:
    kinds = {"in": "call.in", "out": "call.out"}
    event = {"type": {"at": "dir", "as": {"enum": kinds}}}
    assert draft(event, {"dir": "OUT"}).type == "call.out"
    assert mapped(event, {}).events == []
    with pytest.raises(RecordError, match=r"events\.made\.type"):
        mapped(event, {"dir": "sideways"})


def test_a_type_that_is_no_event_type_gives_no_event() -> None:
    result = plan(
        {"made": {"type": {"at": "kind"}, "occurred_at": "at"}},
        entity="person",
        fields={"given_name": "first"},
    ).map({"at": AT, "kind": "party", "first": "Ann"})
    assert result.events == []
    assert [drift.field for drift in result.drifts] == ["events.made.type"]


@pytest.mark.parametrize("moment", [None, " ", "lately", "99999-01-01", {"a": 1}])
def test_a_section_of_events_without_a_readable_time_is_a_dead_letter(moment: Any) -> None:
    with pytest.raises(RecordError, match=r"events\.made\.occurred_at") as caught:
        mapped({}, {"at": moment})
    assert caught.value.remedy


def test_a_record_with_an_entity_survives_an_event_without_a_time() -> None:
    section = {"entity": "person", "fields": {"given_name": "first"}}
    event = {"made": {"type": "note", "occurred_at": "at"}}
    result = plan(event, **section).map({"first": "Ann"})
    assert result.record is not None
    assert result.events == []
    assert [drift.field for drift in result.drifts] == ["events.made.occurred_at"]


def test_a_time_may_be_put_together_from_two_columns() -> None:
    event = {"occurred_at": {"join": [{"at": "day"}, {"at": "hour"}], "with": " "}}
    made = draft(event, {"day": "2026-03-10", "hour": "08:40"}, zone="America/New_York")
    assert made.occurred_at_us == AT_US


def test_a_time_takes_the_first_path_that_is_not_blank() -> None:
    made = draft({"occurred_at": {"at": ["none", "sent"], "as": "time"}}, {"sent": 1773146400})
    assert made.occurred_at_us == AT_US


@pytest.mark.parametrize(
    ("given", "shown"),
    [("full", "full"), ("Subject", "metadata"), ("subject", "subject"), ("", "full"), ({}, "full")],
)
def test_a_visibility_nobody_knows_is_the_strictest(given: Any, shown: str) -> None:
    assert draft({"visibility": {"at": "v"}}, {"v": given}).visibility == shown
    assert shown in VISIBILITIES


def test_an_unlisted_visibility_is_the_strictest_and_reported() -> None:
    event = {"visibility": {"at": "v", "as": {"enum": {"1": "full"}}}}
    result = mapped(event, {"v": "2"})
    assert result.events[0].visibility == "metadata"
    assert [drift.field for drift in result.drifts] == ["events.made"]


def test_a_conversation_is_told_by_ids_answers_and_subject() -> None:
    told = {
        "id": {"at": "thread"},
        "ids": ["mid", "first"],
        "replies_to": ["refs", "irt"],
        "by_subject": {"at": "auto", "not": [True]},
        "list": {"at": "list"},
    }
    payload = {"thread": 7, "mid": "a@x", "refs": ["r1@x", "r2@x"], "irt": "r2@x", "auto": False}
    made = draft({"conversation": told, "scope": "hub"}, payload)
    assert (made.conversation, made.message_ids) == ("erp1|7", ["a@x"])
    assert (made.replies_to, made.by_subject, made.mailing_list) == (["r1@x", "r2@x"], True, "")
    inside = draft({"conversation": told}, {**payload, "auto": True})
    assert (inside.message_ids, inside.replies_to[0]) == (["erp1|a@x"], "erp1|r1@x")
    assert inside.by_subject is False
    listed = draft({"conversation": told}, {**payload, "auto": True, "list": "users"})
    assert (listed.by_subject, listed.mailing_list) == (True, "users")
    assert draft({"conversation": {"ids": "mid"}}, payload).by_subject is False


@pytest.mark.parametrize(
    ("told", "hint"),
    [({"by_subject": {"at": "a", "is": 1}}, "needs `id`, `ids` or"), ({"refs": "a"}, "replies_to")],
)
def test_a_conversation_that_tells_nothing_is_refused(told, hint) -> None:
    with pytest.raises(ConfigError, match=hint):
        draft({"conversation": told}, {})
