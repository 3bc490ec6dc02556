"""Whether a rebuild that looks at all records is due, and why.

`status` asks this too, so that nothing is imported here that walks records or compiles mappings.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from crm_hub.flow.hub import Hub
from crm_hub.mapping.rulebooks import read_identity
from crm_hub.model.rules import IdentityRules
from crm_hub.resolve.kinds import KINDS
from crm_hub.resolve.measured import rules_mark
from crm_hub.resolve.weights import model_file
from crm_hub.store import Identities, Likeness

MOVED = 0.1
"""A hub that grew or shrank by this share since it was measured is measured again."""


def due(hub: Hub) -> str:
    """Return why one is due in a hub that was measured, "" where none is."""
    with hub.store.read() as db:
        repo, identities = Likeness(db), Identities(db)
        facts = [
            (entity, doc, repo.measured_at(entity)[1], identities.count_mapped(entity))
            for entity in KINDS if (doc := repo.measured(entity))
        ]  # fmt: skip
    rules = read_identity(hub.mapping_folders)
    return next(filter(None, (why(hub, rules, *one) for one in facts)), "")


def why(
    hub: Hub, rules: IdentityRules, entity: str, doc: dict[str, Any], kept: str, count: int
) -> str:
    """Return why all records of an entity are to be looked at, "" where only the new ones are.

    doc, kept: what was measured of them, as the store has it. count: how many there are.
    """
    if not doc:
        return "nothing was measured yet"
    if doc["open"]:
        return "the last rebuild did not come to its end"
    if not kept or doc["rules"] != rules_of(hub, rules, entity):
        return "identity.yaml, the weights or the hub itself have changed since the last rebuild"
    was = int(doc["records"])
    if abs(count - was) > MOVED * was:
        return f"there are {count:,} {entity} records, and were {was:,} at the last rebuild"
    return ""


def rules_of(hub: Hub, rules: IdentityRules, entity: str) -> str:
    """Return a mark of what decides besides the records: the rules, the model, what is near."""
    model = KINDS[entity].model
    weights = model_file(model, hub.mapping_folders).read_text("utf-8")
    text = rules_mark(rules, model) + weights
    return blake2b(text.encode(), digest_size=8).hexdigest()
