"""Which records of one name are worth comparing: a mark says where and for whom, as numbers.

It stands with the keys of a record, so that finding a name finds it too. Cheap by intention: what
a mark misses is not compared, what it lets through is weighed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from crm_hub.model.rules import IdentityRules

CROWD = 20
"""More records of one name than this are compared only where they also agree in place or firm."""


Numbers = tuple[int, int, int]
"""A mark as it is read, sent and compared: place, firm, domain."""


class Mark(NamedTuple):
    """What tells the bearers of one name apart, as numbers; 0 stands for what is not said.

    place: even from a postcode, odd from a town.
    """

    place: int = 0
    firm: int = 0
    domain: int = 0

    def text(self) -> str:
        """Return how it stands with the keys of a record."""
        return f"{MARK}{self.place}.{self.firm}.{self.domain}"


MARK = "m:"
SILENT = Mark()


def mark_of(entity: str, values: Mapping[str, Any], rules: IdentityRules) -> Mark:
    """Return the mark of a person's or an organization's record, SILENT for all others."""
    place = _place(values.get("address"))
    if entity == "person":
        return Mark(place, _firm(values.get("company") or ""), _domain_of(values, rules))
    return Mark(place, 0, _domain_of(values, rules)) if entity == "organization" else SILENT


def read_mark(keys: Sequence[str]) -> Numbers:
    """Return the mark that stands among the keys of a record; SILENT where there is none."""
    for key in reversed(keys):  # it is written last
        if key[:2] == MARK:
            place, firm, domain = key[2:].split(".")
            return int(place), int(firm), int(domain)
    return SILENT


def worth_comparing(a: Numbers, b: Numbers, *, crowded: bool = False) -> bool:
    """Tell whether two of one name agree in place or firm, or say too little to disagree."""
    place, firm, domain = a
    other_place, other_firm, other_domain = b
    places = place and other_place and not (place ^ other_place) & 1
    if places and place == other_place:
        return True
    if firm and firm in (other_firm, other_domain):
        return True
    if domain and domain in (other_firm, other_domain):
        return True
    if crowded or places:
        return False
    return not ((firm or domain) and (other_firm or other_domain))


def _place(addresses: Any) -> int:
    first = addresses[0] if addresses else None
    if not isinstance(first, Mapping):
        return 0
    if code := first.get("postcode"):
        return crc32(str(code).replace(" ", "").lower().encode()) & ~1
    return crc32(str(town).strip().lower().encode()) | 1 if (town := first.get("city")) else 0


def _firm(company: str) -> int:
    """Return a firm's name as one word without its legal form; nothing slower would pay."""
    if not company:
        return 0
    words = company.lower().replace(",", " ").replace(".", "").split()
    while len(words) > 1 and words[-1] in _LEGAL:
        words.pop()
    return crc32("".join(words).encode()) if words else 0


def _domain_of(values: Mapping[str, Any], rules: IdentityRules) -> int:
    """Return the firm that a record's first mailbox or domain names, spelled as its name is."""
    for address in values.get("domain") or values.get("email") or ():
        domain = str(address).rpartition("@")[2].lower()
        if domain in rules.free_domains:
            return 0
        labels = domain.split(".")
        second = labels[-3] if len(labels) > 2 and labels[-2] in _SECOND else labels[-2:][0]
        return crc32(second.replace("-", "").encode())
    return 0


_SECOND = frozenset("co com org net ac gov gob edu or ne".split())
_LEGAL = frozenset(
    "gmbh mbh ag kg kgaa ug ohg gbr ev se inc llc llp lp ltd limited plc corp corporation co sa"
    " company sas sarl sl slu spa srl bv nv ab oy oyj as asa aps kft sro doo lda pty &".split()
)
