"""Records for the tests of this folder, by what differs from one person."""

from __future__ import annotations

import random
from collections.abc import Sequence

from crm_hub.mapping.rulebooks import read_identity
from crm_hub.resolve.kinds import FIRMS, PEOPLE, Kind
from crm_hub.resolve.profile import Contact, Profile, firm_profile, profile
from crm_hub.resolve.weights import read_model, shipped
from crm_hub.resolve.whole import Resolved, resolve

RULES = read_identity()
MODEL = read_model(shipped())
_FIRST = (
    "Nora Timo Greta Ivo Selma Henning Alva Boris Dunja Erwin Fabiola Gilles Hedwig Igor Jonna Kuno "
    "Livia Marius Nadja Ottmar"
).split()
_LAST = (
    "Ahlquist Brandner Cedergren Drossel Eisenhut Farnham Gravier Hollander Isenberg Jaspers Kolbe "
    "Lindqvist Marchand Norwood Ostrander Pfleiderer Quandt Rosenau Sternberg Thorvald"
).split()


def others(count: int = 400) -> list[Contact]:
    """Return people who are nobody of the test, so that names and numbers have their rarity."""
    rng = random.Random(7)
    return [
        Contact(
            f"other{at:04d}",
            rng.choice(_FIRST),
            f"{rng.choice(_LAST)}{rng.choice(('', 'er', 'mann', 'son'))}",
            emails=(f"box{at}@mail{at % 50}.example",),
            phones=(f"+4930{at:07d}",),
            company=f"Firm {at % 80}",
            city=f"Town {at % 40}",
            postcode=f"{10_000 + at % 90}",
            street=f"Road {at}",
        )
        for at in range(count)
    ]


def resolved(contacts: Sequence[Contact], among: int = 400, kind: Kind = PEOPLE) -> Resolved:
    """Return what becomes of `contacts` among other people; their places come first."""
    make = profile if kind is PEOPLE else firm_profile
    profiles: list[Profile] = [make(c, RULES) for c in (*contacts, *others(among))]
    model = MODEL if kind is PEOPLE else read_model(shipped(kind.model), kind.comparisons)
    return resolve(profiles, model, RULES.bands, kind)


def together(contacts: Sequence[Contact], kind: Kind = PEOPLE) -> list[set[str]]:
    """Return the clusters among `contacts` as sets of ids, the others left out."""
    found = resolved(contacts, kind=kind)
    named = [{contacts[at].id for at in g if at < len(contacts)} for g in found.clusters.groups]
    return sorted((g for g in named if g), key=sorted)


__all__ = ["FIRMS", "MODEL", "PEOPLE", "RULES", "Contact", "others", "resolved", "together"]
