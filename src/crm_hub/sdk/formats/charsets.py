"""Bytes to text where the declared character set is missing, wrong or unknown.

Mail and vCards both name a charset and both lie about it; the rules stand here once.
"""

from __future__ import annotations

import codecs
from functools import lru_cache

_GUESS_BYTES = 2_000

# What senders write → the codec that also holds the letters they really use.
_ALIASES = {
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601-1989": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "big5": "cp950",
    "x-big5": "cp950",
    "cp-850": "cp850",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "utf8mb4": "utf-8",
    "utf-8-sig": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "windows-874": "cp874",
}
# Codecs that are not character sets, or take quadratic time on hostile input.
_REFUSED = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined"})
_STATEFUL = ("utf-7", "utf-16", "utf-32", "iso2022", "hz")


@lru_cache(maxsize=512)
def _codec(charset: str) -> str:
    """Return the name of the codec for a declared charset, "" when there is none."""
    wanted = charset.strip().strip("\"'").lower()
    wanted = _ALIASES.get(wanted, wanted).removeprefix("x-")
    try:
        info = codecs.lookup(wanted)
        b"ab".decode(info.name, "replace")  # refuses what is no charset, such as zlib
    except (LookupError, ValueError):
        return ""
    return "" if info.name.replace("-", "_") in _REFUSED else info.name


def _guess(raw: bytes) -> str:
    """Return undeclared 8-bit text: UTF-8 where it is valid, else the likeliest charset."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    high = sum(byte > 127 for byte in raw[:_GUESS_BYTES])
    if high * 4 < len(raw[:_GUESS_BYTES]):
        return raw.decode("cp1252", "replace")  # mostly ASCII: a western language
    # Loaded here: most files never need it and it costs 30 ms.
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:_GUESS_BYTES]).best()
    name = best.encoding if best is not None and best.chaos < 0.2 else "cp1252"
    return raw.decode(name, "replace")


def decode(raw: bytes | bytearray, charset: str = "") -> str:
    """Return `raw` as text, never failing: bytes nobody can read become U+FFFD.

    The declared charset wins, then valid UTF-8, then a guess.
    """
    codec = _codec(charset) if charset else ""
    if raw.isascii() and not codec.startswith(_STATEFUL):
        return raw.decode("ascii")
    if not codec:
        return _guess(bytes(raw))
    if codec == "cp1252":
        # "us-ascii" and "iso-8859-1" are what a sender says who does not know.
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode(codec, "replace")
    try:
        return raw.decode(codec)
    except UnicodeError:
        return _second_try(raw, codec)


def _second_try(raw: bytes | bytearray, codec: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(codec, "replace")
