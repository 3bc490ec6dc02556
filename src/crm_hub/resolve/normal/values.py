"""Phones, dates, countries and VAT ids as evidence."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

_EXTENSION = re.compile(r"\s*ext\. (\d+)$")
_ISO = re.compile(r"(\d{4})([-/.])(\d\d?)\2(\d\d?)")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)")
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d\d)")
_SEVERAL = re.compile(r"[/,()]|\s-\s")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_WORDED = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?[\s.-]+)?([a-z]+)[\s.-]+(?:(\d{1,2})(?:st|nd|rd|th)?[\s.-]+)?(\d{4})"
)
_OF_A_DATE = re.compile(r",|\b(?:de|del|of)\b")
_TIME_OF_DAY = re.compile(r"[T\s]\s*\d{1,2}:\d\d.*$")
_SERIAL = re.compile(r"(\d{5})(?:\.0+)?")  # a spreadsheet's days since the end of 1899
_SERIALS = range(10_000, 46_000)
_MONTHS = {
    begin: at
    for at, begins in enumerate(
        (
            "jan ene gen sty led tammi", "feb fev fbr lut unor helmi", "mar mrt brez maalis",
            "apr avr abr kwi dub huhti", "may mai mag maj mei kvet touko", "jun juin giu cze kesa",
            "jul juil lug lip heina", "aug ago aou sie srp elo", "sep set wrz zar syys",
            "oct okt ott out paz rij loka", "nov lis marras", "dec dez dic des gru pros joulu",
        ),
        1,
    )
    for begin in begins.split()
}  # fmt: skip
_NO_BIRTHDAY = frozenset({"19000101", "19700101", "20000101", "19010101", "18991230"})
_YEARS = range(1890, 2030)
_SERIALS_FROM = date(1899, 12, 30)
_MONTH_FIRST, _BOTH_ORDERS = frozenset({"US", "PH"}), frozenset({"CA"})
_LONGEST = 100
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
    "bundesrepublikdeutschland": "DE", "el": "GR",
} | {
    name: code
    for code, names in {
        "US": "vereinigtestaaten vereinigtestaatenvonamerika etatsunis etatsunisdamerique "
        "estadosunidos estadosunidosdeamerica eeuu eua statiuniti statiunitidamerica "
        "verenigdestaten stanyzjednoczone forentastaterna usaforenedestater amerikanforenedestater "
        "deforentestater yhdysvallat spojenestaty spojenestatyamericke egyesultallamok america",
        "GB": "grossbritannien vereinigteskonigreich royaumeuni grandebretagne angleterre "
        "reinounido granbretana inglaterra regnounito granbretagna inghilterra "
        "verenigdkoninkrijk grootbrittannie engeland wielkabrytania zjednoczonekrolestwo "
        "storbritannien storbritannia isobritannia velkabritanie spojenekralovstvi "
        "egyesultkiralysag grabretanha unitedkingdomofgreatbritainandnorthernireland schottland",
        "DE": "alemania alemanha germania duitsland niemcy tyskland saksa nemecko nemetorszag "
        "federalrepublicofgermany brd",
        "AT": "autriche oostenrijk osterrike ostrig osterriket itavalta rakousko "
        "rakusko ausztria",
        "CH": "suiza suica zwitserland szwajcaria schweitz sveitsi svycarsko svajciarsko svajc "
        "sveits confoederatiohelvetica",
        "FR": "francia franca frankrijk francja frankrike frankrig ranska francie francuzsko "
        "franciaorszag",
        "ES": "espagne spagna spanje hiszpania espanha spania espanja spanelsko spanyolorszag",
        "IT": "italie wlochy taliansko olaszorszag",
        "NL": "paysbas paisesbajos paisesbaixos paesibassi holandia holanda niderlandy "
        "nederlanderna nederlandene alankomaat nizozemsko nizozemi hollandia "
        "kingdomofthenetherlands",
        "BE": "belgica belgio belgia belgicko",
        "LU": "luxemburgo lussemburgo luksemburg grandduchedeluxembourg",
        "SE": "suede suecia svezia zweden szwecja ruotsi svedsko svedorszag",
        "NO": "norvege noruega norvegia noorwegen norwegia norja norsko",
        "DK": "dinamarca danimarca denemarken dania tanska dansko",
        "FI": "finlande finlandia finsko finnorszag",
        "PL": "pologne polonia rzeczpospolitapolska puola polsko lengyelorszag",
        "CZ": "republiquetcheque tchequie republicacheca chequia repubblicaceca cechia tsjechie "
        "czechy tjeckien tjekkiet tsjekkia tsekki ceskarepublika tschechischerepublik csehorszag",
        "SK": "slowakei slovaquie eslovaquia slovacchia slowakije slowacja slovakien slovakiet "
        "slovenskarepublika szlovakia",
        "HU": "hongrie hungria ungheria hongarije wegry madarsko unkari ungern",
        "PT": "portogallo portugalia portugali portugalsko",
        "IE": "irlande irlanda ierland irlandia irlanti irsko irorszag",
        "RO": "roumanie rumania romenia rumunia rumunsko",
        "GR": "grece grecia griekenland grecja grekland graekenland hellenicrepublic",
        "BR": "bresil brasilien brasile brazilie brazylia",
        "MX": "mexique mexiko messico meksyk mejico estadosunidosmexicanos",
        "AU": "australien australie",
        "TR": "turquie turquia turchia turkije turcja tyrkiet turkki",
        "AR": "argentinien argentine", "CO": "kolumbien", "CL": "chili", "HR": "kroatien croatie",
    }.items()
    for name in names.split()
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
    parts: tuple[str, ...]
    text = _TIME_OF_DAY.sub("", text.strip()[:_LONGEST])
    if found := _ISO.fullmatch(text):
        parts = (found[1], found[3], found[4])
    elif found := _COMPACT.fullmatch(text):
        parts = (found[1], found[2], found[3])
    elif found := _DOTTED.fullmatch(text):
        parts = (_year(found[3]), found[2], found[1])
    elif found := _SLASHED.fullmatch(text):
        first, second = int(found[1]), int(found[2])
        if first <= 12 and second <= 12 and first != second:
            return ""
        month, day = (first, second) if first <= 12 else (second, first)
        parts = (found[3], str(month), str(day))
    elif (found := _SERIAL.fullmatch(text)) and int(found[1]) in _SERIALS:
        return (_SERIALS_FROM + timedelta(days=int(found[1]))).strftime("%Y%m%d")
    else:
        parts = _worded(text)
    if not parts:
        return ""
    try:
        day_of_birth = date(*map(int, parts)).strftime("%Y%m%d")
    except ValueError:
        return ""
    known = int(parts[0]) in _YEARS and day_of_birth not in _NO_BIRTHDAY
    return day_of_birth if known else ""


def _year(text: str) -> str:
    """Return a year of four digits; of two, the one in which grown-up people were born."""
    return text if len(text) == 4 else f"{19 if int(text) > 10 else 20}{text}"


def _worded(text: str) -> tuple[str, ...]:
    """Return year, month and day of a date whose month is a word: 3 Mar 1980, March 3, 1980."""
    from crm_hub.resolve.normal.text import folded

    found = _WORDED.fullmatch(" ".join(_OF_A_DATE.sub(" ", folded(text)).split()))
    if not found or bool(found[1]) == bool(found[3]):
        return ()
    word = found[2]
    month = next((m for size in (5, 4, 3) if (m := _MONTHS.get(word[:size], 0))), 0)
    return (found[4], str(month), found[1] or found[3]) if month else ()


def day_of(text: str, country: str) -> str:
    """Return a date with slashes as people of a country mean it, as ISO; anything else as it is.

    3/4/1980 is April 3, and March 4 in the United States; nobody knows in Canada.
    """
    found = _SLASHED.fullmatch(text) if country and country not in _BOTH_ORDERS else None
    if not found or int(found[1]) > 12 or int(found[2]) > 12:
        return text
    month, day = (found[1], found[2]) if country in _MONTH_FIRST else (found[2], found[1])
    return f"{found[3]}-{month:0>2}-{day:0>2}"


@lru_cache(4_096)
def country_code(text: str) -> str:
    """Return ISO 3166 alpha-2 for a code or a usual name of a country; "" for the rest."""
    from crm_hub.resolve.normal.text import words

    plain = "".join(words(text))
    if plain not in _COUNTRIES and len(plain) > 3:  # Germany (DE), Belgique/België
        parts = ("".join(words(part)) for part in _SEVERAL.split(text[:_LONGEST]))
        plain = next((part for part in parts if part in _COUNTRIES), plain)
    if plain in _COUNTRIES:
        return _COUNTRIES[plain]
    if len(plain) == 3 and plain in _ALPHA_3:
        return _ALPHA_3[plain]
    return plain.upper() if len(plain) == 2 and plain.isalpha() else ""


def vat_id(text: str) -> str:
    """Return a VAT id in capitals and digits alone; "" when it is too short to be one."""
    plain = re.sub(r"[^A-Za-z0-9]", "", text).upper()
    return plain if len(plain) >= 7 and sum(c.isdigit() for c in plain) >= 5 else ""
