"""The rules that resolve and merge work by, as plain values.

The mapping room reads them from files; they stand here because neighbours on one
floor do not import each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

ENGINE_VERSION = 1
"""Raised whenever the same mapping begins to mean something else, so that records are replayed."""

WinStrategy = Literal["latest", "ordered", "ladder", "union", "strictest", "human", "manual"]


class Win(NamedTuple):
    """Which of several values of one field becomes the golden one.

    latest: the newest certain value. union: all of them, each once. human: a person's edit, else
    the latest. manual: only what a person set.
    ordered: the first of `order` (connector kinds or connection names) that has a value.
    ladder: the value that stands last in `order`. strictest: the one that stands first in it.
    """

    strategy: WinStrategy
    order: tuple[str, ...] = ()


LATEST = Win("latest")
UNION = Win("union")

Survivorship = dict[str, dict[str, Win]]
"""Entity → field → rule, one for every canonical field."""


class Bands(NamedTuple):
    """Where scored pairs fall, in bits (log2 of the odds); set before anything is scored.

    link: from here up two clusters are one. review: from here up somebody is asked. weigh: pairs
    below this weight are not looked at. contested: how much more it takes when two people of that
    name are known. reference: from here up a shared reference joins. together: what all records of
    two clusters must then weigh together. bridge: what a single edge must weigh to join two
    clusters of bridge_size records each. cluster_cap: the most records that are joined without a
    question.
    """

    link: float = 1.7
    review: float = -1.0
    weigh: float = -4.0
    contested: float = 1.2
    reference: float = -6.0
    together: float = 0.5
    bridge: float = 8.0
    bridge_size: int = 3
    cluster_cap: int = 40


DEFAULT_BANDS = Bands()


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """What is not a sign of one person: shared mailboxes, free mail, placeholders.

    All texts are lower-cased, phones in E.164 or digits only. holders_cap: a key held by more
    identities than this says nothing about any of them.
    """

    role_local_parts: frozenset[str] = frozenset()
    free_domains: frozenset[str] = frozenset()
    honorifics: frozenset[str] = frozenset()
    junk_local_parts: frozenset[str] = frozenset()
    junk_emails: frozenset[str] = frozenset()
    junk_phones: frozenset[str] = frozenset()
    holders_cap: int = 50
    bands: Bands = DEFAULT_BANDS
