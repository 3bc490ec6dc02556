"""One look at the mailbox: what is new, moved, gone, told page by page.

First every folder that differs is surveyed: what vanished, which UIDs are to be read. Then those
are read. What lost a folder is told last, so that a move is one record with another place and
never a delete and a new one. New is a UID beyond the last one looked at; whether flags changed is
asked by MODSEQ alone. The two are never combined: mail that came between two marks would be lost.
Source: RFC 7162, RFC 4549.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from logging import Logger

from crm_hub.sdk import Change, Page, Reject
from crm_hub.sdk.formats.mail_message import message_marks
from crm_hub_connectors.imap.fetching import COMMAND_UIDS, letters
from crm_hub_connectors.imap.folders import Seen, quoted
from crm_hub_connectors.imap.letters import Letter, Reader
from crm_hub_connectors.imap.people import People
from crm_hub_connectors.imap.session import Session
from crm_hub_connectors.imap.state import Mailbox
from crm_hub_connectors.imap.uids import EXCLUDED, id_of, key_of
from crm_hub_connectors.imap.wire import (
    MAX_UIDS,
    Fetched,
    Lost,
    Refused,
    joined,
    read_fetch,
    runs_of,
    uid_set,
)

PAGE_BYTES = 4_000_000
_CODE = re.compile(rb"\* OK \[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d+)\]", re.I)
_EXISTS = re.compile(rb"\* (\d+) EXISTS", re.I)
_VANISHED = re.compile(rb"\* VANISHED (?:\(EARLIER\) )?([\d:,]+)", re.I)
_FOUND = re.compile(rb"\* ESEARCH .*?\bALL ([\d:,]+)", re.I)
_MARKS = "UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE)]"


@dataclass(slots=True)
class Selected:
    """What the server said on opening a folder. modseq: None while it tracks none."""

    exists: int = 0
    validity: int = 0
    next_uid: int = 1
    modseq: int | None = None
    vanished: list[tuple[int, int]] = field(default_factory=list)
    flagged: list[Fetched] = field(default_factory=list)


@dataclass(slots=True)
class Options:
    """How a mailbox is read. page_items: changes on one page, at most."""

    page_items: int
    since: date | None
    stopping: Callable[[], bool]
    log: Logger


def open_folder(session: Session, seen: Seen, known: tuple[int, int] | None = None) -> Selected:
    """Open a folder for reading, asking what changed since (UIDVALIDITY, MODSEQ) `known`."""
    command = b"EXAMINE " + quoted(seen.raw)
    if known and session.qresync:
        command += f" (QRESYNC ({known[0]} {known[1]}))".encode()
    elif session.condstore:
        command += b" (CONDSTORE)"
    found = Selected()
    session.selected = b""
    for answer in session.wire.run(command):
        line = answer[0]
        if code := _CODE.match(line):
            number = int(code[2])
            name = code[1].upper()
            if name == b"UIDVALIDITY":
                found.validity = number
            elif name == b"UIDNEXT":
                found.next_uid = number
            else:
                found.modseq = number or None
        elif exists := _EXISTS.match(line):
            found.exists = int(exists[1])
        elif gone := _VANISHED.match(line):
            found.vanished += runs_of(gone[1].decode())
        elif one := read_fetch(answer):
            found.flagged.append(one)
    session.selected = seen.raw
    return found


def search(session: Session, criteria: str) -> list[int]:
    """Return the UIDs that fit, ascending. Raises: Refused, Lost."""
    how = "RETURN (ALL) " if session.can("ESEARCH") else ""
    uids: set[int] = set()
    for answer in session.wire.run(f"UID SEARCH {how}{criteria}".encode()):
        line = joined(answer)
        if found := _FOUND.match(line):
            for low, high in runs_of(found[1].decode()):
                if len(uids) + high - low >= MAX_UIDS:
                    raise Lost(f"the server lists more than {MAX_UIDS:,} messages in a folder")
                uids.update(range(low, high + 1))
        elif line[:8].upper() == b"* SEARCH":
            uids.update(int(word) for word in line[8:].split() if word.isdigit())
    return sorted(uids)


class Cycle:
    """One pull of the stream `mail`."""

    def __init__(
        self, session: Session, box: Mailbox, reader: Reader, people: People, options: Options
    ) -> None:
        self._session = session
        self._box = box
        self._reader = reader
        self._people = people
        self._options = options
        self._todo: dict[str, list[int]] = {}
        self._end: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._changes: list[Change] = []
        self._rejects: list[Reject] = []
        self._bytes = 0

    def pages(self, folders: Sequence[Seen], gone: Sequence[str]) -> Iterator[Page]:
        """Yield what is news in these folders, given the names of known ones that are gone.

        Nothing at all when there is no news. Raises: Lost, Refused.
        """
        box = self._box
        box.last = frozenset(one.name for one in folders if one.role == "all")
        self._counts = {one.name: self._counted(one) for one in folders}
        changed = [one for one in folders if one.is_open and self._differs(one)]
        if not (changed or gone or box.owed or box.whole or box.anew):
            return
        for name in gone:
            box.drop(name)
        # Nothing can have vanished from a folder that is new: it is surveyed when its turn comes.
        fresh = {one.name for one in changed if one.name not in box.folders}
        changed = [one for one in changed if one.name in fresh or self._survey(one)]
        for one in changed:
            if one.name in fresh and not self._survey(one):
                continue
            for _ in self._read(one):
                yield self._page()
                if self._options.stopping():
                    return
        for _ in self._settle(folders):
            yield self._page()
            if self._options.stopping():
                return
        by_rule, box.anew = box.anew, False
        yield self._page(complete=box.whole, by_rule=by_rule)
        box.whole = False

    def _differs(self, seen: Seen) -> bool:
        known = self._box.folders.get(seen.name)
        if known is None:
            return True
        if (known.validity, len(known.uids)) != (seen.validity, seen.messages):
            return True
        return known.look + 1 < seen.next_uid or seen.modseq not in (None, known.modseq)

    def _counted(self, seen: Seen) -> int:
        known = self._box.folders.get(seen.name)
        return seen.messages if seen.is_open or known is None else len(known.uids)

    # what changed -------------------------------------------------------------------------

    def _survey(self, seen: Seen) -> bool:
        """Note what vanished and which UIDs are to be read; False when it cannot be opened."""
        box, folder = self._box, self._box.folder(seen.name)
        known = None
        if folder.modseq and folder.validity == seen.validity:
            known = (folder.validity, folder.modseq)
        try:
            found = open_folder(self._session, seen, known)
        except Refused as refused:
            self._options.log.warning("%s cannot be opened: %s", seen.name, refused)
            return False
        self._counts[seen.name] = found.exists
        if folder.validity != found.validity:
            box.empty(seen.name)
        else:
            box.remove(seen.name, folder.among(found.vanished))
            self._flags(seen, found)
        folder.tracked(found.validity, found.modseq)
        self._people.at(seen.name, found.validity, folder.look)
        self._todo[seen.name] = self._unread(seen, found)
        self._end[seen.name] = found.next_uid - 1
        return True

    def _flags(self, seen: Seen, found: Selected) -> None:
        """Look at changed flags: they matter only where they make a message a record or none."""
        box, folder = self._box, self._box.folder(seen.name)
        flagged: Sequence[Fetched] = found.flagged
        moved = folder.modseq and found.modseq and found.modseq > folder.modseq
        if moved and not self._session.qresync and folder.look:
            since = f"(CHANGEDSINCE {folder.modseq})"
            flagged = list(self._session.wire.fetch(f"1:{folder.look}", "UID FLAGS", since))
        again: list[int] = []
        for one in flagged:
            key = folder.key(one.uid)
            if key is None or one.uid > folder.look:
                continue
            excluded = self._reader.is_excluded(seen, one.flags)
            if key == EXCLUDED and not excluded:
                again.append(one.uid)
            elif key != EXCLUDED and excluded:
                box.add(seen.name, one.uid, EXCLUDED)
        self._todo[seen.name] = again

    def _unread(self, seen: Seen, found: Selected) -> list[int]:
        """Return the UIDs to read, ascending; take out what the server no longer has.

        The gap detector: what the server counts must be what is known and what is new.
        """
        box, folder = self._box, self._box.folder(seen.name)
        again = self._todo.get(seen.name, [])
        new = search(self._session, f"UID {folder.look + 1}:*") if found.exists else []
        new = [uid for uid in new if uid > folder.look]
        later = folder.among([(folder.look + 1, 0xFFFF_FFFF)])
        if later:
            box.remove(seen.name, set(later).difference(new))
        known = len(folder.uids) - len(folder.among([(folder.look + 1, 0xFFFF_FFFF)]))
        if known + len(new) != found.exists:
            there = search(self._session, "ALL") if found.exists else []
            box.remove(seen.name, set(folder.uids).difference(there))
            missed = set(there).difference(folder.uids)
            new = sorted(missed.union(uid for uid in there if uid > folder.look))
            self._counts[seen.name] = len(there)
        return sorted({*again, *new}) if again else new

    # reading ------------------------------------------------------------------------------

    def _read(self, seen: Seen) -> Iterator[None]:
        """Read the UIDs of one folder; yields whenever a page is full."""
        box, folder = self._box, self._box.folder(seen.name)
        uids = self._todo[seen.name]
        if uids:
            self._open_again(seen)
            uids = self._recent(seen, uids)
        if uids and (seen.role == "all" or box.owed) and not box.anew:
            uids = self._unknown(seen, uids)
        for uid, letter, size, in_order in letters(self._session, seen, uids, self._reader):
            self._took(seen, uid, letter, size)
            if in_order and uid > folder.look:
                folder.looked(uid)
                self._people.upto(seen.name, uid)
            if self._is_full():
                yield
        last = max([folder.look, self._end[seen.name], *folder.uids[-1:]])
        folder.looked(last)
        self._people.upto(seen.name, last)

    def _open_again(self, seen: Seen) -> None:
        if self._session.selected != seen.raw:
            open_folder(self._session, seen)

    def _recent(self, seen: Seen, uids: list[int]) -> list[int]:
        """Return those that came since the day of the setting; the others are no records."""
        if self._options.since is None:
            return uids
        day = imap_day(self._options.since)
        wanted = set(search(self._session, f"UID {uids[0]}:* SINCE {day}"))
        for uid in uids:
            if uid not in wanted:
                self._box.add(seen.name, uid, EXCLUDED)
        return [uid for uid in uids if uid in wanted]

    def _unknown(self, seen: Seen, uids: list[int]) -> list[int]:
        """Return those that must be fetched whole, after a look at their ids alone.

        After a new UIDVALIDITY, in a copy of everything (`\\All`), most are known already.
        """
        box, unknown = self._box, []
        for start in range(0, len(uids), COMMAND_UIDS):
            chunk = uid_set(uids[start : start + COMMAND_UIDS])
            for one in self._session.wire.fetch(chunk, _MARKS):
                message_id, moment = message_marks(one.body or b"")
                key = key_of(message_id, moment or "") if message_id else 0
                if key and box.told(key) == box.places_with(key, seen.name):
                    box.add(seen.name, one.uid, key)
                    box.owed.pop(key, None)
                else:
                    unknown.append(one.uid)
        return sorted(unknown)

    def _took(self, seen: Seen, uid: int, letter: Letter, size: int) -> None:
        """Note a message that was read, and what of it is news."""
        box, key = self._box, letter.key
        if letter.payload is None:
            box.add(seen.name, uid, key)
            if letter.reject is not None:
                self._rejects.append(letter.reject)
            return
        told = box.told(key)
        box.add(seen.name, uid, key)
        places = box.places(key)
        if places != told or box.anew:
            letter.payload["locations"] = list(places)
            self._changes.append(Change(id_of(key), letter.payload))
            self._bytes += size
        box.owed.pop(key, None)
        self._people.add(letter.payload)

    # what is gone -------------------------------------------------------------------------

    def _settle(self, folders: Sequence[Seen]) -> Iterator[None]:
        """Tell the new places of messages that lost one, and which are gone for good."""
        box = self._box
        for key in [key for key, places in box.owed.items() if box.places(key) == places]:
            del box.owed[key]
        by_name = {one.name: one for one in folders}
        moved = {key for key in box.owed if box.places(key)}
        for name, found in list(box.find(moved)):
            if name not in by_name:
                continue
            seen = by_name[name]
            self._open_again(seen)
            for uid, letter, size, _ in letters(self._session, seen, sorted(found), self._reader):
                self._took(seen, uid, letter, size)
                if self._is_full():
                    yield
        for key in [key for key in box.owed if not box.places(key)]:
            self._changes.append(Change(id_of(key), None))
            del box.owed[key]
            if self._is_full():
                yield

    # pages --------------------------------------------------------------------------------

    def _is_full(self) -> bool:
        count = max(len(self._changes), len(self._rejects))
        return count >= self._options.page_items or self._bytes >= PAGE_BYTES

    def _page(self, complete: bool = False, by_rule: bool = False) -> Page:
        """Return what is due as a page. by_rule: its deletes came of a change of the settings."""
        changes, self._changes = self._changes, []
        rejects, self._rejects = self._rejects, []
        self._bytes = 0
        by_rule = by_rule or self._box.anew
        return Page(
            changes, self._box.dump(), complete, rejects, self.source_count(), by_rule=by_rule
        )

    def source_count(self) -> int:
        """Return how many records the server holds: its own count, copies and exclusions off."""
        box = self._box
        unseen = sum(self._counts.values()) - box.tracked
        return len(box) + box.unreadable + unseen


def imap_day(day: date) -> str:
    """Return a day as SEARCH wants it: `5-Mar-2026`."""
    month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[day.month - 1]
    return f"{day.day}-{month}-{day.year}"
