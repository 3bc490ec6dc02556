"""What the hub knows of a mailbox: which message stands under which UID of which folder.

It travels in the checkpoint, as the connector has no database: UIDs as a sequence set, eight
bytes of key a message. Without it an expunge could not be told: the server names a UID that is
gone, and nobody can ask it any more whose it was.
Before: `folders` (what the server says now). After: `cycle` (what changed).
"""

from __future__ import annotations

import base64
import hashlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from crm_hub_connectors.imap.wire import read_uid_set

EXCLUDED = 0
UNREADABLE = 1
_RESERVED = 2

Places = tuple[str, ...]


def key_of(message_id: str, date: str, head: bytes = b"") -> int:
    """Return the key of a message: of Message-ID and Date; of its first bytes without an id.

    Date is part of it because some programs give every mail the same id.
    """
    mark = f"{message_id}\n{' '.join(date.split())}".encode() if message_id else b"\0" + head
    number = int.from_bytes(hashlib.blake2b(mark, digest_size=8).digest(), "big")
    return max(number, _RESERVED)


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


class Mailbox:
    """All folders, which of them hold each message, and what the hub must still be told.

    owed: key → the places of the message as the hub knows them; its record has to be told anew,
    or, when no folder holds it any more, as gone. last: folders whose messages count as there
    only when no other folder holds them (`\\All`). whole: it is being read from the beginning,
    in one go. anew: the rules changed, and everything is looked at again.
    """

    def __init__(self, rules: str) -> None:
        self.rules = rules
        self.folders: dict[str, Folder] = {}
        self.owed: dict[int, Places] = {}
        self.anew = False
        self.whole = True
        self.last: frozenset[str] = frozenset()
        self._names: list[str] = []
        self._number: dict[str, int] = {}
        self._where: dict[int, int | tuple[int, ...]] = {}

    @classmethod
    def load(cls, doc: dict[str, Any] | None, rules: str) -> Mailbox:
        """Return the mailbox of a checkpoint. Raises: ValueError when nobody can read it."""
        box = cls(rules)
        if not doc:
            return box
        box.whole = False
        for name, one in doc["folders"].items():
            folder = Folder.load(one)
            box.folders[name] = folder
            number = box._numbered(name)
            for key in folder.keys:
                if key >= _RESERVED:
                    box._join(key, number)
        for places, keys in doc.get("owed", []):
            box.owed |= dict.fromkeys(unpacked(keys), tuple(places))
        box.anew = bool(doc.get("anew"))
        if doc.get("rules") != rules:
            box.anew = True
            for folder in box.folders.values():
                folder.looked(0)
        return box

    def dump(self) -> dict[str, Any]:
        """Return it as a checkpoint."""
        owed: dict[Places, array[int]] = {}
        for key, places in self.owed.items():
            owed.setdefault(places, array("Q")).append(key)
        return {
            "rules": self.rules,
            "anew": self.anew,
            "folders": {name: folder.dump() for name, folder in self.folders.items()},
            "owed": [[list(places), packed(keys)] for places, keys in owed.items()],
        }

    def __len__(self) -> int:
        """Return how many messages there are; one in two folders counts once."""
        return len(self._where)

    @property
    def tracked(self) -> int:
        """Return how many UIDs are known over all folders."""
        return sum(len(folder.uids) for folder in self.folders.values())

    @property
    def unreadable(self) -> int:
        return sum(folder.keys.count(UNREADABLE) for folder in self.folders.values())

    def folder(self, name: str) -> Folder:
        """Return a folder, a new one when it is not known yet."""
        if name not in self.folders:
            self.folders[name] = Folder()
        return self.folders[name]

    def places(self, key: int) -> Places:
        """Return the names of the folders that hold a message, sorted; () for none."""
        found = self._where.get(key)
        if found is None:
            return ()
        if isinstance(found, int):
            return (self._names[found],)
        names = {self._names[number] for number in found}
        return tuple(sorted((names - self.last) or names))

    def places_with(self, key: int, name: str) -> Places:
        """Return what `places` would be if this folder held the message too."""
        found = self._where.get(key)
        if found is None:
            return (name,)
        numbers = (found,) if isinstance(found, int) else found
        names = {name, *(self._names[number] for number in numbers)}
        return tuple(sorted((names - self.last) or names))

    def told(self, key: int) -> Places:
        """Return the places of a message as the hub knows them."""
        return self.owed[key] if key in self.owed else self.places(key)

    def add(self, name: str, uid: int, key: int) -> None:
        """Note that a folder holds a message under a UID; what stood there before is owed."""
        before = self.folder(name).put(uid, key)
        if before == key:
            return
        if before is not None:
            self._leave(before, name)
        if key >= _RESERVED:
            self._join(key, self._numbered(name))

    def remove(self, name: str, uids: Iterable[int]) -> None:
        """Note that a folder no longer holds these UIDs."""
        for key in self.folder(name).take(uids):
            self._leave(key, name)

    def empty(self, name: str) -> None:
        """Note that a folder holds nothing that is known (a new UIDVALIDITY)."""
        for key in self.folder(name).clear():
            self._leave(key, name)

    def drop(self, name: str) -> None:
        """Note that a folder is gone."""
        self.empty(name)
        del self.folders[name]

    def find(self, wanted: set[int]) -> Iterator[tuple[str, dict[int, int]]]:
        """Yield (folder, UID → key) where each of these messages stands once."""
        left = set(wanted)
        for name, folder in self.folders.items():
            if not left:
                return
            found = {}
            for uid, key in zip(folder.uids, folder.keys, strict=True):
                if key in left:
                    left.discard(key)
                    found[uid] = key
            if found:
                yield name, found

    def _numbered(self, name: str) -> int:
        if name not in self._number:
            self._number[name] = len(self._names)
            self._names.append(name)
        return self._number[name]

    def _join(self, key: int, number: int) -> None:
        known = self._where.get(key)
        if known is None:
            self._where[key] = number
        else:
            self._where[key] = (*((known,) if isinstance(known, int) else known), number)

    def _leave(self, key: int, name: str) -> None:
        """Take one place of a message away; the hub is owed the news."""
        if key < _RESERVED:
            return
        self.owed.setdefault(key, self.places(key))
        known, number = self._where[key], self._number[name]
        if isinstance(known, int):
            del self._where[key]
            return
        rest = list(known)
        rest.remove(number)
        self._where[key] = rest[0] if len(rest) == 1 else tuple(rest)


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
