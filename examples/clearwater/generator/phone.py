"""The call log of Clearwater's telephone system: one row a call, times in New York."""

from __future__ import annotations

from datetime import datetime, timedelta

from . import cast
from .filler import FILLER
from .world import NEW_YORK, Output, number, pick, table

CALLS_FILE = "phone/calls.csv"
CALL_HEADERS = (
    "call_id", "started_at", "direction", "from", "to", "duration_s", "disposition", "line",
)  # fmt: skip
LINES = {
    "main": "+17185550100", "orders": "+17185550101",
    "billing": "+17185550102", "dispatch": "+17185550103",
}  # fmt: skip
DANA_CALL = datetime(2026, 3, 10, 10, 26, 41, tzinfo=NEW_YORK)
_FIRST_DAY = datetime(2025, 11, 3, tzinfo=NEW_YORK)
_FILLER_CALLS = 214

Call = tuple[datetime, str, str, int, str, str]


def _scripted() -> list[Call]:
    """Return the calls the README speaks of: start, direction, far number, seconds, end, line."""
    at = datetime
    return [
        (DANA_CALL, "inbound", cast.DANA.phone, 312, "ANSWERED", "orders"),
        (at(2025, 12, 9, 18, 12, 5, tzinfo=NEW_YORK), "inbound", cast.LANDLINE, 95, "ANSWERED",
         "dispatch"),
        (at(2026, 1, 22, 8, 3, 30, tzinfo=NEW_YORK), "inbound", cast.LANDLINE, 0, "NO ANSWER",
         "main"),
        (at(2026, 2, 4, 17, 40, 2, tzinfo=NEW_YORK), "inbound", cast.FAMILY_PHONE, 41, "VOICEMAIL",
         "main"),
        *((at(2025, 11, 18 + n, 11, 5 * n, 9, tzinfo=NEW_YORK), "inbound", cast.SWITCHBOARD,
           60 + 31 * n, "ANSWERED", "orders") for n in range(6)),
        (at(2026, 2, 18, 9, 15, 44, tzinfo=NEW_YORK), "outbound", cast.PRIYA.phone, 188,
         "ANSWERED", "orders"),
        (at(2026, 3, 9, 19, 1, 0, tzinfo=NEW_YORK), "inbound", "anonymous", 12, "ANSWERED", "main"),
        (at(2026, 3, 12, 9, 20, 13, tzinfo=NEW_YORK), "inbound", "", 0, "NO ANSWER", "main"),
    ]  # fmt: skip


def _filler(index: int) -> Call:
    seed = number("call", index)
    person = FILLER[seed % len(FILLER)]
    start = _FIRST_DAY + timedelta(
        days=seed // 173 % 136, hours=8 + seed // 31 % 10, minutes=seed // 7 % 60, seconds=seed % 60
    )
    direction = "outbound" if seed % 4 == 0 else "inbound"
    end = pick(("ANSWERED", "ANSWERED", "ANSWERED", "ANSWERED", "NO ANSWER", "BUSY"), "end", seed)
    if direction == "inbound" and end == "BUSY":
        end = "VOICEMAIL"
    duration = 0 if end in ("NO ANSWER", "BUSY") else 15 + seed // 13 % 420
    return start, direction, person.phone, duration, end, pick(tuple(LINES), "line", seed)


def _row(call: Call) -> dict[str, str]:
    start, direction, far, duration, end, line = call
    ours = LINES[line]
    inbound = direction == "inbound"
    return {
        "call_id": f"{start:%Y%m%d-%H%M%S}-{number('id', start, far) % 9000 + 1000}",
        "started_at": f"{start:%Y-%m-%d %H:%M:%S}",
        "direction": direction,
        "from": far if inbound else ours,
        "to": ours if inbound else far,
        "duration_s": str(duration),
        "disposition": end,
        "line": line,
    }


def phone() -> Output:
    """Return the call log, oldest call first."""
    calls = sorted([*_scripted(), *(_filler(index) for index in range(_FILLER_CALLS))])
    text = table(CALL_HEADERS, [_row(call) for call in calls], "\n")
    return Output(files={CALLS_FILE: text.encode()})
