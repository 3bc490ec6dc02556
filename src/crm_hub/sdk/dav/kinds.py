"""What sets calendars and address books apart for WebDAV; all else is the same for both.

Source: RFC 4791 (CalDAV), RFC 6352 (CardDAV), RFC 6764 (the well-known addresses).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of collection.

    word, words: for people. service: the protocol's name. resource, home, data, report: element
    names; those of requests carry the prefix that `davxml` declares (C: CalDAV, A: CardDAV).
    components: what may stand in a collection, none where there is but one thing. suffix: of a
    new resource's name. mark: what stands in every object. setting: which one narrows the choice.
    """

    word: str
    words: str
    thing: str
    service: str
    well_known: str
    resource: str
    home: str
    data: str
    report: str
    media_type: str
    suffix: str
    mark: tuple[bytes, bytes]
    setting: str
    about: tuple[str, ...] = ()
    components: tuple[str, ...] = ()


CALENDAR = Kind(
    word="calendar",
    words="calendars",
    thing="iCalendar",
    service="CalDAV",
    well_known="/.well-known/caldav",
    resource="calendar",
    home="C:calendar-home-set",
    data="C:calendar-data",
    report="C:calendar-multiget",
    media_type="text/calendar",
    suffix=".ics",
    mark=(b"BEGIN:VCALENDAR", b"END:VCALENDAR"),
    setting="calendars",
    about=("C:supported-calendar-component-set",),
    components=("VEVENT", "VTODO"),
)

ADDRESS_BOOK = Kind(
    word="address book",
    words="address books",
    thing="vCard",
    service="CardDAV",
    well_known="/.well-known/carddav",
    resource="addressbook",
    home="A:addressbook-home-set",
    data="A:address-data",
    report="A:addressbook-multiget",
    media_type="text/vcard",
    suffix=".vcf",
    mark=(b"BEGIN:VCARD", b"END:VCARD"),
    setting="book",
)
