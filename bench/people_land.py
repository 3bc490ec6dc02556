"""A country of bench/people.py: what its names, phones and addresses are made of."""

from __future__ import annotations

from typing import NamedTuple


class Land(NamedTuple):
    """What a country's people, phones and addresses are made of."""

    women: list[str]
    men: list[str]
    surnames: list[str]
    heads: list[str]
    tails: list[str]
    streets: list[str]
    cities: list[str]
    call: str
    mobile: str
    area: list[str]
    digits: int
    forms: list[str]
    free: list[str]
    tld: str
    particles: list[str]
