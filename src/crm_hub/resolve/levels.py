"""How two people's records are compared: each level once, as name, DuckDB SQL, Spark SQL, Python.

A comparison is a list of levels; the first that holds counts. Its weight comes from the model
(weights.py). The SQL speaks of the columns of a Profile, where an empty value is NULL and a set is
a list; the Python says the same of two Profiles, and a test compares both on random pairs.

Places a person is found at (home, firm, line, town) make one comparison and not five: they come
from the same row of the same system, and would count one fact several times.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from crm_hub.resolve.profile import Profile

Test = Callable[[Profile, Profile], bool]
_CACHED = 262_144


class Level(NamedTuple):
    """One degree of likeness. tf: the column whose rarer values weigh more (an exact match)."""

    name: str
    duckdb: str
    spark: str
    test: Test
    tf: str = ""


class Comparison(NamedTuple):
    """name: also what a waterfall calls it. columns: what a person is shown of it."""

    name: str
    columns: tuple[str, ...]
    levels: tuple[Level, ...]


@lru_cache(_CACHED)
def slips(a: str, b: str) -> int:
    """Return how many single typing mistakes lie between two texts; 3 stands for more."""
    if abs(len(a) - len(b)) > 2:
        return 3
    return min(3, int(DamerauLevenshtein.distance(a, b, score_cutoff=2)))


@lru_cache(_CACHED)
def likeness(a: str, b: str) -> float:
    """Return the Jaro-Winkler similarity, from 0 to 1."""
    return float(JaroWinkler.similarity(a, b))


@lru_cache(_CACHED)
def other_given(given_a: str, family_a: str, given_b: str, family_b: str, common: int) -> bool:
    """Tell whether two first names are of two people. common: how many of them are usual names.

    Two usual names are no slip of each other; a slip of a usual one may end otherwise, while two
    rare ones that end otherwise may be a man's and a woman's.
    """
    if (family_a and given_a == family_b) or (family_b and given_b == family_a):
        return False
    short, long = (given_a, given_b) if len(given_a) <= len(given_b) else (given_b, given_a)
    if long.startswith(short) and (len(short) == 1 or (len(short) > 2 and len(long) > len(short) + 1)):
        return False
    if common == 2 or len(short) < 4 or (common == 0 and not _ends_alike(given_a, given_b)):
        return True
    return slips(given_a, given_b) > (2 if len(short) > 5 and given_a[0] == given_b[0] else 1)


def _null(*columns: str) -> Level:
    """Return the level of records of which one is silent: in every one of the columns."""
    parts = [f"({c}_l IS NULL OR {c}_r IS NULL)" for c in columns]
    sql = " AND ".join(parts)

    def test(a: Profile, b: Profile) -> bool:
        return not any(getattr(a, c) and getattr(b, c) for c in columns)

    if len(columns) == 1:
        (only,) = columns

        def test_one(a: Profile, b: Profile) -> bool:
            return not getattr(a, only) or not getattr(b, only)

        return Level("nothing to compare", sql, sql, test_one)
    return Level("nothing to compare", sql, sql, test)


def _equal(name: str, column: str) -> Level:
    sql = f"{column}_l = {column}_r"

    def test(a: Profile, b: Profile) -> bool:
        value = getattr(a, column)
        return value != "" and value == getattr(b, column)

    return Level(name, sql, sql, test, tf=column)


def _shared(name: str, column: str) -> Level:
    def test(a: Profile, b: Profile) -> bool:
        return not getattr(a, column).isdisjoint(getattr(b, column))

    return Level(
        name, f"list_has_any({column}_l, {column}_r)", f"arrays_overlap({column}_l, {column}_r)", test
    )


def _else(name: str) -> Level:
    return Level(name, "ELSE", "ELSE", lambda _a, _b: True)


def _level(name: str, duckdb: str, test: Test, spark: str = "") -> Level:
    spark = spark or duckdb.replace("jaro_winkler_similarity", "jaro_winkler")
    return Level(name, duckdb, spark, test)


_SWAPPED = _level(
    "names swapped",
    "given_l = family_r AND family_l = given_r AND NOT (family_is_given_l AND family_is_given_r)",
    lambda a, b: (
        a.given == b.family != ""
        and a.family == b.given != ""
        and not (a.family_is_given and b.family_is_given)
    ),
)


_SWAPPED_SLIP = _level(
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


def _half_swapped(a: Profile, b: Profile) -> bool:
    return (a.given == b.family != "" and not b.family_is_given) or (
        b.given == a.family != "" and not a.family_is_given
    )


_HALF_SWAPPED = _level(
    "first name in place of the last name",
    "(given_l = family_r AND NOT family_is_given_r) OR (given_r = family_l AND NOT family_is_given_l)",
    _half_swapped,
)


def _ends_alike(a: str, b: str) -> bool:
    """Tell whether two names end alike or with two letters exchanged: Maria and Mario do not."""
    return a[-1] == b[-1] or a[-2:] == b[:-3:-1]


def _given_slip(a: Profile, b: Profile) -> bool:
    x, y = a.given, b.given
    return (
        (a.common_given != b.common_given or _ends_alike(x, y))
        and not (a.common_given and b.common_given)
        and len(x) >= 4
        and len(y) >= 4
        and slips(x, y) <= 1
    )


def _given_begins(a: Profile, b: Profile) -> bool:
    x, y = (a.given, b.given) if len(a.given) > len(b.given) else (b.given, a.given)
    return len(y) >= 3 and len(x) >= len(y) + 2 and x.startswith(y)


def _given_initial(a: Profile, b: Profile) -> bool:
    return (len(a.given) == 1 or len(b.given) == 1) and a.given[0] == b.given[0]


def _given_close(a: Profile, b: Profile) -> bool:
    x, y = a.given, b.given
    if a.common_given and b.common_given:
        return False
    return len(x) >= 5 and len(y) >= 5 and x[0] == y[0] and likeness(x, y) >= 0.88


FIRST_NAME = Comparison(
    "first name",
    ("given",),
    (
        _null("given"),
        _equal("same first name", "given"),
        _SWAPPED,
        _SWAPPED_SLIP,
        _level(
            "first name with a slip",
            "(common_given_l <> common_given_r OR right(given_l, 1) = right(given_r, 1) "
            "OR right(given_l, 2) = reverse(right(given_r, 2))) AND NOT (common_given_l AND common_given_r) "
            "AND length(given_l) >= 4 AND length(given_r) >= 4 "
            "AND damerau_levenshtein(given_l, given_r) <= 1",
            _given_slip,
        ),
        _shared("short form of the first name", "givens"),
        _level(
            "initial of the first name",
            "(length(given_l) = 1 OR length(given_r) = 1) AND left(given_l, 1) = left(given_r, 1)",
            _given_initial,
        ),
        _level(
            "beginning of the first name",
            "length(given_l) >= 3 AND length(given_r) >= 3 "
            "AND abs(length(given_l) - length(given_r)) >= 2 "
            "AND (starts_with(given_l, given_r) OR starts_with(given_r, given_l))",
            _given_begins,
            "length(given_l) >= 3 AND length(given_r) >= 3 "
            "AND abs(length(given_l) - length(given_r)) >= 2 "
            "AND (startswith(given_l, given_r) OR startswith(given_r, given_l))",
        ),
        _level(
            "first name spelled alike",
            "NOT (common_given_l AND common_given_r) AND length(given_l) >= 5 "
            "AND length(given_r) >= 5 AND left(given_l, 1) = left(given_r, 1) "
            "AND jaro_winkler_similarity(given_l, given_r) >= 0.88",
            _given_close,
        ),
        _HALF_SWAPPED,
        _else("other first name"),
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


def _family_initial(a: Profile, b: Profile) -> bool:
    return (len(a.family) == 1 or len(b.family) == 1) and a.family[0] == b.family[0]


LAST_NAME = Comparison(
    "last name",
    ("family",),
    (
        _null("family"),
        _equal("same last name", "family"),
        _SWAPPED,
        _SWAPPED_SLIP,
        _level(
            "last name with a slip",
            "NOT (common_family_l AND common_family_r) AND length(family_l) >= 4 "
            "AND length(family_r) >= 4 AND damerau_levenshtein(family_l, family_r) <= 1",
            _family_slip,
        ),
        _shared("part of the last name", "families"),
        _level(
            "initial of the last name",
            "(length(family_l) = 1 OR length(family_r) = 1) "
            "AND left(family_l, 1) = left(family_r, 1)",
            _family_initial,
        ),
        _level(
            "last name spelled alike",
            "jaro_winkler_similarity(family_l, family_r) >= 0.9",
            lambda a, b: likeness(a.family, b.family) >= 0.9,
        ),
        _else("other last name"),
    ),
)


def _mail_slip(a: Profile, b: Profile) -> bool:
    return (
        a.mail_digits == b.mail_digits
        and len(a.mail) >= 12
        and len(b.mail) >= 12
        and slips(a.mail, b.mail) <= 1
    )


MAIL = Comparison(
    "e-mail",
    ("mails",),
    (
        _null("mails"),
        _shared("same mailbox", "mails"),
        _level(
            "mailbox with a slip",
            "mail_digits_l = mail_digits_r AND length(mail_l) >= 12 AND length(mail_r) >= 12 "
            "AND damerau_levenshtein(mail_l, mail_r) <= 1",
            _mail_slip,
        ),
        _equal("same local part, not a name", "mail_own"),
        _shared("other mailbox of the same firm", "domains"),
        _else("other mailbox"),
    ),
)

PHONE = Comparison(
    "phone",
    ("phones",),
    (_null("phones"), _shared("same number", "phones"), _else("other number")),
)

PLACE = Comparison(
    "firm or address",
    ("company", "address", "postcode", "city"),
    (
        _null("address", "postcode", "city", "firms", "lines"),
        _equal("same address", "address"),
        _equal("same company", "company"),
        _shared("same firm by domain", "firms"),
        _shared("same shared line or mailbox", "lines"),
        _equal("same house number and postcode", "spot"),
        _equal("same postcode", "postcode"),
        _level(
            "company spelled alike",
            "length(company_l) >= 6 AND length(company_r) >= 6 "
            "AND jaro_winkler_similarity(company_l, company_r) >= 0.94",
            lambda a, b: (
                len(a.company) >= 6
                and len(b.company) >= 6
                and likeness(a.company, b.company) >= 0.94
            ),
        ),
        _equal("same town", "city"),
        _else("elsewhere"),
    ),
)


def _birth_near(a: Profile, b: Profile) -> bool:
    return a.birth_swapped == b.birth or slips(a.birth, b.birth) <= 1


BIRTH = Comparison(
    "birth date",
    ("birth",),
    (
        _null("birth"),
        _equal("same birth date", "birth")._replace(tf=""),
        _level(
            "birth date with a slip",
            "birth_swapped_l = birth_r OR damerau_levenshtein(birth_l, birth_r) <= 1",
            _birth_near,
        ),
        _level(
            "same year of birth",
            "left(birth_l, 4) = left(birth_r, 4)",
            lambda a, b: a.birth[:4] == b.birth[:4],
        ),
        _else("other birth date"),
    ),
)

def reference_slip(a: Profile, b: Profile) -> bool:
    """Tell whether one reference is another one with a slip; sparse numbers only (population.py)."""
    return a.ref != "" and b.ref != "" and slips(a.ref, b.ref) <= 1


REFERENCE = Comparison(
    "reference",
    ("refs",),
    (
        _null("refs"),
        _shared("same reference", "refs"),
        _level(
            "reference with a slip",
            "damerau_levenshtein(ref_l, ref_r) <= 1",
            reference_slip,
        ),
        _else("other reference"),
    ),
)

TITLE = Comparison(
    "job title", ("title",), (_null("title"), _equal("same job title", "title"), _else("other job title"))
)

COUNTRY = Comparison(
    "country",
    ("country",),
    (_null("country"), _equal("same country", "country")._replace(tf=""), _else("other country")),
)

PERSON = (FIRST_NAME, LAST_NAME, MAIL, PHONE, PLACE, BIRTH, REFERENCE, TITLE, COUNTRY)
