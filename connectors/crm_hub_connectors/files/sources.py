"""Which files a connection reads, and as what. Before the readers; no content is kept here.

A Maildir is one source, so is a folder of messages with a file each, so is each sheet of a
workbook.
Everything that is left out is named with its reason, for `check`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crm_hub.sdk import ConfigError
from crm_hub.sdk.formats.delimited import is_table
from crm_hub_connectors.files.vdir import is_item as vdir_item

MAX_SOURCES = 5_000
_BLOCK = 1024 * 1024

KINDS = {
    ".mbox": "mbox", ".mbx": "mbox",
    ".eml": "eml",
    ".ics": "ics", ".ical": "ics",
    ".vcf": "vcf", ".vcard": "vcf",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".csv": "csv", ".txt": "csv",
    ".tsv": "tsv", ".tab": "tsv",
    ".xlsx": "xlsx", ".xlsm": "xlsx",
}  # fmt: skip
VDIR = "vdir"
VDIR_ICS = "vdir-ics"
VDIRS = {VDIR: ".vcf", VDIR_ICS: ".ics"}
"""The formats of folders with one item a file; never guessed, as they may be written to."""
TABLE_OUT = "csv-out"
"""The format of a table that the hub writes; the file need not be there yet."""
_TEMPORARY = (".part", ".tmp", ".crdownload", ".swp", ".lock", "~")
# Numbers, as MH and archives of mailboxes have them, with a hash behind in collections of spam.
_NUMBERED = re.compile(r"\d+(?:\.?|\.[0-9a-f]{32})\Z")
_FROM = re.compile(rb"From [^\n]{1,300}\d:\d\d")
_LETTER = re.compile(
    rb"(?:From [^\n]{1,300}\n)?(?:[!-9;-~]{1,100}:[^\n]*\n(?:[ \t][^\n]*\n)*){0,99}?"
    rb"(?:From|Received|Return-Path|Message-ID):",
    re.I,
)
_HEAD_BYTES = 4_000
_LITTER = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to read. name: of its stream. kind: which reader; sheet: of a workbook."""

    name: str
    path: Path
    kind: str
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a path holds: the sources in order of name, and a line for each thing left out."""

    sources: list[Source]
    skipped: list[str]


def find_sources(root: Path, format: str = "auto") -> Found:
    """Return what can be read at `root`, a file or a folder, sorted by name.

    format: reads files of that kind, and those no suffix gives away, as that kind alone.
    Raises: ConfigError when there is nothing at `root` or far too much.
    """
    if format == TABLE_OUT:
        return _table_out(root)
    try:
        mode = root.stat().st_mode
    except OSError as error:
        raise ConfigError(
            f"the path {str(root)!r} cannot be opened: {error.strerror}",
            remedy="Set `path` to a file or folder that exists and that the hub may read; "
            "a relative one starts at the hub's folder.",
        ) from None
    if not os.access(root, os.R_OK | os.X_OK if stat.S_ISDIR(mode) else os.R_OK):
        raise ConfigError(
            f"the path {str(root)!r} cannot be opened: Permission denied",
            remedy="Let the user who runs the hub read it (chmod, chown, or a group of both).",
        )
    found = Found([], [])
    if format in VDIRS:
        _add_vdirs(root, format, found)
    elif stat.S_ISDIR(mode):
        _walk(root, format, found)
    elif stat.S_ISREG(mode):
        _add_file(root, root.name, _kind(root) if format == "auto" else format, found)
    else:
        raise ConfigError(
            f"{root.name!r} is neither a file nor a folder", remedy="Set `path` to one of the two."
        )
    found.sources.sort(key=lambda s: s.name)
    found.skipped.sort()
    return found


def _table_out(path: Path) -> Found:
    """Return the one file that the hub keeps at `path`."""
    if path.suffix.lower() != ".csv" or path.is_dir() or not path.parent.is_dir():
        raise ConfigError(
            f"no table can be kept at {str(path)!r}",
            remedy="Set `path` to a file that ends in .csv, in a folder that is there.",
        )
    return Found([Source(path.name, path, TABLE_OUT)], [])


def _add_vdirs(root: Path, format: str, found: Found) -> None:
    """Add a folder of such items, or each folder in it that is not hidden."""
    if not root.is_dir():
        raise ConfigError(
            f"{root.name!r} is no folder", remedy="Set `path` to the folder that holds the files."
        )
    inner = [p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")]
    for place in sorted(inner):
        if printable(place.name) == place.name:
            found.sources.append(Source(f"{place.name}/", place, format))
    if not inner or any(vdir_item(p.name, VDIRS[format]) for p in root.iterdir()):
        found.sources.append(Source(".", root, format))


def _walk(root: Path, format: str, found: Found) -> None:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        name = _name(here, root)
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        if {"cur", "new"} <= set(folders):
            folders.clear()
            if format in ("auto", "maildir"):
                found.sources.append(Source(name, here, "maildir"))
            continue
        letters = _letters(here, files)
        if letters and format in ("auto", "eml"):
            found.sources.append(Source(name, here, "eml"))
        for file in sorted(set(files) - set(letters)):
            _look_at(here / file, _name(here / file, root), format, found)
        if len(found.sources) > MAX_SOURCES:
            raise ConfigError(
                f"the folder holds more than {MAX_SOURCES:,} files to read",
                remedy="Set `path` to a smaller folder, or make one connection for each.",
            )


def letters_of(folder: Path) -> list[Path]:
    """Return the messages of a folder that are a file each, in the order of their names."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_file()]
    return sorted(folder / name for name in _letters(folder, names))


def _letters(folder: Path, names: Iterable[str]) -> list[str]:
    """Return which files are messages: .eml, and numbered ones where the first of them is one."""
    shown = sorted(name for name in names if not name.startswith("."))
    numbered = [name for name in shown if _NUMBERED.match(name)]
    if numbered and not _is_letter(folder / numbered[0]):
        numbered = []
    return [name for name in shown if name.lower().endswith(".eml")] + numbered


def _is_letter(path: Path) -> bool:
    """Tell whether a numbered file holds one message; without a hash it may be a mailbox, too."""
    head = _head(path)
    if head.startswith(b"From ") and len(path.name) < 33:
        return False
    return _LETTER.match(head) is not None


def _head(path: Path) -> bytes:
    """Return the beginning of a regular file; a pipe would block the reader for ever."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return b""
        with path.open("rb") as stream:
            return stream.read(_HEAD_BYTES)
    except OSError:
        return b""


def _name(path: Path, root: Path) -> str:
    name = path.relative_to(root).as_posix()
    return name + "/" if path.is_dir() and name != "." else name


def _look_at(path: Path, name: str, format: str, found: Found) -> None:
    if reason := _left_out(path):
        found.skipped.append(f"{printable(name)}: not read, {reason}")
        return
    kind = _kind(path)
    if format != "auto":
        kind = format if kind in ("", format) or (kind, format) == ("csv", "tsv") else ""
    _add_file(path, name, kind, found)


def _left_out(path: Path) -> str:
    name = path.name
    if name.startswith("."):
        return "a hidden file"
    if name.startswith("~$") or name.lower().endswith(_TEMPORARY) or name.lower() in _LITTER:
        return "a temporary file"
    if printable(name) != name:
        return "its name is not plain text"
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"it cannot be opened ({error.strerror})"
    # A pipe or a device would block the reader for ever.
    return "" if stat.S_ISREG(mode) else "not a regular file"


def printable(name: str) -> str:
    """Return a file name that can be shown and stored, whatever bytes it was made of."""
    return "".join(c if c.isprintable() else "?" for c in name)


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    kind = KINDS.get(suffix, "")
    if kind and suffix != ".txt":
        return kind
    head = _head(path)
    if _NUMBERED.match(path.name) and _is_letter(path):
        return "eml"
    # Archives of mailing lists are called after their month, with or without .txt.
    if _FROM.match(head) or (not path.suffix and head.startswith(b"From ")):
        return "mbox"
    try:
        return kind if suffix == ".txt" and is_table(path) else ""
    except OSError:
        return ""


def _add_file(path: Path, name: str, kind: str, found: Found) -> None:
    if not kind:
        found.skipped.append(f"{printable(name)}: not read, not a kind of file known here")
    elif not os.access(path, os.R_OK):
        found.skipped.append(f"{printable(name)}: not read, the hub may not open it")
    elif kind == "xlsx":
        _add_sheets(path, name, found)
    else:
        found.sources.append(Source(name, path, kind))


def _add_sheets(path: Path, name: str, found: Found) -> None:
    from crm_hub_connectors.files.sheets import sheet_names

    names = sheet_names(path)
    if isinstance(names, str):
        found.skipped.append(f"{printable(name)}: not read, {names}")
        return
    found.sources.extend(Source(f"{name}#{sheet}", path, "xlsx", sheet) for sheet in names)


@dataclass(frozen=True, slots=True)
class State:
    """How a source stands: bytes, and the newest time of change in nanoseconds since 1970."""

    size: int
    mtime_ns: int


def state_of(path: Path) -> State:
    """Return size and time of change of a file, or of all files of a mail folder together."""
    size = newest = 0
    for file in _files_of(path):
        seen = file.stat()
        size += seen.st_size
        newest = max(newest, seen.st_mtime_ns)
    return State(size, newest)


def _files_of(path: Path) -> Iterator[Path]:
    """Yield the files of a source, and its folders too: a file renamed changes its folder."""
    yield path
    if not path.is_dir():
        return
    for folder, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(folders + files):
            file = Path(folder, name)
            if file.exists():
                yield file


def fingerprint(path: Path) -> str:
    """Return a hash that changes with the content of a source.

    A file is read whole; of a mail folder, whose files never change once written, names and sizes.
    """
    digest = hashlib.blake2b(digest_size=16)
    if path.is_dir():
        for file in _files_of(path):
            if file.is_file():
                digest.update(f"{file.relative_to(path)}\0{file.stat().st_size}\0".encode())
        return digest.hexdigest()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
