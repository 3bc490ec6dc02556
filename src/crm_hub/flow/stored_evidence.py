"""What all records of a hub say, for what looks at them as a whole: measuring and training."""

from __future__ import annotations

from collections.abc import Iterator

from crm_hub.flow.batch import Tools
from crm_hub.flow.walk_records import held_node
from crm_hub.resolve.evidence import evidence
from crm_hub.resolve.measured import NOT_MEASURED
from crm_hub.resolve.profile import Profile
from crm_hub.store import Db, Identities, SharedKeys

_BATCH = 1_000


def stored_evidence(db: Db, tools: Tools, entity: str) -> Iterator[list[Profile]]:
    """Yield the profiles of all records of an entity, some at a time, nothing measured in them."""
    repo, lines, after = Identities(db), SharedKeys(db), 0
    while numbers := repo.mapped_numbers(entity, after, _BATCH):
        nodes = [held_node(held, tools) for held in repo.held(numbers)]
        several = lines.kinds({key for node in nodes for key in node.claimed}).keys()
        yield [
            evidence(
                str(node.source), entity, node.values, tools.rules, NOT_MEASURED,
                several & set(node.claimed),
            )
            for node in nodes
        ]  # fmt: skip
        after = numbers[-1]
