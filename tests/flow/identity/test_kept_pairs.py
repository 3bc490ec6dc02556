"""Pairs that are one by likeness are kept between rebuilds, for as long as the same rules hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text

from crm_hub.flow import rebuilding, walk_alike
from crm_hub.flow.hub import Hub
from crm_hub.resolve.kinds import PEOPLE
from crm_hub.resolve.measured import rules_mark
from crm_hub.store import Likeness
from crm_hub.store.schema import liked, source_record
from tests.flow.hubs import content
from tests.flow.identity.test_likeness import _again, _many, _one, _open

STRICTER = "version: 1\nthresholds: {link: 6}\n"


def kept_pairs(hub: Hub) -> list[tuple[str, str, int]]:
    """Return the kept pairs by their source keys."""
    record, pair = source_record.c, liked.c
    with hub.store.read() as db:
        keys = {row.id: row.key for row in db.conn.execute(select(record.id, record.key))}
        rows = db.conn.execute(select(pair.a_record, pair.b_record, pair.millibits)).all()
        return sorted((keys[a], keys[b], bits) for a, b, bits in rows)


def _mark(hub: Hub) -> str:
    with hub.store.read() as db:
        return Likeness(db).measured_at("person")[1]


def _with_rules(hub: Hub, folder: Path, rules: str) -> Hub:
    hub.close()
    path = folder / "hub" / "mappings" / "identity.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(rules)
    return Hub(folder / "hub")


def test_a_rebuild_keeps_them_and_who_comes_next_weighs_none_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = _many(200, 4)
    hub = _one(tmp_path, rows)
    assert (kept_pairs(hub), _mark(hub)) == ([], "")
    rebuilding.rebuild(hub)
    kept = kept_pairs(hub)
    assert kept
    assert _mark(hub) == rules_mark(hub.tools.rules, PEOPLE.model)
    weighed = []
    decide = walk_alike.decide
    monkeypatch.setattr(
        walk_alike, "decide", lambda *given: weighed.append({given[0].id, given[1].id}) or decide(*given)
    )  # fmt: skip
    pair = next(one for one in kept if one[0].startswith("a"))
    changed = [{**row, "title": "Clerk"} if row["id"] == pair[0] else row for row in rows]
    _again(hub, tmp_path, changed)
    assert weighed
    assert all(f"crm/contacts#{pair[0]}" in one for one in weighed)
    rebuilding.rebuild(hub, full=True)
    after = kept_pairs(hub), content(hub), _open(hub)
    _again(hub, tmp_path, rows)
    _again(hub, tmp_path, changed)
    assert (kept_pairs(hub), content(hub), _open(hub)) == after


def test_pairs_of_who_has_gone_go_too(tmp_path: Path) -> None:
    rows = _many(200, 4)
    hub = _one(tmp_path, rows)
    rebuilding.rebuild(hub)
    gone = kept_pairs(hub)[0][0]
    _again(hub, tmp_path, [row for row in rows if row["id"] != gone])
    assert kept_pairs(hub)
    assert not [pair for pair in kept_pairs(hub) if gone in pair]


def test_other_rules_take_hold_at_once_and_a_rebuild_keeps_the_pairs_anew(tmp_path: Path) -> None:
    rows = _many(200, 4)
    hub = _one(tmp_path, rows)
    rebuilding.rebuild(hub)
    usual = _mark(hub)
    hub = _with_rules(hub, tmp_path, STRICTER)
    late = [{**rows[0], "id": "late", "title": ""}]
    _again(hub, tmp_path, rows + late)
    assert _mark(hub) == ""
    # Back to the rules of before: what was weighed by others meanwhile is not trusted.
    hub = _with_rules(hub, tmp_path, "version: 1\n")
    _again(hub, tmp_path, rows + late)
    assert _mark(hub) == ""
    found = rebuilding.rebuild(hub)
    assert found.compared == len(rows) + 1
    assert _mark(hub) == usual


def test_a_hub_of_before_is_rebuilt_as_a_whole(tmp_path: Path) -> None:
    rows = _many(60, 4)
    hub = _one(tmp_path, rows)
    rebuilding.rebuild(hub)
    kept = kept_pairs(hub)
    with hub.store.write() as db:  # as migration 0014 leaves it
        db.conn.execute(text("DELETE FROM liked"))
        db.conn.execute(text("UPDATE population SET kept = ''"))
    assert rebuilding.rebuild(hub).compared == len(rows)
    assert kept_pairs(hub) == kept


def test_status_says_why_a_rebuild_is_due_without_importing_what_walks(tmp_path: Path) -> None:
    hub = _one(tmp_path, _many(60, 4))
    rebuilding.rebuild(hub)
    hub = _with_rules(hub, tmp_path, STRICTER)
    code = (
        "import sys; from pathlib import Path; from crm_hub.flow.hub import Hub;"
        "from crm_hub.flow.status import who_is_who; print(who_is_who(Hub(Path(sys.argv[1]))).rebuild);"
        "print([m for m in ('crm_hub.flow.walk_alike', 'crm_hub_connectors', 'httpx')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "hub")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    why, imported = done.stdout.splitlines()
    assert why.startswith("identity.yaml")
    assert imported == "[]"
    hub.close()
