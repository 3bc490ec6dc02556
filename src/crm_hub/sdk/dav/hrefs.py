"""Addresses of resources: one spelling each, whatever percent signs and hosts a server writes.

Source: RFC 3986 sections 6.2.2.2 and 5.2; RFC 4918 section 8.3 on hrefs.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes, urlsplit

_SAFE = "-._~!$&'()*+,;=:@"
_PLAIN = re.compile(r"(?!\.\.?\Z)[A-Za-z0-9._~!$&'()*+,;=:@-]{1,500}")
MAX_HREF = 2_000


def path_of(href: str) -> str:
    """Return the path of an href (absolute or not) in the one spelling, "" for none."""
    try:
        path = urlsplit(href.strip()).path
    except ValueError:
        return ""
    if not path or len(path) > MAX_HREF:
        return ""
    spelled = "/".join(quote(unquote_to_bytes(part), safe=_SAFE) for part in path.split("/"))
    return spelled if spelled.startswith("/") else f"/{spelled}"


def folder_of(href: str) -> str:
    """Return the path of a collection, which ends in a slash."""
    path = path_of(href)
    return path if path.endswith("/") else f"{path}/"


def host_of(href: str) -> str:
    """Return the host that an absolute href names, lower case; "" for a path alone."""
    try:
        return urlsplit(href.strip()).hostname or ""
    except ValueError:
        return ""


def member(href: str, folder: str) -> str | None:
    """Return a resource's name in its collection: "" for the collection itself, None outside it.

    The name is the id of its record: it stays when the server moves to another host.
    """
    plain = href[len(folder) :] if href.startswith(folder) else ""
    if _PLAIN.fullmatch(plain):
        return plain  # what nearly all servers write
    path = path_of(href)
    if not path:
        return None
    if path == folder or f"{path}/" == folder:
        return ""
    name = path.removeprefix(folder)
    if name == path or "/" in name or name in (".", ".."):
        return None
    return name
