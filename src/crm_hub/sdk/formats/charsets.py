"""Bytes to text where the declared character set is missing, wrong or unknown.

Mail and vCards both name a charset and both lie about it; the rules stand here once.
"""

from __future__ import annotations

import codecs
from functools import lru_cache

_GUESS_BYTES = 2_000
_GUESS_HIGH = 24  # fewer bytes than these tell no charset from another

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
_WIDE = ("utf_16", "utf_32", "utf_7")


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
    if high * 4 < len(raw[:_GUESS_BYTES]) or high < _GUESS_HIGH:
        # Mostly ASCII, or a word or two: a western language.
        return raw.decode("cp1252", "replace")
    # Loaded here: most files never need it and it costs 30 ms.
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:_GUESS_BYTES]).best()
    name = best.encoding if best is not None and best.chaos < 0.2 else "cp1252"
    if name.startswith(_WIDE):
        name = "cp1252"  # any bytes of even length are letters in it
    return raw.decode(name, "replace")


def decode(raw: bytes | bytearray, charset: str = "") -> str:
    """Return `raw` as text, never failing: bytes nobody can read become U+FFFD.

    The declared charset wins, then valid UTF-8, then a guess.
    """
    codec = _codec(charset) if charset else ""
    if raw.isascii() and not codec.startswith(_STATEFUL):
        if not codec and b"\x1b$" in raw:
            return _escaped(raw)
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


def _escaped(raw: bytes | bytearray) -> str:
    """Return undeclared text with the escapes of ISO-2022: Japanese, seldom Korean.

    Each line ends in ASCII, so that one that is cut spoils no other. Source: RFC 1468.
    """
    if b"\x1b$)C" in raw:
        return raw.decode("iso2022_kr", "replace")  # it says once what its shifts mean
    return "\n".join(line.decode("iso2022_jp_ext", "replace") for line in raw.split(b"\n"))


def _second_try(raw: bytes | bytearray, codec: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode(codec, "replace")
    # Where no letter at all is UTF-8, the charset was named by mistake.
    wrong = codec == "utf-8" and text.replace("\ufffd", "").isascii()
    return _guess(bytes(raw)) if wrong else text
