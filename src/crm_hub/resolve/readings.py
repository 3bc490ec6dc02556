"""How all records together read what one alone leaves open.

Which of two words is the surname ("Nagy Anna"), whose first name a mailbox spells (Miksu of
mikko.laine@…), which first names are short forms of others, and at which domains anybody can have a
mailbox. Pure; `Readings` is learned from a
set, and read into its profiles or into one that comes later.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from crm_hub.resolve.ladder import slips
from crm_hub.resolve.normal.emails import other_surname
from crm_hub.resolve.normal.organization import domain_label
from crm_hub.resolve.normal.person import person_name
from crm_hub.resolve.normal.text import joined_umlauts
from crm_hub.resolve.normal.words import known_given_names, short_forms
from crm_hub.resolve.profile import Profile, one_of

# How much likelier the other order of a name must be before it is taken.
_TURNED = 12.0
# Names are put right twice: each time the counts are clearer.
_TURNS = 2
# A name is a short form of another when so many surnames show it, and hardly another does.
_SEEN, _ALWAYS, _MOST_HELD = 3, 0.6, 12
# What a list of first names is worth, in records, and a name nobody has.
_KNOWN, _NONE = 3.0, 0.3
# A domain is anybody's when so many records have a mailbox there and so few of those who name a
# firm name the same one; or, with hardly a firm named, when so many have one.
_ENOUGH_FIRMS, _SAME_FIRM = 8, 0.3
_ENOUGH_BOXES, _HARDLY = 60, 0.05


@dataclass(slots=True)
class Readings:
    """given, family: how many records have a name in that place. usual: so many that it is one
    people bear. anybodys: domains without a firm behind them. written: surnames that stand in
    records and not only in their mailboxes. forms: a first name → those it stands
    for, beside the nicknames that ship with the hub."""

    given: Mapping[str, int]
    family: Mapping[str, int]
    usual: int
    anybodys: frozenset[str]
    written: frozenset[str] = frozenset()
    forms: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def read(self, one: Profile) -> None:
        """Read into a profile what its set knows."""
        self.turn(one)
        if one.mails and not one.given and not one.family:
            self._name(one)
        if one.mails and len(one.given) > 1:
            for name in {self._spelled(one, box) for box in one.mails} - {""}:
                one.givens = one_of(one.givens | _meant(name))
            if others := {self._other_family(one, box) for box in one.mails} - {""}:
                one.families = one_of(one.families | others)
        if one.given in self.forms:
            one.givens = one_of(one.givens | self.forms[one.given])
        if not one.domains.isdisjoint(self.anybodys):
            self._without_firm(one)

    def _name(self, one: Profile) -> None:
        """Name a record by a mailbox that spells a first name, or an initial, and a surname.

        Both have to be names that people write: annlee@… and alee@… of Ann Lee.
        """
        for box in sorted(one.mails):
            letters = joined_umlauts("".join(c for c in box.partition("@")[0] if c.isalpha()))
            for cut in (*range(3, len(letters) - 2), 1):
                first, last = letters[:cut], letters[cut:]
                is_first = cut == 1 or self.given.get(first, 0) >= _SEEN
                if is_first and len(last) > 2 and last in self.written:
                    one.given, one.family = first, last
                    one.givens = one_of(_meant(first)) if cut > 1 else frozenset()
                    one.families = one_of(frozenset((last,)))
                    return

    def turn(self, one: Profile) -> None:
        """Put a name right whose surname stands first."""
        if len(one.given) > 1 and len(one.family) > 1 and self._is_turned(one):
            turned = person_name(one.family, one.given)
            parts = one.families - {one.family}
            one.givens = one_of(turned.givens.union(*map(_meant, parts)))
            one.given, one.family, one.families = turned.given, turned.family, turned.families

    def _is_turned(self, one: Profile) -> bool:
        """Tell whether the surname is a first name and the first name a surname."""
        given, family = one.given, one.family
        if not (given in self.family or family in self.given or family in known_given_names()):
            return False  # nobody has them the other way round
        kept = (self._as_given(given) - 1) * (self.family.get(family, 0) - 1 + _NONE)
        turned = self._as_given(family) * (self.family.get(given, 0) + _NONE)
        return turned > _TURNED * max(kept, _NONE * _NONE)

    def _as_given(self, name: str) -> float:
        known = _KNOWN if name in known_given_names() else 0.0
        return self.given.get(name, 0) + known + _NONE

    def _spelled(self, one: Profile, box: str) -> str:
        """Return the first name that a mailbox spells, where the record's is a form of it."""
        letters = joined_umlauts("".join(c for c in box.partition("@")[0] if c.isalpha()))
        for part in sorted(one.families, key=len, reverse=True):
            if part in letters:
                letters = letters.replace(part, "", 1)
                break
        if len(letters) < 3 or letters in one.givens:
            return ""
        if not self._bears(letters) or not self._is_form(one.given, letters):
            return ""
        return letters

    def _other_family(self, one: Profile, box: str) -> str:
        """Return the surname that a mailbox adds, when it is one that people write."""
        found = other_surname(box.partition("@")[0], one.given, one.givens)
        return found if found in self.written and found not in one.families else ""

    def _bears(self, name: str) -> bool:
        return name in known_given_names() or name in self.given

    def _is_form(self, given: str, name: str) -> bool:
        usual = given in known_given_names() or self.given.get(given, 0) >= self.usual
        if usual and slips(given, name) <= 2:
            return False  # Maria and Mario
        if name.startswith(given) or _common(given, name):
            return True
        return not usual and given[0] == name[0]

    def _without_firm(self, one: Profile) -> None:
        gone = one.domains & self.anybodys
        one.domains -= gone
        one.firms -= {domain_label(d) for d in gone} - {one.company.replace(" ", "")}
        if one.mail.partition("@")[2] in gone:
            one.mail_free = True
        if one.mail_stem.partition("@")[2] in gone:
            one.mail_stem = one.mail_number = ""


@lru_cache(65_536)
def _meant(name: str) -> frozenset[str]:
    return short_forms().get(name, frozenset()) | {name}


@lru_cache(65_536)
def _common(a: str, b: str) -> bool:
    """Tell whether two names share three letters in a row: Lenuța and Elena."""
    return any(a[at : at + 3] in b for at in range(len(a) - 2))


def settled(profiles: Sequence[Profile]) -> Readings:
    """Return what a set tells about names and domains, and read it into its profiles."""
    usual = 5 + len(profiles) // 5_000
    anybodys = _anybodys(profiles)
    for _ in range(_TURNS):
        found = Readings(*_counts(profiles), usual, anybodys)
        for one in profiles:
            found.turn(one)
    written = frozenset(p.family for p in profiles if not any(p.family in box for box in p.mails))
    counts = _counts(profiles)
    found = Readings(*counts, usual, anybodys, written, _short_forms(profiles))
    for one in profiles:
        found.read(one)
    return found


def _counts(profiles: Sequence[Profile]) -> tuple[Counter[str], Counter[str]]:
    given = Counter(p.given for p in profiles if p.given and p.family)
    family = Counter(p.family for p in profiles if p.given and p.family)
    return given, family


def _short_forms(profiles: Sequence[Profile]) -> dict[str, frozenset[str]]:
    """Return the short forms that the set itself shows.

    People of one surname who share a mailbox or a number are one, or a household. A short form
    meets one other name again and again; a spouse's name meets many.
    """
    holders: dict[str, list[Profile]] = defaultdict(list)
    for one in profiles:
        if len(one.given) > 1 and one.family:
            for value in (*one.mails, *one.phones, *one.refs):
                if len(held := holders[value]) < _MOST_HELD:
                    held.append(one)
    families: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for held in holders.values():
        for at, a in enumerate(held):
            for b in held[:at]:
                if a.family == b.family and a.given != b.given and a.givens.isdisjoint(b.givens):
                    families[a.given][b.given].add(a.family)
                    families[b.given][a.given].add(a.family)
    found = {}
    for name, others in families.items():
        best, seen = max(others.items(), key=lambda item: (len(item[1]), item[0]))
        total = sum(map(len, others.values()))
        if len(seen) >= _SEEN and len(seen) >= _ALWAYS * total:
            found[name] = _meant(best)
    return found


def _anybodys(profiles: Sequence[Profile]) -> frozenset[str]:
    boxes: Counter[str] = Counter()
    firms: dict[str, Counter[str]] = defaultdict(Counter)
    for one in profiles:
        for domain in one.domains:
            boxes[domain] += 1
            if one.company:
                firms[domain][one.company] += 1
    found = set()
    for domain, count in boxes.items():
        named = firms[domain]
        top = max(named.values(), default=0)
        if named.total() >= _ENOUGH_FIRMS:
            if top < _SAME_FIRM * named.total():
                found.add(domain)
        elif count >= _ENOUGH_BOXES and named.total() < _HARDLY * count:
            found.add(domain)
    return frozenset(found)
