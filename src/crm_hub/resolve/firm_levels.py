"""How two records of organizations are compared; the same form as levels.py.

A firm's name is `company`; `families` holds its words, `domains` its own internet domains, `refs`
its VAT and registry ids.
"""

from __future__ import annotations

from crm_hub.resolve.ladder import (
    Comparison,
    equal_level,
    likeness,
    named_level,
    null_level,
    other_level,
    shared_level,
    slips,
)
from crm_hub.resolve.profile import Profile


def _slip(a: Profile, b: Profile) -> bool:
    x, y = a.company, b.company
    return len(x) >= 6 and len(y) >= 6 and slips(x, y) <= 1


def _contains(a: Profile, b: Profile) -> bool:
    x, y = a.company, b.company
    return min(len(x), len(y)) >= 4 and (f"{x} ".startswith(f"{y} ") or f"{y} ".startswith(f"{x} "))


ORGANIZATION = (
    Comparison(
        "name",
        ("company",),
        (
            null_level("company"),
            equal_level("same name", "company"),
            shared_level("same name in one word", "firms"),
            named_level(
                "name with a slip",
                "length(company_l) >= 6 AND length(company_r) >= 6 "
                "AND damerau_levenshtein(company_l, company_r) <= 1",
                _slip,
            ),
            named_level(
                "one name begins the other",
                "length(company_l) >= 4 AND length(company_r) >= 4 "
                "AND (starts_with(company_l || ' ', company_r || ' ') "
                "OR starts_with(company_r || ' ', company_l || ' '))",
                _contains,
                "length(company_l) >= 4 AND length(company_r) >= 4 "
                "AND (startswith(company_l || ' ', company_r || ' ') "
                "OR startswith(company_r || ' ', company_l || ' '))",
            ),
            named_level(
                "name spelled alike",
                "jaro_winkler_similarity(company_l, company_r) >= 0.93",
                lambda a, b: likeness(a.company, b.company) >= 0.93,
            ),
            shared_level("a word of the name", "families"),
            other_level("other name"),
        ),
    ),
    Comparison(
        "domain",
        ("domains",),
        (
            null_level("domains"),
            shared_level("same domain", "domains"),
            other_level("other domain"),
        ),
    ),
    Comparison(
        "number in a register",
        ("refs",),
        (null_level("refs"), shared_level("same number", "refs"), other_level("other number")),
    ),
    Comparison(
        "phone",
        ("phones",),
        (null_level("phones"), shared_level("same phone", "phones"), other_level("other phone")),
    ),
    Comparison(
        "e-mail",
        ("lines",),
        (null_level("lines"), shared_level("same mailbox", "lines"), other_level("other mailbox")),
    ),
    Comparison(
        "address",
        ("address", "postcode", "city"),
        (
            null_level("address", "postcode", "city"),
            equal_level("same address", "address"),
            equal_level("same house number and postcode", "spot"),
            equal_level("same postcode", "postcode"),
            equal_level("same town", "city"),
            other_level("other town"),
        ),
    ),
    Comparison(
        "country",
        ("country",),
        (
            null_level("country"),
            equal_level("same country", "country")._replace(tf=""),
            other_level("other country"),
        ),
    ),
)
