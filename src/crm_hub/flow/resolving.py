"""A person decides an open conflict: the chosen value becomes the newest, and is written."""

from __future__ import annotations

from crm_hub.flow.batch import Moment, Tools
from crm_hub.flow.hub import Hub
from crm_hub.flow.members import held_member
from crm_hub.flow.remerging import remerge
from crm_hub.flow.tracking import Tracked, digest, is_of
from crm_hub.merge.three_way import stamp_of, tick
from crm_hub.model.errors import ConfigError
from crm_hub.model.states import ABSENT, RecordState
from crm_hub.model.values import to_us
from crm_hub.store import ConflictRow, Db, Held, Identities, Machinery, Outbox


def conflict(hub: Hub, number: int) -> ConflictRow:
    """Return one conflict, whatever its state. Raises: ConfigError when there is none."""
    with hub.store.read() as db:
        row = Outbox(db).conflict(number) if abs(number) < 2**63 else None
    if row is None:
        raise ConfigError(
            f"there is no conflict {number}", remedy="See: crm-hub conflicts list --all"
        )
    return row


def resolve(hub: Hub, number: int, keep: str) -> ConflictRow:
    """Let the value of the source record `keep` (`crm/contacts#7`) stand; return the conflict.

    Raises: ConfigError when the conflict is not open, or the record has no value to keep.
    """
    with hub.store.write() as db:
        repo, now_us = Outbox(db), to_us(hub.now())
        row = repo.conflict(number)
        if row is None or row.state != "open":
            raise ConfigError(
                f"there is no open conflict {number}", remedy="See: crm-hub conflicts list"
            )
        identity = Identities(db).follow(row.identity_id)
        held = Identities(db).held_by_identity([identity])
        chosen = next((h for h in held if f"{h.connection}/{h.stream}#{h.key}" == keep), None)
        if chosen is None or str(chosen.record_id) not in row.doc["values"]:
            names = [
                f"{h.connection}/{h.stream}#{h.key}"
                for h in held
                if str(h.record_id) in row.doc["values"]
            ]
            raise ConfigError(
                f"{keep} has no value in conflict {number}", remedy=f"Choose: {', '.join(names)}"
            )
        run_id = Machinery(db).start_run("resolve", chosen.connection, now_us)
        _choose(db, hub.tools, row.field, chosen, held)
        repo.close_conflicts([number], "resolved")
        remerge(db, hub.tools, [identity], Moment(run_id, now_us, None), Tracked(db))
        Machinery(db).end_run(run_id, now_us, "done", "", {"resolved": 1})
    return row


def _choose(db: Db, tools: Tools, field: str, chosen: Held, held: list[Held]) -> None:
    """Make the chosen record's value newer than the others, and say that a person did."""
    repo = Outbox(db)
    found = repo.states(h.record_id for h in held)
    newest: int | None = None
    for one in held:
        state = found.get(one.record_id)
        state = state if state is not None and is_of(state, one) else RecordState()
        found[one.record_id] = state
        stamp = stamp_of(held_member(one, tools, state.fields), field)
        newest = stamp if newest is None or (stamp is not None and stamp > newest) else newest
        _stop_waiting(state, field)
    state = found[chosen.record_id]
    member = held_member(chosen, tools)
    state.spell_out(member.values, chosen.changed_at_us)
    entry = state.entry(field)
    entry.stamp, entry.person, entry.copied = tick(newest, None), True, False
    state.digest = digest(chosen.data)
    repo.save_states({n: s for n, s in found.items() if s.digest})


def _stop_waiting(state: RecordState, field: str) -> None:
    """A far side that kept putting its value back is tried anew."""
    entry = state.fields.get(field)
    if entry is not None:
        entry.bounces, entry.bounced, entry.undone = 0, ABSENT, ABSENT
