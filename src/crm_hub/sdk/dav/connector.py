"""What the connectors of calendars and of address books do alike: everything but the content.

A stream a collection, because everything a server tells is told of a collection: its sync token,
what was deleted in it, and whether the user may still see it.
Sources: RFC 6578 (sync-collection), RFC 6764 (finding it).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import ClassVar, TypeVar
from urllib.parse import urlsplit

from crm_hub.model.errors import CheckpointExpired, ConfigError
from crm_hub.model.records import Change, Checkpoint, Page, Window
from crm_hub.sdk.contract import (
    Caps,
    CheckReport,
    Connector,
    Context,
    Outcome,
    Ref,
    StreamInfo,
    Write,
)
from crm_hub.sdk.dav.client import Dav, NoDavHere
from crm_hub.sdk.dav.discovery import (
    Account,
    Collection,
    choose,
    find_account,
    find_collections,
    start_path,
)
from crm_hub.sdk.dav.fetching import Fetcher
from crm_hub.sdk.dav.kinds import Kind
from crm_hub.sdk.dav.pushing import Editor, Pusher, name_of
from crm_hub.sdk.dav.reading import Reader
from crm_hub.sdk.dav.settings import DavSettings
from crm_hub.sdk.dav.state import State
from crm_hub.sdk.dav.walk import CollectionWalk
from crm_hub.sdk.http import HttpClient

S = TypeVar("S", bound=DavSettings)


class DavConnector(Connector[S]):
    """Base of the connectors of one kind of collection."""

    kind: ClassVar[Kind]
    shape: ClassVar[str]
    fields: ClassVar[dict[str, str]]
    page_items: ClassVar[int] = 500
    """Resources on one page, at most."""

    def __init__(self, settings: S, context: Context) -> None:
        super().__init__(settings, context)
        self._client: HttpClient | None = None
        self._account: Account | None = None
        self._known: dict[str, Collection] = {}
        self._expired: set[str] = set()
        self._features: dict[str, frozenset[str]] = {}

    # what a kind adds ---------------------------------------------------------------------

    @abstractmethod
    def _reader(self) -> Reader:
        """Return what makes records of resources."""

    @abstractmethod
    def _editor(self, collection: Collection) -> Editor:
        """Return what changes the texts of a collection's resources."""

    @abstractmethod
    def _rules(self) -> str:
        """Return a hash of what else decides how resources are read."""

    @abstractmethod
    def _line(self, collection: Collection) -> str:
        """Return what the admin should know of a collection, in a line."""

    # reading ------------------------------------------------------------------------------

    def check(self) -> CheckReport:
        """Return the principal, the collections, and how each tells what changed."""
        dav = self._dav()
        account = self._account = find_account(dav, start_path(self.settings.url))
        found = choose(find_collections(dav, account), self.settings.wanted, self.kind)
        lines = [self._line(one) for one in found] or [f"There is no {self.kind.word} yet."]
        return CheckReport(
            account=f"{self.settings.username} ({account.principal or account.homes[0]})",
            lines=tuple(lines),
            clock_skew_s=self._skew_s(dav),
        )

    def discover(self) -> list[StreamInfo]:
        """Return a stream for each collection, sorted by name."""
        found = self._collections()
        self._known = {one.name: one for one in found}
        return [self._info(one) for one in found]

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        """Yield the pages of one collection; none at all when nothing changed.

        Raises: CheckpointExpired, ConfigError when the collection is not there any more.
        """
        collection = self._collection(stream.name)
        walk = CollectionWalk(self._dav(), collection, self._reader(), self.page_items)
        rules = self._rules()
        state = State.load(checkpoint, rules)
        if window is not None:
            pages = walk.window(window)
        elif state is None or state.again:
            first = checkpoint is None and stream.name not in self._expired
            pages = walk.whole(rules, None, first=first)
        elif state.after is not None:
            pages = walk.whole(rules, state)
        else:
            pages = walk.changed(state)
        try:
            for page in pages:
                yield page
                if self.context.stopping():
                    return
        except CheckpointExpired:
            self._expired.add(stream.name)
            raise
        if window is None:
            self._expired.discard(stream.name)

    def fetch(self, refs: Sequence[Ref]) -> list[tuple[str, Change]]:
        """Return the present state of records; one without id is looked up by its key."""
        found: list[tuple[str, Change]] = []
        reader = self._reader()
        for stream in dict.fromkeys(ref.stream for ref in refs):
            named = [(self._name(ref), bool(ref.id)) for ref in refs if ref.stream == stream]
            fetcher = Fetcher(self._dav(), self._collection(stream).path)
            resources = fetcher.fetch([name for name, _ in named])
            for (_, by_id), resource in zip(named, resources, strict=True):
                change = reader.read(resource).change
                if change is not None and (by_id or change.payload is not None):
                    found.append((stream, change))
        return found

    def _name(self, ref: Ref) -> str:
        return ref.id or name_of(str(ref.hint.get("external_id", "")), self.kind.suffix)

    # writing ------------------------------------------------------------------------------

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        """Return one outcome for each write, in order."""
        reader = self._reader()
        pushers: dict[str, Pusher] = {}
        outcomes = []
        for one in writes:
            if one.stream not in pushers:
                collection = self._collection(one.stream)
                editor = self._editor(collection)
                pushers[one.stream] = Pusher(self._dav(), collection.path, reader, editor)
            outcomes.append(pushers[one.stream].push(one))
        return outcomes

    def _offers(self, path: str, feature: str) -> bool:
        """Tell whether the server names a feature for a collection; asked once."""
        if path not in self._features:
            self._features[path] = self._dav().features(path)
        return feature in self._features[path]

    def close(self) -> None:
        """Close the connections to the server."""
        if self._client is not None:
            self._client.close()
            self._client = None

    # the account --------------------------------------------------------------------------

    def _info(self, collection: Collection) -> StreamInfo:
        caps = Caps(read="delta", deletes="tombstone")
        if collection.is_writable:
            caps = Caps(
                read="delta", deletes="tombstone", write=frozenset({"upsert", "delete"}),
                guard="etag", idempotency="external_id",
            )  # fmt: skip
        return StreamInfo(
            collection.name, self.shape, caps, self.fields, guess=self._line(collection)
        )

    def _collections(self) -> list[Collection]:
        """Return the collections to read. What is behind the address is found once."""
        dav = self._dav()
        if self._account is not None:
            try:
                found = find_collections(dav, self._account)
                return choose(found, self.settings.wanted, self.kind)
            except NoDavHere:
                self._account = None  # it moved: look for it anew
        self._account = find_account(dav, start_path(self.settings.url))
        return choose(find_collections(dav, self._account), self.settings.wanted, self.kind)

    def _collection(self, name: str) -> Collection:
        if name in self._known:
            return self._known[name]
        found = self._collections()
        for one in found:
            if one.name == name:
                self._known[name] = one
                return one
        names = ", ".join(one.name for one in found) or "none"
        raise ConfigError(
            f"{self.context.connection}: the {self.kind.word} {name} is not there any more",
            remedy=f"There are: {names}. What was read from it is kept.",
        )

    def _dav(self) -> Dav:
        parts = urlsplit(self.settings.url)
        base = f"{parts.scheme}://{parts.netloc}"
        if self._client is None:
            if self.context.http is None:
                raise ConfigError(f"{self.manifest.id} was started without an HTTP client")
            # The admin typed this address, and may mean a server in the own network.
            self._client = self.context.http(
                base,
                auth=(self.settings.username, self.settings.password.get_secret_value()),
                allow_private=[parts.hostname],
            )
        return Dav(self._client, base, self.kind)

    def _skew_s(self, dav: Dav) -> float | None:
        try:
            theirs = parsedate_to_datetime(dav.date)
        except (ValueError, TypeError):
            return None
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
        return (theirs - self.context.now()).total_seconds()

    def _way(self, collection: Collection) -> str:
        """Return how a collection tells what changed, for the admin."""
        token = collection.offers("sync-collection")
        way = "changes by a sync token" if token else "changes by comparing all etags"
        return way if collection.is_writable else f"{way}; read only for this user"

    def _titled(self, collection: Collection) -> str:
        is_plain = collection.title in ("", collection.name)
        return collection.name if is_plain else f"{collection.name} ({collection.title})"
