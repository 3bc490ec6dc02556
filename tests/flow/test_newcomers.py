"""Records that meet nobody take a short way; it leaves what the long way would have left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crm_hub.flow import walk_identities
from crm_hub.flow.hub import Hub
from crm_hub.store.schema import metadata
from tests.flow.hubs import content, make_hub, sync_all, world, write_rows

_MOMENTS = {"received_at_us", "at_us", "updated_at_us", "recorded_at_us", "started_at_us",
            "ended_at_us", "next"}  # fmt: skip
# The long way numbers a record that turns out alone in another order than the short one.
_BY_NUMBER = ("identity", "identity_link", "change_log", "membership", "participant",
              "timeline_entry")  # fmt: skip


def _walked(folder: Path, rows: Any, page_size: int) -> Hub:
    for name, streams in rows.items():
        write_rows(folder / "src" / name, streams)
    sources = {name: folder / "src" / name for name in rows}
    hub = make_hub(folder / "hub", sources, page_size=page_size)
    sync_all(hub)
    return hub


def _tables(hub: Hub) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, without instants; keys as one table, merged or not."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with hub.store.read() as db:
        for table in metadata.sorted_tables:
            if table.name == "stream":
                continue  # its checkpoint holds the time of a file
            name = table.name.removesuffix("_recent")
            kept = [c for c in table.columns if c.name not in _MOMENTS]
            rows = db.conn.execute(table.select().with_only_columns(*kept))
            found.setdefault(name, []).extend(tuple(row) for row in rows)
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


@pytest.mark.parametrize(("people", "page_size"), [(40, 1), (300, 137), (300, 5000)])
def test_the_short_way_leaves_the_rows_of_the_long_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, people: int, page_size: int
) -> None:
    rows = world(people, people, seed=people + page_size)
    short = _walked(tmp_path / "short", rows, page_size)
    taken: list[int] = []
    monkeypatch.setattr(walk_identities, "take_newcomers", lambda _db, _batch: taken[:0])
    long = _walked(tmp_path / "long", rows, page_size)
    assert content(short) == content(long)
    found, expected = _tables(short), _tables(long)
    for name in expected:
        if name in _BY_NUMBER:
            assert len(found[name]) == len(expected[name]), name
        else:
            assert found[name] == expected[name], name


def test_most_new_records_take_the_short_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    welcomed: list[int] = []
    usual = walk_identities.welcome

    def counted(db: Any, repo: Any, nodes: Any, moment: Any, walked: Any) -> range:
        welcomed.append(len(nodes))
        return usual(db, repo, nodes, moment, walked)

    monkeypatch.setattr(walk_identities, "welcome", counted)
    _walked(tmp_path, {"crm_a": world(300, 0, seed=3)["crm_a"]}, 1000)
    assert sum(welcomed) > 250
