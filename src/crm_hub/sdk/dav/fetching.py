"""Names of resources and their content: listings, and their texts in batches.

A batch that the server cannot give as one (an entry it stumbles over, XML it breaks, more bytes
than allowed) is asked for entry by entry, so that one bad entry holds up nothing but itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from crm_hub.model.errors import AuthRefused, ConfigError, Unavailable
from crm_hub.sdk.dav import davxml
from crm_hub.sdk.dav.client import Dav
from crm_hub.sdk.dav.davxml import Response
from crm_hub.sdk.dav.hrefs import member
from crm_hub.sdk.dav.kinds import CALENDAR, Kind
from crm_hub.sdk.dav.reading import Found
from crm_hub.sdk.http_answer import describe

MULTIGET = 100
MAX_RESOURCES = 60_000


@dataclass(slots=True)
class Listing:
    """The names in a collection that an answer lists, with their etags.

    gone: names it says are gone. cut: it holds only a part (507). strange: how many hrefs could
    not be placed in the collection. hrefs: as the server writes them, where that differs.
    """

    folder: str
    etags: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    hrefs: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    strange: int = 0
    kind: Kind = CALENDAR

    def take(self, response: Response) -> None:
        name = member(response.href, self.folder)
        if name == "":
            self.cut |= response.status == 507
        elif name is None:
            self.strange += not _is_collection(response)
        elif response.status in (404, 410):
            self.gone.add(name)
            self.etags.pop(name, None)
        elif response.status < 300 and not _is_collection(response):
            self.gone.discard(name)
            self.etags[name] = response.text("getetag")
            if response.href != f"{self.folder}{name}":
                self.hrefs[name] = response.href
        if len(self.etags) > MAX_RESOURCES:
            raise ConfigError(
                f"{self.folder} lists more than {MAX_RESOURCES:,} entries",
                remedy=f"Leave this {self.kind.word} out with the setting `{self.kind.setting}`.",
            )


def _is_collection(response: Response) -> bool:
    kinds = response.properties.get("resourcetype")
    if kinds is not None and any(node.name == "collection" for node in kinds.children):
        return True
    return response.href.endswith("/")


@dataclass(slots=True)
class Contents:
    """The texts of the wanted names in a multiget answer; the first to a name counts."""

    folder: str
    wanted: Collection[str]
    found: dict[str, Found] = field(default_factory=dict)
    kind: Kind = CALENDAR

    def take(self, response: Response) -> None:
        name = member(response.href, self.folder)
        if name is None or name not in self.wanted or name in self.found:
            return
        href, status = f"{self.folder}{name}", response.status
        data = response.properties.get(self.kind.data.partition(":")[2])
        if status in (404, 410):
            self.found[name] = Found(name, href, gone=True)
        elif data is None or status >= 300:
            reason = f"the server gave no {self.kind.thing} for it (status {status or 200})"
            self.found[name] = Found(name, href, reason=reason)
        else:
            self.found[name] = Found(name, href, response.text("getetag"), data.text)


class Fetcher:
    """Fetches resources of one collection. hrefs: how the server spells some of them."""

    def __init__(self, dav: Dav, folder: str) -> None:
        self._dav = dav
        self._folder = folder
        self.hrefs: dict[str, str] = {}

    def fetch(self, names: Sequence[str]) -> Iterator[Found]:
        """Yield each of the named resources, in their order: its content, gone, or a reason."""
        rest = iter(names)
        while batch := list(islice(rest, MULTIGET)):
            yield from self._batch(batch)

    def _batch(self, batch: list[str]) -> list[Found]:
        names, kind = frozenset(batch), self._dav.kind
        asked = [self.hrefs.get(name, f"{self._folder}{name}") for name in batch]
        try:
            contents = self._dav.report(
                self._folder,
                davxml.multiget(asked, kind.report, kind.data),
                lambda: Contents(self._folder, names, kind=kind),
            )
        except AuthRefused:
            raise
        except (Unavailable, ConfigError) as error:
            contents = Contents(self._folder, names, self._one_by_one(batch, error), kind)
        missing = [name for name in batch if name not in contents.found]
        if missing:
            problem = Unavailable(f"{self._folder}: the server gave no entry of a whole batch")
            contents.found |= self._one_by_one(missing, problem)
        return [contents.found[name] for name in batch]

    def _one_by_one(self, names: list[str], error: Exception) -> dict[str, Found]:
        """Return entries that could not be had in a batch. Raises `error` when none can."""
        found: dict[str, Found] = {}
        failed: list[str] = []
        for name in names:
            try:
                found[name] = self._single(name)
            except Unavailable:
                failed.append(name)
                if not found and len(failed) == 2:
                    raise error from None  # it is the server, not an entry
        if not found:
            raise error
        for name in failed:
            try:
                found[name] = self._single(name)
            except Unavailable as problem:
                found[name] = Found(name, f"{self._folder}{name}", reason=problem.message)
        return found

    def _single(self, name: str) -> Found:
        """Return one resource by a GET of its own. Raises: Unavailable, Throttled, AuthRefused."""
        href = f"{self._folder}{name}"
        try:
            answer = self._dav.get(href)
        except AuthRefused:
            raise
        except ConfigError as error:
            return Found(name, href, reason=error.message)
        if answer.missing:
            return Found(name, href, gone=True)
        if not answer.ok:
            return Found(name, href, reason=f"the server answered with status {answer.status}")
        if not all(mark in answer.body for mark in self._dav.kind.mark):
            what = describe(answer.body, answer.headers.get("content-type", ""))
            thing = self._dav.kind.thing
            raise Unavailable(f"{answer.where} answered with {what}, not with a whole {thing}")
        # As in the answer to a REPORT, where lines end as XML has them (XML 1.0, section 2.11).
        text = answer.text.replace("\r\n", "\n").replace("\r", "\n")
        return Found(name, href, answer.headers.get("etag", ""), text)
