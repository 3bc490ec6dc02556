"""Steps for numbers, money and yes/no. Exact or refused: a guessed amount is a wrong amount."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from crm_hub.mapping.paths import find, parse_path
from crm_hub.mapping.steps.kind import (
    Locale,
    Misfit,
    Step,
    StepKind,
    as_text,
    map_params,
    plain,
    same,
)

_MAX_TEXT = 64
_MAX_INT = 2**63
_GROUPED = re.compile(r"\d{1,3}(?:[ '’]\d{3})+(?:[.,]\d*)?", re.ASCII)
_EXPONENT = re.compile(r"\d+(?:\.\d+)?[eE][+-]?\d{1,2}", re.ASCII)
_WHOLE = re.compile(r"\d*", re.ASCII)
_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "−": "-"})
_AMBIGUOUS = "could be read as two different numbers; say `decimal` in the mapping"
_NOT_A_NUMBER = "not a number"

# ISO 4217: the currencies whose minor unit is not a hundredth.
_WITHOUT_MINOR = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
)  # fmt: skip
_WITH_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_DIGITS = dict.fromkeys(_WITHOUT_MINOR, 0) | dict.fromkeys(_WITH_THOUSANDTHS, 3)
_SYMBOLS = {
    "€": ("EUR",), "£": ("GBP", "EGP", "GIP"), "¥": ("JPY", "CNY"), "zł": ("PLN",), "₹": ("INR",),
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "CLP", "COP", "ARS"), "₩": ("KRW",),
    "kr": ("SEK", "NOK", "DKK", "ISK"), "R$": ("BRL",), "Fr.": ("CHF",), "₺": ("TRY",),
}  # fmt: skip
_TRUE = frozenset(
    ("true", "yes", "y", "t", "1", "on", "x", "ja", "j", "oui", "o", "si", "sí", "sì", "s", "sim")
)
_FALSE = frozenset(("false", "no", "n", "f", "0", "off", "nein", "non", "nee", "não"))


def decimal_of(value: Any, sign: str = "") -> Decimal:
    """Return the exact number that a value tells; `sign` is the decimal sign where it is known.

    Raises: Misfit for anything that is not a number, or could be two.
    """
    if isinstance(value, bool):
        raise Misfit(_NOT_A_NUMBER)
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        # Nine places: what floating point adds to an amount is smaller than that.
        return Decimal(repr(round(value, 9)))
    text = as_text(value).translate(_BLANKS).strip()
    if len(text) > _MAX_TEXT:
        raise Misfit(_NOT_A_NUMBER)
    body, negative = _unsigned(text)
    number = Decimal(body) if _EXPONENT.fullmatch(body) else Decimal(_dotted(body, sign))
    return -number if negative else number


def _unsigned(text: str) -> tuple[str, bool]:
    if text[:1] == "(" and text[-1:] == ")":
        return text[1:-1].strip(), True
    if text[:1] in ("-", "+"):
        return text[1:].strip(), text[0] == "-"
    if text[-1:] == "-":
        return text[:-1].strip(), True
    return text, False


def _dotted(text: str, sign: str) -> str:
    """Return digits with at most one dot, the decimal sign."""
    if _GROUPED.fullmatch(text):
        text = text.replace(" ", "").replace("'", "").replace("’", "")
    sign = sign or _decimal_sign(text)
    whole, _, fraction = text.partition(sign)
    whole = _without_groups(whole, "," if sign == "." else ".")
    if not (whole or fraction) or not (_WHOLE.fullmatch(whole) and _WHOLE.fullmatch(fraction)):
        raise Misfit(_NOT_A_NUMBER)
    return f"{whole or '0'}.{fraction or '0'}"


def _decimal_sign(text: str) -> str:
    dots, commas = text.count("."), text.count(",")
    if dots and commas:
        return "." if text.rindex(".") > text.rindex(",") else ","
    if dots + commas == 0:
        return "."
    found = "." if dots else ","
    if dots + commas > 1:
        return "," if found == "." else "."
    whole, _, fraction = text.partition(found)
    if len(fraction) == 3 and 1 <= len(whole) <= 3 and whole[0] != "0":
        raise Misfit(_AMBIGUOUS)
    return found


def _without_groups(whole: str, mark: str) -> str:
    first, *groups = whole.split(mark)
    if groups and (not 1 <= len(first) <= 3 or any(len(group) != 3 for group in groups)):
        raise Misfit(_NOT_A_NUMBER)
    return first + "".join(groups)


def _is_blank(value: Any) -> bool:
    return type(value) is str and (not value or value.isspace())


def _number_of(number: Decimal) -> int | float:
    if number == number.to_integral_value():
        if abs(number) >= _MAX_INT:
            raise Misfit("the number is too large")
        return int(number)
    return float(number)


def _sign_param(name: str, params: dict[str, Any]) -> str:
    sign = params.get("decimal", "")
    if sign not in ("", ".", ","):
        raise ValueError(f"`decimal` of the step {name!r} is ',' or '.'")
    return str(sign)


def _build_number(params: Any, _locale: Locale) -> Step:
    sign = _sign_param("number", map_params("number", params, ("decimal",)) if params else {})

    def number(value: Any) -> int | float | None:
        return None if _is_blank(value) else _number_of(decimal_of(value, sign))

    def text(value: float) -> str:
        return format(Decimal(repr(value)), "f").replace(".", sign)

    return Step(number, text if sign else same, "number")


def _integer(value: Any) -> int | None:
    if _is_blank(value):
        return None
    number = _number_of(decimal_of(value))
    if not isinstance(number, int):
        raise Misfit("not a whole number")
    return number


def minor_digits(currency: str) -> int:
    """Return how many decimals a currency has (ISO 4217)."""
    return _DIGITS.get(currency, 2)


def amount_text(units: int, currency: str) -> str:
    """Return an amount in minor units as people write it: `1,284.80`."""
    return f"{Decimal(units).scaleb(-minor_digits(currency)):,f}"


def money_of(value: Any, currency: str, sign: str) -> dict[str, Any] | None:
    """Return {"minor_units", "currency"} of an amount; `currency` is "" where it is not known."""
    if isinstance(value, dict):
        return _money_as_is(value)
    if _is_blank(value):
        return None
    if isinstance(value, str):
        value, currency = _take_currency(value, currency)
    if not currency:
        raise Misfit("an amount without a currency")
    scaled = decimal_of(value, sign).scaleb(minor_digits(currency))
    if scaled != scaled.to_integral_value() or abs(scaled) >= _MAX_INT:
        raise Misfit(f"not an amount in {currency}: too many decimals or too large")
    return {"minor_units": int(scaled), "currency": currency}


def _money_as_is(value: dict[str, Any]) -> dict[str, Any]:
    units, currency = value.get("minor_units"), value.get("currency")
    if type(units) is not int or not isinstance(currency, str) or not _is_code(currency):
        raise Misfit("not an amount: an object without minor_units and currency")
    return {"minor_units": units, "currency": currency}


def _is_code(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def _take_currency(text: str, known: str) -> tuple[str, str]:
    """Return the amount without its currency mark, and the currency."""
    text = text.translate(_BLANKS).strip()
    for mark in (text[:3], text[-3:]):
        if _is_code(mark):
            if known and mark != known:
                raise Misfit(f"the amount is in another currency than {known}")
            return text.replace(mark, "", 1).strip(), mark
    for symbol, codes in _SYMBOLS.items():
        if text.startswith(symbol) or text.endswith(symbol):
            if known and known not in codes:
                raise Misfit(f"the amount is in another currency than {known}")
            if not known and len(codes) > 1:
                raise Misfit("the currency sign belongs to several currencies")
            return text.replace(symbol, "", 1).strip(), known or codes[0]
    return text, known


def _money_text(sign: str) -> Callable[[dict[str, Any]], str]:
    def text(value: dict[str, Any]) -> str:
        digits = minor_digits(value["currency"])
        amount = format(Decimal(value["minor_units"]).scaleb(-digits), "f")
        # A fourth decimal keeps 1.234 from being read as one thousand and more.
        amount += "0" if digits == 3 else ""
        return amount.replace(".", sign or ".")

    return text


def _build_money(params: Any, locale: Locale) -> Step:
    named = map_params("money", params, ("currency", "currency_at", "decimal")) if params else {}
    sign, fixed = _sign_param("money", named), named.get("currency", "")
    if fixed and not (isinstance(fixed, str) and _is_code(fixed)):
        raise ValueError("`currency` of the step 'money' is an ISO 4217 code such as USD")

    def money(value: Any) -> dict[str, Any] | None:
        return money_of(value, fixed, sign)

    path = named.get("currency_at")
    if path is None:
        return Step(money, _money_text(sign) if fixed else None, "money")
    if fixed or not isinstance(path, str):
        raise ValueError("the step 'money' takes `currency` or the path `currency_at`, not both")
    parts = parse_path(path, flat=locale.flat)

    def bind(payload: dict[str, Any]) -> Callable[[Any], Any]:
        raw = find(payload, parts)
        code = as_text(raw).strip().upper() if isinstance(raw, str) else ""
        return lambda value: money_of(value, code if _is_code(code) else "", sign)

    return Step(money, None, "money", bind=bind)


def to_bool(value: Any) -> bool | None:
    """Return the truth of a value, read in the words of several languages."""
    if isinstance(value, bool):
        return value
    text = as_text(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if not text:
        return None
    raise Misfit("neither yes nor no")


def _negated(value: Any) -> bool | None:
    truth = to_bool(value)
    return None if truth is None else not truth


KINDS = (
    StepKind("number", "none or {decimal}", _build_number),
    plain("integer", Step(_integer, same, "number")),
    plain("bool", Step(to_bool, same, "bool")),
    plain("not", Step(_negated, lambda value: not value, "bool")),
    StepKind("money", "{currency} or {currency_at}, decimal", _build_money),
)
