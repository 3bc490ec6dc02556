"""Text folded to plain letters, the same for every way to write an umlaut or an accent."""

from __future__ import annotations

import re
from functools import lru_cache

from anyascii import anyascii

from crm_hub.resolve.names import fold as without_accents

_WORD = re.compile(r"[a-z0-9]+")
_PAIRS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("aa", "a"))
_APOSTROPHES = str.maketrans("", "", "'’`´.")
CACHED = 65_536


@lru_cache(CACHED)
def folded(text: str) -> str:
    """Return text in lower-case ASCII; Greek, Cyrillic and the like are transliterated."""
    plain = without_accents(text)
    return plain if plain.isascii() else anyascii(plain.replace("ου", "ou")).lower()


@lru_cache(CACHED)
def joined_umlauts(word: str) -> str:
    """Return a folded word with ae, oe, ue and aa as one letter: Müller, Mueller, Muller meet."""
    if "e" in word or "aa" in word:
        for pair, one in _PAIRS:
            word = word.replace(pair, one)
    return word


def words(text: str) -> list[str]:
    """Return the folded words of a text, apostrophes and dots dropped: O'Brien is obrien."""
    if text.isascii() and text.isalpha():
        return [text.lower()]
    return _WORD.findall(folded(text).translate(_APOSTROPHES))


@lru_cache(CACHED)
def sound(word: str) -> str:
    """Return a coarse key of how a folded word sounds, for blocking alone.

    Doubled letters, vowels after the first letter, h and the usual confusions (ck/k, ph/f, v/w,
    y/i, z/s, th/t, sch/s, dt/t) are gone.
    """
    for old, new in _SOUNDS:
        word = word.replace(old, new)
    if not word:
        return ""
    out = [word[0]]
    for letter in word[1:]:
        if letter not in "aeiouh" and letter != out[-1]:
            out.append(letter)
    return "".join(out)[:6]


_SOUNDS = (
    ("sch", "s"), ("ck", "k"), ("ph", "f"), ("th", "t"), ("dt", "t"), ("c", "k"), ("q", "k"),
    ("v", "w"), ("y", "i"), ("z", "s"), ("x", "ks"), ("j", "i"),
)  # fmt: skip
