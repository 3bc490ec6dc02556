"""What people ask a hub: who is there, what happened with them, why a value is what it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crm_hub.flow.batch import MANY
from crm_hub.flow.finding import PARTIES, Ambiguous, find
from crm_hub.flow.houses import NO_HOUSE, House, house
from crm_hub.flow.hub import Hub
from crm_hub.flow.members import held_member
from crm_hub.flow.memberships import Clock, Membership, memberships
from crm_hub.flow.timelines import Line, timeline
from crm_hub.flow.tracking import Tracked
from crm_hub.merge import FieldStory, explain
from crm_hub.merge.golden import load
from crm_hub.model.errors import ConfigError
from crm_hub.model.ids import public_id
from crm_hub.model.values import to_us
from crm_hub.resolve import name_key, person_form
from crm_hub.store import ConflictRow, Events, Identities, Outbox

__all__ = [
    "Ambiguous",
    "Explained",
    "Line",
    "Party",
    "Suggestion",
    "explain_fields",
    "find",
    "people",
    "suggestions",
    "timeline",
]


class Party(NamedTuple):
    """A person or organization as a list shows it."""

    id: str
    entity: str
    name: str
    values: dict[str, Any]
    records: int
    events: int


class Suggestion(NamedTuple):
    """Somebody who may be the same person, and what speaks for it."""

    id: str
    name: str
    evidence: list[str]


@dataclass(frozen=True, slots=True)
class Explained:
    """Why each golden value is what it is. sources: record number → source key.

    conflicts: what lost against it, or is undecided, in a hub that writes. memberships: where a
    person works, or who works at an organization. house: a firm's parent and branches. Both are not
    asked for a single value.
    """

    id: str
    name: str
    stories: list[FieldStory]
    sources: dict[int, str]
    links: list[tuple[str, str]] = field(default_factory=list)
    conflicts: list[ConflictRow] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    house: House = NO_HOUSE


def people(hub: Hub, query: str = "", limit: int = 50) -> list[Party]:
    """Return people and organizations that match, by name; all when `query` is empty."""
    with hub.store.read() as db:
        repo, events = Identities(db), Events(db)
        rows = repo.search(query.strip(), PARTIES, limit)
        records: dict[int, int] = {}
        for _, identity in repo.records_of([r.id for r in rows]):
            records[identity] = records.get(identity, 0) + 1
        return [
            Party(
                public_id(r.entity, r.id), r.entity, r.display_name, load(r.golden).values,
                records.get(r.id, 0), events.count_of(r.id),
            )
            for r in rows
        ]  # fmt: skip


def explain_fields(hub: Hub, who: str, name: str | None = None) -> Explained:
    """Return why the golden values of `who` are what they are, or one of them."""
    clock = Clock(to_us(hub.now()), hub.config.company.zone)
    with hub.store.read() as db:
        row = find(hub, db, who)
        repo = Identities(db)
        held = repo.held_by_identity([row.id])
        links = repo.methods(row.id)
        states = Tracked(db).states([h.record_id for h in held]) if hub.tools.two_way else {}
        clashes = Outbox(db).conflicts_of([row.id]) if hub.tools.two_way else []
        works = memberships(db, hub.tools, row, clock) if name is None else []
        related = house(db, row) if name is None else NO_HOUSE
    members = hub.tools.speaking(
        [held_member(h, hub.tools, states.get(h.record_id, {})) for h in held]
    )
    rules = hub.tools.survivorship.get(row.entity, {})
    stories = explain(members, rules, MANY[row.entity]) if members else []
    if name is not None:
        stories = [s for s in stories if s.field == name]
        if not stories:
            raise ConfigError(
                f"{public_id(row.entity, row.id)} has no value for {name}",
                remedy=f"Fields with values: {', '.join(sorted(load(row.golden).values))}.",
            )
    sources = {h.record_id: f"{h.connection}/{h.stream}#{h.key}" for h in held}
    shown = [(sources[r], method) for r, method in links if r in sources]
    shown_clashes = [c for c in clashes if name in (None, c.field)]
    return Explained(
        public_id(row.entity, row.id), row.display_name, stories, sources, shown, shown_clashes,
        works, related,
    )  # fmt: skip


def suggestions(hub: Hub, identity_id: int, limit: int = 5) -> list[Suggestion]:
    """Return who may be the same person: the same whole name, and what else agrees.

    Nothing is merged by this; the keys that join are exact ones.
    """
    with hub.store.read() as db:
        repo = Identities(db)
        row = repo.identities([identity_id]).get(identity_id)
        if row is None or row.entity != "person":
            return []
        records = [r for r, _ in repo.records_of([identity_id])]
        keys = {k for k, _ in repo.keys_of(records) if k[:2] == "n:"}
        form = person_form(load(row.golden).values)
        if form.given and form.family:
            keys.add(name_key(form))
        ids = {r[1] for r in repo.by_keys(keys) if r[2] == "person"} - {identity_id}
        others = sorted(repo.identities(ids).values())[:limit]
    mine = load(row.golden).values
    return [
        Suggestion(
            public_id(o.entity, o.id), o.display_name, _evidence(mine, load(o.golden).values)
        )
        for o in others
    ]


def _evidence(mine: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    found = ["same name"]
    if _same_text(mine.get("company"), theirs.get("company")):
        found.append("same company")
    cities = [
        {a.get("city", "").lower() for a in v.get("address", [])} - {""} for v in (mine, theirs)
    ]
    if cities[0] & cities[1]:
        found.append("same city")
    return found


def _same_text(a: Any, b: Any) -> bool:
    return bool(a) and bool(b) and str(a).casefold() == str(b).casefold()
