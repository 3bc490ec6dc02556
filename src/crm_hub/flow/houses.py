"""Which firm belongs to which: the parent that a firm's records name, and those that name it.

Asked when somebody asks, so that a parent that comes later, merges and their undoing need nothing
further. A reference by id goes before a name; of several firms of one name none is the parent,
unless a domain, a VAT id or the country tells which.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from crm_hub.merge.golden import load
from crm_hub.model.ids import bounded, public_id
from crm_hub.resolve import organization_form
from crm_hub.resolve.normal.values import country_code
from crm_hub.store import Db, Held, Identities, IdentityRow
from crm_hub.store.match_keys import split

RELATION = "parent"
MOST_BRANCHES = 200


class Relative(NamedTuple):
    """A parent or branch of a firm. how: the source keys of the records that say so."""

    id: str
    name: str
    how: list[str]


class House(NamedTuple):
    """What belongs to a firm. parent: None where none is certain. branches: by name."""

    parent: Relative | None
    branches: list[Relative]


NO_HOUSE = House(None, [])


def house(db: Db, row: IdentityRow) -> House:
    """Return the parent and the branches of an organization; nothing for anybody else."""
    if row.entity != "organization":
        return NO_HOUSE
    repo = Identities(db)
    held = repo.held_by_identity([row.id])
    found = _parent(repo, row, held)
    parent = None if found is None else _relative(found[0], found[1])
    branches = []
    for child in _who_may_be_branches(repo, row, held):
        theirs = _parent(repo, child, repo.held_by_identity([child.id]))
        if theirs is not None and theirs[0].id == row.id:
            branches.append(_relative(child, theirs[1]))
    return House(parent, sorted(branches, key=lambda one: (one.name, one.id)))


def _relative(row: IdentityRow, how: Iterable[str]) -> Relative:
    return Relative(public_id(row.entity, row.id), row.display_name, sorted(how))


def _parent(
    repo: Identities, row: IdentityRow, held: Sequence[Held]
) -> tuple[IdentityRow, list[str]] | None:
    """Return the parent of a firm and which records name it."""
    source = {h.record_id: f"{h.connection}/{h.stream}#{h.key}" for h in held}
    told = [one for one in repo.references_of(source) if one.relation == RELATION]
    by_key = {one.key: source[one.record_id] for one in told}
    found = {number for _, number, entity, _ in repo.by_keys(by_key) if entity == row.entity}
    found.discard(row.id)
    if found:
        firms = repo.identities(found)
        return (firms[found.pop()], list(by_key.values())) if len(found) == 1 else None
    said = load(row.golden).values.get(RELATION)
    if not said:
        return None
    whole = _whole(said)
    bearers = repo.by_keys([bounded(f"n:o {whole}")])
    firms = repo.identities({n for _, n, entity, _ in bearers if entity == row.entity} - {row.id})
    chosen = _told_apart(row, list(firms.values()))
    how = [source[h.record_id] for h in held if _names(h, whole)]
    return None if chosen is None else (chosen, how)


def _whole(name: Any) -> str:
    return organization_form({"display_name": str(name)}).whole


def _names(held: Held, whole: str) -> bool:
    return _whole(orjson.loads(held.data).get(RELATION, "")) == whole


def _told_apart(row: IdentityRow, firms: list[IdentityRow]) -> IdentityRow | None:
    """Return the one firm of a name that is meant: the only one, or the one that agrees in more."""
    mine = load(row.golden).values
    for told in (_vat, _domains, _countries):
        if len(firms) < 2:
            break
        here = told(mine)
        near = [one for one in firms if not here.isdisjoint(told(load(one.golden).values))]
        firms = near or firms
    return firms[0] if len(firms) == 1 else None


def _vat(values: dict[str, Any]) -> set[str]:
    return {str(values["vat_id"]).replace(" ", "").upper()} if values.get("vat_id") else set()


def _domains(values: dict[str, Any]) -> set[str]:
    return {str(domain) for domain in values.get("domain", ())}


def _countries(values: dict[str, Any]) -> set[str]:
    found = (country_code(str(a.get("country") or "")) for a in values.get("address", ()))
    return {code for code in found if code}


def _who_may_be_branches(
    repo: Identities, row: IdentityRow, held: Sequence[Held]
) -> list[IdentityRow]:
    keys = {key for one in held for key in split(one.keys)}
    referring = repo.referring(key for key in keys if key[:2] == "s:")
    numbers = {identity for identity, _ in repo.links_of(referring).values()}
    wholes = {key[4:] for key in keys if key[:4] == "n:o "}
    rows = list(repo.identities(numbers - {row.id}).values())
    rows += [
        one
        for one in repo.with_value("organization", RELATION)
        if one.id not in numbers and _whole(load(one.golden).values.get(RELATION, "")) in wholes
    ]
    firms = [r for r in rows if r.entity == "organization" and r.redirect_to is None]
    return sorted(firms)[:MOST_BRANCHES]
