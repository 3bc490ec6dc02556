"""Delivery reports: which recipient a mail did not reach. Source: RFC 3464, RFC 3463."""

from __future__ import annotations

import re
from typing import Any

from crm_hub.sdk.formats.charsets import decode
from crm_hub.sdk.formats.mail_headers import MAX_ADDRESSES, Raw, addresses, read_headers
from crm_hub.sdk.formats.mime import Walk

_GROUP = re.compile(rb"\r?\n(?:[ \t]*\r?\n)+")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


def read_bounce(found: Walk, raw: Raw) -> dict[str, Any] | None:
    """Return {recipient, status, action, recipients} of a delivery report, else None.

    recipient: the first address that failed; recipients: all of them; status: as `5.1.1`.
    """
    failed: list[tuple[str, str, str]] = []
    for group in _groups(found, raw):
        # The blank line that ends the group tells the header reader where to stop.
        fields = read_headers(group + b"\n\n")
        written = fields.text("final-recipient") or fields.text("original-recipient")
        if written:
            address = addresses(written.partition(";")[2] or written)
            status = _STATUS.search(fields.raw("status"))
            action = decode(fields.raw("action").encode()[:40]).lower()
            if address and action not in ("delivered", "relayed", "expanded"):
                failed.append((address[0]["address"], status[0] if status else "", action))
    if not failed:
        return None
    recipient, status_text, action = failed[0]
    return {
        "recipient": recipient,
        "status": status_text,
        "action": action,
        "recipients": list(dict.fromkeys(address for address, _, _ in failed)),
    }


def _groups(found: Walk, raw: Raw) -> list[bytes]:
    """Return the groups of fields of all status parts: one of the report, one a recipient."""
    parts = [p for p in found.parts if p.content_type == "message/delivery-status"]
    bodies = [part.content(raw, 200_000)[0].strip() for part in parts[:5]]
    return [group for body in bodies for group in _GROUP.split(body, MAX_ADDRESSES)]
