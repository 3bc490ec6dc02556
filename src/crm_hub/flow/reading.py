"""What people ask a hub: who is there, what happened with them, why a value is what it is."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from crm_hub.flow.batch import MANY, Tools
from crm_hub.flow.hub import Hub
from crm_hub.flow.tracking import Tracked
from crm_hub.mapping import phone_in_e164
from crm_hub.merge import FieldStory, MergeMember, explain
from crm_hub.merge.golden import load
from crm_hub.model.errors import ConfigError
from crm_hub.model.ids import email_key, parse_public_id, phone_key, public_id
from crm_hub.model.states import FieldStates
from crm_hub.model.values import from_us
from crm_hub.resolve import name_key, person_form
from crm_hub.store import (
    EMPTY_GOLDEN,
    ConflictRow,
    Db,
    Events,
    Held,
    Identities,
    IdentityRow,
    Outbox,
    Position,
    ThreadStore,
    TimelineRow,
)

PARTIES = ("person", "organization")


class Party(NamedTuple):
    """A person or organization as a list shows it."""

    id: str
    entity: str
    name: str
    values: dict[str, Any]
    records: int
    events: int


class Line(NamedTuple):
    """One event of a timeline. cursor: pass it as `before` to read what is older.

    conversation: the id of the conversation it belongs to; `timeline` takes it.
    """

    occurred_at: datetime
    type: str
    subject: str
    snippet: str
    participants: list[str]
    sources: list[str]
    late: bool
    cursor: str
    attributes: dict[str, Any]
    conversation: str | None = None


class Suggestion(NamedTuple):
    """Somebody who may be the same person, and what speaks for it."""

    id: str
    name: str
    evidence: list[str]


@dataclass(frozen=True, slots=True)
class Explained:
    """Why each golden value is what it is. sources: record number → source key.

    conflicts: what lost against it, or is undecided, in a hub that writes.
    """

    id: str
    name: str
    stories: list[FieldStory]
    sources: dict[int, str]
    links: list[tuple[str, str]] = field(default_factory=list)
    conflicts: list[ConflictRow] = field(default_factory=list)


class Ambiguous(ConfigError):
    """More than one person answers to what was asked; `choices` lists them."""

    def __init__(self, who: str, choices: Sequence[tuple[str, str]]) -> None:
        listed = "\n".join(f"  {number}  {name}" for number, name in choices[:20])
        super().__init__(
            f"{len(choices)} answer to that name:\n{listed}",
            remedy="Ask again with one of these ids.",
        )
        self.who = who
        self.choices = list(choices)


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


def find(hub: Hub, db: Db, who: str) -> IdentityRow:
    """Return the identity behind an id, e-mail address, phone number or name.

    Raises: ConfigError when there is none, Ambiguous when there are several.
    """
    repo = Identities(db)
    who = who.strip()
    found = _by_id(repo, who) or _by_key(hub, repo, who) or _by_name(repo, who)
    if not found:
        raise ConfigError(
            "nobody here answers to that", remedy="List who is there: crm-hub people [QUERY]"
        )
    if len(found) > 1:
        raise Ambiguous(who, [(public_id(r.entity, r.id), r.display_name) for r in found])
    return found[0]


def _by_id(repo: Identities, who: str) -> list[IdentityRow]:
    parsed = parse_public_id(who)
    if parsed is None:
        return []
    row = repo.identities([repo.follow(parsed[1])]).values()
    return [r for r in row if r.entity == parsed[0]]


def _by_key(hub: Hub, repo: Identities, who: str) -> list[IdentityRow]:
    keys = [email_key(who)] if "@" in who else [phone_key(n) for n in _phones(hub, who)]
    ids = {row[1] for row in repo.by_keys(keys) if row[2] in PARTIES}
    return sorted(repo.identities(ids).values())


def _phones(hub: Hub, text: str) -> list[str]:
    if sum(c.isdigit() for c in text) < 5:
        return []
    number = phone_in_e164(text, hub.config.company.region)
    return [number] if number else []


def _by_name(repo: Identities, who: str) -> list[IdentityRow]:
    rows = repo.search_name(who, PARTIES, 50)
    exact = [r for r in rows if r.display_name.lower() == who.lower()]
    return exact or rows


def timeline(
    hub: Hub, who: str, limit: int = 50, before: str | None = None
) -> tuple[IdentityRow, list[Line]]:
    """Return whose timeline it is, and its newest `limit` events older than the cursor.

    An id such as V12 asks for a conversation; its row bears the subject of its first message.
    """
    position = _position(before)
    asked = parse_public_id(who.strip())
    with hub.store.read() as db:
        if asked is not None and asked[0] == "conversation":
            return _conversation(db, asked[1], limit, position)
        row = find(hub, db, who)
        rows = Events(db).timeline(row.id, limit, position)
        return row, _lines(db, rows)


def _conversation(
    db: Db, number: int, limit: int, before: Position | None
) -> tuple[IdentityRow, list[Line]]:
    now = ThreadStore(db).conversation(number)
    if now is None:
        raise ConfigError(
            "there is no such conversation",
            remedy="The lines of a timeline name theirs: crm-hub timeline WHO",
        )
    events = Events(db)
    first = _lines(db, events.first_of_conversation(now))
    subject = first[0].subject if first else ""
    row = IdentityRow(now, "conversation", subject, None, EMPTY_GOLDEN, 0)
    return row, _lines(db, events.conversation(now, limit, before))


def _lines(db: Db, rows: Sequence[TimelineRow]) -> list[Line]:
    events = Events(db)
    ids = [r.position.event_id for r in rows]
    names: dict[int, list[str]] = {}
    found = events.participants(ids)
    unnamed = {p.identity_id for p in found if p.identity_id and not p.name}
    known = Identities(db).identities(unnamed)
    for p in found:
        who = known[p.identity_id].display_name if p.identity_id in known else ""
        shown = p.name or who or p.key.rpartition(":")[2]
        names.setdefault(p.event_id, []).append(f"{p.role} {shown}")
    told: dict[int, list[str]] = {}
    for event_id, connection, stream in events.tellers(ids):
        told.setdefault(event_id, []).append(f"{connection}/{stream}")
    talks = ThreadStore(db).conversations_of(ids)
    return [_line(r, names, told, talks.get(r.position.event_id)) for r in rows]


def _line(
    row: TimelineRow,
    names: dict[int, list[str]],
    told: dict[int, list[str]],
    conversation: int | None,
) -> Line:
    draft = orjson.loads(row.draft)
    shown = row.visibility != "metadata"
    number = row.position.event_id
    return Line(
        from_us(row.position.occurred_at_us),
        row.type,
        draft["subject"] if shown else "",
        _snippet(draft) if row.visibility == "full" else "",
        names.get(number, []),
        sorted(set(told.get(number, []))),
        row.late,
        cursor(row.position),
        draft["attributes"] if shown else {},
        None if conversation is None else public_id("conversation", conversation),
    )


def _snippet(draft: dict[str, Any]) -> str:
    """Return the source's own snippet, else the beginning of the body, on one line."""
    found: str = draft["snippet"] or " ".join(draft["body"][:400].split())[:200]
    return found


def cursor(position: Position) -> str:
    """Return a page's end as the text that `--before` takes."""
    raw = orjson.dumps(list(position))
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _position(text: str | None) -> Position | None:
    if text is None:
        return None
    try:
        numbers = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        at, seq, event = numbers
        if not all(isinstance(n, int) and abs(n) < 2**63 for n in numbers):
            raise ValueError
    except (ValueError, TypeError):
        raise ConfigError(
            "that is not a cursor of a timeline",
            remedy="Take the cursor printed at the end of the page before.",
        ) from None
    return Position(at, seq, event)


def explain_fields(hub: Hub, who: str, name: str | None = None) -> Explained:
    """Return why the golden values of `who` are what they are, or one of them."""
    with hub.store.read() as db:
        row = find(hub, db, who)
        repo = Identities(db)
        held = repo.held_by_identity([row.id])
        links = repo.methods(row.id)
        states = Tracked(db).states([h.record_id for h in held]) if hub.tools.two_way else {}
        clashes = Outbox(db).conflicts_of([row.id]) if hub.tools.two_way else []
    members = hub.tools.speaking(
        [as_member(h, hub.tools, states.get(h.record_id, {})) for h in held]
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
        public_id(row.entity, row.id), row.display_name, stories, sources, shown, shown_clashes
    )


def as_member(held: Held, tools: Tools, states: FieldStates) -> MergeMember:
    """Return a stored record as the merge room takes it."""
    systems = tools.systems.get(held.connection, (held.connection,))
    order = f"{held.connection}/{held.stream}#{held.key}"
    values = orjson.loads(held.data)
    return MergeMember(held.record_id, order, systems, held.changed_at_us, values, states)


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
