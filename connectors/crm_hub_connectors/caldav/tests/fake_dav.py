"""A small CalDAV server with one calendar, for what the real ones here do not do.

Other servers' answers to an old token, no sync-collection, cut lists, other spellings of hrefs.
What all servers do is tested on Radicale and Xandikos.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply

FOLDER = "/dav/ann/work/"
_SPACES = (
    'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/"'
)
_CALENDAR = "<resourcetype><collection/><C:calendar/></resourcetype>"


def xml(inner: str, status: int = 207, tail: str = "") -> Reply:
    """Return a multistatus of these responses."""
    body = f'<?xml version="1.0"?><multistatus {_SPACES}>{inner}{tail}</multistatus>'
    return Reply(status, body.encode(), "application/xml; charset=utf-8")


def response(href: str, properties: str = "", status: int = 0) -> str:
    if status:
        told = f"<status>HTTP/1.1 {status} Said</status>"
    else:
        told = f"<propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status></propstat>"
    return f"<response><href>{escape(href)}</href>{told}</response>"


class FakeDav:
    """The calendar: name → text. Each change gets a number; a token is the number seen last."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.texts: dict[str, str] = {}
        self.etags = True
        self.ctag = True
        self.sync = True
        self.queries = True
        self.expired_status = 0
        self.most_at_once = 10**9
        self.spell = lambda name: f"{FOLDER}{quote(name)}"
        self._changes: list[str] = []
        server.route("PROPFIND", "/", self._propfind)
        server.route("REPORT", "/", self._report)
        server.route("GET", FOLDER, self._get)

    def put(self, name: str, text: str) -> None:
        self.texts[name] = text
        self._changes.append(name)

    def delete(self, name: str) -> None:
        del self.texts[name]
        self._changes.append(name)

    def _etag(self, name: str) -> str:
        if not self.etags:
            return ""
        last = len(self._changes) - self._changes[::-1].index(name)
        return f"<getetag>&quot;{last}&quot;</getetag>"

    def _propfind(self, call: Call) -> Reply:
        if call.path == FOLDER:
            return self._about_calendar(call)
        home = "<C:calendar-home-set><href>/dav/ann/</href></C:calendar-home-set>"
        who = "<current-user-principal><href>/dav/ann/</href></current-user-principal>"
        if call.headers.get("depth") == "1":
            report = "<report><sync-collection/></report>" if self.sync else ""
            about = (
                f"{_CALENDAR}<displayname>Work</displayname><supported-report-set>"
                f"<supported-report>{report}<report><C:calendar-multiget/></report>"
                "</supported-report></supported-report-set>"
            )
            return xml(response("/dav/ann/", who) + response(FOLDER, about))
        return xml(response(call.path, who + home))

    def _about_calendar(self, call: Call) -> Reply:
        if call.headers.get("depth") != "1":
            ctag = f"<S:getctag>{len(self._changes)}</S:getctag>" if self.ctag else ""
            return xml(response(FOLDER, _CALENDAR + ctag))
        members = "".join(response(self.spell(n), self._etag(n)) for n in self.texts)
        return xml(response(FOLDER, _CALENDAR) + members)

    def _report(self, call: Call) -> Reply:
        body = call.body.decode()
        if "calendar-multiget" in body:
            return self._multiget(body)
        if "calendar-query" in body:
            if not self.queries:
                return Reply(501, b"")
            return xml("".join(response(self.spell(n), self._etag(n)) for n in self.texts))
        return self._sync(body)

    def _sync(self, body: str) -> Reply:
        if not self.sync:
            return Reply(501, b"")
        token = re.search(r"<D:sync-token>(.*?)</D:sync-token>", body)
        seen = int(token[1].rpartition("/")[2]) if token and token[1] else 0
        if seen and self.expired_status:
            condition = b'<error xmlns="DAV:"><valid-sync-token/></error>'
            named = self.expired_status in (403, 409)
            return Reply(self.expired_status, condition if named else b"", "application/xml")
        told = self._changes[seen : seen + self.most_at_once]
        upto = seen + len(told)
        parts = [
            response(self.spell(n), self._etag(n)) if n in self.texts
            else response(self.spell(n), status=404)
            for n in dict.fromkeys(told)
            if seen or n in self.texts
        ]  # fmt: skip
        if upto < len(self._changes):
            parts.append(response(FOLDER, status=507))
        return xml("".join(parts), tail=f"<sync-token>urn:x:/{upto}</sync-token>")

    def _multiget(self, body: str) -> Reply:
        parts = []
        for href in re.findall(r"<D:href>(.*?)</D:href>", body):
            name = unquote(href.rpartition("/")[2])
            text = self.texts.get(name)
            data = (
                f"{self._etag(name)}<C:calendar-data>{escape(text)}</C:calendar-data>"
                if text is not None
                else ""
            )
            parts.append(response(href, data, 0 if data else 404))
        return xml("".join(parts))

    def _get(self, call: Call) -> Reply:
        text = self.texts.get(unquote(call.path.rpartition("/")[2]))
        if text is None:
            return Reply(404, b"")
        return Reply(200, text.encode(), "text/calendar", {"ETag": '"got"'})
