"""Plain text and JSON for people and pipes: aligned tables, no colour where nobody sees it.

What came from outside (names, subjects) is shown without control characters: a subject line
must not move the cursor of an admin's terminal.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from crm_hub.model.errors import HubError
from crm_hub.observe import redact

_GAP = "  "
_NARROWEST = 12


class Unwritable(HubError):
    """What a command has to show does not go where it was sent, such as to a full disk."""


def emit(data: Any) -> None:
    """Write one JSON document to stdout, the only thing a --json command writes there."""
    say(json.dumps(data, ensure_ascii=False, indent=2, default=_as_json))


def emit_line(data: Any) -> None:
    """Write one JSON document as one line, and at once: for a command that goes on for long."""
    say(json.dumps(data, ensure_ascii=False, default=_as_json))


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def say(text: str = "", *, err: bool = False) -> None:
    """Write a line for a person. Raises: Unwritable where it does not go."""
    try:
        click.echo(text, err=err)
    except BrokenPipeError:
        raise  # who reads has read enough
    except OSError as error:
        raise Unwritable(
            f"what was to be shown could not be written ({error.strerror}); the hub is as it was "
            "left by the command",
            remedy="Free space where the output goes, then look again: crm-hub status",
        ) from None


def problem(message: str, remedy: str = "") -> None:
    """Write an error and what can be done about it to stderr, with no secret in it."""
    click.echo(f"{paint('Error:', 'red', err=True)} {redact(message)}", err=True)
    if remedy:
        click.echo(redact(remedy), err=True)


def paint(text: str, colour: str, *, err: bool = False) -> str:
    """Return text in a colour where a terminal shows it and nobody asked for none (NO_COLOR)."""
    stream = sys.stderr if err else sys.stdout
    if os.environ.get("NO_COLOR") or stream is None or not stream.isatty():
        return text
    return click.style(text, fg=colour)


def plain(value: Any) -> str:
    """Return a value as one line without control or direction-changing characters."""
    text = "" if value is None else str(value)
    if text.isascii() and text.isprintable():
        return text
    kept = (" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)
    return " ".join("".join(kept).split())


def width(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def cut(text: str, columns: int) -> str:
    """Return the text cut to so many columns, with an ellipsis where something is missing."""
    if width(text) <= columns:
        return text
    out, used = [], 0
    for char in text:
        used += width(char)
        if used > columns - 1:
            break
        out.append(char)
    return "".join(out).rstrip() + "…"


def columns() -> int | None:
    """Return the columns of the terminal that stdout is; None when it is a pipe or a file."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    right: Sequence[str] = (),
    colours: Sequence[str | None] = (),
) -> None:
    """Write an aligned table; on a terminal the widest columns give way until it fits.

    right: headers of right-aligned columns. colours: a colour for each row's last cell.
    """
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [
        max([width(header), *(width(row[i]) for row in cells)]) for i, header in enumerate(headers)
    ]
    widths = _fitted(widths, columns())
    _line(headers, headers, widths, right, None)
    for index, row in enumerate(cells):
        _line(row, headers, widths, right, colours[index] if colours else None)


def _fitted(widths: list[int], room: int | None) -> list[int]:
    """Take from the widest column, one by one, what the terminal has no room for."""
    if room is None:
        return widths
    widths = list(widths)
    while sum(widths) + len(_GAP) * (len(widths) - 1) > room and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _line(
    row: Sequence[str],
    headers: Sequence[str],
    widths: Sequence[int],
    right: Sequence[str],
    colour: str | None,
) -> None:
    parts = []
    for cell, header, wide in zip(row, headers, widths, strict=True):
        shown = cut(cell, wide)
        blanks = " " * (wide - width(shown))
        parts.append(blanks + shown if header in right else shown + blanks)
    if colour is not None:
        parts[-1] = paint(parts[-1].rstrip(), colour)
    say(_GAP.join(parts).rstrip())


def moment(at: datetime, zone: str) -> str:
    """Return an instant on the clock of `zone`; midnight is a day whose time nobody gave."""
    local = at.astimezone(ZoneInfo(zone))
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return local.strftime("%Y-%m-%d")
    return local.strftime("%Y-%m-%d %H:%M")


def age(seconds: int | None) -> str:
    """Return a time span in its largest unit: 40 s, 12 min, 5 h, 3 d."""
    if seconds is None:
        return "-"
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
