"""Steps for what people are reached by: e-mail, phone, web and postal addresses, domains."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

import idna
import phonenumbers
from email_validator import EmailNotValidError, validate_email

from crm_hub.mapping.steps.kind import Locale, Misfit, Step, StepKind, as_text, plain, same
from crm_hub.mapping.steps.phones import international, national
from crm_hub.mapping.steps.text import one_line

MAX_ADDRESS = 254
_CACHED_PHONES = 4_096
# Fast paths: each takes a subset of what the slow path takes and gives the same result
# (tests/properties/test_mapping_laws.py). Shorter than 64 characters, no part can be too long.
_PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9_+-]++(?:\.[A-Za-z0-9_+-]++)*+@[a-z0-9]+(?:[.-][a-z0-9]+)*\.[a-z]{2,}"
)
PLAIN_URL = re.compile(
    r"https?://[a-z0-9]+(?:[.-][a-z0-9]+)*\.[a-z]{2,}(?:/[A-Za-z0-9_./=&+-]*+)?+"
)
PLAIN_HOST = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*\.[a-z]{2,}")
_PLAIN_LENGTH = 64
_NANP = re.compile(
    r"(\+1[-. ]?|1[-. ])?(?:\(([2-9]\d\d)\) ?|([2-9]\d\d)[-. ]?)([2-9]\d\d)[-. ]?(\d{4})", re.ASCII
)
_NANP_REGIONS = frozenset({"US", "CA"})
_ADDRESS_PARTS = ("street", "city", "region", "postcode", "country")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_](?:[\w-]{0,61}[^\W_])?")
_MAX_URL = 2_000


def email(value: Any) -> str:
    """Return an address without display name, its domain in lower case and Unicode.

    The local part keeps its case. Any domain with a dot will do: in-house mail is mail.
    """
    text = value if type(value) is str else as_text(value)
    if len(text) < _PLAIN_LENGTH and _PLAIN_EMAIL.fullmatch(text):
        return text
    text = text.strip()
    if "<" in text and text.endswith(">"):
        text = text[text.rindex("<") + 1 : -1].strip()
    text = text[7:] if text[:7].lower() == "mailto:" else text
    local, at, host = text.partition("@")
    text = f"{local}{at}{host.lower()}" if host.isascii() else text
    if len(text) < _PLAIN_LENGTH and _PLAIN_EMAIL.fullmatch(text):
        return text
    return _validated(text) if text else ""


def _validated(text: str) -> str:
    if len(text) > MAX_ADDRESS:
        raise Misfit("not an e-mail address: longer than 254 characters")
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, UnicodeError) as error:
        raise Misfit("not an e-mail address") from error
    if "." not in found.domain:
        raise Misfit("not an e-mail address: its domain has no dot")
    return found.normalized


def phone_in_e164(text: str, region: str) -> str:
    """Return a phone number in E.164, with ` ext. 12` where it has an extension.

    region: ISO 3166 code for numbers without a country. Too short, too long, local only or not a
    number: the text as it was typed, which claims nobody.
    """
    nanp = _NANP.fullmatch(text)
    if nanp is not None and (region in _NANP_REGIONS or text[0] == "+"):
        return f"+1{nanp[2] or nanp[3]}{nanp[4]}{nanp[5]}"
    usual = international(text) if text[:1] == "+" else national(text, region)
    return usual or _parsed_phone(text, region)


@lru_cache(_CACHED_PHONES)
def _parsed_phone(text: str, region: str) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return text
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return text
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164} ext. {number.extension}" if number.extension else e164


def is_e164(value: str) -> bool:
    """Tell whether a canonical phone value is a plain E.164 number, which can be a key."""
    return value[:1] == "+" and value[1:].isdecimal()


def _build_phone(params: Any, locale: Locale) -> Step:
    if params is not None:
        raise ValueError("the step 'phone' takes no parameters")
    region = locale.region.upper()

    def phone(value: Any) -> str:
        text = one_line(value)
        return phone_in_e164(text, region) if text else ""

    return Step(phone, same, "phone")


def url(value: Any) -> str:
    """Return an http(s) address, its scheme and host in lower case."""
    text = as_text(value)
    if len(text) < _PLAIN_LENGTH:
        if PLAIN_URL.fullmatch(text):
            return text
        if PLAIN_HOST.fullmatch(text):
            return f"https://{text}"
    text = text.strip()
    return parsed_url(text) if text else ""


def parsed_url(text: str) -> str:
    """Return `url` of trimmed text without the fast path."""
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].lower() not in ("http", "https"):
        raise Misfit("not a web address: it is neither http nor https")
    parts = _split_url(text if scheme else f"https://{text}")
    netloc = parts.netloc.rpartition("@")
    host = "".join((*netloc[:2], netloc[2].lower()))
    return parts._replace(scheme=parts.scheme.lower(), netloc=host).geturl()


def _split_url(text: str) -> SplitResult:
    if len(text) > _MAX_URL or any(c.isspace() or c in '<>"' for c in text):
        raise Misfit("not a web address")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Misfit("not a web address") from error
    if "." not in host and host != "localhost":
        raise Misfit("not a web address: it names no host")
    return parts


def domain(value: Any) -> str:
    """Return the host of a URL, an e-mail address or a host name: lower case, no `www.`, Unicode.

    International names are written as people read them, as in canonical e-mail addresses.
    """
    text = as_text(value).strip()
    if not text:
        return ""
    host = _split_url(text if _SCHEME.match(text) else f"https://{text}").hostname or ""
    host = host.rstrip(".").removeprefix("www.")
    if not host.isascii() or "xn--" in host:
        try:
            host = idna.decode(idna.encode(host, uts46=True))
        except UnicodeError as error:
            raise Misfit("not an internet domain") from error
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise Misfit("not an internet domain")
    return host


def _address(value: Any) -> dict[str, str]:
    """Return a postal address; a bare text is taken as the street."""
    if not isinstance(value, dict):
        text = one_line(value)
        return {"street": text} if text else {}
    return {part: text for part in _ADDRESS_PARTS if (text := one_line(value.get(part) or ""))}


KINDS = (
    plain("email", Step(email, same, "email")),
    StepKind("phone", "none", _build_phone),
    plain("url", Step(url, same, "url")),
    plain("domain", Step(domain, same, "domain")),
    plain("address", Step(_address, same, "address")),
)
