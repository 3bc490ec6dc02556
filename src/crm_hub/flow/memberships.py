"""Who works where, as people ask it: what records refer to, and whose mailboxes are at which firm.

A mailbox at a firm's own domain makes its holder one of the firm, from the first to the last event
it took part in: whoever changes employer writes from another domain. Mailboxes at providers that
anybody can have, and those of a role (info@), say nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crm_hub.flow.batch import Tools
from crm_hub.flow.signed import SignedAt, signed_at, signers
from crm_hub.merge.golden import load
from crm_hub.model.ids import domain_key, public_id
from crm_hub.model.rules import IdentityRules
from crm_hub.model.values import from_us
from crm_hub.resolve import EmailKind, email_kind
from crm_hub.resolve.normal.organization import firm_name
from crm_hub.store import Db, Held, Identities, IdentityRow, Memberships, Told
from crm_hub.store.match_keys import split
from crm_hub.store.memberships import Span

MOST_PEOPLE = 200


class Membership(NamedTuple):
    """Somebody's place at a firm, as seen from the other of the two (id, name).

    how: the source keys of records that refer to the firm, `mail at DOMAIN`, and `signature of a
    mail on DAY`, the last of them. first_seen_us, last_seen_us: the first and last event at that
    domain or mail so signed, in UTC, None where there is none. from_us, to_us: since when and until
    when, where records say so, or a later signature names another firm. primary: of what holds now,
    what was last seen; what records say goes before what nobody has seen.
    """

    id: str
    name: str
    title: str
    how: list[str]
    first_seen_us: int | None = None
    last_seen_us: int | None = None
    from_us: int | None = None
    to_us: int | None = None
    primary: bool = False


class Clock(NamedTuple):
    """now_us: what is over by now. zone: whose days signatures are told by."""

    now_us: int
    zone: str


def memberships(db: Db, tools: Tools, row: IdentityRow, clock: Clock) -> list[Membership]:
    """Return where a person works, or who works at an organization, the last seen first."""
    if row.entity == "person":
        found = _of_person(db, tools.rules, row, clock)
    elif row.entity == "organization":
        found = _of_firm(db, tools.rules, row, clock)
    else:
        return []
    return sorted(found, key=lambda m: (not m.primary, -(m.last_seen_us or 0), m.name, m.id))


def _of_person(db: Db, rules: IdentityRules, row: IdentityRow, clock: Clock) -> list[Membership]:
    repo, store = Identities(db), Memberships(db)
    held = repo.held_by_identity([row.id])
    told = {one.organization_id: one for one in store.of_people([row.id])}
    titles = {firm: one.title for firm, one in told.items()}
    how = _told_by(repo, held, titles)
    boxes = _boxes(held, rules)
    values = load(row.golden).values
    firm_at = _firms_at(repo, boxes, str(values.get("company") or ""))
    for domain, firm in firm_at.items():
        how[firm].append(f"mail at {domain}")
    spans: dict[int, list[Span]] = defaultdict(list)
    seen = store.seen(box for domain in firm_at for box in boxes[domain])
    for domain, firm in firm_at.items():
        spans[firm] += [seen[box] for box in boxes[domain] if box in seen]
    signed = signed_at(db, rules, row, held)
    ends = {firm: one.to_us for firm, one in told.items()} | _ends(signed, told, spans)
    for firm, one in signed.items():
        how[firm].append(f"signature of a mail on {_day(one.last_us, clock.zone)}")
        spans[firm].append((one.first_us, one.last_us))
        titles[firm] = titles.get(firm) or one.title
    alone = str(values.get("title") or "") if len(how) == 1 else ""
    rows = repo.identities(how)
    found = [
        Membership(
            public_id("organization", firm), rows[firm].display_name,
            titles.get(firm) or alone, sorted(said), *_whole(spans[firm]),
            told[firm].from_us if firm in told else None, ends.get(firm),
        )
        for firm, said in how.items()
    ]  # fmt: skip
    now = max((one for one in found if _holds(one, clock.now_us)), key=_seen_last, default=None)
    return [one._replace(primary=one is now) for one in found]


def _holds(one: Membership, now_us: int) -> bool:
    begun = one.from_us is None or one.from_us <= now_us
    return begun and (one.to_us is None or one.to_us > now_us)


def _seen_last(one: Membership) -> tuple[int, bool, int, int]:
    by_record = any("#" in said for said in one.how)
    return one.last_seen_us or 0, by_record, one.from_us or 0, -int(one.id[1:])


def _ends(
    signed: Mapping[int, SignedAt], told: Mapping[int, Told], spans: Mapping[int, list[Span]]
) -> dict[int, int]:
    """Return when memberships ended because another firm is signed for since.

    What a record says goes on, and so does where mail at the firm's domain came later.
    """
    ends = {}
    for firm, one in signed.items():
        last_us = max((last for _, last in spans.get(firm, ())), default=0)
        if one.to_us is not None and firm not in told and last_us < one.to_us:
            ends[firm] = one.to_us
    return ends


def _day(at_us: int, zone: str) -> str:
    return f"{from_us(at_us).astimezone(ZoneInfo(zone)):%Y-%m-%d}"


def _of_firm(db: Db, rules: IdentityRules, row: IdentityRow, clock: Clock) -> list[Membership]:
    repo, store = Identities(db), Memberships(db)
    held = repo.held_by_identity([row.id])
    keys = {k for h in held for k in split(h.keys) if k[:2] == "d:"}
    domains = {key[2:] for key in keys} - rules.free_domains
    people = {one.person_id for one in store.of_firms([row.id])}
    people.update(store.seen_at(map(domain_key, domains)))
    people.update(store.with_mailbox_at(sorted(domains), MOST_PEOPLE))
    people.update(signers(db, rules, held, MOST_PEOPLE))
    here = public_id("organization", row.id)
    found = []
    for number, person in sorted(repo.identities(people).items())[:MOST_PEOPLE]:
        mine = (m for m in _of_person(db, rules, person, clock) if m.id == here)
        found += [
            m._replace(id=public_id("person", number), name=person.display_name) for m in mine
        ]
    return found


def _told_by(repo: Identities, held: Sequence[Held], firms: Iterable[int]) -> dict[int, list[str]]:
    """Return the firms that a person's records refer to, with the source keys of the records."""
    found: dict[int, list[str]] = defaultdict(list)
    known = set(firms)
    source = {h.record_id: f"{h.connection}/{h.stream}#{h.key}" for h in held}
    referring: dict[str, list[str]] = defaultdict(list)
    for one in repo.references_of(source):
        if one.entity == "organization":
            referring[one.key].append(source[one.record_id])
    for key, firm, _entity, _name in repo.by_keys(referring):
        if firm in known:
            found[firm] += referring[key]
    return found


def _boxes(held: Sequence[Held], rules: IdentityRules) -> dict[str, list[str]]:
    """Return the keys of personal mailboxes by domain, those of providers left out."""
    found: dict[str, list[str]] = defaultdict(list)
    keys = {k for h in held for k in split(h.keys) if k[:2] == "e:"}
    for key in sorted(keys):
        domain = key.rpartition("@")[2]
        personal = email_kind(key[2:], rules) is EmailKind.PERSONAL
        if personal and domain and domain not in rules.free_domains:
            found[domain].append(key)
    return found


def _firms_at(repo: Identities, domains: Iterable[str], company: str) -> dict[str, int]:
    """Return the firm behind each domain; of several (branches) the one the company field names."""
    holders: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for key, number, entity, name in repo.by_keys(map(domain_key, domains)):
        if entity == "organization":
            holders[key[2:]].append((number, name))
    found = {}
    for domain, firms in holders.items():
        if len(firms) > 1:
            firms = [one for one in firms if company and _is_named(one[1], company)]
        if len(firms) == 1:
            found[domain] = firms[0][0]
    return found


def _is_named(firm: str, company: str) -> bool:
    return firm_name(firm).base == firm_name(company).base


def _whole(spans: Sequence[Span]) -> tuple[int | None, int | None]:
    if not spans:
        return None, None
    return min(first for first, _ in spans), max(last for _, last in spans)
