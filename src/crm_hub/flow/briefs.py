"""What the hub itself says of people in other systems: a brief, and where their timeline is read.

Before: walk, which notes whose timeline or documents changed. After: planning, for which these are
values like others; `refresh` plans those whose brief may say something else by now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from crm_hub.flow.batch import BriefRules, MappedRecord, TwoWay
from crm_hub.flow.figures import DOCUMENTS
from crm_hub.mapping import amount_text
from crm_hub.merge.brief import Touch, brief
from crm_hub.merge.figures import Document, Figures, figures
from crm_hub.merge.golden import load
from crm_hub.model.ids import public_id
from crm_hub.model.values import from_us, to_us
from crm_hub.outbox.drafts import Wanted
from crm_hub.outbox.plan import is_for
from crm_hub.sdk.formats.brief import LINK_MARK
from crm_hub.store import Briefs, Db, Identities, Position, TimelineRow, Timelines
from crm_hub.store.documents import RELATION, Documents

if TYPE_CHECKING:
    from crm_hub.flow.planning import Subject

_PAST, _COMING = 50, 20
"""How many events are looked through for the last touch, and for the next meeting."""
_NOTHING = {name: Wanted(None, None, {}, False) for name in ("brief", "timeline_url")}


class Made(NamedTuple):
    """What the hub makes for one identity. next_us: from when on it may be another text."""

    values: Mapping[str, Wanted]
    next_us: int | None


def made_for(
    db: Db,
    two_way: TwoWay,
    subjects: Sequence[Subject],
    wanted: Mapping[int, Mapping[str, Wanted]],
    now_us: int,
) -> dict[int, Made]:
    """Return what the hub makes for those subjects that a route with briefs is for.

    For the others it is nothing, which takes away what stood there.
    """
    rules = two_way.briefs
    if rules is None:
        return {}
    routes = [r for r in two_way.routes.values() if r.section.makes]
    found = {}
    for subject in subjects:
        want = wanted[subject.identity_id]
        if any(is_for(r, want) and subject.entity in r.section.entities for r in routes):
            found[subject.identity_id] = _made(db, rules, subject, want, now_us)
        else:
            found[subject.identity_id] = Made(_NOTHING, None)
    return found


def _made(
    db: Db, rules: BriefRules, subject: Subject, want: Mapping[str, Wanted], now_us: int
) -> Made:
    number, zone = subject.identity_id, ZoneInfo(rules.zone)
    today = from_us(now_us).astimezone(zone).date()
    timelines = Timelines(db)
    past = timelines.page(number, _PAST, Position(now_us, 2**62, 0))
    coming = timelines.coming(number, now_us, _COMING)
    sums = _figures(db, number, today, rules.zone)
    values = {name: one.value for name, one in want.items() if not one.is_open}
    text = brief(values, _touches(past, zone), _touches(coming, zone), sums, today, amount_text)
    url = rules.timeline_url.replace("{id}", public_id(subject.entity, number))
    made = {"brief": text or None, "timeline_url": url + LINK_MARK if url else None}
    soonest = min((row.occurred_at_us for row in coming), default=None)
    if any(one.open for one in sums.sums):  # something may be overdue tomorrow
        midnight = to_us(datetime.combine(today + timedelta(days=1), time(), zone))
        soonest = midnight if soonest is None else min(soonest, midnight)
    return Made({name: Wanted(one, None, {}, False) for name, one in made.items()}, soonest)


def _touches(rows: Iterable[TimelineRow], zone: ZoneInfo) -> list[Touch]:
    found = []
    for row in rows:
        kind, _late, subject, _snippet, attributes, _sources = orjson.loads(row.shown)
        on = from_us(row.occurred_at_us).astimezone(zone).date()
        found.append(Touch(kind, on, subject, bool(attributes.get("automated"))))
    return found


def _figures(db: Db, number: int, today: date, zone: str) -> Figures:
    rows = Documents(db).of_customer(number, DOCUMENTS)
    return figures([Document(entity, load(text).values) for entity, text in rows], today, zone)


# whose brief may have changed ------------------------------------------------------------------


def note_customers(db: Db, mapped: Sequence[MappedRecord]) -> None:
    """Note whose orders, invoices and payments a batch holds; part of T2."""
    keys: set[str] = set()
    for one in mapped:
        if one.record is not None and one.record.entity in DOCUMENTS:
            keys.update(link.key for link in one.record.links if link.relation == RELATION)
        elif one.node is not None and one.node.entity in DOCUMENTS:
            keys.update(link[2] for link in one.node.references if link[0] == RELATION)
    if keys:
        Briefs(db).touch({row[1] for row in Identities(db).by_keys(keys)})
