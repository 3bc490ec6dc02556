"""Odd ways in which systems hold a contact, for the held-out variants of bench/people.py.

Nothing was fitted on these: names in one column, the surname first and in capitals, two surnames
or one of them, degrees, a firm in the name field, another script, phones without their plus,
streets with a flat, towns by their English name, dates in the country's order.
"""

from __future__ import annotations

import random

from people_words_more import SURNAME_FIRST, TWO_SURNAMES
from people_world import Person, plain

_TOWNS = {
    "Wien": "Vienna", "Genève": "Geneva", "Zürich": "Zurich", "Luzern": "Lucerne", "Basel": "Bâle",
    "Lisboa": "Lisbon", "Praha": "Prague", "Plzeň": "Pilsen", "København": "Copenhagen",
    "Helsinki": "Helsingfors", "Turku": "Åbo", "București": "Bucharest", "Αθήνα": "Athens",
    "Θεσσαλονίκη": "Thessaloniki", "München": "Munich", "Köln": "Cologne", "Nürnberg": "Nuremberg",
    "Roma": "Rome", "Milano": "Milan", "Torino": "Turin", "Firenze": "Florence", "Göteborg": "Gothenburg",
    "Warszawa": "Warsaw", "Kraków": "Cracow", "Sevilla": "Seville", "Den Haag": "The Hague",
}  # fmt: skip
_COUNTRIES = {
    "AT": ("Austria", "Österreich"), "CH": ("Switzerland", "Schweiz", "Suisse"), "PT": ("Portugal",),
    "BR": ("Brazil", "Brasil"), "CZ": ("Czechia", "Czech Republic", "Česko"), "TR": ("Turkey", "Türkiye"),
    "DK": ("Denmark", "Danmark"), "FI": ("Finland", "Suomi"), "HU": ("Hungary", "Magyarország"),
    "RO": ("Romania", "România"), "NO": ("Norway", "Norge"), "GR": ("Greece", "Ελλάδα"),
    "DE": ("Germany", "Deutschland"), "FR": ("France",), "IT": ("Italy", "Italia"), "ES": ("Spain", "España"),
    "NL": ("Netherlands", "Nederland"), "PL": ("Poland", "Polska"), "SE": ("Sweden", "Sverige"),
    "GB": ("United Kingdom", "UK"), "US": ("United States", "USA"),
}  # fmt: skip
_DEGREES = (", PhD", ", MBA", " M.Sc.", ", Dr. med.", " BSc", ", LL.M.")
_TITLES = ("Dr. ", "Mrs ", "Mag. ", "Ing. ", "Sra. ", "Hr. ", "Prof. Dr. ", "MUDr. ", "Sayın ")


def surname(person: Person, last: str, rng: random.Random) -> str:
    """Return the surname as one system holds it, where a person has two."""
    if not person.second or person.land not in TWO_SURNAMES or rng.random() < 0.45:
        return last
    pair = (last, person.second) if person.land == "ES" else (person.second, last)
    return " ".join(pair) if rng.random() < 0.9 else "-".join(pair)


def script(text: str, person: Person, rng: random.Random) -> str:
    """Return a Greek name in Latin letters half of the time."""
    if text.isascii() or person.land != "GR" or rng.random() < 0.5:
        return text
    return " ".join(plain(word, True).capitalize() for word in text.split())


def name(
    row: dict[str, str], person: Person, first: str, last: str, suffix: str, rng: random.Random
) -> bool:
    """Write the name in an odd way, or return False."""
    if not row["full_name"] and person.land in SURNAME_FIRST and rng.random() < 0.3:
        row["full_name"] = f"{last} {first}{suffix}"
        return True
    draw = rng.random()
    firm = person.jobs[0].firm.name if person.jobs else ""
    if draw < 0.02:
        row["full_name"] = f"{last.upper()} {first}"
    elif draw < 0.04:
        row["last_name"] = f"{first} {last}"
    elif draw < 0.05:
        row["first_name"] = f"{first} {last}{suffix}"
    elif draw < 0.07:
        row["first_name"], row["last_name"] = f"{rng.choice(_TITLES)}{first}", f"{last}{suffix}"
    elif draw < 0.09:
        row["full_name"] = f"{first} {last}{suffix}{rng.choice(_DEGREES)}"
    elif draw < 0.11 and firm:
        row["full_name"] = f"{first} {last}{rng.choice((' | ', ' - ', ' @ ', ' / '))}{firm}"
    elif draw < 0.12:
        row["full_name"] = f"'{last}, {first}'"
    elif draw < 0.13:
        row["full_name"] = f"{last} {first}"
    elif draw < 0.14 and "-" in first:
        row["first_name"], row["last_name"] = first.replace("-", " "), f"{last}{suffix}"
    else:
        return False
    return True


def rest(row: dict[str, str], person: Person, rng: random.Random, odd: float) -> None:
    """Rewrite phones, address, country and dates of a row in odd ways, each now and then."""
    for column in ("phone", "mobile"):
        if row[column] and rng.random() < 0.12 * odd:
            row[column] = _phone(row[column], rng)
    if row["street"] and rng.random() < 0.15 * odd:
        row["street"] += rng.choice((", Apt 4", " 2. OG", "/7", ", 3º izq", " a", ", et. 2"))
    if row["city"] and rng.random() < 0.1 * odd:
        row["city"] = _TOWNS.get(row["city"], row["city"].upper())
    if row["postcode"] and rng.random() < 0.05 * odd:
        row["postcode"] = f"{person.land}-{row['postcode']}"
    if row["country"] and rng.random() < 0.3 * odd:
        row["country"] = rng.choice(_COUNTRIES.get(row["country"], (row["country"],)))
    if row["birth_date"] and rng.random() < 0.3 * odd:
        year, month, day = row["birth_date"].split("-")
        row["birth_date"] = (
            f"{month}/{day}/{year}" if person.land == "US" else f"{day}.{month}.{year}"
        )
    if row["email"] and rng.random() < 0.02 * odd:
        row["email"] = rng.choice(
            (f"<{row['email']}>", f"mailto:{row['email']}", f" {row['email']} ")
        )
    if row["company"] and rng.random() < 0.05 * odd:
        row["company"] = rng.choice((f"{row['company']} Group", row["company"].replace(" ", "-")))


def _phone(text: str, rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.3:
        return text.lstrip("+")
    if draw < 0.5:
        return text.replace(" ", "/", 1) if " " in text else text
    if draw < 0.7:
        return f"{text} ext. {rng.randrange(10, 99)}"
    if draw < 0.85:
        return f"Tel.: {text}"
    return text.replace(" ", ".").replace("-", ".")
