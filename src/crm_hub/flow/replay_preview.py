"""What a replay would change, over all stored records: walked in one transaction, then discarded.

The very walk of `crm-hub replay`, with the mapping and the rules of today; nothing of it stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from crm_hub.flow.batch import REPLAYED, Moment
from crm_hub.flow.hub import Hub
from crm_hub.flow.land import reload
from crm_hub.flow.preview import Line, changes
from crm_hub.flow.replay import BATCH, sections
from crm_hub.flow.walk import walk
from crm_hub.mapping import SectionPlan
from crm_hub.model.ids import public_id
from crm_hub.model.values import to_us
from crm_hub.store import Db, Identities, Landings, Outbox, StreamRow


class Differing(NamedTuple):
    """One identity that a replay would change. fields: field → (now, then)."""

    id: str
    name: str
    kind: str
    fields: dict[str, tuple[Any, Any]]


@dataclass(slots=True)
class ReplayPreview:
    """What a replay would do. counts: identities by what becomes of them, dead letters.

    writes: what would be due to other systems afterwards.
    """

    walked: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    differing: list[Differing] = field(default_factory=list)
    writes: list[Line] = field(default_factory=list)


class _Start(NamedTuple):
    """What the next identity, change and write would have been numbered, or the last write."""

    identity: int
    change: int
    write: int

    @classmethod
    def of(cls, db: Db) -> _Start:
        repo = Identities(db)
        return cls(repo.next_identity(), repo.next_change(), Outbox(db).last())


class _Discarded(Exception):
    """Ends the transaction without a commit."""


def preview_replay(hub: Hub, names: Sequence[str] = ()) -> ReplayPreview:
    """Return what replaying these connections would change. Writes nothing."""
    found = ReplayPreview()
    wanted = hub.names(names)
    plans = {name: sections(hub, name) for name in wanted}
    _ = hub.tools
    with ExitStack() as held:
        for name in wanted:
            held.enter_context(hub.alone(name))
        with suppress(_Discarded), hub.store.write() as db:
            start = _Start.of(db)
            moment = Moment(0, to_us(hub.now()), REPLAYED)
            for name in wanted:
                _walk_all(hub, db, name, plans[name], moment, found)
            _compare(db, start, found)
            raise _Discarded
    return found


def _walk_all(
    hub: Hub,
    db: Db,
    name: str,
    proposed: dict[str, SectionPlan | None],
    moment: Moment,
    found: ReplayPreview,
) -> None:
    repo = Landings(db)
    for stream in repo.streams(name):
        section = proposed.get(stream.name) or hub.plan(name).sections.get(stream.shape)
        if section is None:
            continue
        for numbers in list(repo.record_numbers(stream.id, BATCH)):
            _walk_batch(hub, db, stream, section, numbers, moment, found)


def _walk_batch(
    hub: Hub,
    db: Db,
    stream: StreamRow,
    section: SectionPlan,
    numbers: Sequence[int],
    moment: Moment,
    found: ReplayPreview,
) -> None:
    landed = reload(Landings(db), numbers, is_new=False).get(stream.id, [])
    walked = walk(db, hub.tools, stream, section, landed, moment)
    found.walked += len(landed)
    found.counts["dead"] += walked.counts["dead"]


def _compare(db: Db, start: _Start, found: ReplayPreview) -> None:
    """Read what the walk has logged and planned, while it is there."""
    repo = Identities(db)
    created = [(number, "created", "{}") for number in repo.numbers_from(start.identity)]
    rows = repo.changes_after(start.change) + created
    known = repo.identities({number for number, _, _ in rows})
    merged: dict[int, dict[str, tuple[Any, Any]]] = {}
    kinds: dict[int, str] = {}
    for number, kind, diff in rows:
        fields = merged.setdefault(number, {})
        if kind != "created" or kinds.get(number, "changed") == "changed":
            kinds[number] = kind
        for name, (was, to) in orjson.loads(diff).items():
            fields[name] = (fields[name][0] if name in fields else was, to)
    for number, fields in merged.items():
        real = {n: (was, to) for n, (was, to) in fields.items() if was != to}
        if kinds[number] == "changed" and not real:
            continue
        row = known[number]
        found.counts[kinds[number]] += 1
        shown = public_id(row.entity, number)
        found.differing.append(Differing(shown, row.display_name, kinds[number], real))
    for write in Outbox(db).after(start.write):
        line = Line(
            f"{write.connection}/{write.stream}", write.kind, "", write.doc["name"],
            changes(write.doc, write.kind),
        )  # fmt: skip
        found.writes.append(line)
