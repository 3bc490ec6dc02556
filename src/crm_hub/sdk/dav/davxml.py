"""WebDAV's XML: the bodies of requests, and answers read element by element with limits.

The parser refuses a document type, so there are no entities to multiply and none to fetch, and
it keeps one `response` at a time: an answer about 20,000 objects costs what is kept of each.
Source: RFC 4918 section 14; RFC 6578; RFC 4791; RFC 6352.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

MAX_DEPTH = 40
MAX_ELEMENTS = 20_000
"""Elements inside one response, at most."""
_SPACES = frozenset({
    "DAV:", "urn:ietf:params:xml:ns:caldav", "urn:ietf:params:xml:ns:carddav",
    "http://calendarserver.org/ns/",
})  # fmt: skip
_STATUS = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})")
_CONTROLS = bytes(c for c in range(32) if c not in (9, 10, 13))
_REFERENCE = re.compile(rb"&#(?:x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F])|0*(?:[0-8]|1[124-9]|2\d|3[01]));")
_OPEN = (
    '<?xml version="1.0" encoding="utf-8"?>\n<D:{0} xmlns:D="DAV:"'
    ' xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav"'
    ' xmlns:S="http://calendarserver.org/ns/">'
)


class NotDav(ValueError):
    """A body that is no WebDAV answer; the text says what is wrong with it."""


@dataclass(slots=True)
class Node:
    """One XML element. name: without namespace for those of WebDAV, CalDAV and CardDAV."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, name: str) -> list[Node]:
        """Return the elements of this name at any depth below."""
        found = []
        for child in self.children:
            if child.name == name:
                found.append(child)
            found += child.all(name)
        return found

    def hrefs(self) -> list[str]:
        return [node.text.strip() for node in self.all("href") if node.text.strip()]


@dataclass(slots=True)
class Response:
    """What the server says about one resource.

    status: of the resource as a whole, 0 when its properties speak for themselves.
    properties: those that are there, by name.
    """

    href: str
    status: int = 0
    properties: dict[str, Node] = field(default_factory=dict)

    def text(self, name: str) -> str:
        node = self.properties.get(name)
        return node.text.strip() if node is not None else ""


class Collector(Protocol):
    """Takes the responses of a multistatus, one after the other."""

    def take(self, response: Response) -> None: ...


C = TypeVar("C", bound=Collector)


def read_multistatus(body: bytes, make: Callable[[], C]) -> tuple[C, str]:
    """Return a collector that took every response, and the sync token ("" for none).

    make: gives an empty collector; called again where the body is read a second time, without
    the characters that XML forbids and some servers send inside an object's text.
    Raises: NotDav.
    """
    collector = make()
    try:
        return collector, _parse(body, "multistatus", collector.take)
    except NotDav:
        raise
    except (expat.ExpatError, LookupError, ValueError):  # broken, or in a charset expat has not
        collector = make()
    clean = _REFERENCE.sub(b"", body.decode("utf-8", "replace").encode().translate(None, _CONTROLS))
    try:
        return collector, _parse(clean, "multistatus", collector.take, charset="utf-8")
    except expat.ExpatError as error:
        raise NotDav(f"it is no whole XML (line {error.lineno})") from None


def error_names(body: bytes) -> set[str]:
    """Return the names of the conditions in an error body: `valid-sync-token`; none if unread."""
    names: set[str] = set()
    try:
        _parse(body[:100_000], "error", lambda _response: None, names.add)
    except (expat.ExpatError, LookupError, ValueError):
        return set()
    return names


def _parse(
    body: bytes,
    root: str,
    take: Callable[[Response], None],
    see: Callable[[str], None] | None = None,
    charset: str | None = None,
) -> str:
    parser = expat.ParserCreate(charset, namespace_separator=" ")
    parser.buffer_text = True
    parser.buffer_size = 65_536
    reader = _Reader(root, take, see)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.Parse(body, True)
    return reader.sync_token


def _no_doctype(*_: object) -> None:
    raise NotDav("it declares a document type, which no WebDAV answer does")


class _Reader:
    """Expat's handlers: a stack of open elements, emptied after each response."""

    def __init__(
        self,
        root: str,
        take: Callable[[Response], None],
        see: Callable[[str], None] | None,
    ) -> None:
        self.sync_token = ""
        self._root = root
        self._take = take
        self._see = see
        self._stack: list[Node] = []
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        space, _, local = tag.rpartition(" ")
        name = local if space in _SPACES else tag
        if not self._stack and name != self._root:
            raise NotDav(f"it is XML of another kind ({local[:40]})")
        if len(self._stack) >= MAX_DEPTH:
            raise NotDav(f"its elements are nested more than {MAX_DEPTH} deep")
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise NotDav(f"it has more than {MAX_ELEMENTS:,} elements about one resource")
        if self._see is not None and self._stack:
            self._see(name)
        self._stack.append(Node(name, attributes))

    def characters(self, text: str) -> None:
        if len(self._stack) > 1:
            self._stack[-1].text += text

    def end(self, _tag: str) -> None:
        node = self._stack.pop()
        if len(self._stack) > 1:
            self._stack[-1].children.append(node)
        elif node.name == "response" and self._stack:
            self._count = 0
            self._take(_response(node))
        elif node.name == "sync-token" and self._stack:
            self.sync_token = node.text.strip()


def _response(node: Node) -> Response:
    response = Response("")
    for child in node.children:
        if child.name == "href" and not response.href:
            response.href = child.text.strip()
        elif child.name == "status":
            response.status = _status(child.text)
        elif child.name == "propstat":
            _add_properties(response, child)
    return response


def _add_properties(response: Response, propstat: Node) -> None:
    statuses = [_status(c.text) for c in propstat.children if c.name == "status"]
    if statuses and not 200 <= statuses[0] < 300:
        return
    for prop in propstat.children:
        if prop.name == "prop":
            response.properties.update((node.name, node) for node in prop.children)


def _status(text: str) -> int:
    match = _STATUS.match(text.strip())
    return int(match[1]) if match else 0


# requests ---------------------------------------------------------------------------------


def _props(names: Iterable[str]) -> str:
    return "<D:prop>" + "".join(f"<{name}/>" for name in names) + "</D:prop>"


def propfind(names: Iterable[str]) -> bytes:
    """Return the body that asks for properties, given as `D:getetag`, `C:calendar-home-set`."""
    return f"{_OPEN.format('propfind')}{_props(names)}</D:propfind>".encode()


def sync_collection(token: str) -> bytes:
    """Return the body that asks what changed since `token`; "" asks for everything."""
    return (
        f"{_OPEN.format('sync-collection')}<D:sync-token>{escape(token)}</D:sync-token>"
        f"<D:sync-level>1</D:sync-level>{_props(['D:getetag'])}</D:sync-collection>"
    ).encode()


def multiget(hrefs: Iterable[str], report: str, data: str) -> bytes:
    """Return the body that asks for the content of these resources, as `C:calendar-data`."""
    body = _props(["D:getetag", data])
    body += "".join(f"<D:href>{escape(href)}</D:href>" for href in hrefs)
    opened = _OPEN.format("x").replace("<D:x ", f"<{report} ")
    return f"{opened}{body}</{report}>".encode()


def query(component: str, start: str, end: str) -> bytes:
    """Return the body that asks which resources hold `component` in a span (`20260310T090000Z`)."""
    opened = _OPEN.format("x").replace("<D:x ", "<C:calendar-query ")
    span = f"<C:time-range start={quoteattr(start)} end={quoteattr(end)}/>"
    inner = f"<C:comp-filter name={quoteattr(component)}>{span}</C:comp-filter>"
    return (
        f'{opened}{_props(["D:getetag"])}<C:filter><C:comp-filter name="VCALENDAR">{inner}'
        "</C:comp-filter></C:filter></C:calendar-query>"
    ).encode()
