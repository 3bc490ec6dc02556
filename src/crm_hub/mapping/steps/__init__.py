"""The closed set of steps between a source value and a canonical one, each declared once.

Every step is a pair: `inbound` reads, `outbound` writes back (None: the step loses something).
The law, tested for each: what outbound writes, inbound reads as the same value.
"""

from __future__ import annotations

from crm_hub.mapping.steps import contact, numbers, table, text, times
from crm_hub.mapping.steps.kind import Locale, Misfit, Step, StepKind

STEPS: dict[str, StepKind] = {
    kind.name: kind
    for kind in (*text.KINDS, *contact.KINDS, *times.KINDS, *numbers.KINDS, *table.KINDS)
}

STEP_OF_TYPE = {
    "text": "text", "email": "email", "phone": "phone", "url": "url", "date": "date",
    "time": "time", "money": "money", "number": "number", "bool": "bool", "domain": "domain",
    "address": "address",
}  # fmt: skip
"""Field type → the step that a field of this type always ends with."""

__all__ = ["STEPS", "STEP_OF_TYPE", "Locale", "Misfit", "Step", "StepKind"]
