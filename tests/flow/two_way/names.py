"""Names that nobody takes for one another: likeness must not join the people of a test."""

from __future__ import annotations

from hashlib import blake2b

_SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]


def _word(kind: str, number: int, syllables: int) -> str:
    raw = blake2b(f"{kind}{number}".encode(), digest_size=syllables).digest()
    return "".join(_SYLLABLES[byte % len(_SYLLABLES)] for byte in raw).capitalize()


def given(number: int) -> str:
    return _word("given", number, 3)


def family(number: int) -> str:
    return _word("family", number, 4)


def email(number: int) -> str:
    """Return an address in a domain of its own."""
    return f"{_word('box', number, 3).lower()}@{_word('domain', number, 5).lower()}.example"
