"""What a connector says of its resources: how one is read, and which lie in a span of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from crm_hub.model.records import Change, Reject, Window

if TYPE_CHECKING:
    from crm_hub.sdk.dav.client import Dav
    from crm_hub.sdk.dav.discovery import Collection


@dataclass(frozen=True, slots=True)
class Found:
    """One resource as the server gave it. text: None when it gave none, for `reason`."""

    name: str
    href: str
    etag: str = ""
    text: str | None = None
    gone: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """What became of a resource; change is None when nothing of it is taken.

    goes_on: another day it says more, for its series goes on, or the server did not give it.
    """

    change: Change | None
    goes_on: bool
    rejects: list[Reject]


class Reader(Protocol):
    """Makes records of resources.

    day: up to which the reading reaches; "" where it does not depend on the day.
    """

    day: str

    def read(self, found: Found) -> Read:
        """Return the record of a resource; a part that cannot be read as Reject."""

    def within(self, dav: Dav, collection: Collection, window: Window) -> set[str] | None:
        """Return the names that the server says lie in the span; None where it cannot say."""

    def lies_in(self, read: Read, window: Window) -> bool:
        """Tell whether a resource that was read lies in the span."""
