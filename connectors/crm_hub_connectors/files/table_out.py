"""A table that the hub writes: one row for each record, named by the key it was made with.

The whole file is put in place at once. Columns stand in a fixed order, rows in the order in which
they came; what somebody adds, columns or rows without an id, stays. A cell that a spreadsheet would
take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, TextIO

from crm_hub.sdk import Change, Checkpoint, ConfigError, Outcome, Page, Unavailable, Write
from crm_hub_connectors.files import swap

ID = "id"
COLUMNS = (
    ID, "kind", "name", "given_name", "family_name", "title", "company", "email", "phone", "url",
    "street", "city", "region", "postcode", "country", "tags", "stage", "owner", "status",
    "language", "birthday", "domain", "vat_id", "source", "note",
)  # fmt: skip
"""The columns that are always there, in this order; others that a mapping names come after."""
MAX_BYTES = 200_000_000
MOST_CHARACTERS = 32_000
"""Of a cell: spreadsheets cut off at 32,767."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_MOST_TRIES = 3
_NO_TABLE = "it is no table in UTF-8"


@dataclass(slots=True)
class Table:
    """What the file holds. rows: in its order, each column → cell as it stands there.

    by_id: the rows that have an id; of two with one id the first.
    """

    columns: list[str] = field(default_factory=lambda: list(COLUMNS))
    rows: list[dict[str, str]] = field(default_factory=list)
    by_id: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            if row.get(ID):
                self.by_id.setdefault(row[ID], row)

    @classmethod
    def parse(cls, raw: bytes, name: str) -> Table:
        """Return the table of a file. Raises: ConfigError when it is none that the hub wrote."""
        if not raw.strip():
            return cls()
        text = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", newline="")
        head, rows = read_rows(text, name)
        return cls(head, list(rows))

    def dump(self) -> bytes:
        """Return the content of the file: UTF-8, CRLF, quoted where needed."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(self.columns)
        writer.writerows([row.get(name, "") for name in self.columns] for row in self.rows)
        return out.getvalue().encode("utf-8", "replace")

    def add(self, id: str) -> dict[str, str]:
        """Return a new row, the last one."""
        row = self.by_id[id] = {ID: id}
        self.rows.append(row)
        return row

    def remove(self, row: dict[str, str]) -> None:
        self.rows = [one for one in self.rows if one is not row]
        del self.by_id[row[ID]]

    def put(self, row: dict[str, str], fields: Mapping[str, Any]) -> None:
        """Write values into a row; a column that is new comes last."""
        for name in fields:
            if name not in self.columns:
                self.columns.append(name)
        row.update({name: cell(value) for name, value in fields.items()})


def change_of(row: Mapping[str, str]) -> Change:
    """Return a row as a record. Its version covers every cell."""
    payload = {name: plain(text) for name, text in row.items() if text}
    mark = "\0".join(f"{name}\1{payload[name]}" for name in sorted(payload))
    version = blake2b(mark.encode("utf-8", "replace"), digest_size=12).hexdigest()
    return Change(row[ID], payload, None, version)


def cell(value: Any) -> str:
    """Return a value as its cell; a text that would be a formula begins with an apostrophe."""
    text = "" if value is None else str(value).replace("\0", "")
    is_marked = text.startswith("'") and text[1:].startswith(_FORMULA)
    return f"'{text}" if text.startswith(_FORMULA) or is_marked else text


def plain(text: str) -> str:
    """Return what `cell` was given."""
    inner = text[1:]
    is_marked = inner.startswith("'") and inner[1:].startswith(_FORMULA)
    return inner if text.startswith("'") and (inner.startswith(_FORMULA) or is_marked) else text


def read_rows(text: TextIO, name: str) -> tuple[list[str], Iterator[dict[str, str]]]:
    """Return the header and the rows of a table. Raises, then or later: ConfigError."""
    lines = csv.reader(text, strict=True)
    try:
        head = next(lines, [])
    except (UnicodeDecodeError, csv.Error):
        raise _foreign(name, _NO_TABLE) from None
    if ID not in head or len(set(head)) != len(head):
        raise _foreign(name, f"it has no column {ID!r}, or one column twice")
    return head, _rows(lines, head, name)


def _rows(lines: Iterator[list[str]], head: list[str], name: str) -> Iterator[dict[str, str]]:
    try:
        for line in lines:
            if len(line) > len(head):
                raise _foreign(name, "a row of it is wider than its header")
            if line:
                yield dict(zip(head, line, strict=False))
    except (UnicodeDecodeError, csv.Error):
        raise _foreign(name, _NO_TABLE) from None


class TableOut:
    """The file of one connection. connection: its name, for messages."""

    def __init__(self, path: Path, connection: str) -> None:
        self._path, self._connection = path, connection

    def pages(self, checkpoint: Checkpoint | None, size: int) -> Iterator[Page]:
        """Yield the rows, none when the file is as it was. Raises: ConfigError, Unavailable."""
        mark = self._mark()
        if checkpoint is not None and checkpoint.get("mark") == mark:
            return
        if not mark and checkpoint is not None:
            raise ConfigError(
                f"{self._connection}: {self._path.name} is gone; nothing was written anew",
                remedy="Put the file back; or, to begin a new one, connect it under another name.",
            )
        changes: list[Change] = []
        for change in self._changes() if mark else ():
            if len(changes) == size:
                yield Page(changes, None)
                changes = []
            changes.append(change)
        # Somebody saved it meanwhile: the next pull reads it again, and deletes wait for that.
        whole = self._mark() == mark
        yield Page(changes, {"mark": mark if whole else "?"}, complete=whole)

    def _mark(self) -> str:
        """Return a hash of the file, "" where there is none."""
        try:
            with self._path.open("rb") as file:
                return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise self._unreadable(error) from error

    def _changes(self) -> Iterator[Change]:
        seen: set[str] = set()
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as text:
                if not text.read(1):
                    return
                text.seek(0)
                for row in read_rows(text, self._path.name)[1]:
                    if (id := row.get(ID, "")) and id not in seen:
                        seen.add(id)
                        yield change_of(row)
        except UnicodeDecodeError:
            raise _foreign(self._path.name, _NO_TABLE) from None
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"{self._connection}: {self._path.name} cannot be read ({error.strerror})",
            remedy="Let the hub's user read the file.",
        )

    def found(self, ids: Sequence[str]) -> dict[str, Change]:
        """Return id → row of those that are there."""
        table = Table.parse(self._raw() or b"", self._path.name)
        return {id: change_of(table.by_id[id]) for id in ids if id in table.by_id}

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        """Write all at once; one outcome each. Raises: ConfigError, Unavailable."""
        try:
            for _ in range(_MOST_TRIES):
                raw = self._raw()
                table = Table.parse(raw or b"", self._path.name)
                outcomes = [_written(table, one) for one in writes]
                if self._put(raw, table.dump(), any(o.result == "applied" for o in outcomes)):
                    return outcomes
        except PermissionError as error:
            raise ConfigError(
                f"{self._connection}: {self._path.name} cannot be written ({error.strerror})",
                remedy="Let the hub's user write to the file and its folder.",
            ) from error
        except OSError as error:
            raise Unavailable(
                f"{self._connection}: {self._path.name} cannot be written ({error.strerror})",
                remedy="It is tried again by itself; if it stays so, look at the disk.",
            ) from error
        raise Unavailable(f"{self._connection}: somebody keeps writing to {self._path.name}")

    def _put(self, before: bytes | None, raw: bytes, news: bool) -> bool:
        """Put the file in place, unless somebody has written to it since it was read."""
        if not news or raw == before:
            return True
        mode = None if before is None else self._path.stat().st_mode & 0o7777
        waiting = swap.lay_beside(self._path, raw, mode)
        try:
            if self._raw() != before:
                return False
            swap.take_place(waiting, self._path)
        finally:
            swap.drop(waiting)
        return True

    def _raw(self) -> bytes | None:
        try:
            with self._path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error) from error
        if len(raw) > MAX_BYTES:
            raise _foreign(self._path.name, "it is larger than a table of the hub can be")
        return raw


def _written(table: Table, one: Write) -> Outcome:
    if one.operation not in ("upsert", "delete"):
        return Outcome("rejected", one.id, reasons={".": "rows are not merged"})
    if reasons := _unfit(one.fields):
        return Outcome("rejected", one.id, reasons=reasons)
    row = table.by_id.get(one.id or one.idempotency_key)
    if one.id is None:
        if row is not None:
            return Outcome("duplicate", row[ID], _version_if(row, one.fields))
        row = table.add(one.idempotency_key)
        table.put(row, one.fields)
        return Outcome("applied", row[ID], change_of(row).version)
    if row is None:
        return Outcome("gone", one.id)
    now = change_of(row)
    if one.guard is not None and one.guard != now.version:
        return Outcome("conflict", one.id, now.version, now.payload)
    if one.operation == "delete":
        table.remove(row)
        return Outcome("applied", one.id)
    table.put(row, one.fields)
    return Outcome("applied", one.id, change_of(row).version)


def _unfit(fields: Mapping[str, Any]) -> dict[str, str]:
    found = {n: "a cell takes text" for n, v in fields.items() if isinstance(v, list | dict)}
    for name, value in fields.items():
        if len(str(value)) > MOST_CHARACTERS:
            found[name] = f"a cell takes {MOST_CHARACTERS:,} characters"
    return found | ({ID: "the id of a row is never changed"} if ID in fields else {})


def _version_if(row: dict[str, str], fields: Mapping[str, Any]) -> str | None:
    holds = all(row.get(name, "") == cell(value) for name, value in fields.items())
    return change_of(row).version if holds else None


def _foreign(name: str, why: str) -> ConfigError:
    return ConfigError(
        f"{name} is not a table that the hub wrote: {why}. It was left as it is.",
        remedy="Move it away, or set `path` to a file of the hub's own.",
    )
