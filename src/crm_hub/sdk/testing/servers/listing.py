"""The names in a WebDAV collection, as a server lists them."""

from __future__ import annotations

import re
from urllib.parse import unquote

_HREF = re.compile(rb"<(?:\w+:)?href>\s*([^<]*?)\s*</")
BODY = b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
HEADERS = {"Depth": "1", "Content-Type": "application/xml"}


def member_names(body: bytes | None) -> set[str]:
    """Return the last parts of the hrefs in a PROPFIND's answer, those of collections left out."""
    hrefs = [unquote(href.decode()) for href in _HREF.findall(body or b"")]
    return {href.rpartition("/")[2] for href in hrefs if not href.endswith("/")}
