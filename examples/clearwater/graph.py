"""A small local stand-in of the Graph API's lead endpoints, serving the leads of a folder.

    GET /v21.0/me                                         whose token this is
    GET /v21.0/<lead id>[?fields=id,created_time,…]       one lead
    GET /v21.0/<form id>                                  one form
    GET /v21.0/<form id>/leads[?limit=&after=&filtering=] the leads of a form, newest first

It checks the bearer token and answers errors in the Graph API's shape, so a connector cannot
tell it from the real one. As a script: `GRAPH_TOKEN=… python graph.py inbound/meta-leads`; it
prints its address and serves until it is interrupted.
Source: Meta for Developers, "Retrieving Leads" and "Handling Errors".
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import re
import sys
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

Json = dict[str, Any]
_PATH = re.compile(r"/v\d{1,3}\.\d{1,2}/(me|\d{1,30})(/leads)?")
_ACCOUNT = {"id": "104200300400500", "name": "Clearwater"}
_ALWAYS = ("id", "created_time")
_USUAL_FIELDS = "id,created_time,field_data"


class GraphError(Exception):
    """An answer the Graph API gives instead of data."""

    def __init__(self, status: int, code: int, message: str, subcode: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        kind = "OAuthException" if code in (104, 190) else "GraphMethodException"
        self.body: Json = {"error": {"message": message, "type": kind, "code": code}}
        if subcode is not None:
            self.body["error"]["error_subcode"] = subcode


class LeadFolder:
    """The leads of a folder, one JSON file each; a file added later is served at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Json]:
        """Return every lead as it is in the folder now."""
        return [json.loads(path.read_text("utf-8")) for path in self.folder.glob("*.json")]

    def node(self, node_id: str, fields: str) -> Json:
        """Return one lead or form with the asked fields. Raises: GraphError when there is none."""
        for lead in self.all():
            if lead["id"] == node_id:
                return _with_fields(lead, fields)
            if lead["form_id"] == node_id:
                return {"id": node_id, "name": "Office coolers", "status": "ACTIVE"}
        text = f"Unsupported get request. Object with ID '{node_id}' does not exist"
        raise GraphError(400, 100, text, 33)

    def of_form(self, form_id: str, query: dict[str, str]) -> Json:
        """Return one page of a form's leads, newest first, in the Graph API's paging envelope."""
        wanted = [
            lead for lead in self.all() if lead["form_id"] == form_id and _passes(lead, query)
        ]
        wanted.sort(key=lambda lead: (lead["created_time"], lead["id"]), reverse=True)
        start = _after([lead["id"] for lead in wanted], query.get("after", ""))
        limit = max(1, min(_whole(query.get("limit") or "25", "limit"), 500))
        page = wanted[start : start + limit]
        fields = query.get("fields", _USUAL_FIELDS)
        answer: Json = {"data": [_with_fields(lead, fields) for lead in page]}
        if page:
            answer["paging"] = {"cursors": {"before": page[0]["id"], "after": page[-1]["id"]}}
        if start + limit < len(wanted):
            answer["paging"]["next"] = "?" + urlencode({**query, "after": page[-1]["id"]})
        return answer


def _after(ids: list[str], cursor: str) -> int:
    """Return where the page after `cursor` begins; a lead added meanwhile moves nothing."""
    if not cursor:
        return 0
    if cursor not in ids:
        raise GraphError(400, 100, "(#100) Invalid cursors values: after")
    return ids.index(cursor) + 1


def _whole(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise GraphError(400, 100, f"(#100) Param {name} must be a whole number")
    return int(text)


def _with_fields(lead: Json, fields: str) -> Json:
    names = {name.strip() for name in fields.split(",")} | set(_ALWAYS)
    return {name: value for name, value in lead.items() if name in names}


def _passes(lead: Json, query: dict[str, str]) -> bool:
    """Return whether the lead passes the `filtering` conditions on time_created."""
    try:
        conditions = json.loads(query.get("filtering", "[]"))
        created = datetime.fromisoformat(lead["created_time"]).timestamp()
        return all(_holds(created, one) for one in conditions)
    except (KeyError, TypeError, ValueError):
        raise GraphError(400, 100, "(#100) Param filtering is not valid") from None


def _holds(created: float, condition: Json) -> bool:
    if condition["field"] != "time_created":
        raise ValueError(condition["field"])
    limit = float(condition["value"])
    return {
        "GREATER_THAN": created > limit,
        "GREATER_THAN_OR_EQUAL": created >= limit,
        "LESS_THAN": created < limit,
        "LESS_THAN_OR_EQUAL": created <= limit,
    }[condition["operator"]]


class GraphStandIn:
    """The running server; a context manager. `url` is its base address, `calls` the paths asked."""

    def __init__(self, folder: Path, token: str, port: int = 0) -> None:
        self.calls: list[str] = []
        leads = LeadFolder(folder)
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                stand_in.calls.append(urlsplit(self.path).path)
                try:
                    _check_token(self.headers.get("Authorization", ""), token)
                    status, body = 200, _answer(leads, stand_in.url, self.path)
                except GraphError as error:
                    status, body = error.status, error.body
                data = json.dumps(body, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=UTF-8")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: the demo's screen belongs to the hub."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def __enter__(self) -> GraphStandIn:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self) -> None:
        """Return when the server has ended."""
        self._thread.join()


def _check_token(authorization: str, token: str) -> None:
    kind, _, given = authorization.partition(" ")
    if not given:
        raise GraphError(400, 104, "An access token is required to request this resource.")
    if kind != "Bearer" or not hmac.compare_digest(given.encode(), token.encode()):
        raise GraphError(401, 190, "Invalid OAuth access token - Cannot parse access token")


def _answer(leads: LeadFolder, base_url: str, target: str) -> Json:
    parts = urlsplit(target)
    match = _PATH.fullmatch(parts.path)
    if match is None:
        raise GraphError(400, 2500, "Unknown path components")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    node, form_leads = match.groups()
    if form_leads:
        page = leads.of_form(node, query)
        if "next" in page.get("paging", {}):
            page["paging"]["next"] = base_url + parts.path + page["paging"]["next"]
        return page
    if node == "me":
        return _ACCOUNT
    return leads.node(node, query.get("fields", _USUAL_FIELDS))


def main() -> int:
    """Serve a folder until interrupted; return the exit status."""
    parser = argparse.ArgumentParser(description="Stand-in of the Graph API's lead endpoints.")
    parser.add_argument("folder", type=Path, help="folder of <lead id>.json files")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    arguments = parser.parse_args()
    token = os.environ.get("GRAPH_TOKEN", "")
    if not token or not arguments.folder.is_dir():
        parser.error("set GRAPH_TOKEN and name an existing folder")
    with GraphStandIn(arguments.folder, token, arguments.port) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        try:
            server.wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
