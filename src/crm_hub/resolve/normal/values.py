"""Phones, dates, countries and VAT ids as evidence."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

_EXTENSION = re.compile(r"\s*ext\. (\d+)$")
_ISO = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ].*)?")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_NO_BIRTHDAY = frozenset({"19000101", "19700101", "20000101", "19010101", "18991230"})
_YEARS = range(1890, 2030)
_COUNTRIES = {
    "usa": "US", "unitedstates": "US", "unitedstatesofamerica": "US", "uk": "GB", "england": "GB",
    "unitedkingdom": "GB", "greatbritain": "GB", "scotland": "GB", "wales": "GB",
    "germany": "DE", "deutschland": "DE", "allemagne": "DE", "austria": "AT", "osterreich": "AT",
    "oesterreich": "AT", "switzerland": "CH", "schweiz": "CH", "suisse": "CH", "svizzera": "CH",
    "france": "FR", "frankreich": "FR", "spain": "ES", "espana": "ES", "spanien": "ES",
    "italy": "IT", "italia": "IT", "italien": "IT", "netherlands": "NL", "nederland": "NL",
    "thenetherlands": "NL", "holland": "NL", "niederlande": "NL", "belgium": "BE", "belgie": "BE",
    "belgique": "BE", "belgien": "BE", "sweden": "SE", "sverige": "SE", "schweden": "SE",
    "norway": "NO", "norge": "NO", "norwegen": "NO", "denmark": "DK", "danmark": "DK",
    "danemark": "DK", "finland": "FI", "suomi": "FI", "finnland": "FI", "poland": "PL",
    "polska": "PL", "polen": "PL", "czechrepublic": "CZ", "czechia": "CZ", "cesko": "CZ",
    "tschechien": "CZ", "portugal": "PT", "ireland": "IE", "irland": "IE", "canada": "CA",
    "kanada": "CA", "australia": "AU", "luxembourg": "LU", "luxemburg": "LU", "hungary": "HU",
    "brazil": "BR", "brasil": "BR", "mexico": "MX", "romania": "RO", "greece": "GR",
    "turkey": "TR", "turkiye": "TR", "turkei": "TR", "uae": "AE", "magyarorszag": "HU",
    "ungarn": "HU", "hellas": "GR", "ellada": "GR", "griechenland": "GR", "rumanien": "RO",
    "slovakia": "SK", "slovensko": "SK", "slovenia": "SI", "slovenija": "SI", "croatia": "HR",
    "hrvatska": "HR", "bulgaria": "BG", "serbia": "RS", "srbija": "RS", "ukraine": "UA",
    "ukraina": "UA", "estonia": "EE", "eesti": "EE", "latvia": "LV", "latvija": "LV",
    "lithuania": "LT", "lietuva": "LT", "iceland": "IS", "island": "IS", "malta": "MT",
    "cyprus": "CY", "liechtenstein": "LI", "russia": "RU", "india": "IN", "china": "CN",
    "japan": "JP", "southafrica": "ZA", "newzealand": "NZ", "argentina": "AR", "chile": "CL",
    "colombia": "CO", "peru": "PE", "israel": "IL", "suisseschweiz": "CH",
    "republicofireland": "IE", "eire": "IE", "northernireland": "GB",
    "bundesrepublikdeutschland": "DE",
}  # fmt: skip

_ALPHA_3 = dict(
    pair.split(":")
    for pair in (
        "deu:DE aut:AT che:CH fra:FR ita:IT esp:ES prt:PT nld:NL bel:BE lux:LU gbr:GB irl:IE "
        "swe:SE nor:NO dnk:DK fin:FI pol:PL cze:CZ svk:SK hun:HU rou:RO bgr:BG grc:GR tur:TR "
        "can:CA mex:MX bra:BR arg:AR aus:AU nzl:NZ hrv:HR svn:SI srb:RS ukr:UA est:EE lva:LV ltu:LT"
    ).split()
)


def phone_key(number: str) -> str:
    """Return a number as one key, its extension behind a semicolon: +15550100;12."""
    found = _EXTENSION.search(number)
    if found:
        return f"{number[: found.start()]};{found[1]}"
    return number


@lru_cache(65_536)
def birth_date(text: str) -> str:
    """Return a birth date as YYYYMMDD; "" for placeholders and for what two readings fit."""
    text = text.strip()
    if found := _ISO.fullmatch(text):
        parts = (found[1], found[2], found[3])
    elif found := _DOTTED.fullmatch(text):
        parts = (found[3], found[2], found[1])
    elif found := _SLASHED.fullmatch(text):
        first, second = int(found[1]), int(found[2])
        if first <= 12 and second <= 12 and first != second:
            return ""
        month, day = (first, second) if first <= 12 else (second, first)
        parts = (found[3], str(month), str(day))
    else:
        return ""
    try:
        day_of_birth = date(*map(int, parts)).strftime("%Y%m%d")
    except ValueError:
        return ""
    known = int(parts[0]) in _YEARS and day_of_birth not in _NO_BIRTHDAY
    return day_of_birth if known else ""


@lru_cache(4_096)
def country_code(text: str) -> str:
    """Return ISO 3166 alpha-2 for a code or a usual name of a country; "" for the rest."""
    from crm_hub.resolve.normal.text import words

    plain = "".join(words(text))
    if plain in _COUNTRIES:
        return _COUNTRIES[plain]
    if len(plain) == 3 and plain in _ALPHA_3:
        return _ALPHA_3[plain]
    return plain.upper() if len(plain) == 2 and plain.isalpha() else ""


def vat_id(text: str) -> str:
    """Return a VAT id in capitals and digits alone; "" when it is too short to be one."""
    plain = re.sub(r"[^A-Za-z0-9]", "", text).upper()
    return plain if len(plain) >= 7 and sum(c.isdigit() for c in plain) >= 5 else ""
