"""Phone numbers with nothing unusual about them: no library is asked.

Most are, and the library takes ten times as long. What may be read in more than one way (a trunk
prefix after the country, a second zero, an unusual length) is left to it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata

_INTERNATIONAL = re.compile(r"\+[1-9]\d{0,3}(?:[ .-]?\d+){1,6}", re.ASCII)
_NATIONAL = re.compile(r"\(?0[1-9]\d*\)?(?:[ ./-]{0,2}\d+){1,6}", re.ASCII)
_LONGEST = 24
_SEPARATORS = str.maketrans("", "", " ./-+()")
_TRUNK = "0"


class _Country(NamedTuple):
    """lengths: how many digits may follow the country. trunk: what could be a prefix there.
    valid: what its numbers look like. abroad: what is dialled there to call another country."""

    code: str
    lengths: frozenset[int]
    trunk: re.Pattern[str] | None
    valid: re.Pattern[str]
    abroad: re.Pattern[str]


def international(text: str) -> str | None:
    """Return `+49 151 5550100` in E.164; None where the library has to look."""
    if len(text) > _LONGEST or not _INTERNATIONAL.fullmatch(text):
        return None
    digits = text.translate(_SEPARATORS)
    for size in (1, 2, 3):
        country = _with_code(digits[:size])
        if country is not None:
            national = digits[size:]
            if len(national) not in country.lengths or national[0] == _TRUNK:
                return None
            if country.trunk is not None and country.trunk.match(national):
                return None
            return f"+{digits}"
    return None


def national(text: str, region: str) -> str | None:
    """Return `0151 5550100` of a region in E.164; None where the library has to look.

    Only where a zero, and nothing else, stands before a number that is dialled inside the country.
    """
    if len(text) > _LONGEST or not _NATIONAL.fullmatch(text):
        return None
    country = _of_region(region)
    if country is None or country.trunk is None or country.trunk.pattern != _TRUNK:
        return None
    digits = text.translate(_SEPARATORS)
    number = digits[1:]
    if len(number) not in country.lengths or country.abroad.match(digits):
        return None
    return None if country.valid.fullmatch(digits) else f"+{country.code}{number}"


@lru_cache(1_024)
def _with_code(code: str) -> _Country | None:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code))
    if regions is None:
        return None
    found = PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0])
    return None if found is None else _country(found)


@lru_cache(1_024)
def _of_region(region: str) -> _Country | None:
    found = PhoneMetadata.metadata_for_region(region, None)
    if found is None or found.national_prefix_transform_rule:
        return None
    country = _country(found)
    main = None if country is None else _with_code(country.code)
    if country is None or main is None:
        return None
    # The library asks the main region of a code how long a number may be.
    return country._replace(lengths=country.lengths & main.lengths)


def _country(found: PhoneMetadata) -> _Country | None:
    desc = found.general_desc
    if desc is None:
        return None
    lengths = {*desc.possible_length} - {*desc.possible_length_local_only}
    trunk = found.national_prefix_for_parsing
    return _Country(
        str(found.country_code),
        frozenset(lengths),
        re.compile(trunk) if trunk else None,
        re.compile(desc.national_number_pattern or ""),
        re.compile(found.international_prefix or "00"),
    )
