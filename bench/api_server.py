"""A fast HubSpot-like list API in a process of its own, the same for each side of a benchmark.

    python bench/api_server.py SIZE      prints its address, serves until its stdin ends

    GET  /crm/contacts?limit=&after=&updated_after=    a page, sorted by time of change
    POST /change?share=0.01                            that share gets a new title and time

The records lie encoded in one file, so that an answer is a slice of it.
"""

from __future__ import annotations

import mmap
import sys
import tempfile
import threading
from array import array
from bisect import bisect_left
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import orjson
from contacts import START, contacts


class Shelf:
    """The records in order of change: their bytes, where each begins, and its second."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.fill(0.0)

    def fill(self, changed: float) -> None:
        """Write all records anew, with this share of them changed."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - held open by the map
        ends, seconds, end = array("q", [0]), array("q"), 0
        for stamp, raw in contacts(self._size, changed):
            file.write(raw + b",")
            end += len(raw) + 1
            ends.append(end)
            seconds.append(_second(stamp))
        file.flush()
        self.ends, self.seconds = ends, seconds
        self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def page(self, query: dict[str, str]) -> bytes:
        """Return the answer to a call."""
        since = query.get("updated_after")
        first = bisect_left(self.seconds, _second(since)) if since else 0
        start = max(first, int(query.get("after", "0")))
        stop = min(start + int(query.get("limit", "100")), len(self.seconds))
        rows = self.bytes[self.ends[start] : max(self.ends[stop] - 1, self.ends[start])]
        after = orjson.dumps({"next": {"after": str(stop)}}) if stop < len(self.seconds) else b"{}"
        return b'{"results":[' + rows + b'],"paging":' + after + b"}"


def _second(stamp: str) -> int:
    return int((datetime.fromisoformat(stamp) - START).total_seconds())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    shelf: Shelf

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self._answer(self.shelf.page(dict(parse_qsl(url.query))))

    def do_POST(self) -> None:
        query = dict(parse_qsl(urlsplit(self.path).query))
        self.shelf.fill(float(query["share"]))
        self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


def main() -> None:
    """Serve until stdin ends."""
    _Handler.shelf = Shelf(int(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
