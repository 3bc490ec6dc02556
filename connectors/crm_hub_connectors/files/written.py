"""What can be written to, behind one face: folders of cards, folders of entries, and a table.

Before: the connector, which asks `opened` for the source of a stream. After: `vdir`, `table_out`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from crm_hub.sdk import (
    Caps,
    Change,
    Checkpoint,
    Context,
    Outcome,
    Page,
    Ref,
    StreamInfo,
    Window,
    Write,
)
from crm_hub_connectors.files.layouts import Layout, cards, entries
from crm_hub_connectors.files.sources import TABLE_OUT, VDIR, VDIRS, Source
from crm_hub_connectors.files.table_out import COLUMNS, TableOut
from crm_hub_connectors.files.vdir import Folder, unavailable

_BATCH = 500
_ITEMS = Caps(
    read="delta", deletes="tombstone", write=frozenset({"upsert", "delete"}), guard="version",
    idempotency="native",
)  # fmt: skip
_ROWS = Caps(
    read="full", deletes="reconcile", write=frozenset({"upsert", "delete"}), guard="version",
    idempotency="native", batch_size=_BATCH,
)  # fmt: skip


class Written(Protocol):
    """A source that is read and written. The errors are those of the connector's methods."""

    def info(self, name: str) -> StreamInfo:
        """Return the stream's description."""

    def pages(self, checkpoint: Checkpoint | None, window: Window | None) -> Iterator[Page]:
        """Yield pages, as `pull` does."""

    def fetch(self, ref: Ref) -> Change | None:
        """Return one record as it is now, None where nothing is known of it."""

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        """Return what became of the writes."""


def opened(source: Source, context: Context, page_items: int) -> Written | None:
    """Return a source that can be written to, None for one that is only read."""
    if source.kind in VDIRS:
        layout = cards() if source.kind == VDIR else entries(context.zone, context.now())
        return _Items(source, layout, context, page_items)
    return _Rows(source, context, page_items) if source.kind == TABLE_OUT else None


class _Items:
    def __init__(self, source: Source, layout: Layout, context: Context, page_items: int) -> None:
        self._source, self._layout, self._context = source, layout, context
        self._folder = Folder(source.path, layout, context.now(), page_items)

    def info(self, name: str) -> StreamInfo:
        return StreamInfo(name, self._layout.shape, _ITEMS, self._layout.fields)

    def pages(self, checkpoint: Checkpoint | None, window: Window | None) -> Iterator[Page]:
        folder = self._folder
        try:
            yield from folder.pages(checkpoint) if window is None else folder.window(window)
        except OSError as error:
            raise unavailable(self._context.connection, self._source.name, error) from error

    def fetch(self, ref: Ref) -> Change | None:
        key = str(ref.hint.get("external_id", ""))
        change = self._folder.change(ref.id or f"{key}{self._layout.suffix}")
        return None if change is None or (change.deleted and not ref.id) else change

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        from crm_hub_connectors.files.vdir_push import Writer

        writer = Writer(self._source.path, self._layout, self._context.connection)
        return [writer.write(one) for one in writes]


class _Rows:
    def __init__(self, source: Source, context: Context, page_items: int) -> None:
        self._table, self._size = TableOut(source.path, context.connection), page_items

    def info(self, name: str) -> StreamInfo:
        return StreamInfo(name, "table_out", _ROWS, dict.fromkeys(COLUMNS, "string"))

    def pages(self, checkpoint: Checkpoint | None, window: Window | None) -> Iterator[Page]:
        # A row has no time of change, so a window holds none.
        return iter(()) if window is not None else self._table.pages(checkpoint, self._size)

    def fetch(self, ref: Ref) -> Change | None:
        id = ref.id or str(ref.hint.get("external_id", ""))
        gone = Change(id, None) if ref.id else None
        return self._table.found([id]).get(id, gone)

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        return self._table.push(writes)
