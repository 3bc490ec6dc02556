"""What came back from an HTTP call: read with a cap, inflated with a cap, parsed with care.

Libraries inflate a whole chunk at once, so 611 kB of gzip become 629 MB before anyone can
count. Here a chunk is inflated piece by piece and counted after inflating.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from crm_hub.model.errors import ConfigError, Unavailable

ACCEPT_ENCODING = "gzip, deflate"
_PIECE = 65_536
_LONGEST_WAIT_S = 86_400.0
_SECONDS = re.compile(r"-?\d{1,18}(\.\d{1,9})?")
_ALL_ZERO = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, its body read and inflated.

    where: method, host and path of the call, without query: fit for a message.
    """

    status: int
    where: str
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def missing(self) -> bool:
        """True for 404 and 410: what was asked for is not there."""
        return self.status in (404, 410)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the parsed body of a 2xx answer.

        Raises: ConfigError for any other status (a request made wrongly); Unavailable when the
        body is not whole JSON, such as a cut answer or a proxy's HTML page with status 200.
        """
        if not self.ok:
            raise ConfigError(
                f"{self.where} was answered with status {self.status}",
                remedy="Check the connection's settings; the address or a value is not accepted.",
            )
        try:
            return parse_json(self.body)
        except (ValueError, RecursionError):
            raise Unavailable(
                f"{self.where} answered {self.status} without whole JSON "
                f"({describe(self.body, self.headers.get('content-type', ''))})",
                remedy="If it stays so, open the address in a browser: a log-in page or a proxy "
                "may stand in between.",
            ) from None


def parse_json(body: bytes) -> Any:
    """Return the JSON value of a body. Raises: ValueError, RecursionError.

    orjson is several times faster, but rounds integers beyond 64 bits and refuses NaN; where
    either may occur the standard library decides, so that no id is ever rounded.
    """
    # Twelve times faster than a regular expression for 19 digits, which costs what orjson does.
    if _LONG_NUMBER not in body.translate(_ALL_ZERO):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
    return json.loads(body)


def describe(body: bytes, content_type: str) -> str:
    """Return what a body looks like in a few words, without quoting it."""
    start = body[:500].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if not body:
        return "an empty body"
    kind = re.sub(r"[^a-z0-9/+.-]", "", content_type.partition(";")[0].lower())[:60]
    return f"{len(body)} bytes of {kind or 'no content type'}"


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks for, 0 to 86,400; None when it says nothing.

    text: seconds or an HTTP date; a past date or a negative number is 0.
    Source: RFC 9110 section 10.2.3.
    """
    text = (text or "").strip()[:100]
    if _SECONDS.fullmatch(text):
        wait_s = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
            # An HTTP date is always GMT; a missing zone name is read so too.
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            wait_s = (moment - now).total_seconds()
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return min(max(wait_s, 0.0), _LONGEST_WAIT_S)


def capped(pieces: Iterable[bytes], limit: int, where: str) -> Iterator[bytes]:
    """Yield the pieces until their sum passes `limit` bytes. Raises: ConfigError then."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit:
            raise ConfigError(
                f"{where} answered with more than {limit:,} bytes and was cut off there",
                remedy="Ask for smaller pages in the connection's settings.",
            )
        yield piece


def inflated(chunks: Iterable[bytes], encoding: str, where: str) -> Iterator[bytes]:
    """Yield the plain bytes of a body, at most 64 kB at a time.

    encoding: the Content-Encoding header: none, identity, gzip (several members too) or deflate.
    Raises: Unavailable when the packed data is damaged, cut or of another encoding.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        yield from chunks
        return
    makers: dict[str, Callable[[bytes], int]] = {
        "gzip": lambda _: 16 + zlib.MAX_WBITS,
        "x-gzip": lambda _: 16 + zlib.MAX_WBITS,
        "deflate": _deflate_bits,
    }
    if encoding not in makers:
        raise Unavailable(f"{where} answered in an encoding that was not asked for")
    try:
        yield from _inflate(chunks, makers[encoding])
    except zlib.error:
        raise Unavailable(f"{where} sent damaged {encoding} data") from None
    except EOFError:
        raise Unavailable(f"{where} sent {encoding} data that was cut off") from None


def _deflate_bits(first: bytes) -> int:
    """Return zlib's window bits: servers send "deflate" with and without the zlib header."""
    has_header = len(first) > 1 and first[0] & 0x0F == 8 and (first[0] << 8 | first[1]) % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


def _inflate(chunks: Iterable[bytes], bits: Callable[[bytes], int]) -> Iterator[bytes]:
    engine, held = None, b""
    for chunk in chunks:
        waiting, held = held + chunk, b""
        while waiting:
            if engine is None or engine.eof:
                if len(waiting) < 2:  # too little to tell what it is
                    held = waiting
                    break
                engine = zlib.decompressobj(bits(waiting))
            piece = engine.decompress(waiting, _PIECE)
            if piece:
                yield piece
            waiting = engine.unused_data if engine.eof else engine.unconsumed_tail
    if held:
        raise EOFError
    # What zlib still holds is bounded by its window; asking with an empty tail brings it out.
    while engine is not None and not engine.eof:
        piece = engine.decompress(b"", _PIECE)
        if not piece:
            raise EOFError
        yield piece
