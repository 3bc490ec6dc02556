"""`crm-hub dedupe`: who is who in one table, without a hub.

Reads the rows (bounded, what cannot be read is set aside), resolves them in memory, and writes a
line for each record. The steps are those of the hub's own resolving; see resolve/whole.py.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from phonenumbers import SUPPORTED_REGIONS

from crm_hub.flow.dedupe_columns import fields_for
from crm_hub.flow.dedupe_rows import Fields, Layout, contact_of, organization_of
from crm_hub.flow.understanding import Understanding
from crm_hub.mapping.rulebooks import read_identity
from crm_hub.model.errors import ConfigError
from crm_hub.model.records import Reject
from crm_hub.model.values import clean_text
from crm_hub.resolve.kinds import KINDS, Kind
from crm_hub.resolve.normal import country_code
from crm_hub.resolve.profile import Profile
from crm_hub.resolve.weights import model_file, read_model
from crm_hub.resolve.whole import Resolved, resolve
from crm_hub.sdk.formats.delimited import text_rows
from crm_hub.sdk.formats.items import unreadable

_MOST_SHOWN_CHARS = 2_000
_MOST_COLUMNS = 2_000
_LONGEST_CELL = 20_000
_NOTHING = frozenset(
    "n/a N/A #n/a #N/A n.a. N.A. null NULL <null> (null) \\N nil NaN nan none None - -- --- – — ? "
    ". undefined unknown Unknown UNKNOWN #REF! #VALUE! #NAME? #NULL! #DIV/0!".split()
)
_HOME_SHARE = 0.8
_NOT_TEXT = {b"PK\x03\x04": "an Excel workbook or a zip archive", b"%PDF": "a PDF",
             b"\xd0\xcf\x11\xe0": "an old Excel workbook", b"\x1f\x8b": "a gzip file",
             b"SQLi": "a database"}  # fmt: skip

Progress = Callable[[str, int, int], None]


@dataclass
class Table:
    """The rows of a file by column, their ids, what was set aside, and how many rows are empty."""

    columns: list[str]
    id_column: str
    fields: Fields
    ids: list[str] = field(default_factory=list)
    aside: list[Reject] = field(default_factory=list)
    empty: int = 0


@dataclass
class Deduped:
    """A table and what came of it."""

    kind: Kind
    table: Table
    profiles: list[Profile]
    resolved: Resolved


def dedupe(
    path: Path,
    *,
    entity: str = "person",
    told: Mapping[str, str] | None = None,
    id_column: str = "",
    region: str = "",
    folders: Sequence[Path] = (),
    model: Path | None = None,
    progress: Progress = lambda _step, _done, _all: None,
) -> Deduped:
    """Return who is who in the table at `path`.

    told: column → field for columns with unusual names. id_column: else `record_id`, else the
    first column whose values differ. region: the country of phone numbers that nothing else tells.
    model: a model of your own (`crm-hub identity train`), else that of `folders`, else the shipped.
    Raises: ConfigError when the file or its columns cannot be used.
    """
    kind = KINDS[entity]
    region = _region(region)
    with _uncollected():
        table, profiles = understood(path, entity, told or {}, id_column, region, folders, progress)
        given = read_model(model or model_file(kind.model, folders), kind.comparisons)
        resolved = resolve(profiles, given, read_identity(folders).bands, kind, progress)
    return Deduped(kind, table, profiles, resolved)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let no garbage be looked for: a table's records stay, and would be walked through again and
    again; what goes is freed without it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def understood(
    path: Path,
    entity: str,
    told: Mapping[str, str],
    id_column: str,
    region: str,
    folders: Sequence[Path],
    progress: Progress,
) -> tuple[Table, list[Profile]]:
    """Return the table at `path`, and what each of its rows says."""
    with Understanding(entity, read_identity(folders)) as found:
        table = _read(path, entity, told, id_column, region, found, progress)
        return table, found.profiles(progress)


def _read(
    path: Path,
    entity: str,
    told: Mapping[str, str],
    id_column: str,
    region: str,
    found: Understanding,
    progress: Progress,
) -> Table:
    """Let the rows of a delimited file be understood; what cannot be used is set aside."""
    _refuse_other_files(path)
    rows = text_rows(path)
    columns = _header(path, rows)
    id_column = _id_column(path, columns, id_column, entity)
    fields = fields_for(entity, columns, told, id_column)
    table = Table(columns, id_column, fields)
    region = region or _home(path, columns, fields)
    layout = Layout(columns, fields, entity)
    make = contact_of if entity == "person" else organization_of
    seen: dict[str, int] = {}
    at = columns.index(id_column)
    for row in rows:
        if isinstance(row, Reject):
            table.aside.append(row)
            continue
        number, cells = row
        if not any(cell.strip() for cell in cells):
            table.empty += bool(cells)
            continue
        if reason := _unusable(cells, len(columns), at, seen):
            table.aside.append(_aside(number, reason, cells))
            continue
        id = clean_text(cells[at])  # with its blanks: it is written as it came
        seen[id.strip()] = number
        table.ids.append(id)
        found.take(make(id, _cleaned(cells), layout, region))
        if not len(table.ids) % 5_000:
            progress("reading", len(table.ids), 0)
    return table


def _region(told: str) -> str:
    """Return the code of the country that --region names."""
    code = country_code(told)
    if told and code not in SUPPORTED_REGIONS:
        raise ConfigError(
            f"--region: there is no country {told!r}.",
            remedy="Give its code of two letters, as in DE.",
        )
    return code


def _cleaned(cells: Sequence[str]) -> list[str]:
    """Return cells as every store keeps text, without blanks around it; a longer one is cut.

    What a program writes for "nothing" is nothing, and no value that thousands share.
    """
    whole = "".join(cells)
    if clean_text(whole) == whole:  # one look at all of them: hardly a row is anything else
        stripped = [cell.strip() for cell in cells]
    else:
        stripped = [clean_text(cell).strip() for cell in cells]
    return ["" if cell in _NOTHING else cell[:_LONGEST_CELL] for cell in stripped]


def _refuse_other_files(path: Path) -> None:
    if path.is_dir():
        raise ConfigError(f"{path} is a folder.", remedy="Name a CSV file in it.")
    if str(path) == "-" or (path.exists() and not path.is_file()):
        raise ConfigError(
            f"{path} is no file that can be read twice.",
            remedy="Save the table as a file, and name that.",
        )
    if not path.is_file():
        raise ConfigError(f"There is no file {path}.", remedy="Name a CSV file that exists.")
    with path.open("rb") as stream:
        head = stream.read(4)
    if not head:
        raise ConfigError(f"{path} is empty.", remedy="Export the table again.")
    for mark, kind in _NOT_TEXT.items():
        if head.startswith(mark):
            raise ConfigError(
                f"{path} is {kind}, not a CSV file.", remedy="Save the table as CSV (UTF-8)."
            )


def _header(path: Path, rows: Iterator[tuple[int, list[str]] | Reject]) -> list[str]:
    for row in rows:
        if isinstance(row, Reject):
            raise ConfigError(
                f"{path}: the first line cannot be read: {row.reason}.", remedy=row.remedy
            )
        _, cells = row
        names = [clean_text(cell).strip() for cell in cells]
        if not any(names) or (names[0].lower().startswith("sep=") and not any(names[1:])):
            continue
        if len(names) > _MOST_COLUMNS:
            raise ConfigError(f"{path} has {len(names):,} columns.", remedy="Leave some out.")
        names = [name or f"column {at}" for at, name in enumerate(names, 1)]
        double = [name for name, count in Counter(names).items() if count > 1]
        if double:
            raise ConfigError(
                f"{path}: two columns are called {double[0]!r}.",
                remedy="Give each a name of its own.",
            )
        return names
    raise ConfigError(f"{path} has no rows.", remedy="Export the table again, with its header.")


def _id_column(path: Path, columns: Sequence[str], told: str, entity: str) -> str:
    """Return the column that names a record: as told, `record_id`, or the first unique one."""
    if told:
        if told not in columns:
            raise ConfigError(
                f"There is no column {told!r}.", remedy=f"The columns are: {', '.join(columns)}."
            )
        return told
    if "record_id" in columns:
        return "record_id"
    seen: list[set[str]] = [set() for _ in columns]
    open_columns = set(range(len(columns)))
    rows = text_rows(path)
    _header(path, rows)
    for row in rows:
        if isinstance(row, Reject) or len(row[1]) != len(columns):
            continue
        for at in sorted(open_columns):
            value = row[1][at].strip()
            if not value or value in seen[at]:
                open_columns.discard(at)
                seen[at] = set()
            else:
                seen[at].add(value)
        if not open_columns:
            break
    if not open_columns:
        raise ConfigError(
            f"No column of {path} names each record: all repeat a value or are empty somewhere.",
            remedy=f"Add a column record_id with a number for each row (entity {entity}).",
        )
    return columns[min(open_columns)]


def _unusable(cells: Sequence[str], width: int, at: int, seen: Mapping[str, int]) -> str:
    if len(cells) != width:
        return f"the row has {len(cells)} cells and the header {width}"
    id = clean_text(cells[at]).strip()
    if not id:
        return "the row has no id"
    return f"its id stands in line {seen[id]} already" if id in seen else ""


def _aside(number: int, reason: str, cells: Sequence[str]) -> Reject:
    shown = " | ".join(cell[:200] for cell in islice(cells, 40))[:_MOST_SHOWN_CHARS]
    remedy = "Correct the row in the program that wrote the file, or in the file, and run it again."
    return unreadable(f"line:{number}", f"line {number}", reason, remedy, shown)


def _home(path: Path, columns: Sequence[str], fields: Fields) -> str:
    """Return the one country that most rows name, for phones of the others; "" without one."""
    if "country" not in fields:
        return ""
    at = columns.index(fields["country"][0])
    rows = (row for row in islice(text_rows(path), 1, 5_000) if not isinstance(row, Reject))
    counts = Counter(country_code(cells[at]) for _, cells in rows if len(cells) > at)
    counts.pop("", None)
    best = counts.most_common(1)
    return best[0][0] if best and best[0][1] >= _HOME_SHARE * counts.total() else ""
