"""The people a mailbox knows, as a stream of its own: whom we wrote to, and who answered us.

The mail that `cycle` reads passes by here, so that no message is fetched for it. The stream has a
cursor of its own all the same: what passed by while the hub was not there is read once more, as
header fields alone. What is remembered is small: an id a person, an id a mail that we sent.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from crm_hub.sdk import Change, Checkpoint, Page
from crm_hub.sdk.formats.mail_people import is_machine, is_shared
from crm_hub_connectors.imap.letters import Reader
from crm_hub_connectors.imap.uids import id_of, packed, unpacked

Policy = Literal["replied", "senders", "none"]
MAX_SENT = 50_000
_PAGE = 1_000


def person_key(address: str) -> int:
    """Return the key of a person: of the address, upper and lower case alike."""
    digest = hashlib.blake2b(address.lower().encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


class People:
    """Collects who wrote to whom while mail is read.

    covers: folder → [UIDVALIDITY, first UID not seen before the collecting began less one, last
    UID seen]: the stretch of each folder that passed by here.
    """

    def __init__(self, policy: Policy, reader: Reader) -> None:
        self._policy = policy
        self._reader = reader
        self.covers: dict[str, list[int]] = {}
        self.forget()

    def forget(self) -> None:
        """Drop what was collected, once it is stored."""
        self._written: dict[str, tuple[str, str]] = {}
        self._senders: dict[str, tuple[str, str]] = {}
        self._answers: dict[str, set[int]] = {}
        self._ourselves: set[str] = set()
        self.sent: dict[int, None] = {}

    def at(self, folder: str, validity: int, look: int) -> None:
        """Note that reading begins after UID `look`."""
        known = self.covers.get(folder)
        if known is None or known[0] != validity or not known[1] <= look <= known[2]:
            self.covers[folder] = [validity, look, look]

    def upto(self, folder: str, uid: int) -> None:
        known = self.covers.get(folder)
        if known is not None:
            known[2] = max(known[2], uid)

    def add(self, payload: dict[str, Any]) -> None:
        """Count the people of one mail; not of drafts, spam or what a machine wrote."""
        if self._policy == "none" or payload["state"] != "mail" or payload["automated"]:
            return
        sender = payload["from"]
        if payload["direction"] == "out":
            self._ourselves.add(sender["address"].lower())
            if payload["message_id"]:
                self.sent[person_key(payload["message_id"])] = None
            for field in ("to", "cc", "bcc"):
                for one in payload[field]:
                    self._note(self._written, one)
        elif sender["address"] and (self._policy == "senders" or payload["in_reply_to"]):
            self._note(self._senders, sender)
            if answered := payload["in_reply_to"]:
                found = self._answers.setdefault(sender["address"].lower(), set())
                found.add(person_key(answered))

    def _note(self, into: dict[str, tuple[str, str]], one: dict[str, str]) -> None:
        address = one["address"]
        key = address.lower()
        known = into.get(key)
        if known is not None and (known[1] or not one["name"]):
            return
        if not address or is_machine(address) or is_shared(address):
            return
        reader = self._reader
        if reader.own.is_own(address) or reader.never.covers_address(address):
            return
        into[key] = (address, "" if "@" in one["name"] else one["name"])

    def found(self, sent: dict[int, None]) -> Iterator[tuple[str, str]]:
        """Yield (address, name) of those who count, given the mails we sent before too."""
        people = dict(self._written)
        for key, (address, name) in self._senders.items():
            answers = self._answers.get(key, ())
            if self._policy == "senders" or any(a in self.sent or a in sent for a in answers):
                known = people.get(key)
                if known is None or not known[1]:
                    people[key] = (address, name)
        for key in sorted(people.keys() - self._ourselves):
            yield people[key]


class Known:
    """The stream's checkpoint: who is known, which mails we sent, how far each folder is read.

    old: who was known under other rules; those who no longer count are told as gone.
    """

    def __init__(self, doc: Checkpoint | None, rules: str) -> None:
        doc = doc or {}
        same = doc.get("rules") == rules
        self.rules = rules
        self.named = dict.fromkeys(unpacked(doc.get("named", ""))) if same else {}
        self.bare = dict.fromkeys(unpacked(doc.get("bare", ""))) if same else {}
        self.sent = dict.fromkeys(unpacked(doc.get("sent", ""))) if same else {}
        self.at: dict[str, list[int]] = dict(doc.get("at") or {}) if same else {}
        self.old: set[int] = set()
        if not same:
            self.old = {*unpacked(doc.get("named", "")), *unpacked(doc.get("bare", ""))}
        self.moved = not same

    def read_upto(self, folder: str, validity: int) -> int:
        """Return the last UID of a folder whose people are known."""
        known = self.at.get(folder)
        return known[1] if known and known[0] == validity else 0

    def reached(self, folder: str, validity: int, uid: int) -> None:
        if self.at.get(folder) != [validity, uid]:
            self.at[folder] = [validity, uid]
            self.moved = True

    def pages(self, people: People) -> Iterator[Page]:
        """Yield who is new, and who no longer counts; the last page carries the checkpoint."""
        changes = list(self._news(people))
        self.sent.update(people.sent)
        if not changes and not self.moved:
            return
        for start in range(0, len(changes) - _PAGE, _PAGE):
            yield Page(changes[start : start + _PAGE], None, by_rule=bool(self.old))
        rest = changes[(len(changes) - 1) // _PAGE * _PAGE :] if changes else []
        count = len(self.named) + len(self.bare)
        yield Page(rest, self._dump(), source_count=count, by_rule=bool(self.old))

    def _news(self, people: People) -> Iterator[Change]:
        for address, name in people.found(self.sent):
            key = person_key(address)
            if key in self.named or (key in self.bare and not name):
                continue
            self.bare.pop(key, None)
            (self.named if name else self.bare)[key] = None
            yield Change(id_of(key), {"address": address, "name": name})
        for key in sorted(self.old - self.named.keys() - self.bare.keys()):
            yield Change(id_of(key), None)

    def _dump(self) -> Checkpoint:
        sent: Sequence[int] = list(self.sent)[-MAX_SENT:]
        return {
            "rules": self.rules,
            "at": self.at,
            "named": packed(array("Q", self.named)),
            "bare": packed(array("Q", self.bare)),
            "sent": packed(array("Q", sent)),
        }
