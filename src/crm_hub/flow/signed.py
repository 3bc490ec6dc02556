"""Which known firm somebody's signatures name, and from when to when.

Asked when somebody asks, so that firms that come later, merges and their undoing need nothing
further. What is not certain (two firms of that name, another firm at the mailbox's domain) is left
out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from crm_hub.model.ids import bounded, domain_key
from crm_hub.model.rules import IdentityRules
from crm_hub.resolve import names_agree
from crm_hub.resolve.signature import Signed
from crm_hub.store import Db, Held, Identities, IdentityRow, Signatures, SignedRow
from crm_hub.store.match_keys import split


class SignedAt(NamedTuple):
    """What somebody's signatures tell of one firm.

    title: the last one given, "" where none is. first_us, last_us: the first and last mail that
    names the firm. to_us: the first mail after these that names another one, None without any.
    """

    title: str
    first_us: int
    last_us: int
    to_us: int | None


def signed_at(
    db: Db, rules: IdentityRules, person: IdentityRow, held: Sequence[Held]
) -> dict[int, SignedAt]:
    """Return the firms that the signatures of a person name."""
    store = Signatures(db)
    if not store.any():
        return {}
    boxes = {key for one in held for key in split(one.keys) if key[:2] == "e:"}
    rows = [
        row
        for row in store.of_mailboxes(boxes)
        if row.person_id == person.id and names_agree(row.name, person.display_name)
    ]
    return _ended(_by_firm(Identities(db), rules, rows)) if rows else {}


def signers(db: Db, rules: IdentityRules, held: Sequence[Held], limit: int) -> list[int]:
    """Return people whose signatures may name a firm with these records."""
    store = Signatures(db)
    if not store.any():
        return []
    keys = {key for one in held for key in split(one.keys)}
    words = {key[4:] for key in keys if key[:4] == "n:o "}
    words |= {key[2:] for key in keys if key[:2] == "d:"} - rules.free_domains
    return store.senders_naming(sorted(words), limit)


def _by_firm(
    repo: Identities, rules: IdentityRules, rows: Sequence[SignedRow]
) -> dict[int, list[tuple[SignedRow, str]]]:
    told = [Signed(*orjson.loads(row.told)) for row in rows]
    named = _Firms(repo, rules, told, [row.key.rpartition("@")[2] for row in rows])
    found: dict[int, list[tuple[SignedRow, str]]] = defaultdict(list)
    for row, one in zip(rows, told, strict=True):
        firm = named.firm(one, row.key.rpartition("@")[2])
        if firm is not None:
            found[firm].append((row, one.title))
    return found


def _ended(found: Mapping[int, list[tuple[SignedRow, str]]]) -> dict[int, SignedAt]:
    spans = {
        firm: (min(row.first_us for row, _ in told), max(row.last_us for row, _ in told))
        for firm, told in found.items()
    }
    out = {}
    for firm, told in found.items():
        first_us, last_us = spans[firm]
        later = [start for other, (start, _) in spans.items() if other != firm and start > last_us]
        titled = [(row.last_us, title) for row, title in told if title]
        out[firm] = SignedAt(max(titled)[1] if titled else "", first_us, last_us,
                             min(later, default=None))  # fmt: skip
    return out


class _Firms:
    """The known firms that some signatures may name: by their names, and by their domains."""

    def __init__(
        self, repo: Identities, rules: IdentityRules, told: Iterable[Signed], domains: Iterable[str]
    ) -> None:
        sites = {site for one in told for site in one.sites} | set(domains)
        keys = {domain_key(site) for site in sites - rules.free_domains}
        keys |= {_name_key(name) for one in told for name in one.firms}
        self._holders: dict[str, set[int]] = defaultdict(set)
        for key, number, entity, _name in repo.by_keys(keys):
            if entity == "organization":
                self._holders[key].add(number)

    def firm(self, told: Signed, domain: str) -> int | None:
        """Return the one firm that a signature below a mail from `domain` names.

        Its name counts, where two firms bear it the one at a domain given; else the site alone,
        unless the mailbox is at another firm's domain.
        """
        here = self._at([domain])
        near = self._at(told.sites) | here
        named: set[int] = set()
        for name in told.firms:
            bearers = self._holders.get(_name_key(name), set())
            if len(bearers) > 1 or name in told.vague:
                bearers = bearers & near
            named |= bearers
        if len(named) > 1:
            named &= near
        if not named and (not here or self._at(told.sites) <= here):
            named = self._at(told.sites)
        return named.pop() if len(named) == 1 else None

    def _at(self, domains: Iterable[str]) -> set[int]:
        return set().union(*(self._holders.get(domain_key(one), set()) for one in domains))


def _name_key(name: str) -> str:
    return bounded(f"n:o {name}")
