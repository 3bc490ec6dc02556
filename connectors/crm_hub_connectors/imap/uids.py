"""One folder as the checkpoint remembers it, and the keys of messages, eight bytes each.

After: `state`, which holds all folders of a mailbox together.
"""

from __future__ import annotations

import base64
import hashlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from crm_hub_connectors.imap.wire import read_uid_set

EXCLUDED = 0
UNREADABLE = 1
RESERVED = 2


def key_of(message_id: str, date: str, head: bytes = b"") -> int:
    """Return the key of a message: of Message-ID and Date; of its first bytes without an id.

    Date is part of it because some programs give every mail the same id.
    """
    mark = f"{message_id}\n{' '.join(date.split())}".encode() if message_id else b"\0" + head
    number = int.from_bytes(hashlib.blake2b(mark, digest_size=8).digest(), "big")
    return max(number, RESERVED)


def id_of(key: int) -> str:
    """Return a key as the id of a source record: 16 hexadecimal digits."""
    return f"{key:016x}"


@dataclass(slots=True)
class Folder:
    """One folder as far as it was read. The key of UID `uids[i]` is `keys[i]`.

    look: every UID up to it was looked at under the present rules. modseq: as the server gave it
    before that look; None while it tracks none. EXCLUDED and UNREADABLE stand for messages that
    are no records.
    """

    validity: int = 0
    modseq: int | None = None
    look: int = 0
    uids: array[int] = field(default_factory=lambda: array("I"))
    keys: array[int] = field(default_factory=lambda: array("Q"))
    _text: dict[str, Any] | None = None
    _runs: list[list[int]] | None = None

    def key(self, uid: int) -> int | None:
        """Return the key under a UID, None when it is not known."""
        at = bisect_left(self.uids, uid)
        return self.keys[at] if at < len(self.uids) and self.uids[at] == uid else None

    def put(self, uid: int, key: int) -> int | None:
        """Note the key of a UID; return the one that stood there."""
        self._text = None
        if not self.uids or uid > self.uids[-1]:
            self.uids.append(uid)
            self.keys.append(key)
            if self._runs is not None:
                _extend(self._runs, uid)
            return None
        at = bisect_left(self.uids, uid)
        if self.uids[at] == uid:
            before = self.keys[at]
            self.keys[at] = key
            return before
        self.uids.insert(at, uid)
        self.keys.insert(at, key)
        self._runs = None
        return None

    def looked(self, uid: int) -> None:
        self.look = uid
        self._text = None

    def tracked(self, validity: int, modseq: int | None) -> None:
        self.validity, self.modseq = validity, modseq
        self._text = None

    def among(self, runs: Iterable[tuple[int, int]]) -> list[int]:
        """Return the known UIDs inside spans of UIDs, however wide those are."""
        found: list[int] = []
        for low, high in runs:
            found += self.uids[bisect_left(self.uids, low) : bisect_right(self.uids, high)]
        return found

    def take(self, gone: Iterable[int]) -> list[int]:
        """Forget these UIDs; return the keys that stood under them."""
        wanted = set(gone)
        lost = [key for uid, key in zip(self.uids, self.keys, strict=True) if uid in wanted]
        if lost:
            kept = [i for i, uid in enumerate(self.uids) if uid not in wanted]
            self.uids = array("I", (self.uids[i] for i in kept))
            self.keys = array("Q", (self.keys[i] for i in kept))
            self._text = self._runs = None
        return lost

    def clear(self) -> list[int]:
        """Forget everything, as the server does when UIDVALIDITY moves; return the keys."""
        lost = list(self.keys)
        self.uids, self.keys = array("I"), array("Q")
        self.look, self.modseq, self._text, self._runs = 0, None, None, None
        return lost

    def dump(self) -> dict[str, Any]:
        if self._text is None:
            if self._runs is None:
                self._runs = []
                for uid in self.uids:
                    _extend(self._runs, uid)
            self._text = {
                "v": self.validity,
                "m": self.modseq,
                "look": self.look,
                "u": ",".join(f"{a}:{b}" if b > a else str(a) for a, b in self._runs),
                "k": packed(self.keys),
            }
        return self._text

    @classmethod
    def load(cls, doc: dict[str, Any]) -> Folder:
        uids, keys = array("I", read_uid_set(str(doc.get("u", "")))), unpacked(doc.get("k", ""))
        if len(uids) != len(keys):
            raise ValueError("a folder's UIDs and keys differ in number")
        modseq = doc.get("m")
        validity, look = int(doc.get("v") or 0), int(doc.get("look") or 0)
        return cls(validity, None if modseq is None else int(modseq), look, uids, keys)


def _extend(runs: list[list[int]], uid: int) -> None:
    """Add the next UID to ascending runs [first, last]."""
    if runs and runs[-1][1] + 1 == uid:
        runs[-1][1] = uid
    else:
        runs.append([uid, uid])


def packed(keys: array[int]) -> str:
    """Return keys as base64 of big-endian numbers, the same on every machine."""
    if _is_little:
        keys = array("Q", keys)
        keys.byteswap()
    return base64.b64encode(keys.tobytes()).decode("ascii")


def unpacked(text: Any) -> array[int]:
    keys = array("Q")
    keys.frombytes(base64.b64decode(str(text), validate=True))
    if _is_little:
        keys.byteswap()
    return keys


_is_little = array("H", [1]).tobytes() == b"\x01\x00"
