"""The header fields of a message or MIME part as text, addresses and parameters.

Written for what is in real mailboxes: 8-bit headers, quotes that never close, encoded
words cut in mid-letter. Everything here takes time linear in the size of the field; the
standard library needs gigabytes for a subject of 20,000 encoded words and recurses on
nested comments.
Source: RFC 5322, 2047, 2231, 6532.
"""

from __future__ import annotations

import binascii
import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from crm_hub.sdk.formats.charsets import decode

MAX_HEADER_BYTES = 256_000
_TAIL_BYTES = 64_000
_NEAR = 2_000
MAX_FIELDS = 2_000
MAX_FIELD = 64_000
MAX_ADDRESSES = 1_000

Raw = bytes | bytearray
Address = dict[str, str]

_LINE_END = re.compile(r"\r?\n(?![ \t])")
_FIELD_START = re.compile(rb"\n(?=[!-9;-~])")
_CHARSET = re.compile(rb"charset[ \t]{0,9}=[ \t]{0,9}[\"']?([A-Za-z0-9_.:-]{1,40})", re.I)
_FOLD = re.compile(r"\r?\n")
_FIELD = re.compile(r"([!-9;-~]{1,100})[ \t\r\n]*:(.*)", re.DOTALL)
_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")
_SIMPLE = re.compile(
    r"""\s*(?:"([^"\\<>=]*)"|([^"<>,;:()\\=]*?))\s*<([^\s<>@"',;:()]+@[^\s<>@"',;:()]+)>\s*\Z"""
)
_BARE = re.compile(r"\s*([^\s<>@\"',;:()=]+@[^\s<>@\"',;:()=]+)\s*\Z")
_TOKEN = re.compile(
    r'"((?:[^"\\]|\\.){0,1000}+)"?'
    r"|\(([^()]{0,1000}+)\)?"
    r"|<([^<>]{0,1000}+)>?"
    r"|([,;:])"
    r"|(=\?[^?\s]{1,80}\?[bBqQ]\?[^?]*\?=)"
    r"|([^\s\",;:()<>=]+|=)",
    re.DOTALL,
)
_ANY_ADDRESS = re.compile(r"[^\s<>\"',;:()@]{1,64}@[^\s<>\"',;:()@]{1,255}")
_PARAM = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*(?:"((?:[^"\\]|\\.){0,8000}+)"?|([^;]{0,8000}+))')
_COMMENT = re.compile(r"\([^()]*\)")
_LIKELY = re.compile(r"[^@;,<>][^;,<>]*@[^@;,<>]+\Z")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MORE_BASE64 = re.compile(
    rb"(?:={1,2}\s{0,9}[A-Za-z0-9+/]{4}[A-Za-z0-9+/\r\n]*+){1,2000}={0,2}\s*\Z"
)
_CACHED = 300
_TOKENS = ("boundary", "charset", "method")
_CONTINUED = re.compile(r"([^*]+)\*(?:(\d{1,3})(\*)?)?\Z")


# The fields that a mail and its parts are read by, as programs write them → lower case.
_NAMES = """
From Sender To Cc Bcc Reply-To Subject Date Message-ID In-Reply-To References Received
Delivery-Date Return-Path Auto-Submitted Precedence List-Id List-Unsubscribe Content-Type
Content-Disposition Content-Transfer-Encoding X-Gmail-Labels X-Google-Original-Message-ID
"""
_KNOWN = {form: n.lower() for n in _NAMES.split() for form in (n, n.lower())}


class Headers:
    """The fields of one header block: name (lower case) → values in the order of the file."""

    __slots__ = ("_fields", "body_start")

    def __init__(self, fields: dict[str, list[str]], body_start: int) -> None:
        self._fields = fields
        self.body_start = body_start

    def __bool__(self) -> bool:
        return bool(self._fields)

    def raw(self, name: str) -> str:
        """Return the first field of that name unfolded, encoded words left; "" when absent."""
        values = self._fields.get(name)
        return values[0] if values else ""

    def text(self, name: str) -> str:
        """Return the first field of that name as people read it, blanks collapsed."""
        values = self._fields.get(name)
        return clean(decode_words(values[0])) if values else ""

    def all(self, name: str) -> list[str]:
        """Return every field of that name, unfolded."""
        return self._fields.get(name, [])


def mended(raw: Raw) -> Raw:
    """Return a message whose line ends a transfer doubled (CR CR LF) or cut (CR) with its own."""
    head = raw[:_NEAR]
    if b"\r\r\n" in head:
        return raw.replace(b"\r\r\n", b"\r\n")
    return raw.replace(b"\r", b"\n") if b"\r" in head and b"\n" not in head else raw


def read_headers(raw: Raw, start: int = 0, end: int | None = None) -> Headers:
    """Return all header fields at `start`; `body_start` is the offset where the body begins.

    At most 256 kB, the last 64 kB and 2,000 fields are looked at; lines that are no field are
    passed over.
    """
    block_end, body_start = _extent(raw, start, len(raw) if end is None else end)
    fields: dict[str, list[str]] = {}
    for line in _LINE_END.split(_block(raw, start, block_end), MAX_FIELDS):
        match = _FIELD.match(line[: MAX_FIELD + 100])
        if match:
            value = match[2][:MAX_FIELD]
            if "\n" in value:
                value = _FOLD.sub("", value)
            fields.setdefault(match[1].lower(), []).append(value.strip())
    return Headers(fields, body_start)


def read_mail_headers(raw: Raw, start: int = 0, end: int | None = None) -> Headers:
    """Return what `read_headers` does, of those fields alone that a mail is read by.

    Half of a header are traces and signatures, so this takes a third of the time. A block over a
    limit, or without any such field, is read by `read_headers`.
    """
    stop = len(raw) if end is None else end
    block_end, body_start = _extent(raw, start, stop)
    fields: dict[str, list[str]] = {}
    if block_end - start < MAX_FIELD:
        text = _block(raw, start, block_end).replace("\r\n", "\n")
        lines = text.replace("\n ", " ").replace("\n\t", "\t").split("\n")
        if len(lines) < MAX_FIELDS:
            for line in lines:
                name, colon, value = line.partition(":")
                known = _KNOWN.get(name)
                if known is None and len(name) <= _CACHED:
                    known = _known_name(name)
                if known and colon:
                    if known in fields:
                        fields[known].append(value.strip())
                    else:
                        fields[known] = [value.strip()]
    return Headers(fields, body_start) if fields else read_headers(raw, start, end)


@lru_cache(maxsize=2_048)
def _known_name(written: str) -> str | None:
    """Return the name of a field however it is written, None for one that nobody looks at."""
    return _KNOWN.get(written.rstrip(" \t\r").lower())


def _extent(raw: Raw, start: int, stop: int) -> tuple[int, int]:
    """Return (end of the header block at `start`, where the body begins)."""
    if raw[start : start + 1] in (b"\n", b"\r"):
        # A part whose header block is empty: the body begins after the blank line.
        skip = 2 if raw[start : start + 2] == b"\r\n" else 1
        return start, min(start + skip, stop)
    for limit in (min(stop, start + MAX_HEADER_BYTES), stop):  # most end soon
        at = raw.find(b"\n\r\n", start, limit)
        bare = raw.find(b"\n\n", start, limit if at < 0 else at + 1)
        if at >= 0 or bare >= 0:
            break
    else:
        return stop, stop
    at, size = (bare, 2) if bare >= 0 else (at, 3)
    return (at - 1 if at > start and raw[at - 1] == 13 else at), at + size


def _block(raw: Raw, start: int, end: int) -> str:
    """Return a header block as text; of one over 256 kB the beginning and the last fields."""
    block = raw[start : min(end, start + MAX_HEADER_BYTES)]
    if end - start > MAX_HEADER_BYTES:
        # A hundred thousand recipients hide neither subject nor id behind them.
        last = raw[max(start + MAX_HEADER_BYTES, end - _TAIL_BYTES) : end]
        begun = _FIELD_START.search(last)
        block = block + (last[begun.start() :] if begun else b"")
    if block.isascii():
        return decode(block)
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError:
        # Who writes 8-bit fields writes them in the charset of the body.
        stated = _CHARSET.search(block) or _CHARSET.search(raw, end, end + _NEAR)
        charset = stated[1].decode("ascii").lower() if stated else ""
        return decode(block, "" if charset.startswith("utf") else charset)


def clean(text: str) -> str:
    """Return text on one line, blanks collapsed."""
    return " ".join(text.split())


def decode_words(value: str) -> str:
    """Return a field with its encoded words read.

    Neighbours of one charset are joined as bytes first: senders cut letters between them.
    Source: RFC 2047 section 6.2.
    """
    if "=?" not in value:
        return value
    out: list[str] = []
    pending = bytearray()
    charset = ""
    last = 0
    for match in _WORD.finditer(value):
        gap = value[last : match.start()]
        name = match[1].partition("*")[0].lower()
        if pending and (name != charset or gap.strip()):
            out.append(decode(pending, charset))
            pending = bytearray()
        if gap.strip() or last == 0:
            out.append(gap)
        charset = name
        pending += _word_bytes(match[2], match[3])
        last = match.end()
    if pending:
        out.append(decode(pending, charset))
    return "".join([*out, value[last:]])


def _word_bytes(kind: str, body: str) -> bytes:
    raw = body.encode("utf-8", "replace")
    if kind in "qQ":
        return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)
    return decode_base64(raw)


def decode_base64(raw: bytes) -> bytes:
    """Return the bytes of base64 text; foreign characters and a cut end are tolerated.

    Several pieces, each with its padding, are read as one; words behind the padding are not.
    """
    pad = raw.find(b"=")
    if 0 <= pad < len(raw) - 4 and _MORE_BASE64.match(raw, pad):
        return b"".join(decode_base64(piece) for piece in re.split(rb"=+", raw) if piece.strip())
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        letters = letters[
            : len(letters) // 4 * 4 + (0 if len(letters) % 4 < 2 else len(letters) % 4)
        ]
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def addresses(value: str) -> list[Address]:
    """Return the mailboxes of an address field as [{address, name}], at most 1,000.

    Groups are flattened; a name without an address is kept with address "".
    """
    if not value:
        return []
    if len(value) <= _CACHED:
        return [{"address": address, "name": name} for address, name in _known(value)]
    return _addresses(value)


@lru_cache(maxsize=4_096)
def _known(value: str) -> tuple[tuple[str, str], ...]:
    """Return an address field read; the same few people write most of a mailbox."""
    return tuple((one["address"], one["name"]) for one in _addresses(value))


def _addresses(value: str) -> list[Address]:
    match = _SIMPLE.match(value)
    if match:
        return [_mailbox(match[3], match[1] or match[2] or "")]
    match = _BARE.match(value)
    if match:
        return [_mailbox(match[1], "")]
    found = _tokens(value)
    if found and not any(a["address"] for a in found) and "@" in value:
        # A quote that never closes has swallowed the address.
        found = [_mailbox(m, "") for m in _ANY_ADDRESS.findall(value)[:MAX_ADDRESSES]]
    return found


def _tokens(value: str) -> list[Address]:
    out: list[Address] = []
    words: list[str] = []
    angle = comment = ""
    looked = 0  # so many of the words are known to hold no address
    for match in _TOKEN.finditer(value):
        quoted, remark, inside, mark, encoded, word = match.groups()
        if mark is None:
            if inside is not None:
                angle = inside or angle
            elif remark is not None:
                comment = remark
            elif quoted is not None:
                words.append(_ESCAPED.sub(r"\1", quoted))
            else:
                words.append(encoded or word)
        elif mark == ":":
            words, looked = [], 0  # a group's name, or "mailto:"
        elif mark == "," and words and not angle and not any("@" in w for w in words[looked:]):
            words.append(",")  # Smith, Ann <ann@...>: a comma nobody quoted
            looked = len(words)
        else:
            _flush(out, words, angle, comment)
            words, angle, comment, looked = [], "", "", 0
            if len(out) >= MAX_ADDRESSES:
                return out
    _flush(out, words, angle, comment)
    return out


def _flush(out: list[Address], words: list[str], angle: str, comment: str) -> None:
    if not angle:
        at = next((w for w in words if "@" in w and "=?" not in w), "")
        if at:
            words = [w for w in words if w is not at]
            angle = at
    name = " ".join(words).replace(" ,", ",").strip(" ,") or comment
    if angle or name:
        out.append(_mailbox(angle, name))


def _mailbox(address: str, name: str) -> Address:
    if "=?" in address:
        address = decode_words(address)
    if "(" in address:
        address = _COMMENT.sub("", address)
    address = "".join(address.rpartition(":")[2].split()).strip("'\"")
    name = clean(decode_words(name)).strip("'\"").strip()[:300]
    if len(address) > 320 or not _LIKELY.match(address):
        name, address = name or address[:300], ""
    return {"address": address, "name": "" if name == address else name}


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """Return (value in lower case, parameters) of a Content-Type or Content-Disposition.

    Split and percent-encoded parameters are put together. Source: RFC 2231.
    """
    if len(value) > _CACHED or "boundary" in value:
        return _parameters(value)
    kind, known = _common_parameters(value)
    return kind, dict(known)


@lru_cache(maxsize=1_024)
def _common_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Return parameters read; `text/plain; charset=utf-8` stands in every second mail."""
    return _parameters(value)


def _parameters(value: str) -> tuple[str, dict[str, str]]:
    head, semicolon, rest = value.partition(";")
    kind = head.strip().lower()
    if not semicolon:
        return kind, {}
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for name, quoted, bare in _PARAM.findall(";" + rest[:16_000]):
        text = _ESCAPED.sub(r"\1", quoted) if quoted else bare.strip().strip("'")
        if bare and name.lower() in _TOKENS:
            text = text.split(None, 1)[0] if text else ""  # a comment may stand behind it
        match = _CONTINUED.match(name) if "*" in name else None
        if match:
            extended = match[3] is not None or match[2] is None
            pieces.setdefault(match[1].lower(), []).append((int(match[2] or 0), extended, text))
        else:
            plain.setdefault(name.lower(), clean(decode_words(text)))
    for name, found in pieces.items():
        plain[name] = _joined(sorted(found))
    return kind, plain


def _joined(pieces: list[tuple[int, bool, str]]) -> str:
    charset = ""
    raw = bytearray()
    for index, (_, extended, text) in enumerate(pieces):
        if extended and index == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        raw += unquote_to_bytes(text) if extended else text.encode("utf-8", "replace")
    return clean(decode(raw, charset))
