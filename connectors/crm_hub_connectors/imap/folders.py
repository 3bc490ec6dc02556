"""The folders of a mailbox: which there are, what they are for, and how full they are now.

One command tells all three where the server can (RFC 5819, RFC 6154); one a folder otherwise.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from imapclient import imap_utf7

from crm_hub.sdk.formats.mail_message import DRAFT_FOLDERS, SENT_FOLDERS, SPAM_FOLDERS
from crm_hub_connectors.imap.session import Session
from crm_hub_connectors.imap.wire import Refused

Role = Literal["", "inbox", "sent", "junk", "trash", "drafts", "all"]

_QUOTED = rb'"((?:[^"\\]|\\.)*)"'
_LIST = re.compile(rb"\* LIST \(([^)]*)\) (?:" + _QUOTED + rb"|NIL) (?:" + _QUOTED + rb"|(\S+))")
_STATUS = re.compile(rb"\* STATUS (?:" + _QUOTED + rb"|(\S+)) \(([^)]*)\)")
_ITEM = re.compile(rb"([A-Z]+) (\d+)")
_ESCAPED = re.compile(rb"\\(.)")
_USES: dict[bytes, Role] = {
    b"\\junk": "junk", b"\\trash": "trash", b"\\drafts": "drafts", b"\\all": "all",
    b"\\sent": "sent",
}  # fmt: skip
_TRASH = (
    "trash|deleted|deleted items|deleted messages|bin|papierkorb|gelöschte objekte"
    "|gelöschte elemente|corbeille|éléments supprimés|messages supprimés|papelera"
    "|elementos eliminados|prullenbak|verwijderde items|cestino|posta eliminata|papperskorg"
    "|lixeira|kosz"
)
_TRASH_FOLDERS = frozenset(_TRASH.split("|"))
_LEFT_OUT = ("junk", "trash", "drafts")
_ITEMS = "MESSAGES UIDNEXT UIDVALIDITY"
MAX_FOLDERS = 10_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One folder as the server shows it. raw: its name on the wire.

    modseq: None where the server tracks none, or none yet. is_open: False where it is listed, and
    yet the user may not read it; what is known of it stands.
    """

    name: str
    raw: bytes
    role: Role
    messages: int = 0
    next_uid: int = 0
    validity: int = 0
    modseq: int | None = None
    is_open: bool = True

    @property
    def leaf(self) -> str:
        """Return the last part of the name, as far as a separator shows."""
        return re.split(r"[/.]", self.name)[-1]


def look(session: Session) -> list[Seen]:
    """Return the folders that can be opened, with their counts, in the order they are read.

    Sent mail comes first, so that answers to it are known as such; `\\All` last, as most of it
    is known by then.
    """
    items = _ITEMS + (" HIGHESTMODSEQ" if session.condstore else "")
    listed, counted = _listed(session, items)
    found = []
    for raw, (role, name) in listed.items():
        values = counted.get(raw)
        if values is None:
            values = _asked(session, raw, items)
        is_open = values is not None
        number = {key.decode(): int(value) for key, value in _ITEM.findall(values or b"")}
        modseq = number.get("HIGHESTMODSEQ", 0)
        found.append(
            Seen(
                name, raw, role, number.get("MESSAGES", 0), number.get("UIDNEXT", 0),
                number.get("UIDVALIDITY", 0), modseq or None, is_open,
            )
        )  # fmt: skip
    order: dict[str, int] = {"sent": 0, "inbox": 1, "all": 9}
    return sorted(found, key=lambda one: (order.get(one.role, 5), one.name))


def chosen(found: Iterable[Seen], patterns: tuple[str, ...]) -> list[Seen]:
    """Return the folders to read: those named, or all but junk, trash and drafts."""
    if not patterns:
        return [one for one in found if one.role not in _LEFT_OUT]
    wanted = [pattern.lower() for pattern in patterns]
    return [one for one in found if any(fnmatch.fnmatchcase(one.name.lower(), w) for w in wanted)]


def quoted(raw: bytes) -> bytes:
    """Return a folder's name as a quoted string of a command."""
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _listed(
    session: Session, items: str
) -> tuple[dict[bytes, tuple[Role, str]], dict[bytes, bytes]]:
    command = b'LIST "" "*"'
    wanted = [b"SPECIAL-USE"] if session.can("SPECIAL-USE") else []
    if session.can("LIST-STATUS"):
        wanted.append(b"STATUS (" + items.encode() + b")")
    if wanted and session.can("LIST-EXTENDED"):
        command += b" RETURN (" + b" ".join(wanted) + b")"
    listed: dict[bytes, tuple[Role, str]] = {}
    counted: dict[bytes, bytes] = {}
    for line in session.wire.lines(command):
        if entry := _LIST.match(line):
            flags = entry[1].lower().split()
            raw = _plain(entry[3], entry[4])
            if b"\\noselect" not in flags and b"\\nonexistent" not in flags:
                name = _decoded(raw)
                separator = _plain(entry[2], b"").decode("ascii", "replace")
                listed[raw] = (_role(flags, name, separator), name)
            if len(listed) > MAX_FOLDERS:
                break
        elif status := _STATUS.match(line):
            counted[_plain(status[1], status[2])] = status[3]
    return listed, counted


def _asked(session: Session, raw: bytes, items: str) -> bytes | None:
    try:
        lines = session.wire.lines(b"STATUS " + quoted(raw) + f" ({items})".encode())
    except Refused:
        return None
    found = [status[3] for line in lines if (status := _STATUS.match(line))]
    return found[0] if found else None


def _plain(quoted_text: bytes | None, atom: bytes | None) -> bytes:
    if quoted_text is not None:
        return _ESCAPED.sub(rb"\1", quoted_text)
    return atom or b""


def _decoded(raw: bytes) -> str:
    try:
        return str(imap_utf7.decode(raw))
    except (UnicodeError, ValueError, LookupError):
        return raw.decode("utf-8", "replace")


def _role(flags: list[bytes], name: str, separator: str) -> Role:
    for flag in flags:
        if flag in _USES:
            return _USES[flag]
    if name.upper() == "INBOX":
        return "inbox"
    leaf = (name.rpartition(separator)[2] if separator else name).lower()
    by_name: tuple[tuple[frozenset[str], Role], ...] = (
        (SENT_FOLDERS, "sent"),
        (SPAM_FOLDERS, "junk"),
        (_TRASH_FOLDERS, "trash"),
        (DRAFT_FOLDERS, "drafts"),
    )
    return next((role for names, role in by_name if leaf in names), "")
