"""The pages of one collection: a first read, what changed since, or a span of time.

first read   all names in order, in batches; the last page says that it was everything
changes      sync-collection (RFC 6578), or without it the ctag and a list of all etags
new day      series that go on are read again: they have occurrences that they had not
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from crm_hub.model.errors import CheckpointExpired, Unavailable
from crm_hub.model.records import Change, Page, Reject, Window
from crm_hub.sdk.dav.client import Dav, NotOffered
from crm_hub.sdk.dav.discovery import Collection
from crm_hub.sdk.dav.fetching import Fetcher, Listing
from crm_hub.sdk.dav.reading import Read, Reader
from crm_hub.sdk.dav.state import MAX_ETAGS, MAX_SERIES, State, etag_mark

_LISTED = ("D:getetag", "D:resourcetype")
_MOST_PARTS = 10_000


class CollectionWalk:
    """One pull of one collection, with pages of `page_items` resources."""

    def __init__(self, dav: Dav, collection: Collection, reader: Reader, page_items: int) -> None:
        self._dav = dav
        self._collection = collection
        self._reader = reader
        self._page_items = page_items
        self._fetcher = Fetcher(dav, collection.path)

    # a first read -------------------------------------------------------------------------

    def whole(self, rules: str, resumed: State | None, *, first: bool = False) -> Iterator[Page]:
        """Yield everything, in the order of names; go on after `resumed` where it stopped.

        The token is that of the first listing, so what changes meanwhile comes in the next pull.
        first: it may go on in the middle later. A later whole read may not, for it must see
        all in one go to find what is gone.
        """
        listing, token, by_token = self._everything()
        state = resumed or State(rules, self._reader.day, token, by_token)
        names = sorted(listing.etags)
        self._fetcher.hrefs = listing.hrefs
        etags = None if state.by_token or len(names) > MAX_ETAGS else dict(listing.etags)
        strange, count = listing.strange, len(names)
        del listing
        if resumed is not None and resumed.after is not None:
            names = names[_place(names, resumed.after) :]
        held = _Held()
        for batch, reads in self._pages(names):
            if held:
                moved = state.dump() if first or resumed else None
                yield Page(held.changes, moved, rejects=held.rejects)
            held = self._sorted_in(batch, reads, state)
            # What is not there is found by its absence.
            held.changes = [one for one in held.changes if one.payload is not None]
            state.after = batch[-1]
        final = replace(state, after=None, again=resumed is not None)
        if etags is not None:
            final.etags = {name: etag_mark(etag) for name, etag in etags.items() if etag}
        complete = resumed is None and not strange
        yield Page(held.changes, final.dump(), complete, held.rejects, count)

    def _everything(self) -> tuple[Listing, str, bool]:
        """Return all names, with the sync token, or without sync-collection with the ctag."""
        if self._collection.offers("sync-collection"):
            try:
                return (*self._all_parts(), True)
            except NotOffered:
                pass
        ctag = self._ctag()
        return self._list(), ctag, False

    def _all_parts(self) -> tuple[Listing, str]:
        listing, token = self._listing(), ""
        for part, after in self._parts(""):
            token = after
            listing.etags |= part.etags
            listing.hrefs |= part.hrefs
            listing.strange += part.strange
            for name in part.gone:
                listing.etags.pop(name, None)
        return listing, token

    def _parts(self, token: str) -> Iterator[tuple[Listing, str]]:
        """Yield (names, token after them) of a sync report until it is whole (RFC 6578 3.6)."""
        for _ in range(_MOST_PARTS):
            part, after = self._dav.changes(self._collection.path, token, self._listing)
            yield part, after
            if not part.cut:
                return
            if after == token:
                break
            token = after
        raise Unavailable(f"{self._collection.path}: the server's list of changes never ends")

    def _listing(self) -> Listing:
        return Listing(self._collection.path, kind=self._dav.kind)

    def _list(self) -> Listing:
        return self._dav.list(self._collection.path, _LISTED, self._listing)

    def _ctag(self) -> str:
        _, found = self._dav.find(self._collection.path, ("S:getctag",))
        return found[0].text("getctag") if found else ""

    # what changed -------------------------------------------------------------------------

    def changed(self, state: State) -> Iterator[Page]:
        """Yield what changed since `state`, and on a new day the series that go on.

        Raises: CheckpointExpired.
        """
        due = self._due(state)
        if state.by_token:
            yield from self._by_token(state, due)
        else:
            yield from self._by_list(state, due)

    def _due(self, state: State) -> set[str]:
        if state.day == self._reader.day:
            return set()
        if state.series is None:
            raise CheckpointExpired(
                f"{self._collection.name}: more than {MAX_SERIES:,} series go on, so that it is "
                "read in full once a day"
            )
        return set(state.series)

    def _by_token(self, state: State, due: set[str]) -> Iterator[Page]:
        try:
            for part, token in self._parts(state.token):
                is_last = not part.cut
                moved = replace(state, token=token)
                wanted = set(part.etags)
                if is_last:
                    moved.day = self._reader.day
                    wanted |= due - part.gone
                if wanted or part.gone or token != state.token:
                    yield from self._delta(wanted, part, moved)
                state = moved
        except NotOffered as error:
            raise CheckpointExpired(f"{error.message}: no more changes by token") from None

    def _by_list(self, state: State, due: set[str]) -> Iterator[Page]:
        """Compare the etags of all resources with those of the last look, if the ctag moved."""
        ctag = self._ctag()
        moved = replace(state, token=ctag, day=self._reader.day)
        if ctag and ctag == state.token:
            if due:
                yield from self._delta(due, self._listing(), moved)
            return
        if state.etags is None:
            raise CheckpointExpired(f"{self._collection.name}: too many entries to compare")
        listing = self._list()
        marks = {name: etag_mark(etag) if etag else "" for name, etag in listing.etags.items()}
        if not listing.strange:
            listing.gone = state.etags.keys() - marks.keys()
        wanted = {name for name, mark in marks.items() if not mark or state.etags.get(name) != mark}
        wanted |= due - listing.gone
        moved.etags = marks if len(marks) <= MAX_ETAGS else None
        if wanted or listing.gone or ctag != state.token:
            yield from self._delta(wanted, listing, moved)

    def _delta(self, wanted: set[str], listing: Listing, moved: State) -> Iterator[Page]:
        """Yield the wanted resources, then what is gone; the last page moves the checkpoint."""
        self._fetcher.hrefs = listing.hrefs
        held = _Held()
        for batch, reads in self._pages(sorted(wanted)):
            if held:
                yield Page(held.changes, None, rejects=held.rejects)
            held = self._sorted_in(batch, reads, moved)
        for name in listing.gone:
            moved.note_series(name, goes_on=False)
        gone = [Change(name, None) for name in sorted(listing.gone)]
        yield Page([*held.changes, *gone], moved.dump(), rejects=held.rejects)

    # a span of time -----------------------------------------------------------------------

    def window(self, window: Window) -> Iterator[Page]:
        """Yield the resources that lie in the span, on pages without checkpoint."""
        told = self._reader.within(self._dav, self._collection, window)
        names = set(self._list().etags) if told is None else told
        for _, reads in self._pages(sorted(names)):
            taken = [r for r in reads if told is not None or self._reader.lies_in(r, window)]
            changes = [r.change for r in taken if r.change is not None and r.change.payload]
            yield Page(changes, None, rejects=[one for r in taken for one in r.rejects])

    # pages --------------------------------------------------------------------------------

    def _pages(self, names: Sequence[str]) -> Iterator[tuple[list[str], list[Read]]]:
        for start in range(0, len(names), self._page_items):
            batch = list(names[start : start + self._page_items])
            yield batch, [self._reader.read(found) for found in self._fetcher.fetch(batch)]

    def _sorted_in(self, batch: list[str], reads: Sequence[Read], state: State) -> _Held:
        for name, read in zip(batch, reads, strict=True):
            state.note_series(name, read.goes_on)
        changes = [read.change for read in reads if read.change is not None]
        return _Held(changes, [reject for read in reads for reject in read.rejects])


@dataclass(slots=True)
class _Held:
    """What the next page will hold: it is given once it is known not to be the last."""

    changes: list[Change] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.changes or self.rejects)


def _place(names: Sequence[str], after: str) -> int:
    return next((n for n, name in enumerate(names) if name > after), len(names))
