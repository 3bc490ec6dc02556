"""Nasty WebDAV bodies and calendar objects, and the parsers they are thrown at."""

from __future__ import annotations

from datetime import UTC, datetime

from crm_hub_connectors.caldav.resources import Reader
from crm_hub_connectors.caldav.tests.fake_dav import FOLDER

from crm_hub.sdk import Unavailable
from crm_hub.sdk.dav import davxml
from crm_hub.sdk.dav.fetching import Contents, Listing
from crm_hub.sdk.dav.reading import Found


def read_list(raw: bytes) -> int:
    """Read a body as a list of names."""
    try:
        listing, _ = davxml.read_multistatus(raw, lambda: Listing(FOLDER))
    except davxml.NotDav as error:
        raise Unavailable(str(error)) from None
    return len(listing.etags)


def read_contents(raw: bytes) -> int:
    """Read a body as contents, and every content as a calendar."""
    try:
        contents, _ = davxml.read_multistatus(raw, lambda: Contents(FOLDER, {"a.ics", "0.ics"}))
    except davxml.NotDav as error:
        raise Unavailable(str(error)) from None
    reader = Reader(zone="UTC", since=None, own="", now=datetime(2026, 3, 10, tzinfo=UTC))
    return sum(len(reader.read(found).rejects) for found in contents.found.values())


def read_object(raw: bytes) -> int:
    """Read a calendar object."""
    reader = Reader(zone="UTC", since=None, own="", now=datetime(2026, 3, 10, tzinfo=UTC))
    found = reader.read(Found("a.ics", "/a.ics", "", raw.decode("utf-8", "replace")))
    return len(found.rejects)


HEAD = b'<?xml version="1.0"?><multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 20) for n in range(9))
    + b']><multistatus xmlns="DAV:">&j;</multistatus>'
)
_ONE = b"<response><href>/dav/ann/work/%d.ics</href></response>"

ANSWERS: dict[str, bytes] = {
    "nothing": b"",
    "no XML": b"I'm a teapot",
    "an HTML page": b"<!DOCTYPE html><html><body>Log in</body></html>",
    "HTML without a type": b"<html><body><p>Log in<br></body></html>",
    "entities that multiply": BOMB,
    "an entity from a file": b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    b'<multistatus xmlns="DAV:"><response><href>&x;</href></response></multistatus>',
    "an entity in UTF-16": BOMB.decode().encode("utf-16"),
    "cut in the middle": HEAD + b"<response><href>/dav/ann/work/a.ics</href><prop",
    "XML of another kind": b'<feed xmlns="http://www.w3.org/2005/Atom"/>',
    "an error in place of an answer": b'<error xmlns="DAV:"><need-privileges/></error>',
    "no namespace": b"<multistatus><response><href>/a</href></response></multistatus>",
    "nested 100,000 deep": HEAD + b"<a>" * 100_000,
    "60,001 resources": HEAD + b"".join(_ONE % n for n in range(60_001)) + b"</multistatus>",
    "a long attribute": HEAD + b'<a b="' + b"x" * 5_000_000 + b'"/></multistatus>',
    "a long href": HEAD + b"<response><href>/" + b"x" * 5_000_000
    + b"</href></response></multistatus>",
    "a status that is none": HEAD + b"<response><href>/dav/ann/work/a.ics</href>"
    b"<status>fine</status></response></multistatus>",
    "a response without href": HEAD + b"<response><status>HTTP/1.1 200 OK</status></response>"
    b"</multistatus>",
    "NUL and control characters": HEAD + b"<response><href>/dav/ann/work/a\x00\x0b.ics</href>"
    b"</response></multistatus>",
    "bytes of another charset": HEAD + b"<response><href>/dav/ann/work/caf\xe9.ics</href>"
    b"</response></multistatus>",
    "a charset nobody knows": b'<?xml version="1.0" encoding="klingon"?><multistatus/>',
    "many small elements": HEAD + b"<response>" + b"<a/>" * 200_000 + b"</response></multistatus>",
    "calendar data of 4 MB": HEAD + b"<response><href>/dav/ann/work/a.ics</href><propstat><prop>"
    b"<C:calendar-data>BEGIN:VCALENDAR\n" + b"x\n" * 2_000_000
    + b"</C:calendar-data></prop></propstat></response></multistatus>",
}  # fmt: skip

_EVENT = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nDTSTART:%s\n%s\nEND:VEVENT\nEND:VCALENDAR\n"
_TIME = b"20260310T090000Z"


def event(more: bytes, start: bytes = _TIME) -> bytes:
    return _EVENT % (start, more)


OBJECTS: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)) * 1_000,
    "never ends": b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nDTSTART:20260310T090000Z\n",
    "nested deep": b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 20_000,
    "a line of 3 MB": event(b"SUMMARY:" + b"x" * 3_000_000),
    "100,000 attendees": event(b"ATTENDEE:mailto:a@acme.example\n" * 30_000),
    "100,000 left-out days": event(b"RRULE:FREQ=DAILY\nEXDATE:" + b"20260310T090000Z," * 100_000),
    "daily since 1900": event(b"RRULE:FREQ=DAILY", b"19000101T090000Z"),
    "24 times a day since 1990": event(
        b"RRULE:FREQ=DAILY;BYHOUR=" + b",".join(b"%d" % h for h in range(24)), b"19900101T000000Z"
    ),
    "a rule that never fits": event(b"RRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31"),
    "a count of a milliard": event(b"RRULE:FREQ=DAILY;COUNT=1000000000"),
    "every second": event(b"RRULE:FREQ=SECONDLY"),
    "the year 9999": event(b"RRULE:FREQ=YEARLY", b"99991231T235959Z"),
    "40,000 entries": b"BEGIN:VCALENDAR\n"
    + b"BEGIN:VEVENT\nUID:1\nDTSTART:20260310T090000Z\nEND:VEVENT\n" * 40_000
    + b"END:VCALENDAR\n",
    "20,000 exceptions": b"BEGIN:VCALENDAR\n"
    + b"BEGIN:VEVENT\nUID:1\nDTSTART:20260310T090000Z\nRECURRENCE-ID:20260310T090000Z\n"
    b"END:VEVENT\n" * 20_000
    + b"END:VCALENDAR\n",
    "the last day there is": event(b"X-A:b", b"99991231"),
    "the year 1": event(b"RRULE:FREQ=YEARLY", b"00010101T000000Z"),
    "no such day": event(b"", b"20260231T090000Z"),
    "5,000 exceptions": b"BEGIN:VCALENDAR\n" + b"".join(
        b"BEGIN:VEVENT\nUID:x\nRECURRENCE-ID:2026%02d%02dT%02d0000Z\nDTSTART:20260310T090000Z\n"
        b"END:VEVENT\n" % (n % 12 + 1, n % 28 + 1, n % 24) for n in range(5_000)
    ) + b"END:VCALENDAR\n",
    "200 changes for all that follow": event(b"RRULE:FREQ=DAILY", b"20150101T090000Z") + b"".join(
        b"BEGIN:VEVENT\nUID:x\nRECURRENCE-ID;RANGE=THISANDFUTURE:2016%02d%02dT090000Z\n"
        b"DTSTART:2016%02d%02dT100000Z\nDESCRIPTION:%s\nEND:VEVENT\n"
        % (n % 12 + 1, n % 28 + 1, n % 12 + 1, n % 28 + 1, b"y" * 5_000) for n in range(200)
    ),
    "a zone of 10,000 rules": b"BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Odd\n"
    + b"BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:+0100\nRRULE:FREQ=DAILY\nEND:STANDARD\n"
    * 10_000
    + b"END:VTIMEZONE\nBEGIN:VEVENT\nUID:x\nDTSTART;TZID=Odd:20260310T090000\nRRULE:FREQ=DAILY\n"
    b"END:VEVENT\nEND:VCALENDAR\n",
    "ends before it begins": event(b"DTEND:20200101T000000Z"),
    "lasts 10,000 years": event(b"DURATION:P99999W"),
}  # fmt: skip
