"""One walk over what changed in a stream, in the order of ids, and the checkpoint that bears it.

A walk takes all that changed after `since`, whatever changes meanwhile: ids only grow, and what
changes behind its back is later than the walk's beginning, so the next walk takes it. A change
becomes visible when its transaction ends, with the time at which that began; so the next walk
starts an overlap before this one. Where nothing changed for longer, it starts at the last change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from crm_hub.model.values import EPOCH
from crm_hub.sdk import Change, Checkpoint, CheckpointExpired, Window
from crm_hub_connectors.tryton.codec import encoded
from crm_hub_connectors.tryton.known import Known
from crm_hub_connectors.tryton.streams import Spec

OVERLAP = timedelta(minutes=5)
"""Longer than any transaction that writes; Tryton's own time-outs are shorter."""


@dataclass(slots=True)
class Walk:
    """How far a stream has been read.

    since: everything changed up to here was handed over; None before the first walk. day: up to
    which day due dates were looked at. begun: the server's clock when the walk began, None
    between walks. after: the last id of the walk. high: the latest change seen. known: the ids
    handed over and not yet known to be gone.
    """

    since: datetime | None = None
    day: date | None = None
    begun: datetime | None = None
    after: int = 0
    high: datetime | None = None
    known: Known = field(default_factory=Known)

    @classmethod
    def load(cls, checkpoint: Checkpoint | None) -> Walk:
        """Return what `dump` wrote. Raises: CheckpointExpired for anything else."""
        found = checkpoint or {}
        try:
            day = found.get("day")
            return cls(
                _time(found.get("since")), date.fromisoformat(day) if day else None,
                _time(found.get("begun")), int(found.get("after", 0)), _time(found.get("high")),
                Known.load(found.get("known", "")),
            )  # fmt: skip
        except (ValueError, TypeError, AttributeError):
            raise CheckpointExpired("the checkpoint is not one of this connector") from None

    def dump(self) -> Checkpoint:
        state = {"since": self.since, "begun": self.begun, "high": self.high, "day": self.day}
        written: Checkpoint = {k: v.isoformat() for k, v in state.items() if v is not None}
        if self.after:
            written["after"] = self.after
        return {**written, "known": self.known.dump()}

    def begin(self, now: datetime, first: bool) -> None:
        """Begin a walk, or go on with the one under way."""
        if self.begun is None or first:
            self.begun, self.after, self.high = now, 0, self.since

    def take(self, changes: Sequence[Change], ids: Sequence[int]) -> None:
        """Note a page of records, those among them that could not be read included."""
        self.known.add(ids)
        times = [change.changed_at for change in changes if change.changed_at]
        self.high = max([*times, *([self.high] if self.high else [])], default=None)
        self.after = max(ids)

    def end(self, today: date) -> None:
        """Note that the walk reached its end."""
        settled = (self.begun or EPOCH) - OVERLAP
        is_later = self.high is not None and (self.since is None or self.high > self.since)
        # What matched without being later itself, such as lines that are not read, is done with.
        self.since = min(self.high, settled) if is_later and self.high else settled
        self.day, self.begun, self.after, self.high = today, None, 0, None


def _time(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def changed_since(spec: Spec, since: datetime, due: tuple[date, date] | None) -> list[Any]:
    """Return the domain of what changed after `since`, itself or in what belongs to it.

    due: unpaid invoices whose due day lies in this span, its end excluded, count as changed.
    """
    after = encoded(since)
    paths = ["", *(f"{relation}." for relation in spec.related)]
    clauses: list[Any] = [
        [f"{path}{name}", ">", after] for path in paths for name in ("write_date", "create_date")
    ]
    if spec.dues and due is not None and due[0] < due[1]:
        first, end = (encoded(day) for day in due)
        day = "move.lines.maturity_date"
        clauses.append([["state", "=", "posted"], [day, ">=", first], [day, "<", end]])
    return ["OR", *clauses]


def inside(change: Change, window: Window) -> bool:
    """Return whether a record's last change lies in the window."""
    at = change.changed_at
    return at is not None and window.since <= at < window.until
