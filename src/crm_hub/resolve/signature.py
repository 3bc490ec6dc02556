"""What somebody's own signature below a mail tells: title, the firm's name, its site.

Pure, and careful rather than complete: a name that is not the sender's, a block that nothing opens
as a signature, a line that may be a slogan or an address tell nothing. Which firm is meant is
decided where firms are known: flow/signed.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from crm_hub.resolve.names import organization_form
from crm_hub.resolve.normal.signature_words import (
    CLOSINGS,
    JOB,
    PROXIES,
    SITES_OF_ALL,
    SLOGAN_STARTS,
)
from crm_hub.resolve.normal.text import folded, joined_umlauts, words
from crm_hub.resolve.normal.words import CLEAR_FORMS, DEGREES, HONORIFICS
from crm_hub.sdk.formats.mailtext import own_lines

MOST_LINES = 8
MOST_FIRMS = 8
_MOST_TEXT = 60
_PARTS = re.compile(r"\s*[|·•]\s*|\s+[-–—/]+\s+|\s*,\s+|\s+(?:at|bei|chez|bij|presso|hos|@)\s+")
_SITE = re.compile(r"(?:https?://|www\.|@)((?:[a-z0-9-]{1,63}\.)+[a-z]{2,24})\b", re.I)
_CONTACT = re.compile(r"@|://|www\.|\d{4}|\+\d|\d[\d /().-]{5,}", re.I)
_ABOVE, _BELOW = 500, 1_000
_HERE = "\0"


class Signed(NamedTuple):
    """What a signature tells. title: "" where no line is certainly one.

    firms: names that may be a firm's, as match keys have them, in the order they stand there.
    vague: those of them that are one usual word, which another sign has to confirm.
    sites: domains of web pages and mailboxes given there.
    """

    title: str
    firms: list[str]
    vague: list[str]
    sites: list[str]


def read_signature(text: str, name: str) -> Signed | None:
    """Return what the signature of `name` in the text of a mail tells, None where it has none.

    The name stands on a line of its own, below a delimiter or a closing phrase, in what the sender
    added.
    """
    own = _names(name)
    if len(own) < 2:
        return None
    token = max(name.lower().replace(",", " ").split(), key=len)
    low = text.lower()
    if len(low) != len(text):
        low = text  # a letter such as İ is two when lower
    at = low.find(token)
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = len(text) if end < 0 else end
        parts = _behind_name(text[start:end], own)
        if parts is not None and _is_opened(text[max(0, start - _ABOVE) : start]):
            below = _own_below(text, start, end)
            return None if below is None else _told(tuple(parts), below)
        at = low.find(token, end)
    return None


def _own_below(text: str, start: int, end: int) -> tuple[str, ...] | None:
    """Return the sender's lines below the name, None where the name is not the sender's own words.

    Only what stands above and closely below is looked at: what was quoted after it may be long.
    """
    below = "\n".join(text[end : end + _BELOW].split("\n")[: 2 * MOST_LINES + 1])
    lines = own_lines(f"{text[:start]}{_HERE}{below}")
    return tuple(lines[lines.index(_HERE) + 1 :]) if _HERE in lines else None


@lru_cache(4_096)
def _names(text: str) -> frozenset[str]:
    """Return the words of a person's name without titles, degrees and initials."""
    plain = text.partition("(")[0]
    return frozenset(
        joined_umlauts(word)
        for word in words(plain)
        if len(word) > 1 and word not in HONORIFICS and word not in DEGREES and word not in PROXIES
    )


def _behind_name(line: str, own: frozenset[str]) -> list[str] | None:
    """Return what follows the name in its line, None where it is no line of that name."""
    if len(line) > 2 * _MOST_TEXT or line[:1] == ">":
        return None
    first, *rest = _PARTS.split(line.strip(" \t*_-–—"))
    if _names(first) != own:
        return None
    while rest and not _names(rest[0]):
        del rest[0]  # degrees: "Ann Lee, MBA"
    return rest


def _is_opened(above: str) -> bool:
    """Whether a delimiter or a closing phrase stands closely above."""
    lines = [line.strip() for line in above.split("\n")[-7:] if line and not line.isspace()]
    for line in lines[-2:]:
        if line[0] in "-–—_=*" and len(line) > 1 and not line.strip("-–—_=*"):
            return True
        if len(line) <= _MOST_TEXT and folded(line).startswith(CLOSINGS):
            return True
    return False


@lru_cache(1_024)
def _told(parts: tuple[str, ...], below: tuple[str, ...]) -> Signed | None:
    """Return what the rest of the name's line and the lines below it tell."""
    block: list[str] = []
    for line in below[: 2 * MOST_LINES]:
        clean = line.strip(" \t*_")
        if not clean and block and not block[-1]:
            break
        block.append(clean)
    given = [line for line in block if line][:MOST_LINES]
    next_to = [*parts, *(_split(block[0]) if block and block[0] else [])]
    title = next((part for part in next_to if _is_title(part)), "")
    firms, vague = _firms([*parts, *given], title)
    sites = _sites(given)
    return Signed(title, firms, vague, sites) if title or firms or sites else None


def _split(line: str) -> list[str]:
    return [part for part in _PARTS.split(line) if part] if len(line) <= 2 * _MOST_TEXT else []


def _is_title(text: str) -> bool:
    """Whether a text next to the name is surely what its bearer does."""
    if not 2 <= len(text) <= _MOST_TEXT or any(c.isdigit() or c in '@:;!?"„“”»«' for c in text):
        return False
    low = folded(text)
    found = words(text)
    if not 1 <= len(found) <= 7 or found[0] in SLOGAN_STARTS or text.endswith("."):
        return False
    return JOB.search(low) is not None and CLEAR_FORMS.isdisjoint(found)


def _firms(lines: Iterable[str], title: str) -> tuple[list[str], list[str]]:
    """Return the names in these lines that may be a firm's, and which of them are vague."""
    firms: dict[str, bool] = {}
    for line in lines:
        if len(line) > 2 * _MOST_TEXT:
            continue
        for text in dict.fromkeys([line, *_split(line)]):
            if text == title or len(text) > _MOST_TEXT or _CONTACT.search(text):
                continue
            name = organization_form({"display_name": text}).whole
            if len(name) < 3:
                continue
            has_form = not CLEAR_FORMS.isdisjoint(words(text))
            if not has_form and any(c.isdigit() for c in name):
                continue  # a house number or a postcode
            firms[name] = firms.get(name, False) or has_form or " " in name
    names = list(firms)[:MOST_FIRMS]
    return names, [name for name in names if not firms[name]]


def _sites(lines: Iterable[str]) -> list[str]:
    found = (host.lower() for line in lines for host in _SITE.findall(line))
    hosts = dict.fromkeys(host.removeprefix("www.") for host in found)
    return [host for host in hosts if host not in SITES_OF_ALL][:4]
