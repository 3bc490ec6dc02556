"""Reads one list page by page, the next ones fetched while the hub stores this one.

A place is where a page begins: {} at the beginning, then {"cursor": …}, {"page": n},
{"offset": n} or {"url": …}. It is plain JSON, because it is kept in the checkpoint.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, Generic, TypeVar
from urllib.parse import urljoin, urlsplit

from crm_hub.sdk import CheckpointExpired, ConfigError, Unavailable
from crm_hub.sdk.http import Answer, HttpClient
from crm_hub.sdk.http_urls import parse_url, same_origin
from crm_hub_connectors.rest.answers import document, next_in, next_in_header, records_of
from crm_hub_connectors.rest.settings import ListSettings

Place = dict[str, Any]
Pairs = Sequence[tuple[str, str]]
Read = TypeVar("Read")

# Statuses by which APIs say that a cursor or page is none of theirs (any more).
_NO_SUCH_PAGE = frozenset({400, 404, 410, 416, 422})
_MOST_EMPTY = 1_000
_SMALL = 1 << 20  # bytes; of such pages two may wait
_HUNGRY = 8  # so many pages after the hub had to wait for one
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Got:
    """One page as it came: raw records, the place of the next page, None at the end.

    size: of what was read, in bytes.
    """

    place: Place
    records: list[Any] = field(repr=False)
    next: Place | None
    size: int = 0


class PlaceRefused(ConfigError):
    """The API does not accept the place of a page it once named."""


class Reader:
    """One list of one API. secret: the token, which no place may hold."""

    def __init__(self, http: HttpClient, base_url: str, spec: ListSettings, secret: str) -> None:
        self._http = http
        self._base = base_url
        self._spec = spec
        self._secret = secret

    def first(self, most: int) -> list[Any]:
        """Return the records of the first page, about `most` of them where that can be asked."""
        size = self._spec.size_param
        fixed = [(key, value) for key, value in self._spec.fixed if key != size]
        smaller = [(size, str(min(most, self._spec.page_size)))] if size else []
        return self._fetch({}, [*fixed, *smaller]).records

    def pages(
        self, place: Place, more: Pairs, read: Callable[[Got], Read]
    ) -> Generator[tuple[Got, Read]]:
        """Yield the pages from `place` on, and what `read` makes of each where it is fetched.

        more: parameters beside the fixed ones.

        Raises: ConfigError when pages repeat, CheckpointExpired when a cursor is refused later
            on, PlaceRefused when that happens to the very first place.
        """
        params = [*self._spec.fixed, *more]
        guard = _Guard(self._spec)
        got = self._fetch(place, params)
        guard.check(got)
        if got.next is None:
            yield got, read(got)
            return
        ahead = _Ahead(lambda at: self._read_at(at, params, read), got.next)
        try:
            yield got, read(got)
            while got.next is not None:
                got, found = ahead.take()
                guard.check(got)
                yield got, found
        except PlaceRefused as error:
            raise self._expired(error) from None
        finally:
            ahead.leave()

    def _read_at(
        self, place: Place, params: Pairs, read: Callable[[Got], Read]
    ) -> tuple[Got, Read]:
        got = self._fetch(place, params)
        return got, read(got)

    def _expired(self, error: PlaceRefused) -> Exception:
        if self._spec.paging in ("cursor", "link"):
            return CheckpointExpired(f"{error.message}, which it had just named")
        return ConfigError(
            error.message,
            remedy="Some APIs page only so far: use paging cursor or link, or larger pages.",
        )

    def _fetch(self, place: Place, params: Pairs) -> Got:
        url, query = self._request(place, params)
        accept = _NO_SUCH_PAGE if place else ()
        return self._http.read(url, lambda answer: self._got(answer, place), params=query,
                               accept=accept)  # fmt: skip

    def _request(self, place: Place, params: Pairs) -> tuple[str, Pairs]:
        spec = self._spec
        if "url" in place:
            return str(place["url"]), ()
        if place:
            (value,) = place.values()
            params = [(key, old) for key, old in params if key != spec.place]
            return spec.path, [*params, (spec.place, str(value))]
        if spec.paging == "page":
            return spec.path, [*params, (spec.place, str(spec.first_page))]
        return spec.path, params

    def _got(self, answer: Answer, place: Place) -> Got:
        if place and answer.status in _NO_SUCH_PAGE:
            if self._spec.paging == "page" and answer.missing:
                return Got(place, [], None)  # Django and others: the page after the last one
            raise PlaceRefused(f"{answer.where} does not know the next page ({answer.status})")
        found = document(answer, 1 if self._spec.paging == "none" else 2)
        records = records_of(found, self._spec.records, answer.where)
        following = self._next(answer, found, place, len(records))
        return Got(place, records, following, len(answer.body))

    def _next(self, answer: Answer, found: Any, place: Place, count: int) -> Place | None:
        spec = self._spec
        if spec.paging == "cursor":
            cursor = next_in(found, spec.next, answer.where)
            return {"cursor": self._without_secret(cursor, answer)} if cursor else None
        if spec.paging == "link":
            inside = bool(spec.next)
            link = next_in(found, spec.next, answer.where) if inside else next_in_header(answer)
            return {"url": self._own(link, place, answer)} if link else None
        if spec.paging == "none" or not count:
            return None
        # Asked for 1,000 many an API gives 100, so only an empty page is the end.
        if spec.paging == "page":
            return {"page": int(place.get("page", spec.first_page)) + 1}
        return {"offset": int(place.get("offset", 0)) + count}

    def _own(self, link: str, place: Place, answer: Answer) -> str:
        """Return a link as an absolute URL of the same host; another one would get the token."""
        path = self._spec.path.lstrip("/")
        here = str(place.get("url") or (f"{self._base}/{path}" if path else self._base))
        try:
            target = urljoin(here, link)
            whole = urlsplit(target).scheme in ("http", "https")
        except ValueError:
            whole, target = False, ""
        if not whole or not same_origin(parse_url(self._base), parse_url(target)):
            raise ConfigError(
                f"{answer.where} names a next page on another host, which was not called",
                remedy="If the API moved, correct base_url; behind a proxy, base_url must be the"
                " address that the API itself uses.",
            )
        return self._without_secret(target, answer)

    def _without_secret(self, text: str, answer: Answer) -> str:
        if self._secret and self._secret in text:
            raise ConfigError(
                f"{answer.where} repeats the token in the address of the next page",
                remedy="Use another kind of paging: that address would be kept in the open.",
            )
        return text


class _Ahead(Generic[Read]):
    """The pages from a place on, fetched in a thread: one waits for the hub.

    Two small ones do after it had to wait for a page: it joins those of a fast source.
    """

    def __init__(self, fetch: Callable[[Place], tuple[Got, Read]], place: Place) -> None:
        self._waiting: deque[tuple[Got, Read]] = deque()
        self._failed: BaseException | None = None
        self._is_left = False
        self._hungry = 0
        self._turn = Condition()
        self._thread = Thread(target=self._run, args=(fetch, place), daemon=True)
        self._thread.start()

    def _run(self, fetch: Callable[[Place], tuple[Got, Read]], place: Place | None) -> None:
        try:
            while place is not None and self._may_go_on():
                found = fetch(place)
                place = found[0].next
                with self._turn:
                    self._waiting.append(found)
                    self._turn.notify_all()
                del found  # it needs its room no longer than the hub does
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits for it
            with self._turn:
                self._failed = error
                self._turn.notify_all()

    def _may_go_on(self) -> bool:
        """Wait until there is room for another page; tell whether anybody still wants one."""
        with self._turn:
            self._turn.wait_for(lambda: self._is_left or self._has_room())
            return not self._is_left

    def _has_room(self) -> bool:
        waiting = self._waiting
        return not waiting or (
            self._hungry > 0 and len(waiting) == 1 and waiting[0][0].size <= _SMALL
        )

    def take(self) -> tuple[Got, Read]:
        """Return the next page, or raise what its fetching raised."""
        with self._turn:
            self._hungry = self._hungry - 1 if self._waiting else _HUNGRY
            self._turn.wait_for(lambda: self._waiting or self._failed)
            if not self._waiting and self._failed is not None:
                raise self._failed
            found = self._waiting.popleft()
            self._turn.notify_all()
            return found

    def leave(self) -> None:
        """Wait a moment for the call to end; one that is asleep between retries is left alone."""
        with self._turn:
            self._is_left = True
            self._turn.notify_all()
        self._thread.join(_JOIN_S)


class _Guard:
    """Notices pages that go in a circle, with the memory of two of them (Brent's algorithm)."""

    def __init__(self, spec: ListSettings) -> None:
        self._spec = spec
        self._count, self._renew_at, self._empty = 0, 1, 0
        self._place: Place | None = None
        self._before: Place | None = None
        self._first_and_last: tuple[Any, Any, int] | None = None

    def check(self, got: Got) -> None:
        """Raise ConfigError for a place or a page seen before, Unavailable for endless nothing."""
        page = (got.records[0], got.records[-1], len(got.records)) if got.records else None
        if self._count and got.place in (self._before, self._place):
            raise self._circle("a next page that was read already", "next")
        if page is not None and page == self._first_and_last:
            raise self._circle("the same page again under another number or cursor", "page_param")
        self._empty = 0 if page else self._empty + 1
        if self._empty > _MOST_EMPTY:
            raise Unavailable(
                f"{self._spec.stream}: {_MOST_EMPTY:,} pages without a record came in a row",
                remedy="If it stays so, check the settings `paging` and `next`.",
            )
        self._count, self._before = self._count + 1, got.place
        if self._count == self._renew_at:
            self._place, self._first_and_last = got.place, page
            self._renew_at *= 2

    def _circle(self, what: str, setting: str) -> ConfigError:
        return ConfigError(
            f"{self._spec.stream}: the API gave {what}; reading stopped after "
            f"{self._count} pages, what was read is kept",
            remedy=f"Check the setting `{setting}` ({self._spec.place or 'the link'} may be"
            " ignored by the API), and `paging`.",
        )
