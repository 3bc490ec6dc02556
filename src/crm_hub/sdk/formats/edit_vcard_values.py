"""How single values stand on a card: in which order, in which spelling, and which are the same.

Before: a property of a card. After: `edit_vcard`, which writes only what does not stand there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from crm_hub.sdk.formats.contentlines import unescape
from crm_hub.sdk.formats.edit_lines import Piece, escaped, raw_parts
from crm_hub.sdk.formats.vcard import preference

ADDRESS = ("street", "city", "region", "postcode", "country")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_WEB = re.compile(r"(?:https?://)?[^\s/:@]+\.[^\s/:@]{2,}(?:[/?#:].*)?", re.I)


def address(value: str, wanted: Mapping[str, Any]) -> str:
    """Return an ADR value with these parts, "" for an empty one."""
    parts = raw_parts(value, ";")
    parts += [""] * (7 - len(parts))
    for place, part in enumerate(ADDRESS, 2):
        if part not in wanted:
            continue
        parts[place] = escaped(str(wanted[part] or ""))
        if part == "street":
            parts[0] = parts[1] = ""  # they were read as parts of the street
    return ";".join(parts) if any(parts) else ""


def parts_of(address: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(" ".join(str(address.get(part) or "").split()) for part in ADDRESS)


def preferred(pieces: list[Piece]) -> list[Piece]:
    return sorted(pieces, key=lambda piece: preference(piece.line) if piece.line else 101)


def shown(piece: Piece) -> str:
    """Return a value as the payload shows it."""
    value = unescape(piece.value).strip()
    for scheme in ("mailto:", "tel:"):
        if value.lower().startswith(scheme):
            return value[len(scheme) :].partition(";")[0]
    return value


def spelled(name: str, value: str, piece: Piece | None) -> str:
    """Return a value as it is written: web addresses and `tel:` are no text."""
    if name == "URL":
        return value.replace("\n", "")
    if piece is not None and piece.value.strip().lower().startswith("tel:"):
        number, _, extension = value.partition(" ext. ")
        return f"tel:{number.replace(' ', '-')}" + (f";ext={extension}" if extension else "")
    if piece is not None and piece.value.strip().lower().startswith("mailto:"):
        return f"mailto:{value}"
    return escaped(value)


def _same_mail(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _same_number(one: str, other: str) -> bool:
    """Whether two spellings are one number: equal digits, or one without the country."""
    if one.strip() == other.strip():
        return True
    (ours, my_extension), (theirs, extension) = _digits(one), _digits(other)
    if not ours or not theirs or my_extension != extension:
        return False
    short, long = sorted((ours, theirs), key=len)
    return long == short or (
        len(short) >= 7 and long.endswith(short) and len(long) - len(short) < 5
    )


_EXTENSION = re.compile(r"\s*[,;]?\s*(?:ext\.?|extension|x)\s*=?\s*(\d{1,8})\Z", re.I)


def _digits(text: str) -> tuple[str, str]:
    """Return the digits of a number without leading zeros, and its extension."""
    found = _EXTENSION.search(text)
    plain = text[: found.start()] if found else text
    if any(c.isalpha() for c in plain):
        return "", ""
    return "".join(c for c in plain if c.isdecimal()).lstrip("0"), found[1] if found else ""


def _same_address(one: str, other: str) -> bool:
    return _bare(one) == _bare(other)


def _bare(url: str) -> str:
    plain = re.sub(r"\Ahttps?://", "", url.strip(), flags=re.I).rstrip("/")
    host, slash, path = plain.partition("/")
    return host.casefold() + slash + path


LIKENESS: Mapping[str, tuple[Callable[[str, str], bool], Callable[[str], object]]] = {
    "EMAIL": (_same_mail, _MAIL.fullmatch),
    "TEL": (_same_number, bool),
    "URL": (_same_address, _WEB.fullmatch),
}
