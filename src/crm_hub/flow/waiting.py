"""What waits in the outbox, for a person: listed, looked at, tried again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from crm_hub.flow.farside import PUSH_STEP
from crm_hub.flow.hub import Hub
from crm_hub.flow.preview import changes
from crm_hub.model.errors import ConfigError
from crm_hub.model.values import to_us
from crm_hub.store import Db, Machinery, Outbox, WriteRow


class Waiting(NamedTuple):
    """One write as a person sees it. record: its key at the far side, "" for one to be created."""

    row: WriteRow
    record: str
    fields: dict[str, tuple[Any, Any]]


def waiting(
    hub: Hub, name: str | None = None, state: str | None = None, limit: int = 1000
) -> list[Waiting]:
    """Return the writes that are not over, oldest first; or those of one state."""
    with hub.store.read() as db:
        return _shown(db, Outbox(db).listed(name, state, limit))


def one(hub: Hub, number: int) -> Waiting:
    """Return one write, also one that is over. Raises: ConfigError."""
    with hub.store.read() as db:
        row = Outbox(db).write(number) if abs(number) < 2**63 else None
        if row is None:
            raise ConfigError(
                f"there is no write with the number {number}", remedy="See: crm-hub outbox list"
            )
        return _shown(db, [row])[0]


def _shown(db: Db, rows: Sequence[WriteRow]) -> list[Waiting]:
    known = Outbox(db).sent([row.record_id for row in rows if row.record_id is not None])
    keys = {number: sent.key for number, sent in known.items()}
    return [
        Waiting(row, keys.get(row.record_id or 0, ""), changes(row.doc, row.kind)) for row in rows
    ]


def retry(hub: Hub, numbers: Sequence[int] = ()) -> list[WriteRow]:
    """Let dead writes, or those of `numbers`, be tried with the next push; return them.

    What waits for its time does not wait any longer; a write of unknown fate is looked up again.
    Raises: ConfigError for a number of a write that is over or under way.
    """
    now_us = to_us(hub.now())
    found = [one(hub, number).row for number in numbers]
    for row in found:
        if row.state not in ("due", "unknown", "dead"):
            raise ConfigError(
                f"write {row.id} is {row.state}; there is nothing to try again",
                remedy="What can be tried again: crm-hub outbox list --state dead",
            )
    with hub.store.write() as db:
        repo, machinery = Outbox(db), Machinery(db)
        rows = found or repo.listed(None, "dead", 1_000_000)
        repo.save(
            [
                row._replace(
                    state="unknown" if row.state == "unknown" else "due",
                    tries=0 if row.state == "dead" else row.tries,
                    due_at_us=now_us,
                    reason="",
                )
                for row in rows
            ]
        )
        for row in rows:
            letters = machinery.dead_keys(row.connection, row.stream, PUSH_STEP)
            machinery.revive([letters[row.lane]] if row.lane in letters else [])
    return rows
