"""A fault server in front of a real one: every call goes through, until a script says otherwise."""

from __future__ import annotations

import http.client
from collections.abc import Sequence

from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply

DAV_METHODS = ("GET", "PUT", "DELETE", "PROPFIND", "REPORT", "OPTIONS")
_NOT_PASSED_ON = ("host", "content-length", "connection", "accept-encoding")
_PASSED_BACK = ("location", "etag", "dav")


def forward(server: FaultServer, to: str, methods: Sequence[str] = DAV_METHODS) -> None:
    """Let the fault server hand every call on to a real server, and its answer back."""

    def answer(call: Call) -> Reply:
        link = http.client.HTTPConnection(to.removeprefix("http://"), timeout=60)
        headers = {k: v for k, v in call.headers.items() if k not in _NOT_PASSED_ON}
        try:
            link.request(call.method, call.path, call.body, headers)
            found = link.getresponse()
            body = found.read()
        finally:
            link.close()
        kept = {k: v for k, v in found.getheaders() if k.lower() in _PASSED_BACK}
        return Reply(found.status, body, found.getheader("Content-Type", "text/plain"), kept)

    for method in methods:
        server.route(method, "/", answer)
