"""The reader of each kind of file that is not a table: mail, calendars, address books, JSON.

They are imported when the first such file is read; their libraries are slow to load.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crm_hub.sdk import Reject
from crm_hub.sdk.formats.items import Item
from crm_hub_connectors.files.paging import Read
from crm_hub_connectors.files.sources import Source, letters_of

if TYPE_CHECKING:
    from crm_hub_connectors.files.mail import Own

MAIL = ("mbox", "maildir", "eml")


def reader(source: Source, *, own: str, zone: str, now: datetime) -> Read:
    """Return what reads `source` from an offset on.

    own: the company's addresses, as in the setting. zone: IANA name, for times without one.
    now: calendars lay their series out around it.
    """
    if source.kind == "jsonl":
        from crm_hub_connectors.files.jsonl import read_jsonl

        return partial(read_jsonl, source.path, ZoneInfo(zone))
    if source.kind == "ics":
        return lambda start: read_ics(source.path, zone=zone, now=now, start_offset=start)
    if source.kind == "vcf":
        return partial(read_vcf, source.path)
    return _mail_reader(source, own, zone)


def read_ics(
    path: Path, *, zone: str = "UTC", now: datetime, start_offset: int = 0
) -> Iterator[Item | Reject]:
    """Yield the entries of a calendar file, shape `calendar`. offset: bytes."""
    from crm_hub.sdk.formats.calendar import read_calendar

    with path.open("rb") as stream:
        yield from read_calendar(stream, zone=zone, now=now, start_offset=start_offset)


def read_vcf(path: Path, start_offset: int = 0) -> Iterator[Item | Reject]:
    """Yield the cards of an address book, shape `contacts`. offset: bytes."""
    from crm_hub.sdk.formats.vcard import read_cards

    with path.open("rb") as stream:
        yield from read_cards(stream, start_offset)


def _mail_reader(source: Source, own: str, zone: str) -> Read:
    from crm_hub_connectors.files import mail

    us = mail.Own.parse(own)
    if source.kind == "mbox":
        return lambda start: mail.read_mbox(source.path, start, own=us, zone=zone)
    if source.kind == "maildir":
        return lambda start: mail.read_maildir(source.path, start, own=us, zone=zone)
    return lambda start: _read_letters(source, start, us, zone)


def _read_letters(source: Source, start: int, own: Own, zone: str) -> Iterator[Item | Reject]:
    """Yield the messages of a folder with a file each, or of one; an offset counts files."""
    from crm_hub_connectors.files import mail

    files = letters_of(source.path) if source.path.is_dir() else [source.path]
    for offset, file in enumerate(files[start:], start + 1):
        for item in mail.read_eml(file, own=own, zone=zone):
            if isinstance(item, Reject):
                yield item
            else:
                yield Item(item.id, item.payload, item.changed_at, offset)


def correspondents(source: Source, own: str, zone: str) -> Read:
    """Return what reads the people of a mailbox: all of it is read before the first is known."""
    from crm_hub_connectors.files.mail import Correspondents, Own

    letters = _mail_reader(source, own, zone)

    def read(start: int) -> Iterator[Item | Reject]:
        people = Correspondents(Own.parse(own))
        for item in letters(0):
            # Messages that cannot be read are told by the mailbox's own stream.
            if isinstance(item, Item):
                people.add(item.payload)
        return people.items(start)

    return read
