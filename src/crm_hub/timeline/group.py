"""Events without an exact key: tellings of one bucket that stand close in time are one event.

Single linkage on the time line: a telling that bridges two events joins them, so the
result does not depend on the order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Mark = tuple[int, str]
"""A telling: record number and entry."""


class Near(NamedTuple):
    """A telling without an exact key."""

    mark: Mark
    at_us: int
    tolerance_us: int


class Span(NamedTuple):
    """An event already stored, and the times between which its tellings stand."""

    event_id: int
    from_us: int
    to_us: int


class Group(NamedTuple):
    """Tellings and stored events that turn out to be one event."""

    marks: list[Mark]
    event_ids: list[int]
    from_us: int
    to_us: int


def group(nears: Iterable[Near], spans: Sequence[Span]) -> list[Group]:
    """Return the events of one bucket: each new telling and stored event in exactly one group."""
    nears = list(nears)
    tolerance = max((n.tolerance_us for n in nears), default=0)
    points: list[tuple[int, int, Mark | None, int | None]]
    points = [(s.from_us, s.to_us, None, s.event_id) for s in spans]
    points += [(n.at_us, n.at_us, n.mark, None) for n in nears]
    groups: list[Group] = []
    for from_us, to_us, mark, event_id in sorted(points, key=lambda p: (p[0], p[1])):
        last = groups[-1] if groups else None
        if last is None or from_us - last.to_us > tolerance:
            last = Group([], [], from_us, to_us)
            groups.append(last)
        if mark is not None:
            last.marks.append(mark)
        if event_id is not None:
            last.event_ids.append(event_id)
        groups[-1] = last._replace(to_us=max(last.to_us, to_us))
    return groups
