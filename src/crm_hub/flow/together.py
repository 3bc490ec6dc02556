"""Pages that come fast are taken together: what a page costs beside its records is paid once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from crm_hub.model.errors import HubError
from crm_hub.model.records import Page

ENOUGH, ENOUGH_FOR_SERVER = 1_000, 2_000
"""So many changes are not joined by more. A server is asked some twenty questions for a page, each
with its way there and back."""
_FAST_S = 0.2


def together(pages: Iterable[Page], is_long: Callable[[], bool], enough: int) -> Iterator[Page]:
    """Yield pages, two or more as one where the source is fast and `is_long()`, of `enough` changes
    at most.

    A page with deletes, or one that ends a snapshot, stays by itself. Whatever ends the pages, a
    page that came before it is yielded first.
    """
    source = iter(pages)
    held: Page | None = None
    while True:
        began_s = time.monotonic()
        try:
            page = next(source, None)
        except HubError:
            if held is not None:
                yield held
            raise
        if page is None:
            break
        is_fast = time.monotonic() - began_s < _FAST_S
        if held is not None and _fits(page) and len(held.changes) + len(page.changes) <= enough:
            held = _joined(held, page)
        else:
            if held is not None:
                yield held
            held = page
        if not (is_fast and _fits(held) and len(held.changes) < enough and is_long()):
            yield held
            held = None
    if held is not None:
        yield held


def _fits(page: Page) -> bool:
    plain = not page.complete and not page.by_rule and page.source_count is None
    return plain and not any(one.deleted for one in page.changes)


def _joined(one: Page, other: Page) -> Page:
    checkpoint = one.checkpoint if other.checkpoint is None else other.checkpoint
    changes = [*one.changes, *other.changes]
    rejects, notes = one.rejects + other.rejects, one.notes + other.notes
    return replace(one, changes=changes, checkpoint=checkpoint, rejects=rejects, notes=notes)
