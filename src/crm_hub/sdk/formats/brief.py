"""What the hub itself writes on a card for whoever is called: a brief in NOTE, a link among URLs.

    [crm_hub]
    > Office Manager, Marlow & Finch LLP
    > Last: 2026-03-19 invoice paid: INV-20677
    [/crm_hub]
    likes tea

The lines from one mark to the other that begin with `> ` are the hub's; every other character of
the note is somebody's, and stays as it is, also a line typed between the marks. The link ends with
`#crm_hub`. Both are told by their text alone, so that no program which keeps a note loses them.
Before: a NOTE as it stands on the card, escapes included. After: `vcard` and `edit_vcard`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from crm_hub.sdk.formats.contentlines import unescape

BEGIN, END, SIGN = "[crm_hub]", "[/crm_hub]", "> "
LINK_MARK = "#crm_hub"
_PARTS = re.compile(r"(\\[nN]|\r?\n)|\\[^\r\n]|[^\\\r\n]+|[\\\r]")


class _Line(NamedTuple):
    """One line of a note as it is written. end: its line break, "" of the last."""

    text: str
    end: str


def is_link(url: str) -> bool:
    """Tell whether the hub wrote a web address."""
    return url.strip().endswith(LINK_MARK)


def outside(note: str) -> str:
    """Return the note without what the hub wrote in it."""
    lines = _lines(note)
    return _joined(_without(lines, _ours(lines)))


def inside(note: str) -> str:
    """Return the brief in a note, as text; "" when there is none."""
    lines = _lines(note)
    told = [lines[n].text for n in _ours(lines) if lines[n].text.startswith(SIGN)]
    return "\n".join(unescape(line.removeprefix(SIGN)).rstrip() for line in told)


def with_brief(note: str, brief: str) -> str:
    """Return the note with this brief: where the old one stood, else at the top; "": without.

    brief: lines with their escapes, broken by `\\n` as a note's are.
    """
    lines = _lines(note)
    ours = _ours(lines)
    rest = _without(lines, ours)
    if not brief:
        return _joined(rest)
    place = ours[0] if ours else 0
    wanted = [BEGIN, *(SIGN + line.text for line in _lines(brief)), END]
    return _joined(_placed(rest, place, [_Line(text, "\n") for text in wanted]))


def with_outside(note: str, text: str) -> str:
    """Return the note with another text around its brief, which keeps to its end of the note."""
    lines = _lines(note)
    ours = _ours(lines)
    if not ours:
        return text
    new = _lines(text) if text else []
    is_last = bool(ours[0]) and ours[-1] == len(lines) - 1
    return _joined(_placed(new, len(new) if is_last else 0, [lines[n] for n in ours]))


def _lines(note: str) -> list[_Line]:
    found, held = [], ""
    for match in _PARTS.finditer(note):
        if match[1]:
            found.append(_Line(held, match[1]))
            held = ""
        else:
            held += match[0]
    return [*found, _Line(held, "")] if held or found else []


def _ours(lines: list[_Line]) -> list[int]:
    """Return the numbers of the hub's lines: the marks, and what has the sign between them.

    Where the second mark was taken away, what has the sign right below the first.
    """
    texts = [line.text.strip() for line in lines]
    if BEGIN not in texts:
        return []
    first = texts.index(BEGIN)
    signed = [n for n in range(first + 1, len(lines)) if lines[n].text.startswith(SIGN)]
    if END in texts[first:]:
        last = texts.index(END, first)
        return [first, *(n for n in signed if n < last), last]
    return [first, *(n for at, n in enumerate(signed, first + 1) if n == at)]


def _without(lines: list[_Line], numbers: list[int]) -> list[_Line]:
    left = [line for number, line in enumerate(lines) if number not in set(numbers)]
    if left and numbers and numbers[-1] == len(lines) - 1:
        left[-1] = left[-1]._replace(end="")
    return left


def _placed(rest: list[_Line], place: int, block: list[_Line]) -> list[_Line]:
    before, after = rest[:place], rest[place:]
    if before and not before[-1].end:
        before[-1] = before[-1]._replace(end="\n")
    block = [line._replace(end=line.end or "\n") for line in block]
    if not after:
        block[-1] = block[-1]._replace(end="")
    return [*before, *block, *after]


def _joined(lines: list[_Line]) -> str:
    return "".join(line.text + line.end for line in lines)
