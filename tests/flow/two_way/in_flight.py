"""Requests that a far side carries out after the caller has given up: their answer is lost, and
what they do comes late.

A hub that waits before it looks what became of a write, and sends nothing more for that record
until it knows, is not harmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_hub.sdk import Write

if TYPE_CHECKING:
    from tests.flow.two_way.fake import Side

LATEST_US = 4_000_000
"""How long a request may be under way; the hub looks after 5 seconds at the earliest."""


class InFlight:
    """What is under way to one side."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._due: list[tuple[int, int | None, Write]] = []

    def add(self, one: Write, after_us: int) -> None:
        """Let a request arrive so much later."""
        row = self._side.rows.get(one.id or "")
        self._due.append((self._side.clock.us + after_us, row and row.edited, one))

    def arrive(self) -> None:
        """Carry out what has arrived by now, in the order of its arrival.

        A request that would write over what a person did meanwhile never arrives: no hub can help
        that where nothing checks.
        """
        here = sorted((one for one in self._due if one[0] <= self._side.clock.us), key=_at)
        self._due = [one for one in self._due if one[0] > self._side.clock.us]
        for _, edited, one in here:
            row = self._side.rows.get(one.id or "")
            if (row and row.edited) == edited:
                self._side.carry_out(one)


def _at(one: tuple[int, int | None, Write]) -> int:
    return one[0]
