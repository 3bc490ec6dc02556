"""Google's lead form webhook: who may post, what is kept, what stays apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.google_ads.connector import GoogleAdsConnector, GoogleAdsSettings
from pydantic import ValidationError

from crm_hub.sdk import Change, Context, HookRefused, HookRequest, RecordError
from crm_hub.sdk.testing import corpus

KEY = "a-long-webhook-key"
MOMENT = datetime(2026, 3, 10, 13, 15, 22, tzinfo=UTC)
FIXTURE = json.loads((Path(__file__).parents[1] / "fixtures" / "lead.json").read_text("utf-8"))


def google() -> GoogleAdsConnector:
    return GoogleAdsConnector(GoogleAdsSettings(google_key=KEY), Context("google", Path()))


def post(later_s: float = 0, **fields: Any) -> HookRequest:
    lead = {**FIXTURE, "google_key": KEY, **fields}
    return raw_post(json.dumps(lead).encode(), later_s)


def raw_post(body: bytes, later_s: float = 0) -> HookRequest:
    received_at = MOMENT + timedelta(seconds=later_s)
    return HookRequest("POST", "/in/google", {}, {}, body, received_at)


def lead_of(request: HookRequest) -> tuple[str, Change]:
    assert google().verify_hook(request).body == b"{}"
    [(stream, change)] = google().parse_hook(request).changes
    return stream, change


def test_a_lead_is_kept_as_google_sent_it_without_the_key() -> None:
    stream, change = lead_of(post())
    assert (stream, change.id) == ("leads", "lead-5a1f")
    assert change.payload is not None
    expected = {name: value for name, value in FIXTURE.items() if name != "google_key"}
    assert {name: change.payload[name] for name in expected} == expected
    assert change.payload.keys() - expected.keys() == {"questions", "received_at"}
    assert KEY not in repr(change)


def test_custom_questions_are_told_with_their_answers() -> None:
    _, change = lead_of(post())
    assert (change.payload or {})["questions"] == ["How many people drink water?: 30 to 50"]


def test_a_question_whose_name_google_leaves_out_goes_by_its_id() -> None:
    column = {"column_id": "floor", "string_value": "3"}
    _, change = lead_of(post(user_column_data=[column, "rubbish", {"string_value": "loose"}]))
    assert (change.payload or {})["questions"] == ["floor: 3", "loose"]


def test_a_test_lead_stays_in_its_own_stream() -> None:
    stream, _ = lead_of(post(is_test=True))
    assert stream == "test_leads"


def test_a_lead_sent_twice_is_one_record_and_the_same_when_google_gives_its_time() -> None:
    fields = {"lead_submit_time": "2026-03-10T13:15:00Z"}
    (_, first), (_, again) = lead_of(post(**fields)), lead_of(post(later_s=360, **fields))
    assert first == again
    assert first.changed_at == datetime(2026, 3, 10, 13, 15, tzinfo=UTC)
    assert lead_of(post())[1].id == lead_of(post(later_s=360))[1].id


@pytest.mark.parametrize("text", ["2026-03-10T13:15:00", "yesterday", "", 17, None])
def test_a_submit_time_without_zone_or_sense_falls_back_to_the_time_of_receipt(
    text: object,
) -> None:
    _, change = lead_of(post(lead_submit_time=text))
    assert change.changed_at == MOMENT
    assert (change.payload or {})["received_at"] == MOMENT.isoformat()


def test_a_lead_id_sent_as_a_number_is_taken_as_text() -> None:
    _, change = lead_of(post(lead_id=9_007_199_254_740_993))
    assert change.id == "9007199254740993"
    assert (change.payload or {})["lead_id"] == "9007199254740993"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"google_key": "wrong"}, 403),
        ({"google_key": KEY.upper()}, 403),
        ({"google_key": ""}, 401),
        ({"google_key": None}, 401),
        ({"google_key": [KEY]}, 401),
        ({"lead_id": ""}, 400),
        ({"lead_id": None}, 400),
        ({"lead_id": True}, 400),
        ({"lead_id": "x" * 2_000}, 400),
        ({"user_column_data": {"a": 1}}, 400),
        ({"user_column_data": [{}] * 501}, 413),
    ],
)
def test_a_post_that_is_no_genuine_lead_is_refused(fields: dict[str, Any], status: int) -> None:
    with pytest.raises(HookRefused) as refused:
        google().verify_hook(post(**fields))
    assert refused.value.status == status
    assert KEY not in str(refused.value)


def test_another_method_is_405() -> None:
    with pytest.raises(HookRefused) as refused:
        google().verify_hook(HookRequest("GET", "/in/google", {}, {}, b"", MOMENT))
    assert refused.value.status == 405


def test_a_kept_request_that_cannot_be_read_is_a_dead_letter_and_no_crash() -> None:
    with pytest.raises(RecordError, match="JSON"):
        google().parse_hook(raw_post(b"{"))


def test_a_key_is_asked_for_and_never_shown() -> None:
    with pytest.raises(ValidationError) as error:
        GoogleAdsSettings.model_validate({"google_key": "canary"})
    assert "canary" not in str(error.value)
    assert KEY not in repr(google().settings)


def read(raw: bytes) -> None:
    """Take one hostile body all the way, its key made right."""
    body = raw.replace(b"KEY", KEY.encode())
    google().verify_hook(raw_post(body))
    google().parse_hook(raw_post(body))


def hostile(columns: bytes) -> bytes:
    return b'{"google_key": "KEY", "lead_id": "L", "user_column_data": ' + columns + b"}"


NASTY = {
    "empty": b"",
    "cut": hostile(b"["),
    "list": b"[]",
    "text": b'"x"',
    "depth": hostile(b"[" * 100_000 + b"]" * 100_000),
    "depth of a value": hostile(b'[{"string_value": ' + b"[" * 200 + b"]" * 200 + b"}]"),
    "columns of rubbish": hostile(b'[1, null, "x", [], {"column_id": {}}]'),
    "column id a list": hostile(b'[{"column_id": ["EMAIL"], "string_value": "x"}]'),
    "column id an object": hostile(b'[{"column_id": {"a": 1}, "string_value": "x"}]'),
    "value an object": hostile(b'[{"column_id": "EMAIL", "string_value": {"a": 1}}]'),
    "many columns": hostile(b"[" + b"{}," * 300_000 + b"{}]"),
    "huge value": hostile(b'[{"column_id": "q", "string_value": "' + b"x" * 900_000 + b'"}]'),
    "nan": hostile(b"NaN"),
    "huge number": hostile(b'[{"string_value": ' + b"9" * 400_000 + b"}]"),
    "nul": hostile(b'[{"column_id": "q\\u0000", "string_value": "a\\u0000b"}]'),
    "surrogate": hostile(b'[{"column_id": "q", "string_value": "\\ud800"}]'),
    "latin-1": hostile(b'[{"column_id": "q", "string_value": "\xeb"}]'),
    "columns null": hostile(b"null"),
    "columns text": hostile(b'"FULL_NAME"'),
    "extra keys": b'{"google_key": "KEY", "lead_id": "L", "' + b"k" * 500_000 + b'": 1}',
}


def test_every_hostile_post_ends_in_time_and_memory() -> None:
    findings = corpus.run("crm_hub_connectors.google_ads.tests.test_google_ads:read", NASTY)
    bad = [finding for finding in findings if finding.is_bad]
    assert not bad, corpus.report(bad)
