"""Which occurrence of a series an exception is for, and how those after it are to be.

Between `ical_event`, which reads one entry, and those who lay a series out: `calendar` for files,
`ical_resource` for the objects of a server.
Source: RFC 5545 sections 3.2.13 and 3.8.4.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time

from crm_hub.sdk.formats.ical_event import Event, Moment


def aligned(mark: Moment, start: Moment) -> Moment:
    """Return the occurrence that a mark names, as the series writes it that begins at `start`.

    Some programs write a bare date, or a time without zone, for an occurrence of a timed series;
    Exchange writes a midnight of its own zone for one of a series of whole days.
    """
    if start.all_day and not mark.all_day:
        wall = mark.wall
        if mark.tz is UTC and wall.time() != time():
            wall = mark.utc.astimezone(start.tz).replace(tzinfo=None)
        return start.at(datetime.combine(wall.date(), time()))
    if start.all_day or (mark.zone and not mark.all_day):
        return mark
    wall = mark.wall
    if mark.all_day:
        wall = datetime.combine(wall.date(), start.wall.time())
    return start.at(wall)


def following(exceptions: Iterable[Event]) -> list[Event]:
    """Return those that stand for all occurrences after theirs too, in their order."""
    return sorted((e for e in exceptions if e.following and e.recurrence is not None), key=_from)


def spoken(master: Event, moment: Moment, later: Sequence[Event]) -> tuple[Event, Moment]:
    """Return who speaks for an occurrence: the last exception for it and all after it, if any.

    later: as `following` gives them.
    """
    speaker = next((e for e in reversed(later) if _from(e) <= moment.utc), None)
    if speaker is None or speaker.start is None:
        return master, moment
    shift = speaker.start.wall - _wall(_from(speaker), speaker.start)
    moved = speaker.start.at(_wall(moment.utc, speaker.start) + shift)
    return _exception(speaker, moment), moved


def _from(event: Event) -> datetime:
    assert event.recurrence is not None  # noqa: S101 - only exceptions come here
    return event.recurrence.utc


def _wall(moment: datetime, like: Moment) -> datetime:
    return moment.astimezone(like.tz).replace(tzinfo=None)


def _exception(speaker: Event, occurrence: Moment) -> Event:
    """Return one occurrence's own exception, made of one that stands for all after it."""
    return Event(
        speaker.kind, speaker.uid, speaker.start, speaker.length, occurrence, "", [], [],
        speaker.fields, speaker.changed_at,
    )  # fmt: skip
