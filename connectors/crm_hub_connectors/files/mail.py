"""Mailboxes in files: mbox, Maildir and single messages, read one message at a time.

Before: the connector's shell, which makes pages of the items. After: the mapping sections
`mail` and `correspondents`.
Source: RFC 4155 (mbox), https://cr.yp.to/proto/maildir.html (Maildir).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from crm_hub.model.errors import RecordError
from crm_hub.model.records import Reject
from crm_hub.sdk.formats.items import Item, unreadable
from crm_hub.sdk.formats.mail_dates import parse_date
from crm_hub.sdk.formats.mail_message import message_item_id, parse_message
from crm_hub.sdk.formats.mail_people import NO_OWN, Correspondents, Own

__all__ = ["Correspondents", "Own", "parse_message", "read_eml", "read_maildir", "read_mbox"]

MAX_MESSAGE = 24_000_000
_BLOCK = 256_000
_LOOK_AHEAD = 1_200
_FROM = re.compile(
    rb"From (?:\S.{0,300} )?(?:[A-Za-z]{3},? +)?"
    rb"(?:([A-Za-z]{3}) +(\d{1,2})|(\d{1,2}) ([A-Za-z]{3}) (\d{4})) +(\d{1,2}:\d{2}(?::\d{2})?)"
    rb"(?: +([A-Z]{1,5}|[+-]\d{4}))?(?: +(\d{4}))?(?: +([A-Z]{1,5}|[+-]\d{4}))?[ \t]*\r?\n?\Z"
)
_HEADER = re.compile(rb"[!-9;-~]{1,100}[ \t]*:|>From ")
_QUOTED = re.compile(rb"\n>(>*From )")
_FLAGS = {"S": "seen", "R": "replied", "F": "flagged", "D": "draft", "T": "trashed", "P": "passed"}
_NOT_OPEN = "Give the hub's user the right to read the file, then sync again."
_BROKEN = "Open the message in a mail program; report it if it looks right there."


@dataclass(slots=True)
class _Found:
    """One message of an mbox: its bytes unquoted, where it stands, and its From_ line."""

    raw: bytearray
    start: int
    end: int
    envelope: bytes = b""
    cut: bool = False


def read_mbox(
    path: Path, start_offset: int = 0, *, own: Own = NO_OWN, zone: str = "UTC"
) -> Iterator[Item | Reject]:
    """Yield the messages of an mbox file, shape `mail`, from byte `start_offset` on.

    offset of an item: the byte after the message. Of a message over 24 MB the first 24 MB
    are read. mboxo and mboxrd quoting are undone.
    """
    with path.open("rb") as stream:
        for found in _messages(stream, start_offset):
            place = f"message at byte {found.start}"
            known = {"received_at": _envelope_date(found.envelope)}
            yield _item(found, f"byte:{found.start}", place, own, zone, known)


def read_eml(path: Path, *, own: Own = NO_OWN, zone: str = "UTC") -> Iterator[Item | Reject]:
    """Yield the one message of an .eml file, or its Reject."""
    yield _file_item(path, path.name, 1, own, zone, {})


def read_maildir(
    path: Path, start_offset: int = 0, *, own: Own = NO_OWN, zone: str = "UTC"
) -> Iterator[Item | Reject]:
    """Yield the messages of a Maildir and its subfolders; `tmp` is left alone.

    offset: how many messages were read, in the order of folder and file name.
    """
    files = [(folder, file) for folder in _folders(path) for file in _messages_of(folder)]
    for index, (folder, file) in enumerate(files[start_offset:], start_offset + 1):
        name = file.name
        known = {
            "received_at": _delivered_at(name),
            "folder": _folder_name(path, folder),
            "flags": _flags(name),
        }
        place = file.relative_to(path).as_posix()
        yield _file_item(file, place, index, own, zone, known)


def _item(
    found: _Found, key: str, place: str, own: Own, zone: str, known: dict[str, Any]
) -> Item | Reject:
    try:
        payload = parse_message(found.raw, own, zone=zone, **known)
    except RecordError as error:
        return unreadable(key, place, error.message, error.remedy, found.raw)
    except (ValueError, LookupError, OverflowError, RecursionError) as error:
        reason = f"the message cannot be parsed ({type(error).__name__})"
        return unreadable(key, place, reason, _BROKEN, found.raw)
    payload["truncated"] = payload["truncated"] or found.cut
    return Item(message_item_id(payload, found.raw), payload, None, found.end)


def _file_item(
    path: Path, place: str, offset: int, own: Own, zone: str, known: dict[str, Any]
) -> Item | Reject:
    try:
        with path.open("rb") as stream:
            raw = bytearray(stream.read(MAX_MESSAGE + 1))
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror or type(error).__name__}"
        return Reject(place, place, reason, _NOT_OPEN)
    cut = len(raw) > MAX_MESSAGE
    return _item(_Found(raw, 0, offset, cut=cut), place, place, own, zone, known)


def _messages(stream: BinaryIO, start: int) -> Iterator[_Found]:
    """Yield the messages of an mbox.

    A new one begins at a From_ line that holds a date and that a header field follows, so
    neither a sentence beginning with "From" nor a missing blank line before it misleads.
    """
    stream.seek(start)
    window = bytearray(b"\n")  # so that the first line begins after a line end too
    at, scan, is_last = start - 1, 0, False
    current = _Found(bytearray(), start, start)
    while True:
        hit = window.find(b"\nFrom ", scan)
        if not is_last and (hit < 0 or len(window) - hit < _LOOK_AHEAD):
            # Nothing before `safe` can be part of a From_ line that is still to be judged.
            safe = hit if hit >= 0 else max(0, len(window) - 6)
            _add(current, window[:safe])
            del window[:safe]
            at, scan = at + safe, 0
            block = stream.read(_BLOCK)
            window += block
            is_last = not block
            continue
        if hit < 0:
            break
        line_end = window.find(b"\n", hit + 1, hit + _LOOK_AHEAD) + 1
        line = bytes(window[hit + 1 : line_end])
        if not line or not _FROM.match(line) or not _HEADER.match(window, line_end):
            scan = hit + 1
            continue
        _add(current, window[: hit + 1])
        if _finish(current, at + hit + 1):
            yield current
        current = _Found(bytearray(), at + hit + 1, 0, line)
        del window[:line_end]
        at, scan = at + line_end, 0
    _add(current, window)
    if _finish(current, at + len(window)):
        yield current


def _add(found: _Found, piece: bytearray) -> None:
    room = MAX_MESSAGE - len(found.raw)
    found.cut = found.cut or len(piece) > room
    found.raw += piece[:room] if len(piece) > room else piece


def _finish(found: _Found, end: int) -> bool:
    """Close a message at byte `end`, its quoting undone; tell whether anything is in it."""
    found.end = end
    if b"\n>" in found.raw and _QUOTED.search(found.raw):
        found.raw = bytearray(_QUOTED.sub(rb"\n\1", found.raw))
    return bool(found.raw) and not found.raw.isspace()


def _envelope_date(line: bytes) -> datetime | None:
    match = _FROM.match(line)
    if not match:
        return None
    month, day, day2, month2, year2, clock, zone1, year, zone2 = (
        (part or b"").decode("ascii") for part in match.groups()
    )
    return parse_date(f"{day or day2} {month or month2} {year or year2} {clock} {zone1 or zone2}")


def _folders(path: Path) -> Iterator[Path]:
    """Yield the Maildir itself and its subfolders: `.Sent` (Maildir++) and nested ones."""
    if (path / "cur").is_dir() or (path / "new").is_dir():
        yield path
    with os.scandir(path) as entries:
        names = sorted(
            e.name for e in entries
            if e.is_dir(follow_symlinks=False) and e.name not in ("cur", "new", "tmp")
        )  # fmt: skip
    for name in names:
        yield from _folders(path / name)


def _messages_of(folder: Path) -> list[Path]:
    found: list[Path] = []
    for part in ("cur", "new"):
        if (folder / part).is_dir():
            with os.scandir(folder / part) as entries:
                names = [e.name for e in entries if e.is_file() and not e.name.startswith(".")]
            found += [folder / part / name for name in sorted(names)]
    return found


def _folder_name(root: Path, folder: Path) -> str:
    """Return the last part of a folder's name as people see it, "" for the inbox."""
    if folder == root:
        return ""
    name = folder.name.rpartition(".")[2]
    if "&" not in name:
        return name
    # IMAP servers write folder names in modified UTF-7 (RFC 3501 section 5.1.3).
    utf7 = re.sub(r"&([^-]*)-", lambda m: f"+{m[1].replace(',', '/')}-" if m[1] else "&", name)
    return utf7.encode("ascii", "replace").decode("utf-7", "replace")


def _flags(name: str) -> tuple[str, ...]:
    """Return the flags in a Maildir file name: `...:2,RS` is replied and seen."""
    letters = re.search(r"[:;!]2,([A-Za-z]*)\Z", name)
    return tuple(_FLAGS[c] for c in letters[1] if c in _FLAGS) if letters else ()


def _delivered_at(name: str) -> datetime | None:
    seconds = name.partition(".")[0]
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > 10:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)
