"""The meeting that a mail invites to (iMIP), under the key its calendar entry has too.

Source: RFC 6047.
"""

from __future__ import annotations

import io
import re
from typing import Any

from crm_hub.sdk.formats import zones
from crm_hub.sdk.formats.calendar import event_payload
from crm_hub.sdk.formats.contentlines import components
from crm_hub.sdk.formats.ical_event import read_event

_KINDS = frozenset({b"VEVENT", b"VTIMEZONE"})
_METHOD = re.compile(rb"^METHOD[^:\r\n]{0,100}:[ \t]*([A-Za-z-]{1,30})", re.I | re.M)


def read_invitation(body: bytes, zone: str, method: str = "") -> dict[str, Any] | None:
    """Return the first meeting of a text/calendar part, None when there is none to read.

    Keys: those of shape `calendar`, and method (request, cancel, reply ...; lower case). A
    series is named by its first occurrence.
    """
    known: dict[str, Any] = {}
    stated = _METHOD.search(body)
    method = (stated[1].decode("ascii") if stated else method).lower()
    for component in components(io.BytesIO(body), _KINDS):
        if component.name == "VTIMEZONE":
            tzid, found = zones.read_vtimezone(component.raw)
            known[tzid] = found
            continue
        try:
            event = read_event(component.raw, component.name, known, zone)
            payload = {**event_payload(event, event.start), "method": method}
        except (ValueError, OverflowError):
            return None  # the mail itself is still worth having
        if method == "cancel":
            payload["status"] = "cancelled"
        return payload if event.uid else None
    return None
