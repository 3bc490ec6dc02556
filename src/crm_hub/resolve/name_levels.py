"""How two people's first and last names are compared, and when first names are of two people.

A part of levels.py, which says what a level is.
"""

from __future__ import annotations

from functools import lru_cache

from crm_hub.resolve.ladder import (
    CACHED,
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

_SWAPPED = named_level(
    "names swapped",
    "given_l = family_r AND family_l = given_r AND NOT (family_is_given_l AND family_is_given_r)",
    "a.given == b.family != '' and a.family == b.given != '' "
    "and not (a.family_is_given and b.family_is_given)",
)


_SWAPPED_SLIP = named_level(
    "names swapped, with a slip",
    "length(given_l) >= 4 AND length(given_r) >= 4 AND length(family_l) >= 4 "
    "AND length(family_r) >= 4 AND damerau_levenshtein(given_l, family_r) <= 1 "
    "AND damerau_levenshtein(family_l, given_r) <= 1 "
    "AND NOT (family_is_given_l AND family_is_given_r)",
    lambda a, b: (
        min(map(len, (a.given, b.given, a.family, b.family))) >= 4
        and slips(a.given, b.family) <= 1
        and slips(a.family, b.given) <= 1
        and not (a.family_is_given and b.family_is_given)
    ),
)


_HALF_SWAPPED = named_level(
    "first name in place of the last name",
    "(given_l = family_r AND NOT family_is_given_r) "
    "OR (given_r = family_l AND NOT family_is_given_l)",
    "a.given == b.family != '' and not b.family_is_given "
    "or b.given == a.family != '' and not a.family_is_given",
)


def _ends_alike(a: str, b: str) -> bool:
    """Tell whether two names end alike or with two letters exchanged: Maria and Mario do not."""
    return a[-1] == b[-1] or a[-2:] == b[:-3:-1]


@lru_cache(CACHED)
def other_given(given_a: str, family_a: str, given_b: str, family_b: str, common: int) -> bool:
    """Tell whether two first names are of two people. common: how many of them are usual names.

    Two usual names are no slip of each other; a slip of a usual one may end otherwise, while two
    rare ones that end otherwise may be a man's and a woman's.
    """
    if (family_a and given_a == family_b) or (family_b and given_b == family_a):
        return False
    short, long = (given_a, given_b) if len(given_a) <= len(given_b) else (given_b, given_a)
    if long.startswith(short) and (
        len(short) == 1 or (len(short) > 2 and len(long) > len(short) + 1)
    ):
        return False
    if common == 2 or len(short) < 3 or (common == 0 and not _ends_alike(given_a, given_b)):
        return True
    return slips(given_a, given_b) > (2 if len(short) > 5 and given_a[0] == given_b[0] else 1)


def _given_slip(a: Profile, b: Profile) -> bool:
    x, y = a.given, b.given
    return (
        (a.common_given != b.common_given or _ends_alike(x, y))
        and not (a.common_given and b.common_given)
        and len(x) >= 3
        and len(y) >= 3
        and slips(x, y) <= 1
    )


def _given_begins(a: Profile, b: Profile) -> bool:
    x, y = (a.given, b.given) if len(a.given) > len(b.given) else (b.given, a.given)
    return len(y) >= 3 and len(x) >= len(y) + 2 and x.startswith(y)


def _given_close(a: Profile, b: Profile) -> bool:
    x, y = a.given, b.given
    if a.common_given and b.common_given:
        return False
    return len(x) >= 5 and len(y) >= 5 and x[0] == y[0] and likeness(x, y) >= 0.88


FIRST_NAME = Comparison(
    "first name",
    ("given",),
    (
        null_level("given"),
        equal_level("same first name", "given_land"),
        equal_level("same first name, other land", "given")._replace(tf="given_land"),
        _SWAPPED,
        _SWAPPED_SLIP,
        named_level(
            "first name with a slip",
            "(common_given_l <> common_given_r OR right(given_l, 1) = right(given_r, 1) "
            "OR right(given_l, 2) = reverse(right(given_r, 2))) "
            "AND NOT (common_given_l AND common_given_r) "
            "AND length(given_l) >= 3 AND length(given_r) >= 3 "
            "AND damerau_levenshtein(given_l, given_r) <= 1",
            _given_slip,
        )._replace(tf="given_land"),
        shared_level("short form of the first name", "givens")._replace(tf="given_land"),
        named_level(
            "initial of the first name",
            "(length(given_l) = 1 OR length(given_r) = 1) AND left(given_l, 1) = left(given_r, 1)",
            "(len(a.given) == 1 or len(b.given) == 1) and a.given[0] == b.given[0]",
        ),
        named_level(
            "beginning of the first name",
            "length(given_l) >= 3 AND length(given_r) >= 3 "
            "AND abs(length(given_l) - length(given_r)) >= 2 "
            "AND (starts_with(given_l, given_r) OR starts_with(given_r, given_l))",
            _given_begins,
            "length(given_l) >= 3 AND length(given_r) >= 3 "
            "AND abs(length(given_l) - length(given_r)) >= 2 "
            "AND (startswith(given_l, given_r) OR startswith(given_r, given_l))",
        ),
        named_level(
            "first name spelled alike",
            "NOT (common_given_l AND common_given_r) AND length(given_l) >= 5 "
            "AND length(given_r) >= 5 AND left(given_l, 1) = left(given_r, 1) "
            "AND jaro_winkler_similarity(given_l, given_r) >= 0.88",
            _given_close,
        )._replace(tf="given_land"),
        _HALF_SWAPPED,
        other_level("other first name"),
    ),
)


def _family_slip(a: Profile, b: Profile) -> bool:
    x, y = a.family, b.family
    return (
        not (a.common_family and b.common_family)
        and len(x) >= 4
        and len(y) >= 4
        and slips(x, y) <= 1
    )


LAST_NAME = Comparison(
    "last name",
    ("family",),
    (
        null_level("family"),
        equal_level("same last name", "family_land"),
        equal_level("same last name, other land", "family")._replace(tf="family_land"),
        _SWAPPED,
        _SWAPPED_SLIP,
        named_level(
            "last name with a slip",
            "NOT (common_family_l AND common_family_r) AND length(family_l) >= 4 "
            "AND length(family_r) >= 4 AND damerau_levenshtein(family_l, family_r) <= 1",
            _family_slip,
        ),
        named_level(
            "one of two last names",
            "list_contains(families_l, family_r) OR list_contains(families_r, family_l)",
            "a.family in b.families or b.family in a.families",
            "array_contains(families_l, family_r) OR array_contains(families_r, family_l)",
        )._replace(tf="family_land"),
        shared_level("part of the last name", "families"),
        named_level(
            "initial of the last name",
            "(length(family_l) = 1 OR length(family_r) = 1) "
            "AND left(family_l, 1) = left(family_r, 1)",
            "(len(a.family) == 1 or len(b.family) == 1) and a.family[0] == b.family[0]",
        ),
        named_level(
            "last name spelled alike",
            "jaro_winkler_similarity(family_l, family_r) >= 0.9",
            lambda a, b: likeness(a.family, b.family) >= 0.9,
        ),
        other_level("other last name"),
    ),
)
