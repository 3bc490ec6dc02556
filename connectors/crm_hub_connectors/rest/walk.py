"""Records become pages of changes: the checkpoint of a list, and when all of it was seen.

    {"rules": …, "since": newest, "whole_at": …}             between two reads of changes
    {"rules": …, "since": …, "newest": …, "next": place}     in the middle of a read
    {"rules": …, "done": true, "ids": mark}                  a list that is read whole each time
    {"rules": …, "since": …, "done": true, "again": true}    the same span is to be read once more

`since` is the newest time of change seen in the data, never the hub's clock. While a read goes on
it stays, because a list need not be sorted; each read starts a little before it.

A list paged by number slides when a record leaves its place meanwhile, and another is passed over
at a page's edge. So a read of changes over several such pages is done twice before `since` moves;
and a whole list is looked through a second time before anything is called gone, unless its ids are
those of the last time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import orjson

from crm_hub.sdk import Change, Checkpoint, ConfigError, Page, Reject, Window
from crm_hub.sdk.formats.items import MAX_ID, unreadable
from crm_hub_connectors.rest.answers import getter
from crm_hub_connectors.rest.reader import Got, Place, PlaceRefused, Reader
from crm_hub_connectors.rest.settings import ListSettings
from crm_hub_connectors.rest.stamps import read_stamp, write_stamp

_WHOLE_EVERY = timedelta(days=1)
# One record stamped with the year 2099 must not hide every later change.
_AHEAD = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MARKS = 1 << 128


@dataclass(slots=True)
class Progress:
    """How far a list is read. since: the filter of this read, None for the whole list.

    known: an earlier read came to its end, so that this one needs no checkpoints before news come.
    again: this is the second read of a span. ids: the mark of all ids at the last whole read; None
    where there was none, so that nothing can be gone.
    """

    rules: str
    place: Place
    since: datetime | None
    newest: datetime | None
    whole_at: str
    resumed: bool
    known: bool
    again: bool = False
    ids: str | None = ""

    def going_on(self, place: Place) -> Checkpoint | None:
        """Return the checkpoint in the middle of the list."""
        if self.known and self.newest == self.since:
            return None  # nothing newer yet: begun anew it costs little, and writes nothing
        return {
            "rules": self.rules,
            **_stamped("since", self.since),
            **_stamped("newest", self.newest),
            **({"whole_at": self.whole_at} if self.whole_at else {}),
            **({"again": True} if self.again else {}),
            "next": place,
        }

    def doubts(self, mark: str) -> bool:
        """Whether something may seem gone to a whole read that saw the ids of this mark."""
        return self.ids is not None and self.ids != mark

    def once_more(self) -> Checkpoint:
        """Return the checkpoint at the end of the list that asks for the same read again."""
        return {
            "rules": self.rules,
            **_stamped("since", self.since),
            **({"whole_at": self.whole_at} if self.whole_at else {}),
            "done": True,
            "again": True,
        }

    def done(self, filters: bool, whole_at: str) -> Checkpoint:
        """Return the checkpoint at the end of the list."""
        if not filters:
            return {"rules": self.rules, "done": True, **({"ids": self.ids} if self.ids else {})}
        if self.newest is None:
            return {"rules": self.rules, "done": True}
        kept = {"whole_at": whole_at} if whole_at else {}
        return {"rules": self.rules, **_stamped("since", self.newest), **kept}


def _stamped(name: str, moment: datetime | None) -> dict[str, str]:
    return {} if moment is None else {name: moment.isoformat()}


def _number(id: str) -> int:
    """Return a number for an id; the sum of those of a list tells it from others in any order."""
    return int.from_bytes(hashlib.blake2b(id.encode("utf-8", "replace"), digest_size=16).digest())


def rules_of(base_url: str, spec: ListSettings) -> str:
    """Return a short hash of the settings a checkpoint depends on."""
    values = spec.model_dump(exclude={"name", "section", "reconcile", "overlap_s", "until_param"})
    raw = orjson.dumps([base_url, values], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(raw, digest_size=8).hexdigest()


def start_of(
    checkpoint: Checkpoint | None, rules: str, spec: ListSettings, now: datetime
) -> Progress:
    """Return where to begin: anew where the settings changed, where it stopped, or what is new."""
    kept = checkpoint if checkpoint and checkpoint.get("rules") == rules else {}
    ids = None if checkpoint is None else str(kept.get("ids") or "")
    since, newest = _moment(kept.get("since")), _moment(kept.get("newest"))
    whole_at = str(kept.get("whole_at") or "")
    place, again = kept.get("next"), kept.get("again") is True
    if isinstance(place, dict) and place:
        return Progress(rules, place, since, newest, whole_at, True, False, again)
    known = bool(since or kept.get("done"))
    if since is not None and spec.reconcile and _is_due(whole_at, now):
        return Progress(rules, {}, None, since, whole_at, resumed=False, known=False)
    return Progress(rules, {}, since, since, whole_at, False, known, again, ids)


def _moment(text: Any) -> datetime | None:
    return read_stamp(text, UTC) if isinstance(text, str) else None


def _is_due(whole_at: str, now: datetime) -> bool:
    last = _moment(whole_at)
    return last is None or not timedelta(0) <= now - last < _WHOLE_EVERY


class Walk:
    """One list in the hands of one pull."""

    def __init__(
        self, reader: Reader, spec: ListSettings, zone: tzinfo, now: Callable[[], datetime]
    ) -> None:
        self._reader = reader
        self._spec = spec
        self._zone = zone
        self._now = now
        self._id = getter(spec.id)
        self._changed = getter(spec.changed_at) if spec.changed_at else None

    def pages(self, progress: Progress) -> Generator[Page]:
        """Yield the pages of a read; none at all when nothing came and nothing is to be said."""
        try:
            yield from self._read(progress)
        except PlaceRefused:
            if not progress.resumed:
                raise
            # The cursor kept in the checkpoint is too old: the same read starts over.
            progress.place, progress.resumed = {}, False
            yield from self._read(progress)

    def _read(self, progress: Progress) -> Iterator[Page]:
        sweeps = not self._spec.since_param or self._spec.reconcile
        snapshot = progress.since is None and not progress.resumed
        unread, several = False, progress.resumed
        looks, is_over = 0, False
        while not is_over:
            looks, ids = looks + 1, 0
            told = self._reader.pages(progress.place, self._filter(progress), self.records)
            for got, (changes, rejects) in told:
                unread = unread or bool(rejects)
                several = several or (bool(got.records) and bool(got.place))
                ids += sum(_number(change.id) for change in changes)
                self._move(progress, changes)
                if got.next is not None:
                    yield Page(changes, progress.going_on(got.next), rejects=rejects)
                    continue
                whole = snapshot and sweeps and not unread
                mark = f"{ids % _MARKS:032x}"
                if whole and several and self._slides and looks == 1 and progress.doubts(mark):
                    yield Page(changes, None)
                    continue
                is_over = True
                progress.ids = mark if whole else progress.ids
                checkpoint = self._end(progress, snapshot=snapshot, several=several)
                # A page before this one may have left its own checkpoint, which must not stay.
                moved = bool(got.place) or progress.again or not progress.known
                if changes or rejects or whole or moved or progress.newest != progress.since:
                    yield Page(changes, checkpoint, complete=whole, rejects=rejects)

    @property
    def _slides(self) -> bool:
        return self._spec.paging in ("page", "offset")

    def _end(self, progress: Progress, *, snapshot: bool, several: bool) -> Checkpoint:
        """Return the checkpoint after the last page."""
        filters = bool(self._spec.since_param)
        if filters and self._slides and several and not progress.again:
            return progress.once_more()
        now_whole = snapshot and filters and self._spec.reconcile
        return progress.done(filters, self._now().isoformat() if now_whole else progress.whole_at)

    def _filter(self, progress: Progress) -> list[tuple[str, str]]:
        if progress.since is None or not self._spec.since_param:
            return []
        start = progress.since - timedelta(seconds=self._spec.overlap_s)
        return [(self._spec.since_param, write_stamp(start, self._spec.since_format))]

    def _move(self, progress: Progress, changes: list[Change]) -> None:
        limit = self._now() + _AHEAD
        stamps = [c.changed_at for c in changes if c.changed_at and c.changed_at <= limit]
        if self._spec.since_param and stamps:
            newest = max(stamps)
            progress.newest = max(newest, progress.newest or newest)

    def records(self, got: Got) -> tuple[list[Change], list[Reject]]:
        """Return the changes of a page, and what in it is no record or has no id."""
        changes: list[Change] = []
        rejects: list[Reject] = []
        find_id, find_changed, zone = self._id, self._changed, self._zone
        for number, record in enumerate(got.records, 1):
            id = find_id(record)
            if id.__class__ is int:
                id = str(id)
            if id.__class__ is not str or not id or len(id) > MAX_ID or id.isspace():
                rejects.append(self._reject(got.place, number, record))
                continue
            stamp = read_stamp(find_changed(record), zone) if find_changed else None
            changes.append(Change(id, record, stamp))
        return changes, rejects

    def _reject(self, place: Place, number: int, record: Any) -> Reject:
        where = ", ".join(f"{k} {str(v)[:100]}" for k, v in place.items()) or "the first page"
        reason = "the list holds something that is no object"
        if isinstance(record, dict):
            reason = f"the record has no text or number as id at {self._spec.id}"
        raw = orjson.dumps(record, default=str)[:4_000]
        mark = hashlib.blake2b(raw, digest_size=8).hexdigest()
        remedy = "Correct the setting `id`, or the record in the source."
        return unreadable(f"unread:{mark}", f"record {number} of {where}", reason, remedy, raw)

    # a span of time

    def window(self, window: Window) -> Generator[Page]:
        """Yield the records changed in the window, on pages without a checkpoint.

        Raises: ConfigError when the records carry no time of change.
        """
        if self._changed is None:
            raise ConfigError(
                f"{self._spec.stream}: its records carry no time of change, so no span of time"
                " can be read",
                remedy="Set `changed_at`, or run a sync, which reads the whole list.",
            )
        for _, (found, _rejects) in self._reader.pages(
            {}, self._window_filter(window), self.records
        ):
            changes = [c for c in found if _is_inside(c.changed_at, window)]
            if changes:
                yield Page(changes, None)

    def _window_filter(self, window: Window) -> list[tuple[str, str]]:
        spec, params = self._spec, []
        if spec.since_param:
            # A source may mean "after" or "at or after"; a second earlier holds both.
            start = write_stamp(window.since - _SECOND, spec.since_format)
            params.append((spec.since_param, start))
        if spec.until_param:
            until = write_stamp(window.until + _SECOND, spec.since_format, up=True)
            params.append((spec.until_param, until))
        return params


def _is_inside(moment: datetime | None, window: Window) -> bool:
    return moment is not None and window.since <= moment < window.until
