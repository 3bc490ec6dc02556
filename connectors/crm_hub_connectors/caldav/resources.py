"""A resource becomes a record: the raw text, what it says, its occurrences, who declined."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm_hub.sdk import Change, Payload, Reject, Window
from crm_hub.sdk.dav import davxml
from crm_hub.sdk.dav.client import Dav, NotOffered
from crm_hub.sdk.dav.discovery import Collection
from crm_hub.sdk.dav.fetching import Listing
from crm_hub.sdk.dav.reading import Found, Read
from crm_hub.sdk.formats.ical_resource import horizon_of, over_before, read_resource
from crm_hub.sdk.formats.items import unreadable
from crm_hub.sdk.formats.mail_people import Own

LOOK_AHEAD = timedelta(days=60)
_STAMP = "%Y%m%dT%H%M%SZ"
FIELDS = {
    "href": "string", "etag": "string", "ical": "string", "kind": "string", "uid": "string",
    "summary": "string", "description": "string", "location": "string", "status": "string",
    "answer": "string", "class": "string", "sequence": "integer", "zone": "string",
    "all_day": "boolean", "recurring": "boolean", "last_modified": "string",
    "organizer": "object", "attendees": "array", "resources": "array", "url": "string",
    "categories": "array", "occurrences": "array", "rule": "string", "exceptions": "string",
    "start": "string", "end": "string", "attendees.address": "array", "rdates": "array",
    "attendance": "array", "organizer.address": "string",
}  # fmt: skip
_NOT_GIVEN = (
    "It is asked for again each day. If it stays so, open the entry in the calendar program, and "
    "save it anew or delete it."
)
_REMEDY = "Correct or delete the entry in the calendar program; it then comes in by itself."


class Reader:
    """Reads the resources of one connection on one day.

    zone: of floating times. since: what ended before is not taken. A series is laid out up to 60
    days after the beginning of today, so that a resource reads the same all day.
    """

    def __init__(self, *, zone: str, since: date | None, own: str, now: datetime) -> None:
        now = now.astimezone(UTC)
        self.day = now.date().isoformat()
        self._zone = zone
        self._own = Own.parse(own)
        self._horizon = horizon_of(now, LOOK_AHEAD)
        self._since = ""
        if since is not None:
            midnight = datetime(since.year, since.month, since.day, tzinfo=ZoneInfo(zone))
            self._since = midnight.astimezone(UTC).isoformat()

    def read(self, found: Found) -> Read:
        """Return the record of a resource; a part that cannot be read as Reject, the rest goes."""
        if found.gone:
            return Read(Change(found.name, None), False, [])
        if found.text is None:
            reject = Reject(found.name, found.href, found.reason, _NOT_GIVEN)
            return Read(None, True, [reject])
        resource = read_resource(found.text, zone=self._zone, horizon=self._horizon)
        rejects = [
            unreadable(found.name, f"{found.href}: {place}", reason, _REMEDY, found.text)
            for place, reason in resource.problems[:1]
        ]
        if resource.payload is None:
            return Read(None, False, rejects)
        payload = self._payload(found, resource.payload)
        if payload is None:
            return Read(Change(found.name, None), resource.goes_on, rejects)
        change = Change(found.name, payload, version=found.etag or None)
        return Read(change, resource.goes_on, rejects)

    def _payload(self, found: Found, said: Payload) -> Payload | None:
        """Return the whole payload; None when all of it was over before `since`."""
        if self._since and said["occurrences"]:
            kept = [o for o in said["occurrences"] if not over_before(o, self._since)]
            if not kept:
                return None
            said["occurrences"] = kept
        said["answer"] = self._answer(said)
        for item in said["occurrences"]:
            if item.keys() & {"attendees", "organizer", "status"}:
                item["answer"] = self._answer({**said, **item})
        return {"href": found.href, "etag": found.etag, "ical": found.text, **said}

    def within(self, dav: Dav, collection: Collection, window: Window) -> set[str] | None:
        """Return the names of what has an occurrence in the span, as the server sees it."""
        start, end = (m.astimezone(UTC).strftime(_STAMP) for m in (window.since, window.until))
        names: set[str] = set()
        try:
            for component in collection.components:
                body = davxml.query(component, start, end)
                listing = dav.report(collection.path, body, lambda: Listing(collection.path))
                names |= listing.etags.keys()
        except NotOffered:
            return None
        return names

    def lies_in(self, read: Read, window: Window) -> bool:
        """Tell whether a resource has an occurrence in the span."""
        payload = read.change.payload if read.change is not None else None
        since, until = (m.astimezone(UTC).isoformat() for m in (window.since, window.until))
        return payload is not None and any(
            o["start"] and o["start"] < until and (o["end"] or o["start"]) >= since
            for o in payload["occurrences"]
        )

    def _answer(self, entry: dict[str, Any]) -> str:
        """Return `cancelled`, `declined` when a whole side declined, else the status.

        The sides are our people and the others, without the organizer. Without own addresses all
        who are invited are one side.
        """
        if entry.get("status") != "booked" or not entry.get("attendees"):
            return str(entry.get("status") or "")
        host = ((entry.get("organizer") or {}).get("address") or "").lower()
        invited = [p for p in entry["attendees"] if p["address"].lower() != host]
        ours = [p for p in invited if self._own.is_own(p["address"])]
        others = [p for p in invited if not self._own.is_own(p["address"])]
        return "declined" if _declined(ours) or _declined(others) else "booked"


def _declined(people: Iterable[dict[str, str]]) -> bool:
    answers = {person["partstat"] for person in people}
    return answers == {"declined"}
