"""Cases 11 to 15: writes. They run for connectors with a stream whose Caps name a write.

The Source tells what may be written and what the far side then holds, seen from its own side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_hub.model.errors import NotSupported, TransientError
from crm_hub.model.records import Change
from crm_hub.sdk.contract import Connector, Outcome, Ref, Write
from crm_hub.sdk.testing.bench import Bench, bench, must
from crm_hub.sdk.testing.fault_server import Exchange
from crm_hub.sdk.testing.harness import Exempt, Harness

_RESULTS = ("applied", "duplicate", "conflict", "rejected", "gone")


def same_key_twice(harness: Harness) -> list[str]:
    """11: the same key twice makes one record; so does a repeat after a lost answer."""
    with bench(harness, 2) as b:
        before = set(b.source.ids())
        one = _write(b, None, b.source.new_fields(), key="suite-key-1")
        first = _pushed(b.connect(), [one])[0]
        must(first.result == "applied", f"a create was answered with {first.result}")
        must(first.id, "a create gave no id")
        _found_or_repeated(b, one, first)
        made = set(b.source.ids()) - before
        must(made == {first.id}, f"one key made {len(made)} records: {sorted(made)}")
        return _lost_answer(b)


def _found_or_repeated(b: Bench, one: Write, first: Outcome) -> None:
    """A key makes a repeat harmless; without, the record is found by the key stamped on it."""
    if b.stream.caps.idempotency != "none":
        again = _pushed(b.connect(), [one])[0]
        must(again.result == "duplicate", f"the same key again was answered with {again.result}")
        must(again.id == first.id, "the same key again names another record")
        return
    found = _by_key(b.connect(), b.stream.name, one.idempotency_key)
    must(found is not None, "a new record is not found by the key it was created with")
    must(found is not None and found.id == first.id, "the key finds another record")


def _by_key(connector: Connector[Any], stream: str, key: str) -> Change | None:
    try:
        found = connector.fetch([Ref(stream, "", {"external_id": key})])
    except NotSupported:
        raise Exempt("it neither takes a key nor finds a record by one: creates may wait") from None
    return next((change for _, change in found if change.payload is not None), None)


def _lost_answer(b: Bench) -> list[str]:
    server = b.source.server
    if server is None:
        return ["lost answer: it makes no HTTP calls that a fault server could break"]
    before = set(b.source.ids())
    one = _write(b, None, b.source.new_fields(), key="suite-key-2")
    server.script(_done_then_reset)
    try:
        _pushed(b.connect(), [one])
    except TransientError:
        server.calm()
        if b.stream.caps.idempotency == "none":
            must(_by_key(b.connect(), b.stream.name, one.idempotency_key), "a lost create is lost")
        else:
            _pushed(b.connect(), [one])
    made = set(b.source.ids()) - before
    must(len(made) == 1, f"after a lost answer one key has made {len(made)} records")
    return []


def _done_then_reset(exchange: Exchange) -> None:
    """The far side does what was asked, and the answer never comes."""
    exchange.reply()
    exchange.reset()


def stale_guard(harness: Harness) -> list[str]:
    """12: a stale guard is a conflict with the current value, and the far side stays untouched."""
    with bench(harness, 2) as b:
        if b.stream.caps.guard in ("none", "compare"):
            raise Exempt("its far side checks no guard; the engine reads before it writes")
        id = min(b.source.ids())
        change = _read(b)[id]
        must(change.version, "a record carries no version, which the guard is made of")
        b.source.change(id)
        held = b.source.held(id)
        one = _write(b, id, b.source.changed_fields(id), guard=change.version)
        found = _pushed(b.connect(), [one])[0]
        must(found.result == "conflict", f"a stale guard was answered with {found.result}")
        must(b.source.held(id) == held, "a write with a stale guard changed the record")
        must(found.current is not None or found.version, "a conflict tells nothing of the present")
        fresh = _write(b, id, b.source.changed_fields(id), guard=_read(b)[id].version)
        again = _pushed(b.connect(), [fresh])[0]
        must(again.result == "applied", f"a fresh guard was answered with {again.result}")
        if "delete" in b.stream.caps.write:
            _stale_delete(b, id, change.version)
    return []


def _stale_delete(b: Bench, id: str, version: str | None) -> None:
    one = Write("delete", b.stream.name, id, {}, {}, version, "suite-key-d")
    found = _pushed(b.connect(), [one])[0]
    must(found.result == "conflict", f"a delete with a stale guard was answered {found.result}")
    must(b.source.held(id) is not None, "a delete with a stale guard deleted the record")


def only_named_fields(harness: Harness) -> list[str]:
    """13: only the named fields change."""
    with bench(harness, 2) as b:
        id, other = sorted(b.source.ids())[:2]
        before, aside = b.source.held(id), b.source.held(other)
        fields = b.source.changed_fields(id)
        version = _read(b)[id].version
        found = _pushed(b.connect(), [_write(b, id, fields, guard=version)])[0]
        must(found.result == "applied", f"a change was answered with {found.result}")
        after = b.source.held(id) or {}
        changed = {k for k in {*after, *(before or {})} if after.get(k) != (before or {}).get(k)}
        moved = sorted(changed - set(fields) - set(b.source.moves()))
        must(not moved, f"fields changed that nobody named: {moved}")
        stayed = sorted(set(fields) - changed)
        must(not stayed, f"fields that were named did not change: {stayed}")
        must(b.source.held(other) == aside, "another record changed")
    return []


def one_bad_of_ten(harness: Harness) -> list[str]:
    """14: one bad write of ten: nine are applied, one is rejected and names its field."""
    with bench(harness, 10) as b:
        ids = sorted(b.source.ids())[:10]
        versions = {id: change.version for id, change in _read(b).items()}
        bad = ids[4]
        writes = [
            _write(
                b,
                id,
                b.source.bad_fields() if id == bad else b.source.changed_fields(id),
                guard=versions.get(id),
                key=f"suite-key-{id}",
            )
            for id in ids
        ]
        held = b.source.held(bad)
        connector, size = b.connect(), max(1, b.stream.caps.batch_size)
        found: list[Outcome] = []
        for start in range(0, len(writes), size):
            found += _pushed(connector, writes[start : start + size])
        results = [one.result for one in found]
        must(results.count("applied") == 9, f"of ten writes with one bad: {results}")
        must(found[4].result == "rejected", f"the bad write was answered with {found[4].result}")
        must(found[4].reasons, "the rejection names no field")
        named = set(found[4].reasons) & set(b.source.bad_fields())
        must(named, f"the rejection names other fields: {sorted(found[4].reasons)}")
        must(b.source.held(bad) == held, "the rejected write changed the record")
    return []


def own_write(harness: Harness) -> list[str]:
    """15: our own write is recognised when it comes back, even reformatted."""
    with bench(harness, 2) as b:
        id = min(b.source.ids())
        fields = b.source.changed_fields(id)
        one = _write(b, id, fields, guard=_read(b)[id].version)
        found = _pushed(b.connect(), [one])[0]
        must(found.result == "applied", f"a change was answered with {found.result}")
        must(found.id == id, f"the outcome names {found.id}, not the record that was written")
        back = _read(b)[id]
        if found.version is not None:
            same = found.version == back.version
            must(same, f"the write gave version {found.version}, the record says {back.version}")
            return []
        for path, value in fields.items():
            shown = _at(back.payload or {}, path)
            must(_alike(value, shown), f"{path} came back as something else, and has no version")
        return ["version: its writes give none; our own are recognised by value"]


def _read(b: Bench) -> dict[str, Change]:
    pages = b.connect().pull(b.stream, None)
    return {change.id: change for page in pages for change in page.changes}


def _write(
    b: Bench,
    id: str | None,
    fields: Mapping[str, Any],
    *,
    guard: str | None = None,
    key: str = "suite-key",
) -> Write:
    checked = b.stream.caps.guard not in ("none", "compare")
    return Write("upsert", b.stream.name, id, dict(fields), {}, guard if checked else None, key)


def _pushed(connector: Connector[Any], writes: Sequence[Write]) -> list[Outcome]:
    found = connector.push(writes)
    must(len(found) == len(writes), f"{len(writes)} writes got {len(found)} outcomes")
    strange = [one.result for one in found if one.result not in _RESULTS]
    must(not strange, f"unknown results: {strange}")
    return found


def _at(payload: Mapping[str, Any], path: str) -> Any:
    if path in payload:
        return payload[path]
    node: Any = payload
    for part in path.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _alike(written: Any, shown: Any) -> bool:
    if isinstance(written, list) and isinstance(shown, list):
        return sorted(map(_folded, written)) == sorted(map(_folded, shown))
    ours, theirs = _folded(written), _folded(shown)
    return ours == theirs or (len(theirs) >= 16 and ours.startswith(theirs))


def _folded(value: Any) -> str:
    return " ".join(str(value).split()).casefold()
