"""Google Ads lead forms: Google posts each lead as JSON, with a key that proves its origin.

Source: https://developers.google.com/google-ads/webhook/docs/implementation
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from crm_hub.model.values import clean_json
from crm_hub.sdk import (
    Caps,
    Change,
    CheckReport,
    Connector,
    HookBatch,
    HookRefused,
    HookReply,
    HookRequest,
    Manifest,
    RecordError,
    StreamInfo,
)
from crm_hub.sdk.webhooks import check_shared_secret

_MAX_COLUMNS = 500
_CONTACT_COLUMNS = frozenset(
    (
        "FULL_NAME", "FIRST_NAME", "LAST_NAME", "EMAIL", "WORK_EMAIL", "PHONE_NUMBER",
        "WORK_PHONE", "COMPANY_NAME", "JOB_TITLE", "STREET_ADDRESS", "CITY", "REGION",
        "POSTAL_CODE", "COUNTRY",
    )
)  # fmt: skip
_FIELDS = {
    "lead_id": "string",
    "api_version": "string",
    "form_id": "integer",
    "campaign_id": "integer",
    "adgroup_id": "integer",
    "creative_id": "integer",
    "asset_group_id": "integer",
    "gcl_id": "string",
    "is_test": "boolean",
    "lead_stage": "string",
    "lead_submit_time": "string",
    "user_column_data": "array",
    "questions": "array",
    "received_at": "string",
}


class GoogleAdsSettings(BaseModel):
    """What the connector needs to know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    google_key: SecretStr = Field(
        title="Webhook key",
        description="The key typed into the lead form's webhook settings in Google Ads; Google"
        " sends it back with each lead.",
        min_length=8,
    )


class GoogleAdsConnector(Connector[GoogleAdsSettings]):
    """Receives lead form submissions; test leads stay in a stream of their own."""

    manifest = Manifest(
        id="google_ads",
        version="1.0.0",
        title="Google Ads lead forms",
        settings=GoogleAdsSettings,
        summary="Receives the leads of Google Ads lead forms as they are sent in.",
        docs=("https://developers.google.com/google-ads/webhook/docs/implementation",),
    )

    def check(self) -> CheckReport:
        lines = (
            f"Webhook URL for the lead form: /in/{self.context.connection} on the hub's address.",
            'Send test data from Google Ads: it shows up in the stream "test_leads".',
        )
        return CheckReport(account="Google Ads lead forms", lines=lines)

    def discover(self) -> list[StreamInfo]:
        caps = Caps(read="none", webhooks=True)
        return [StreamInfo(name, caps=caps, fields=_FIELDS) for name in ("leads", "test_leads")]

    def verify_hook(self, request: HookRequest) -> HookReply:
        if request.method != "POST":
            raise HookRefused("leads are posted", status=405, remedy="Use POST.")
        lead = _parse(request.body)
        key = lead.get("google_key")
        check_shared_secret(
            key if isinstance(key, str) else None, self.settings.google_key.get_secret_value()
        )
        _check_lead(lead)
        return HookReply(body=b"{}", content_type="application/json")

    def parse_hook(self, request: HookRequest) -> HookBatch:
        try:
            lead = _parse(request.body)
            _check_lead(lead)
        except HookRefused as refused:
            raise RecordError(refused.message, remedy=refused.remedy) from None
        submitted_at = _submit_time(lead)
        change = Change(
            _lead_id(lead),
            _payload(lead, request.received_at, submitted_at),
            changed_at=submitted_at or request.received_at,
        )
        return HookBatch(changes=[("test_leads" if _is_test(lead) else "leads", change)])


def _parse(body: bytes) -> dict[str, Any]:
    try:
        lead = orjson.loads(body)
    except orjson.JSONDecodeError:
        lead = None
    if not isinstance(lead, dict):
        raise HookRefused(
            "the body is not a JSON object", status=400, remedy="Send the lead as Google does."
        )
    return lead


def _check_lead(lead: dict[str, Any]) -> None:
    columns = lead.get("user_column_data")
    if not _lead_id(lead):
        raise HookRefused("lead_id is missing", status=400, remedy="Send the lead as Google does.")
    if columns is not None and not isinstance(columns, list):
        raise HookRefused(
            "user_column_data is not a list", status=400, remedy="Send the lead as Google does."
        )
    if columns and len(columns) > _MAX_COLUMNS:
        raise HookRefused(
            "the lead has too many answers", status=413, remedy=f"Send at most {_MAX_COLUMNS}."
        )


def _lead_id(lead: dict[str, Any]) -> str:
    """Return the lead's id as text, or nothing when there is no usable one."""
    value = lead.get("lead_id")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip()
    return text if len(text) <= 1_000 else ""


def _is_test(lead: dict[str, Any]) -> bool:
    return lead.get("is_test") in (True, "true", 1)


def _submit_time(lead: dict[str, Any]) -> datetime | None:
    """Return Google's own time of the lead where it is sent and has a zone."""
    text = lead.get("lead_submit_time")
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _payload(
    lead: dict[str, Any], received_at: datetime, submitted_at: datetime | None
) -> dict[str, Any]:
    """Return the lead as Google sent it, without the key, with its questions as lines of text.

    The time of receipt stands in only where Google sends none: a lead sent twice then gives
    the same payload.
    """
    payload: dict[str, Any] = {
        name: value for name, value in lead.items() if name != "google_key"
    } | {"lead_id": _lead_id(lead), "questions": _questions(lead)}
    if submitted_at is None:
        payload["received_at"] = received_at.isoformat()
    return {name: clean_json(value) for name, value in payload.items() if value is not None}


def _questions(lead: dict[str, Any]) -> list[str]:
    """Return each answer beyond the contact details as `Question: answer`."""
    lines = []
    for column in lead.get("user_column_data") or []:
        if not isinstance(column, dict) or str(column.get("column_id")) in _CONTACT_COLUMNS:
            continue
        name = column.get("column_name") or column.get("column_id")
        answer = column.get("string_value")
        if answer not in (None, ""):
            lines.append(f"{name}: {answer}" if name else str(answer))
    return lines


connector = GoogleAdsConnector
