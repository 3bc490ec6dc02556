"""How two people's records are compared: each level once, as name, DuckDB SQL, Spark SQL, Python.

A comparison is a list of levels; the first that holds counts. Its weight comes from the model
(weights.py). The SQL speaks of the columns of a Profile, where an empty value is NULL and a set is
a list; the Python says the same of two Profiles, and a test compares both on random pairs.

Places a person is found at (home, firm, line, town) make one comparison and not five: they come
from the same row of the same system, and would count one fact several times.
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
from crm_hub.resolve.name_levels import FIRST_NAME, LAST_NAME
from crm_hub.resolve.profile import Profile


def _mail_slip(a: Profile, b: Profile) -> bool:
    return (
        a.mail_fixed == b.mail_fixed
        and len(a.mail) >= 12
        and len(b.mail) >= 12
        and slips(a.mail, b.mail) <= 1
        and not (a.mail_free and b.mail_free and _domain(a.mail) != _domain(b.mail))
    )


def _domain(address: str) -> str:
    return address.partition("@")[2]


MAIL = Comparison(
    "e-mail",
    ("mails",),
    (
        null_level("mails"),
        shared_level("same mailbox", "mails"),
        named_level(
            "mailbox with a slip",
            "mail_fixed_l = mail_fixed_r AND length(mail_l) >= 12 AND length(mail_r) >= 12 "
            "AND damerau_levenshtein(mail_l, mail_r) <= 1 AND NOT (mail_free_l AND mail_free_r "
            "AND split_part(mail_l, '@', 2) <> split_part(mail_r, '@', 2))",
            _mail_slip,
        ),
        equal_level("same local part, not a name", "mail_own"),
        shared_level("other mailbox of the same firm", "domains"),
        named_level(
            "a private and a firm's mailbox",
            "mail_free_l <> mail_free_r",
            "a.mail_free != b.mail_free",
        ),
        other_level("other mailbox"),
    ),
)

PHONE = Comparison(
    "phone",
    ("phones",),
    (
        null_level("phones"),
        shared_level("same number", "phones"),
        named_level(
            "other mobile",
            "mobile_l <> mobile_r",
            "a.mobile != b.mobile and a.mobile and b.mobile",
        ),
        other_level("other number"),
    ),
)

PLACE = Comparison(
    "firm or address",
    ("company", "address", "postcode", "city"),
    (
        null_level("address", "postcode", "city", "firms", "lines"),
        equal_level("same address", "address"),
        equal_level("same company", "company"),
        shared_level("same firm by domain", "firms"),
        shared_level("same shared line or mailbox", "lines"),
        equal_level("same house number and postcode", "spot"),
        equal_level("same postcode", "postcode"),
        named_level(
            "company spelled alike",
            "length(company_l) >= 6 AND length(company_r) >= 6 "
            "AND jaro_winkler_similarity(company_l, company_r) >= 0.94",
            lambda a, b: (
                len(a.company) >= 6
                and len(b.company) >= 6
                and likeness(a.company, b.company) >= 0.94
            ),
        ),
        equal_level("same town", "city"),
        named_level(
            "other address",
            "address_l <> address_r",
            "a.address != b.address and a.address and b.address",
        ),
        named_level(
            "one at home, one in a firm",
            "(company_l IS NULL) <> (company_r IS NULL)",
            "(a.company == '') != (b.company == '')",
        ),
        other_level("elsewhere"),
    ),
)


def _birth_near(a: Profile, b: Profile) -> bool:
    return a.birth_swapped == b.birth or slips(a.birth, b.birth) <= 1


BIRTH = Comparison(
    "birth date",
    ("birth",),
    (
        null_level("birth"),
        equal_level("same birth date", "birth")._replace(tf=""),
        named_level(
            "birth date with a slip",
            "birth_swapped_l = birth_r OR damerau_levenshtein(birth_l, birth_r) <= 1",
            _birth_near,
        ),
        named_level(
            "same year of birth",
            "left(birth_l, 4) = left(birth_r, 4)",
            "a.birth[:4] == b.birth[:4]",
        ),
        other_level("other birth date"),
    ),
)


def reference_slip(a: Profile, b: Profile) -> bool:
    """Tell whether one reference is another with a slip; sparse numbers only (population.py)."""
    return a.ref != "" and b.ref != "" and slips(a.ref, b.ref) <= 1


REFERENCE = Comparison(
    "reference",
    ("refs",),
    (
        null_level("refs"),
        shared_level("same reference", "refs"),
        named_level(
            "reference with a slip",
            "damerau_levenshtein(ref_l, ref_r) <= 1",
            reference_slip,
        ),
        other_level("other reference"),
    ),
)

TITLE = Comparison(
    "job title",
    ("title",),
    (null_level("title"), equal_level("same job title", "title"), other_level("other job title")),
)

COUNTRY = Comparison(
    "country",
    ("country",),
    (
        null_level("country"),
        equal_level("same country", "country")._replace(tf=""),
        other_level("other country"),
    ),
)

PERSON = (FIRST_NAME, LAST_NAME, MAIL, PHONE, PLACE, BIRTH, REFERENCE, TITLE, COUNTRY)
