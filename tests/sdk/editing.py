"""Editing entries as a test sees it: what is read back, and what else stands in a file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from crm_hub.sdk.formats.edit_ical import edit_entry
from crm_hub.sdk.formats.edit_lines import Text
from crm_hub.sdk.formats.ical_resource import read_resource

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HORIZON = datetime(2027, 1, 1, tzinfo=UTC)
ZONE = "Europe/Berlin"
TEXT = st.text("abcäß雪 ,;:\\\"'\nXYZ09", max_size=120).map(str.strip)
LINE = TEXT.map(lambda text: " ".join(text.split()))


def edit(raw: bytes, fields: dict[str, Any], zone: str = ZONE) -> bytes:
    return edit_entry(raw, fields, zone=zone, now=NOW)


def said(raw: bytes, zone: str = ZONE) -> dict[str, Any]:
    found = read_resource(raw.decode(), zone=zone, horizon=HORIZON)
    assert not found.problems
    assert found.payload is not None
    return found.payload


def others(raw: bytes, names: set[str]) -> bytes:
    return b"".join(p.raw for p in Text(raw).pieces if p.name not in names)


def first(payload: dict[str, Any], name: str) -> Any:
    return payload["occurrences"][0][name]
