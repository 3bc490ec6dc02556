"""Rows of a CSV, TSV or text table: encoding, delimiter, quotes; bounded in time and memory.

The standard csv reader splits the cells. What it lacks is added around it: it reads one record at
a time, so that a quotation mark nobody closes costs one line and not the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter, deque
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TextIO

from charset_normalizer import from_bytes

from crm_hub.model.records import Reject
from crm_hub.sdk.formats.items import unreadable

Row = tuple[int, list[str]]
"""Line number, counted from 1, and the cells as they stand."""

MAX_RECORD = 1_000_000
_HEAD_BYTES = 65_536
_DELIMITERS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# On short western text a detector names any of twenty code pages; these it gets right.
_TRUSTED = (
    "big5", "big5hkscs", "cp1251", "cp1253", "cp1255", "cp1256", "cp874", "cp932", "cp949",
    "euc_jp", "euc_kr", "gb18030", "gbk", "iso2022_jp", "koi8_r", "shift_jis", "tis_620",
)  # fmt: skip
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*$', re.I)


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes UTF-8 does not know as Windows text: tables are glued from both."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("crm_hub.cp1252", _as_cp1252)


def encoding_of(head: bytes) -> str:
    """Return the encoding of a text by its first bytes: BOM, NULs, UTF-8, then the detector."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if b"\x00" in head[:400]:
        even, odd = head[:400:2].count(0), head[1:400:2].count(0)
        if max(even, odd) * 4 > len(head[:400]) and min(even, odd) == 0:
            return "utf-16-le" if odd > even else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        if _is_mostly_utf8(head):
            return "utf-8"
        best = from_bytes(head).best()
        return best.encoding if best and best.encoding in _TRUSTED else "cp1252"
    return "utf-8"


def _is_mostly_utf8(head: bytes) -> bool:
    letters = [c for c in head.decode("utf-8", "surrogateescape") if not c.isascii()]
    return sum(1 for c in letters if not "\udc80" <= c <= "\udcff") * 2 >= len(letters)


def open_text(path: Path) -> TextIO:
    """Open a text file with the encoding it has; line ends are left as they are."""
    with path.open("rb") as stream:
        encoding = encoding_of(stream.read(_HEAD_BYTES))
    errors = "crm_hub.cp1252" if encoding.startswith("utf-8") else "replace"
    return path.open(encoding=encoding, errors=errors, newline="")


def delimiter_of(sample: str) -> str:
    """Return the delimiter that cuts the sample into rows of the most even width."""
    if told := _SEP_LINE.match(sample.split("\n", 1)[0].rstrip("\r")):
        return told[1]
    return max(_DELIMITERS, key=lambda d: _evenness(sample, d))


def is_table(path: Path) -> bool:
    """Tell whether a text file is cut into columns, evenly enough to be no prose."""
    with open_text(path) as stream:
        sample = stream.read(_HEAD_BYTES // 2)
    first, share, _ = max(_evenness(sample, d) for d in _DELIMITERS)
    return bool(_SEP_LINE.match(sample.split("\n", 1)[0])) or (first and share >= 0.8)


def _evenness(sample: str, delimiter: str) -> tuple[bool, float, int]:
    # The last line of the sample may be half a line.
    reader = csv.reader(StringIO(sample, newline=""), delimiter=delimiter)
    try:
        widths = [len(row) for row in islice(reader, 100) if row]
    except csv.Error:
        widths = []
    width, rows = Counter(widths).most_common(1)[0] if widths else (0, 1)
    if width < 2:
        return (False, 0.0, 0)
    return (widths[0] == width, round(rows / len(widths), 1), width)


class _OpenQuoteError(Exception):
    """A record does not end: its quotation mark is never closed, or not within 1 MB."""


class _Lines:
    """Feeds csv.reader one line at a time and holds those of the record being read."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._back: deque[str] = deque()
        self._size = 0
        self.held: list[str] = []
        self.number = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._stream.readline(MAX_RECORD + 1)
        if not line:
            if self.held:
                raise _OpenQuoteError
            raise StopIteration
        self.held.append(line)
        self._size += len(line)
        if self._size > MAX_RECORD:
            raise _OpenQuoteError
        return line

    def begin(self) -> None:
        """Forget the record just read; the next line begins another."""
        self.number += len(self.held)
        self.held.clear()
        self._size = 0

    def set_aside(self) -> Reject:
        """Return the first line held as a Reject; what follows it is read as lines of its own."""
        first, rest = self.held[0], self.held[1:]
        self._back.extendleft(reversed(rest))
        reason = "a quotation mark in this line is not closed, or text follows the closed one"
        if len(first) > MAX_RECORD:
            reason = "the line is longer than 1 MB"
            while not first.endswith(("\n", "\r")) and (more := self._stream.readline(MAX_RECORD)):
                first = first[:MAX_RECORD] + more[-1]
        remedy = "Correct the line in the program that wrote the file and save it again."
        place = f"line {self.number}"
        self.held = self.held[:1]
        self.begin()
        return unreadable(f"line:{self.number - 1}", place, reason, remedy, first)


def text_rows(path: Path) -> Iterator[Row | Reject]:
    """Yield the rows of a delimited text; a line that cannot be split becomes a Reject."""
    csv.field_size_limit(MAX_RECORD + 1)  # the library's own limit, 128 kB, is for the process
    with open_text(path) as stream:
        delimiter = delimiter_of(stream.read(_HEAD_BYTES // 2))
        stream.seek(0)
        lines = _Lines(stream)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        width = 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (_OpenQuoteError, csv.Error):
                again = _leniently(lines.held, delimiter, width)
                if again is None:
                    yield lines.set_aside()
                    reader = csv.reader(lines, delimiter=delimiter, strict=True)
                    continue
                cells = again
                reader = csv.reader(lines, delimiter=delimiter, strict=True)
            width = len(cells) or width
            yield lines.number, cells
            lines.begin()


def _leniently(held: list[str], delimiter: str, width: int) -> list[str] | None:
    """Return the cells of one line with stray quotes when it is as wide as the row before it."""
    if len(held) != 1 or len(held[0]) > MAX_RECORD or held[0].count('"') % 2:
        return None
    cells = next(csv.reader(held, delimiter=delimiter))
    return cells if len(cells) == width else None
