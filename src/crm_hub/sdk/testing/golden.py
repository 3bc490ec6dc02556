"""Golden files: an input beside the output it must give, with a switch to accept a new output.

    @pytest.mark.parametrize("pair", pairs(FIXTURES), ids=str)
    def test_messages_are_read_as_recorded(pair):
        pair.check(parse(pair.input.read_bytes()))

The expected file of `note.eml` is `note.eml.expected.json`. With CRM_HUB_ACCEPT=1 in the
environment a missing or different expectation is written instead of failing: look at the diff
of your version control before you commit it.
"""

from __future__ import annotations

import difflib
import json
import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

_SUFFIX = ".expected.json"
_HOW = "Run again with CRM_HUB_ACCEPT=1 to accept what came out."
_LONGEST_DIFF = 200


@dataclass(frozen=True, slots=True)
class Pair:
    """One input file and the expected file beside it."""

    input: Path

    @property
    def expected(self) -> Path:
        return self.input.with_name(self.input.name + _SUFFIX)

    def __str__(self) -> str:
        return self.input.name

    def check(self, actual: Any, *, accept: bool | None = None) -> None:
        """Compare `actual` with the expected file; see `check`."""
        check(actual, self.expected, accept=accept)


def pairs(folder: Path, pattern: str = "*") -> list[Pair]:
    """Return a pair for each input file of a folder, sorted by name.

    Raises: FileNotFoundError when there is none, so that a wrong path is no green test.
    """
    found = [
        Pair(path)
        for path in sorted(folder.rglob(pattern))
        if path.is_file() and not path.name.endswith(_SUFFIX)
    ]
    if not found:
        raise FileNotFoundError(f"no input file {pattern} below {folder.name}")
    return found


def check(actual: Any, expected: Path, *, accept: bool | None = None) -> None:
    """Compare a value, written as JSON, with an expected file.

    accept: write the file instead; default: whether CRM_HUB_ACCEPT is 1.
    Raises: AssertionError with a line diff.
    """
    text = as_text(actual)
    if accept is None:
        accept = os.environ.get("CRM_HUB_ACCEPT") == "1"
    known = expected.read_text(encoding="utf-8") if expected.exists() else None
    if known == text:
        return
    if accept:
        expected.write_text(text, encoding="utf-8")
        return
    if known is None:
        raise AssertionError(f"{expected.name} does not exist. {_HOW}\n{text}")
    raise AssertionError(f"{expected.name} differs. {_HOW}\n{diff(known, text)}")


def as_text(value: Any) -> str:
    """Return a value as stable JSON text: sorted keys, one item a line, times in ISO 8601."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=_plain) + "\n"


def diff(expected: str, actual: str) -> str:
    """Return a unified diff of two texts, at most 200 lines of it."""
    lines = list(
        difflib.unified_diff(
            expected.splitlines(), actual.splitlines(), "expected", "actual", lineterm=""
        )
    )
    rest = len(lines) - _LONGEST_DIFF
    return "\n".join(lines[:_LONGEST_DIFF] + ([f"... {rest} more lines"] if rest > 0 else []))


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, set | frozenset):
        return sorted(value)
    slots = getattr(type(value), "__dataclass_fields__", None)
    if slots is None:
        raise TypeError(f"a golden file cannot hold a {type(value).__name__}")
    return {name: getattr(value, name) for name in slots}
