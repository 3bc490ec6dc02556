"""A small JSON API with memory that lists contacts in each way the connector can be told of."""

from __future__ import annotations

import itertools
from collections.abc import Set
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from crm_hub.sdk.testing.contract import WRONG, Alteration, Source
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply
from crm_hub.sdk.testing.servers import free_port

CURSOR = {
    "path": "/crm/contacts",
    "records": "results",
    "changed_at": "updatedAt",
    "paging": "cursor",
    "page_param": "after",
    "next": "paging.next.after",
    "since_param": "updated_after",
    "until_param": "updated_before",
}
"""HubSpot-like: changes by a cursor; the filter takes what is at or after the time."""

LINK = {
    "path": "/v1/people",
    "changed_at": "updatedAt",
    "paging": "link",
    "since_param": "since",
    "since_format": "epoch_s",
    "reconcile": True,
}
"""A bare array with Link headers; the filter takes what is strictly after a whole second."""

OFFSET = {
    "path": "/api/rows",
    "records": "data.rows",
    "changed_at": "updatedAt",
    "paging": "offset",
    "page_param": "skip",
    "since_param": "from",
    "since_format": "epoch_ms",
}

PAGE = {"path": "/list", "records": "items", "paging": "page"}
"""No filter: the whole list each time, by page numbers."""


class FakeApi(Source):
    """Contacts shaped as HubSpot's; each change is a second later than the one before."""

    def __init__(
        self, server: FaultServer, secret: str, page_size: int, manner: dict[str, Any]
    ) -> None:
        self.server = server
        self.secret = secret
        self.manner = manner
        self.rows: dict[str, dict[str, Any]] = {}
        self._page_size = page_size
        self._numbers = itertools.count(1)
        self._clock = datetime(2026, 1, 1, tzinfo=UTC)
        server.route("GET", manner["path"], self._answer)

    # what its users do

    def settings(self) -> dict[str, Any]:
        return self._settings(self.secret, str(self.server and self.server.url))

    def bad_settings(self) -> dict[str, Any]:
        return self._settings(WRONG, str(self.server and self.server.url))

    def dead_settings(self) -> dict[str, Any]:
        return self._settings(self.secret, f"http://127.0.0.1:{free_port()}")

    def _settings(self, secret: str, url: str) -> dict[str, Any]:
        size = {"size_param": "limit", "page_size": self._page_size}
        return {"base_url": url, "token": secret, **size, **self.manner}

    def ids(self) -> Set[str]:
        return set(self.rows)

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        ids = [f"{next(self._numbers):06}" for _ in range(count)]
        for id in ids:
            moment = at or (self._clock if same_stamp else self.tick())
            stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            name = f"person{id}"
            properties = {"firstname": "Ann", "email": f"{name}@acme.example", "phone": None}
            self.rows[id] = {"id": id, "properties": properties, "updatedAt": stamp}
        return ids

    def change(self, id: str) -> None:
        row = self.rows[id]
        old = row["properties"]
        properties = {**old, "firstname": old["firstname"] + "e"}
        self.rows[id] = {**row, "properties": properties, "updatedAt": self._now()}

    def delete(self, id: str) -> None:
        del self.rows[id]

    def alter(self, how: Alteration) -> None:
        id = min(self.rows)
        properties = dict(self.rows[id]["properties"])
        if how == "field added":
            properties["jobtitle"] = "Buyer"
        elif how == "field removed":
            del properties["email"]
        else:
            properties["email"] = {"value": "ann@acme.example"}
        self.rows[id] = {"id": id, "properties": properties, "updatedAt": self._now()}

    def tick(self) -> datetime:
        self._clock += timedelta(seconds=1)
        return self._clock

    def _now(self) -> str:
        return self.tick().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # how it answers

    def _answer(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {self.secret}":
            return Reply.json({"error": "who are you"}, 401)
        rows = [row for row in self._sorted() if self._is_wanted(row, call)]
        limit = int(call.query.get("limit", "10"))
        paging = self.manner["paging"]
        if paging in ("page", "offset"):
            return self._counted(call, rows, limit, paging)
        return self._chained(call, rows, limit, paging)

    def _sorted(self) -> list[dict[str, Any]]:
        if "since_param" in self.manner:
            return sorted(self.rows.values(), key=_place)
        return [self.rows[id] for id in sorted(self.rows)]

    def _is_wanted(self, row: dict[str, Any], call: Call) -> bool:
        moment = datetime.fromisoformat(row["updatedAt"])
        since, until = call.query.get("updated_after", ""), call.query.get("updated_before", "")
        if until and moment >= datetime.fromisoformat(until):
            return False
        if since:
            return moment >= datetime.fromisoformat(since)
        if second := call.query.get("since"):
            return int(moment.timestamp()) > int(second)
        return moment.timestamp() * 1000 >= int(call.query.get("from", "0"))

    def _counted(self, call: Call, rows: list[Any], limit: int, paging: str) -> Reply:
        if paging == "page":
            start = (int(call.query["page"]) - 1) * limit
            return Reply.json({"items": rows[start : start + limit]})
        start = int(call.query.get("skip", "0"))
        return Reply.json({"data": {"rows": rows[start : start + limit]}})

    def _chained(self, call: Call, rows: list[Any], limit: int, paging: str) -> Reply:
        after = tuple(call.query.get("after", "").split("|"))
        rows = [row for row in rows if len(after) < 2 or _place(row) > after]
        page, more = rows[:limit], len(rows) > limit
        cursor = "|".join(_place(page[-1])) if more else ""
        if paging == "cursor":
            found = {"paging": {"next": {"after": cursor}}} if more else {}
            return Reply.json({"results": page, **found})
        query = urlencode({**call.query, "after": cursor})
        link = {"Link": f'<{call.path}>; rel="first", <?{query}>; rel="next"'} if more else {}
        reply = Reply.json(page)
        return Reply(reply.status, reply.body, headers=link)


def _place(row: dict[str, Any]) -> tuple[str, str]:
    return row["updatedAt"], row["id"]
