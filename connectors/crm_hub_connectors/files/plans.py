"""What a source is before it is read: its shape, its proposed section, the keys of its rows.

`discover` shows it and `pull` reads by it, so both call the same functions here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from crm_hub.sdk import Reject
from crm_hub.sdk.formats.delimited import Row, text_rows
from crm_hub.sdk.guess import Guess, RowKeys, columns_of, field_types, guess, json_shape
from crm_hub_connectors.files import jsonl, shapes
from crm_hub_connectors.files.sources import Source
from crm_hub_connectors.files.tabular import Head, payloads, split_head

SAMPLE_ROWS = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """How a source is read and mapped.

    line: one line for people. guess: the same when it is one. head: of a table.
    """

    shape: str
    line: str
    guess: str = ""
    section: Mapping[str, Any] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    keys: RowKeys = field(default_factory=RowKeys)
    head: Head | None = None


def table_rows(source: Source) -> Iterator[Row | Reject]:
    """Return the rows of a table, whether of a text file or of a sheet."""
    if source.kind == "xlsx":
        from crm_hub_connectors.files.sheets import sheet_rows

        return sheet_rows(source.path, source.sheet)
    return text_rows(source.path)


def table_plan(source: Source, mapped: bool) -> Plan | Reject:
    """Return the plan of a table, a Reject when it has no header to read it by.

    mapped: the admin has a mapping file; an unknown table then takes its section by file name.
    """
    rows = list(islice(table_rows(source), SAMPLE_ROWS))
    head, again = split_head(iter(rows))
    if isinstance(head, Reject):
        broken = next((r for r in rows if isinstance(r, Reject)), None)
        return broken if broken is not None and len(rows) == 1 else head
    fields = dict.fromkeys(head.columns, "string")
    if known := shapes.recognise(head.columns):
        line = f"{source.name}: {known.title}, {len(head.columns)} columns"
        return Plan(known.shape, line, fields=fields, keys=known.keys, head=head)
    sample = [payload for _, payload in payloads(again, head)]
    found = guess(source.name, head.columns, sample)
    return _guessed(source, found, mapped, fields, head)


def json_plan(source: Source, mapped: bool) -> Plan:
    """Return the plan of a file of JSON objects."""
    sample = jsonl.sample_of(source.path, UTC, SAMPLE_ROWS)
    fields = field_types(sample)
    if shape := json_shape(sample):
        return Plan(shape, f"{source.name}: HubSpot contacts as JSON", fields=fields)
    found = guess(source.name, columns_of(sample), sample, flat=False)
    return _guessed(source, found, mapped, fields, None)


def _guessed(
    source: Source,
    found: Guess,
    mapped: bool,
    fields: Mapping[str, str],
    head: Head | None,
) -> Plan:
    if mapped:
        shape = stem_of(source)
        line = f"{source.name}: read by section {shape!r} of your mapping file"
        return Plan(shape, line, fields=fields, keys=found.keys, head=head)
    line = found.line
    if found.section is None:
        line += "; it is not read; write a mapping file and set `mapping`"
    return Plan(source.name, line, found.line, found.section, fields, found.keys, head)


def stem_of(source: Source) -> str:
    """Return the section name that a mapping file uses for this file: its name without suffix."""
    stem = PurePosixPath(source.name.split("#")[0]).stem
    return f"{stem}#{source.sheet}" if source.sheet else stem
