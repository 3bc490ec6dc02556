"""The contacts that the benchmarks read: HubSpot-shaped, the same for each run and each side."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson

FIRST = [a + b for a in "an be ca da el fi ga ha iv jo ka li ma no ol pe ra sa ti vi".split()
         for b in "na ra lo mi ta ne ro li".split()]  # fmt: skip
LAST = [a + b + c for a in "ber cal dor fen gar hol kar lin mor nor par ros sten tal vor wal".split()
        for b in "be ca di lo ma ne".split() for c in "ck der ley man ner son".split()]  # fmt: skip
START = datetime(2025, 6, 1, tzinfo=UTC)


def contact(number: int, rng: random.Random, stamp: str) -> dict[str, object]:
    """Return one HubSpot-shaped contact of 18 properties; every eighth shares a phone."""
    first, last = rng.choice(FIRST).title(), rng.choice(LAST).title()
    firm = rng.randrange(20_000)
    phone = number if number % 8 else number - 1
    return {
        "id": str(number),
        "properties": {
            "firstname": first, "lastname": last,
            "email": f"{first}.{last}{number}@firm{firm}.example".lower(),
            "phone": f"+1{201 + phone // 10_000_000 % 700}{2_000_000 + phone % 7_999_999:07d}",
            "mobilephone": None, "company": f"Firm {firm}", "jobtitle": rng.choice(["Buyer", "CEO"]),
            "lifecyclestage": rng.choice(["lead", "customer", "opportunity"]),
            "hs_lead_status": "NEW", "address": f"{number % 999 + 1} Main Street",
            "city": "Springfield", "state": "IL", "zip": f"{number % 90_000 + 10_000}",
            "country": "United States", "website": f"firm{firm}.example",
            "hubspot_owner_id": str(rng.randrange(40)),
            "createdate": "2025-03-01T08:00:00Z", "lastmodifieddate": stamp,
        },
        "createdAt": "2025-03-01T08:00:00Z", "updatedAt": stamp,
    }  # fmt: skip


def stamp_of(seconds: int) -> str:
    """Return a time of change as HubSpot writes it."""
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def contacts(size: int, changed: float = 0.0) -> Iterator[tuple[str, bytes]]:
    """Yield (time of change, JSON) of `size` contacts, each changed a second after the last.

    changed: the share that carries a newer title; those come last, as the newest.
    """
    step = int(1 / changed) if changed else 0
    for part in (False, True) if step else (False,):
        rng = random.Random(7)
        for number in range(1, size + 1):
            is_newer = bool(step) and number % step == 0
            stamp = stamp_of(size + number // step if is_newer else number)
            row = contact(number, rng, stamp)
            if is_newer:
                row["properties"]["jobtitle"] = "Director"  # type: ignore[index]
            if is_newer == part:
                yield stamp, orjson.dumps(row)
