"""A table becomes items: where the header is, what a column is called, what names a row.

Rows come from `delimited` or `sheets`; what the columns mean is decided in `shapes`, or guessed by
`crm_hub.sdk.guess`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import chain, islice

import orjson

from crm_hub.sdk import Reject
from crm_hub.sdk.formats.delimited import Row
from crm_hub.sdk.formats.items import MAX_ID, Item, unreadable
from crm_hub.sdk.guess import RowKeys

HEAD_ROWS = 60
MAX_COLUMNS = 5_000
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}\s*$", re.I)
_PHONE = re.compile(r"\+?[\d\s()./-]{7,20}$")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
_NUMBER = re.compile(r"-?[\d.,]+$")


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a table: its line, and a name for each column, unique and never blank."""

    line: int
    columns: tuple[str, ...]


def find_head(sample: Sequence[Row]) -> Head | Reject:
    """Return the header among the first rows; a Reject when there is none to be found."""
    filled = [sum(1 for c in cells if c.strip()) for _, cells in sample]
    widest = max(filled, default=0)
    if not widest:
        return _no_head("the table is empty", "Export it again; the file may be cut off.", [])
    # Reports put a title and a date above the table; the header is the first row as wide as it.
    at = next(i for i, n in enumerate(filled) if n * 2 > widest)
    line, cells = sample[at]
    width = _width(cells, [c for _, c in sample[at + 1 :]])
    if width > MAX_COLUMNS:
        return _no_head(f"more than {MAX_COLUMNS:,} columns", "Export fewer columns.", cells)
    if _is_data(cells):
        return _no_head(
            "the table has no header row: its first row already holds values",
            "Put the names of the columns into the first row and save the file again.",
            cells,
        )
    return Head(line, column_names([*cells, *[""] * (width - len(cells))][:width]))


def _no_head(reason: str, remedy: str, cells: Iterable[str]) -> Reject:
    return unreadable("header", "header row", reason, remedy, " | ".join(islice(cells, 50)))


def _is_data(cells: Sequence[str]) -> bool:
    texts = [c.strip() for c in cells if c.strip()]
    if any(_EMAIL.match(t) or _DATE.match(t) for t in texts):
        return True
    return sum(1 for t in texts if _NUMBER.match(t) or _PHONE.match(t)) * 2 > len(texts)


def _width(header: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return how many columns the table has: a header may lack its last names."""
    named = max((i + 1 for i, c in enumerate(header) if c.strip()), default=0)
    filled = [max((i + 1 for i, c in enumerate(r) if c.strip()), default=0) for r in rows]
    wider = sum(1 for n in filled if n > named)
    if not wider or wider * 5 < len(filled) * 4:
        return named
    return Counter(n for n in filled if n > named).most_common(1)[0][0]


def column_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the header's names: blanks are numbered by place, repeats by count."""
    names: list[str] = []
    taken: set[str] = set()
    count: Counter[str] = Counter()
    for place, cell in enumerate(cells, 1):
        plain = " ".join(cell.replace("\x00", "").replace("\ufeff", "").split())[:200]
        plain = name = plain or f"column {place}"
        while name in taken:
            count[plain] += 1
            name = f"{plain} ({count[plain] + 1})"
        taken.add(name)
        names.append(name)
    return tuple(names)


def split_head(rows: Iterator[Row | Reject]) -> tuple[Head | Reject, Iterator[Row | Reject]]:
    """Return the header and all rows, those looked at included."""
    first = list(islice(rows, HEAD_ROWS))
    head = find_head([r for r in first if not isinstance(r, Reject)])
    return head, chain(first, rows)


def payloads(rows: Iterable[Row | Reject], head: Head) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, payload) of the rows that fit under the header."""
    for row in _body(rows, head):
        if not isinstance(row, Reject):
            yield row


def _body(
    rows: Iterable[Row | Reject], head: Head
) -> Iterator[tuple[int, dict[str, str]] | Reject]:
    columns, width = head.columns, len(head.columns)
    after_blank = False
    for row in rows:
        if isinstance(row, Reject):
            yield row
            continue
        line, cells = row
        if line <= head.line:
            continue
        # Short rows lack their last cells, as many programs write them.
        payload = {k: v for k, v in zip(columns, cells, strict=False) if v and not v.isspace()}
        if len(cells) > width and any(c.strip() for c in cells[width:]):
            yield _too_long(line, cells, width)
        elif not payload:
            after_blank = True
        elif after_blank and len(payload) == 1 and width > 3 and columns[0] in payload:
            continue  # a report's footer: a blank line, then lines of one cell
        else:
            after_blank = False
            yield line, payload


def _too_long(line: int, cells: Sequence[str], width: int) -> Reject:
    # Which cell is one too many cannot be told, so no cell can be trusted to be in its column.
    return unreadable(
        f"line:{line}",
        f"line {line}",
        f"the row has {len(cells)} cells and the header {width}",
        "Put cells that hold the delimiter into quotation marks, or name all columns.",
        " | ".join(islice(cells, 100)),
    )


def table_items(
    rows: Iterable[Row | Reject], head: Head, keys: RowKeys, zone: tzinfo, start: int = 0
) -> Iterator[Item | Reject]:
    """Yield the rows of a table after the first `start` of them. An offset counts rows."""
    seen: Counter[str] = Counter()
    for offset, row in enumerate(_body(rows, head), 1):
        if isinstance(row, Reject):
            if offset > start:
                yield row
            continue
        payload = row[1]
        if offset <= start and not keys.shared:
            continue
        id = _row_id(payload, keys, seen)
        if offset > start:
            yield Item(id, payload, _moment(payload.get(keys.changed, ""), zone), offset)


def _row_id(payload: dict[str, str], keys: RowKeys, seen: Counter[str]) -> str:
    value = payload.get(keys.id, "").strip()
    if not value or len(value) > MAX_ID - 20 or not value.isprintable():
        return row_hash(payload)
    if not keys.shared:
        return value
    value = value.lower()
    seen[value] += 1
    return value if seen[value] == 1 else f"{value}#{seen[value]}"


def row_hash(payload: object) -> str:
    """Return an id for an object that brings none: the same content has the same id."""
    raw = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS, default=str)
    return "h:" + hashlib.blake2b(raw, digest_size=12).hexdigest()


def _moment(text: str, zone: tzinfo) -> datetime | None:
    """Return the instant of ISO 8601 text; days and months in another order stay unknown."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
