"""Values every store keeps alike: JSON without NUL, lone surrogates, NaN or huge integers.

SQLite, PostgreSQL and the JSON libraries disagree on these four, so they are
settled here, once, before anything is stored.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_hub.model.errors import RecordError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_US = timedelta(microseconds=1)
MAX_DEPTH = 60
_MAX_INT = 2**63


def to_us(moment: datetime) -> int:
    """Return an aware datetime as microseconds since 1970 UTC.

    Raises: RecordError for a naive datetime, whose instant nobody knows.
    """
    if moment.tzinfo is None:
        raise RecordError(
            "a time without a zone was given",
            remedy="Give the zone in the source or set `zone` in the mapping.",
        )
    return (moment - EPOCH) // _ONE_US


def from_us(moment_us: int) -> datetime:
    """Return microseconds since 1970 UTC as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=moment_us)


def clean_text(text: str) -> str:
    """Return text that every store keeps: no NUL, lone surrogates replaced by U+FFFD."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        # Pairs written as two escapes are joined first; what is still alone is replaced.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def clean_json(value: Any, depth: int = 0) -> Any:
    """Return a copy of a JSON value that every store keeps and compares alike.

    NaN and infinities become None, integers outside 64 bits become text, times
    become ISO 8601, anything else unknown becomes its text.
    Raises: RecordError when the value nests deeper than 60 levels.
    """
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_MAX_INT <= value < _MAX_INT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= MAX_DEPTH:
        raise RecordError(
            f"the record nests deeper than {MAX_DEPTH} levels",
            remedy="Ask the source for a flatter view of it.",
        )
    if isinstance(value, dict):
        return {clean_text(str(k)): clean_json(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean_json(v, depth + 1) for v in value]
    if isinstance(value, bytes):
        return clean_text(value.decode("utf-8", "replace"))
    if isinstance(value, datetime):
        return value.isoformat()
    return clean_text(str(value))
