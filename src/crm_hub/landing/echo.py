"""Is it an edit, or our own write coming back? What a record shows is held against its base.

Pure. Before it: the values that the mapping read. After it: merge, which gets the edits alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crm_hub.model.states import ABSENT, FieldState, RecordState, same

LEAST_TRUNCATED = 16
"""A shorter beginning of a text is somebody's edit; far sides cut at 20 characters or more."""
LEAST_DIGITS = 7


class Sight(NamedTuple):
    """One look at a record: its source time, whether its version is that of our own write."""

    changed_at_us: int | None
    is_our_version: bool
    now_us: int


@dataclass(slots=True)
class Reading:
    """What a look at a record says.

    values: what the record asserts, in the hub's words. edits: field → its value as read, None
    for blank, where somebody has changed it. again: the old value was seen after our write, which
    may be a stale read: the next look decides. changed: whether the state changed.
    """

    values: dict[str, Any]
    edits: dict[str, Any] = field(default_factory=dict)
    again: bool = False
    changed: bool = False


def read(
    state: RecordState, before: Mapping[str, Any], seen: Mapping[str, Any], sight: Sight
) -> Reading:
    """Return what `seen` says of a record whose values were `before`; updates its state."""
    reading = Reading({})
    waiting = [name for name, one in state.fields.items() if one.awaited is not None]
    for name in dict.fromkeys([*before, *seen, *waiting]):
        entry = state.fields.get(name) or FieldState()
        had, found = before.get(name), seen.get(name)
        if not _field(state, entry, had, found, sight, reading):
            reading.edits[name] = found
        if had is not None:
            reading.values[name] = had
    return reading


def _field(
    state: RecordState, entry: FieldState, had: Any, found: Any, sight: Sight, reading: Reading
) -> bool:
    """Tell whether what was found is explained without an edit."""
    expected = had if entry.rendering is ABSENT else entry.rendering
    waiting = entry.awaited
    if waiting is not None and sight.now_us > waiting.until_us:
        waiting = entry.awaited = None
        reading.changed = True
    if same(found, expected) or (waiting is not None and same(found, had)):
        _settle(entry, found, had, reading)
        return True
    if waiting is None:
        return False
    if found is not None and (sight.is_our_version or is_reformat(had, found)):
        state.near += not sight.is_our_version
        entry.rendering = found
        _settle(entry, found, had, reading)
        return True
    reading.changed = True
    if same(found, waiting.before) and not _is_newer(sight, waiting.at_us) and not waiting.looks:
        waiting.looks = 1
        reading.again = True
        return True
    entry.bounces = entry.bounces + 1 if entry.bounced is not ABSENT and same(
        entry.bounced, found) else 1  # fmt: skip
    entry.bounced = found
    entry.awaited = None
    return False


def _settle(entry: FieldState, found: Any, had: Any, reading: Reading) -> None:
    if entry.awaited is None:
        return
    entry.awaited = None
    if found == had:
        entry.rendering = ABSENT
    entry.bounces, entry.bounced = 0, ABSENT
    reading.changed = True


def _is_newer(sight: Sight, at_us: int | None) -> bool:
    """Whether the record has certainly changed since our write: then nobody reads a stale copy."""
    return sight.changed_at_us is not None and at_us is not None and sight.changed_at_us > at_us


def is_reformat(written: Any, found: Any) -> bool:
    """Whether `found` is `written` as a far side may store it.

    Trimmed, white space folded, upper or lower case changed, cut off after at least 16
    characters, a phone number with other punctuation, a number as text; lists in another order;
    objects part by part.
    """
    if isinstance(written, list) and isinstance(found, list):
        return _lists(written, found)
    if isinstance(written, dict) and isinstance(found, dict):
        return all(
            _blank_or_reformat(written.get(k), found.get(k)) for k in written.keys() | found.keys()
        )
    if isinstance(written, list | dict) or isinstance(found, list | dict):
        return False
    return written is not None and found is not None and _texts(str(written), str(found))


def _blank_or_reformat(written: Any, found: Any) -> bool:
    return (not written and not found) or is_reformat(written, found)


def _texts(written: str, found: str) -> bool:
    ours, theirs = " ".join(written.split()).casefold(), " ".join(found.split()).casefold()
    if ours == theirs:
        return True
    if len(theirs) >= LEAST_TRUNCATED and ours.startswith(theirs):
        return True
    mine, other = _digits(ours), _digits(theirs)
    return len(mine) >= LEAST_DIGITS and mine == other


def _digits(text: str) -> str:
    """Return the digits of a phone number, "" of a text with letters."""
    if any(c.isalpha() for c in text):
        return ""
    return "".join(c for c in text if c.isdigit())


def _lists(written: list[Any], found: list[Any]) -> bool:
    """Whether each item of one is a reformat of an item of the other, one to one."""
    left = list(found)
    for item in written:
        match = next((f for f in left if f == item), ABSENT)
        if match is ABSENT:
            match = next((f for f in left if is_reformat(item, f)), ABSENT)
        if match is ABSENT:
            return False
        left.remove(match)
    return not left
