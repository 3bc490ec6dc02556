"""What the hub knows of a mailbox: which message stands under which UID of which folder.

It travels in the checkpoint, as the connector has no database: UIDs as a sequence set, eight
bytes of key a message. Without it an expunge could not be told: the server names a UID that is
gone, and nobody can ask it any more whose it was.
Before: `folders` (what the server says now). After: `cycle` (what changed).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any

from crm_hub_connectors.imap.uids import RESERVED, UNREADABLE, Folder, packed, unpacked

Places = tuple[str, ...]


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
                if key >= RESERVED:
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
        if key >= RESERVED:
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
        if key < RESERVED:
            return
        self.owed.setdefault(key, self.places(key))
        known, number = self._where[key], self._number[name]
        if isinstance(known, int):
            del self._where[key]
            return
        rest = list(known)
        rest.remove(number)
        self._where[key] = rest[0] if len(rest) == 1 else tuple(rest)
