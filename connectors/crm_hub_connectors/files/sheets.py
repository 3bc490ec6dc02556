"""Rows of an Excel workbook, as text. Before `tabular`, beside its reader for delimited text.

A workbook is a zip of XML and the library lays a sheet out as a full rectangle, so a few
kilobytes can ask for gigabytes. `too_large` reads the parts once, streaming, before that.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    WorksheetNotFound,
    XmlError,
    ZipError,
)

from crm_hub.sdk import Reject
from crm_hub.sdk.formats.items import unreadable

MAX_UNPACKED = 200_000_000
MAX_CELLS = 4_000_000
MAX_TEXT = 100_000_000
_BLOCK = 1_000_000
# Bounded repeats: a part without any ">" must not be searched again from each "<c".
_TAG = rb"<(?:\w{1,20}:)?c\b[^<>]{0,200}?\b"
_CELL = re.compile(_TAG + rb"r\s?=\s?[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_SHARED = re.compile(_TAG + rb"t=[\"']s[\"'][^<>]{0,200}><(?:\w{1,20}:)?v>([0-9]{1,9})<")
_STRING_END = re.compile(rb"</(?:\w{1,20}:)?si>|<(?:\w{1,20}:)?si/>")
_UNREADABLE = (
    CalamineError, XmlError, ZipError, WorksheetNotFound, zipfile.BadZipFile, zlib.error,
    ValueError, NotImplementedError, RuntimeError,
)  # fmt: skip


def sheet_names(path: Path) -> list[str] | str:
    """Return the sheets that hold cells, in order; or the reason why there are none to read."""
    try:
        if reason := too_large(path):
            return reason
        book = CalamineWorkbook.from_path(path)
        # Charts and macros are sheets too; only those of cells are tables.
        return [s.name for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    except PasswordError:
        return "it is locked with a password; save it without one"
    except (*_UNREADABLE, OSError):
        return "it is not a workbook Excel wrote; save it again as .xlsx or .csv"


def sheet_rows(path: Path, sheet: str) -> Iterator[tuple[int, list[str]] | Reject]:
    """Yield (row number as Excel shows it, cells as text) for each row of a sheet."""
    try:
        reason = too_large(path)
        table = None if reason else CalamineWorkbook.from_path(path).get_sheet_by_name(sheet)
    except _UNREADABLE:
        reason, table = "it is not a workbook Excel wrote", None
    if table is None:
        yield unreadable("sheet", f"sheet {sheet}", reason, "Save the table as .csv.", b"")
        return
    first = table.start[0] if table.start else 0
    for number, cells in enumerate(table.iter_rows(), first + 1):
        yield number, [cell_text(c) for c in cells]


def cell_text(value: object) -> str:
    """Return a cell as the text a CSV of the same sheet would hold; dates in ISO 8601."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(int(value.total_seconds()))
    return str(value)


def too_large(path: Path) -> str:
    """Return why a workbook would not fit into memory, or "" when it would.

    Reading each part to its end also proves the sizes the zip claims, by its checksums.
    """
    with zipfile.ZipFile(path) as book:
        parts = book.infolist()
        if sum(p.file_size for p in parts) > MAX_UNPACKED:
            return f"it unpacks to more than {MAX_UNPACKED // 1_000_000} MB"
        names = {p.filename for p in parts}
        lengths = []
        if "xl/sharedStrings.xml" in names:
            lengths = _string_lengths(_blocks(book, "xl/sharedStrings.xml", b"</si>"))
        for name in sorted(names - {"xl/sharedStrings.xml"}):
            if reason := _sheet_too_large(_blocks(book, name, b"<c "), lengths):
                return reason
    return ""


def _blocks(book: zipfile.ZipFile, name: str, edge: bytes) -> Iterator[bytes]:
    """Yield a part in blocks that end before an `edge`, so that no cell is cut in two."""
    rest = b""
    with book.open(name) as stream:
        while block := stream.read(_BLOCK):
            block = rest + block
            cut = block.rfind(edge)
            if cut <= 0:
                cut = len(block) if len(block) > 2 * _BLOCK else 0
            yield block[:cut]
            rest = block[cut:]
    yield rest


def _string_lengths(blocks: Iterator[bytes]) -> list[int]:
    lengths, open_length = [], 0
    for block in blocks:
        start = 0
        for end in _STRING_END.finditer(block):
            lengths.append(open_length + end.start() - start)
            start, open_length = end.end(), 0
        open_length += len(block) - start
    return lengths


def _sheet_too_large(blocks: Iterator[bytes], lengths: list[int]) -> str:
    column = row = text = 0
    for block in blocks:
        for cell in _CELL.finditer(block):
            column = max(column, _column_number(cell[1]))
            row = max(row, int(cell[2]))
        for cell in _SHARED.finditer(block):
            index = int(cell[1])
            text += lengths[index] if index < len(lengths) else 0
        if column * row > MAX_CELLS:
            return f"a sheet spans more than {MAX_CELLS:,} cells"
        if text > MAX_TEXT:
            return f"a sheet holds more than {MAX_TEXT // 1_000_000} MB of text"
    return ""


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
