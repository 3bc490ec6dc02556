"""Calls a WebDAV server and turns its answers into the hub's errors.

The `caldav` library is not used: its calls do not go through the hub's HTTP client, so they would
have neither its limits nor its check of the connected address; it fetches objects one by one, and
an expired token becomes a full list without deletes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urljoin

from crm_hub.model.errors import AuthRefused, CheckpointExpired, ConfigError, Unavailable
from crm_hub.sdk.dav import davxml
from crm_hub.sdk.dav.davxml import Collector, NotDav, Response
from crm_hub.sdk.dav.hrefs import host_of, path_of
from crm_hub.sdk.dav.kinds import Kind
from crm_hub.sdk.http import Answer, HttpClient
from crm_hub.sdk.http_answer import describe

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
# What servers say to a sync token they do not know any more: RFC 6578 wants 403 (Radicale,
# Cyrus) or 409, Xandikos says 412, Google 410.
_EXPIRED = frozenset({409, 410, 412})
_NOT_OFFERED = frozenset({400, 403, 405, 415, 422, 501})
_UNPACKED = {"accept-encoding": "identity"}
# What a server may say to a write that it does not take; each is about that one record.
_REFUSED = frozenset({400, 403, 404, 405, 409, 410, 412, 413, 415, 422, 423, 507})
_HEADERS = {"content-type": "application/xml; charset=utf-8"}

C = TypeVar("C", bound=Collector)


class NoDavHere(ConfigError):
    """The server does not speak CalDAV or CardDAV at this path, or has nothing there."""


class Forbidden(AuthRefused):
    """The user is known but may not do this (403)."""


class NotOffered(ConfigError):
    """The server does not offer this report here."""


@dataclass(slots=True)
class Responses:
    """All responses of an answer, for the short ones of discovery."""

    found: list[Response] = field(default_factory=list)

    def take(self, response: Response) -> None:
        self.found.append(response)


class Dav:
    """WebDAV calls on one server; `client` knows its credential, `base` is scheme and host.

    kind: of the collections that are looked for. date: the Date header of the last answer.
    """

    def __init__(self, client: HttpClient, base: str, kind: Kind) -> None:
        self._client = client
        self._base = base
        self.kind = kind
        self._host = host_of(base)
        self.date = ""

    def find(self, path: str, names: Iterable[str], depth: int = 0) -> tuple[str, list[Response]]:
        """Return (the path that answered, its responses) to a PROPFIND; redirects are followed.

        Raises: NoDavHere, AuthRefused, ConfigError, Throttled, Unavailable.
        """
        body = davxml.propfind(names)
        for _ in range(_MOST_REDIRECTS):
            accept = (*_REDIRECTS, 403, 501)
            answer, found = self._ask("PROPFIND", path, body, depth, Responses, accept)
            if found is not None:
                return path, found[0].found
            path = self._redirected(answer, path)
        raise Unavailable(f"{answer.where} redirects in a circle")

    def _redirected(self, answer: Answer, path: str) -> str:
        self._judge(answer, ())
        if answer.status not in _REDIRECTS:
            kind = self.kind
            raise NoDavHere(
                f"{answer.where} was answered with status {answer.status}: there is no "
                f"{kind.service}",
                remedy=f"Check `url`: your {kind.word} server's pages name its {kind.service} "
                "address.",
            )
        target = urljoin(f"{self._base}{path}", answer.headers.get("location", ""))
        return self.same_host(target)

    def same_host(self, href: str) -> str:
        """Return the path of an href. Raises: ConfigError when it names another host."""
        host = host_of(href)
        if host and host != self._host:
            raise ConfigError(
                f"the server at {self._host} keeps its {self.kind.words} on {host}; the password "
                "was not sent there",
                remedy=f"If that is right, set `url` to https://{host}{path_of(href)}",
            )
        return path_of(href)

    def list(self, path: str, names: Iterable[str], make: Callable[[], C]) -> C:
        """Return what a PROPFIND of depth 1 told the collector about a collection's members."""
        answer, found = self._ask("PROPFIND", path, davxml.propfind(names), 1, make)
        return self._whole(answer, found)[0]

    def changes(self, path: str, token: str, make: Callable[[], C]) -> tuple[C, str]:
        """Return what changed in a collection since `token`, and the token that now holds.

        Raises: CheckpointExpired for a token the server does not know any more, NotOffered where
            it has no sync-collection at all.
        """
        body = davxml.sync_collection(token)
        accept = (*_EXPIRED, 403, 501, 507)
        answer, found = self._ask("REPORT", path, body, 0, make, accept)
        if found is not None and found[1]:
            return found
        if found is not None:
            raise NotOffered(f"{answer.where} gave no sync token")
        names = davxml.error_names(answer.body)
        if token and (answer.status in _EXPIRED or "valid-sync-token" in names):
            raise CheckpointExpired(
                f"{answer.where} does not know its sync token any more ({answer.status})"
            )
        self._judge(answer, _NOT_OFFERED | _EXPIRED | {507})
        return self._whole(answer, found)

    def report(self, path: str, body: bytes, make: Callable[[], C]) -> C:
        """Return what a report (multiget, query) told the collector. Raises: NotOffered."""
        answer, found = self._ask("REPORT", path, body, 1, make, (403, 501))
        if found is None:
            self._judge(answer, _NOT_OFFERED)
        return self._whole(answer, found)[0]

    def get(self, path: str) -> Answer:
        """Return one resource by itself, with the etag that a report gives it (see `exact`)."""
        return self._client.get(path, headers=_UNPACKED)

    def exact(self, path: str) -> Answer:
        """Return one resource byte for byte, with the etag that a write is made conditional on.

        Not compressed: some servers mark a compressed answer with another, weak etag.
        """
        return self._client.request("GET", path, headers=_UNPACKED, accept=_REFUSED)

    def put(self, path: str, body: bytes, etag: str | None) -> Answer:
        """Store a resource if it still has this etag; None: if there is none yet.

        A lost answer to a change is not repeated here: the second try would meet the first.
        """
        headers = {"content-type": f"{self.kind.media_type}; charset=utf-8"}
        headers |= {"if-none-match": "*"} if etag is None else {"if-match": etag}
        return self._client.request(
            "PUT", path, headers=headers, content=body, accept=_REFUSED, idempotent=etag is None
        )

    def delete(self, path: str, etag: str) -> Answer:
        """Delete a resource if it still has this etag; no guest of it is mailed for us."""
        headers = {"if-match": etag, "schedule-reply": "F"}
        return self._client.request(
            "DELETE", path, headers=headers, accept=_REFUSED, idempotent=False
        )

    def features(self, path: str) -> frozenset[str]:
        """Return what the server says it offers there (the header DAV)."""
        answer = self._client.request("OPTIONS", path, accept=_REFUSED)
        return frozenset(one.strip().lower() for one in answer.headers.get("dav", "").split(","))

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes,
        depth: int,
        make: Callable[[], C],
        accept: Collection[int] = (),
    ) -> tuple[Answer, tuple[C, str] | None]:
        """Return the answer and what it holds: None for a status that is no multistatus."""

        def parse(answer: Answer) -> tuple[Answer, tuple[C, str] | None]:
            self.date = answer.headers.get("date", "")
            if not answer.ok or answer.status in accept:
                return answer, None
            try:
                return answer, davxml.read_multistatus(answer.body, make)
            except NotDav as error:
                kind = describe(answer.body, answer.headers.get("content-type", ""))
                raise Unavailable(
                    f"{answer.where} answered {answer.status} with {kind}: {error}",
                    remedy="If it stays so, open the address in a browser: a log-in page or a "
                    "proxy may stand in between.",
                ) from None

        return self._client.read(
            path, parse, method=method, content=body, idempotent=True, accept=accept,
            headers={**_HEADERS, "depth": str(depth)},
        )  # fmt: skip

    def _judge(self, answer: Answer, not_offered: Collection[int]) -> None:
        """Raise what a refused report means; a 403 that names no condition is about rights."""
        if answer.status == 403 and not davxml.error_names(answer.body) - {"need-privileges"}:
            raise Forbidden(
                f"{answer.where} refused the credential (403)",
                remedy=f"Check that this user may read the {self.kind.word}.",
            )
        if answer.status in not_offered:
            raise NotOffered(f"{answer.where} was answered with status {answer.status}")

    def _whole(self, answer: Answer, found: tuple[C, str] | None) -> tuple[C, str]:
        if found is None:
            raise ConfigError(
                f"{answer.where} was answered with status {answer.status}",
                remedy=f"If the {self.kind.word} is gone or renamed, the next sync says which "
                f"{self.kind.words} there are; otherwise check what the user may read.",
            )
        return found
