"""The ordinary customers: enough of them that the scripted ones have to be found."""

from __future__ import annotations

from . import names
from .world import Firm, Person, pick, plain

COUNT = 172
# Which exports hold the n-th customer; most are known to two tools or three.
_SYSTEMS = ("HPE", "HE", "H", "HP", "HPE", "PE", "HP", "HE", "HP", "P")


def _firm(index: int) -> Firm:
    name, domain = names.FIRMS[index]
    city, region, postcode = pick(names.PLACES, "place", domain)
    street = f"{20 + index * 13} {pick(names.STREETS, 'street', domain)}"
    return Firm(domain.partition(".")[0], name, domain, street, city, region, postcode)


def _phone(index: int) -> str:
    areas = names.AREA_CODES
    # 0140–0199 belong to the scripted people; 718-555-0100 to 0103 are Clearwater's own lines.
    return f"+1{areas[index % len(areas)]}55501{4 + index // len(areas):02d}"


def _person(index: int) -> Person:
    given = names.GIVEN[index % len(names.GIVEN)]
    family = names.FAMILY[(index * 7 + index // len(names.GIVEN)) % len(names.FAMILY)]
    local = f"{plain(given)}.{plain(family)}"
    common = (f"{plain(given)}-{plain(family)}", given, family)
    systems = _SYSTEMS[index % len(_SYSTEMS)]
    if index % 5 < 2:
        firm = _firm(index // 3 % len(names.FIRMS))
        title = pick(names.TITLES, "title", index)
        return Person(*common, f"{local}@{firm.domain}", _phone(index), systems, firm.street,
                      firm.city, firm.region, firm.postcode, firm, title)  # fmt: skip
    city, region, postcode = pick(names.PLACES, "home", index)
    street = f"{7 + index * 3} {pick(names.STREETS, 'home', index)}"
    domain = pick(names.PRIVATE_DOMAINS, "domain", index)
    return Person(*common, f"{local}@{domain}", _phone(index), systems, street, city, region,
                  postcode)  # fmt: skip


FILLER: tuple[Person, ...] = tuple(_person(index) for index in range(COUNT))
