"""truth.json: for each record of the exports, which true person it is about."""

from __future__ import annotations

import json

from . import cast
from .crm import HUBSPOT_FILE
from .world import SNAPSHOT, STORY_DAY, Fact


def _apart(facts: list[Fact]) -> list[Fact]:
    """Return the records that nothing certain ties to their person's other records."""
    dana = [f for f in facts if f.connection == "meta" and f.person == cast.DANA.key]
    elena = [f for f in facts if f.file == HUBSPOT_FILE and f.person == cast.ELENA.key]
    return [*dana, elena[-1]]


def truth(facts: list[Fact]) -> bytes:
    """Return the file's text, a record a line so that a diff shows what changed."""
    lines = ",\n".join("    " + json.dumps(fact._asdict()) for fact in facts)
    apart = ",\n".join("    " + json.dumps(fact._asdict()) for fact in _apart(facts))
    return (
        f'{{\n  "story_day": "{STORY_DAY:%Y-%m-%d}",\n  "snapshot": "{SNAPSHOT.isoformat()}",\n'
        f'  "records": [\n{lines}\n  ],\n  "apart": [\n{apart}\n  ]\n}}\n'
    ).encode()
