"""The same records give the same people, golden values and timelines in whatever order."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from crm_hub.sdk.testing import servers
from tests.flow.hubs import content, ids, make_hub, sync_all, world, write_rows

PEOPLE, MAILS = 8200, 4200  # about 20,000 records in all


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("order")
    rows = world(PEOPLE, MAILS, seed=7)
    assert sum(len(found) for one in rows.values() for found in one.values()) >= 20_000
    for name, streams in rows.items():
        write_rows(folder / "src" / name, streams)
    hub = make_hub(folder / "hub", {n: folder / "src" / n for n in rows})
    sync_all(hub)
    return folder, rows, hub, content(hub)


def _shuffled(folder: Path, rows, seed: int, store: str = "sqlite:///hub.db", page_size: int = 500):
    rng = random.Random(seed)
    names = list(rows)
    rng.shuffle(names)
    for name in names:
        streams = {s: rng.sample(found, len(found)) for s, found in rows[name].items()}
        write_rows(folder / "src" / name, streams)
    hub = make_hub(
        folder / "hub", {n: folder / "src" / n for n in names}, store=store, page_size=page_size
    )
    sync_all(hub)
    return hub


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "page_size"), [(1, 1000), (2, 137), (3, 5000)])
def test_any_order_and_batch_size_gives_the_same_content(reference, tmp_path, seed, page_size):
    _, rows, _, expected = reference
    found = content(_shuffled(tmp_path, rows, seed, page_size=page_size))
    for part in expected:
        assert found[part] == expected[part], part


@pytest.mark.slow
def test_postgresql_holds_the_same_content_as_sqlite(reference, tmp_path):
    _, rows, _, expected = reference
    try:
        with servers.postgres() as base, servers.postgres_database(base) as url:
            hub = _shuffled(tmp_path, rows, 4, store=url)
            found = content(hub)
            hub.close()
    except servers.Unobtainable as reason:
        pytest.skip(str(reason))
    for part in expected:
        assert found[part] == expected[part], part


@pytest.mark.slow
def test_loading_once_more_changes_nothing_and_keeps_every_id(reference):
    folder, rows, hub, expected = reference
    before = ids(hub)
    for name, streams in rows.items():
        write_rows(folder / "src" / name, streams)  # new file times: everything is read again
    reports = sync_all(hub)
    assert sum(r.counts["pulled"] for r in reports) >= 20_000
    assert sum(r.counts["new"] + r.counts["changed"] for r in reports) == 0
    assert ids(hub) == before
    assert content(hub) == expected


def test_a_sync_without_news_writes_no_row(tmp_path):
    rows = world(50, 30, seed=1)
    for name, streams in rows.items():
        write_rows(tmp_path / "src" / name, streams)
    hub = make_hub(tmp_path / "hub", {n: tmp_path / "src" / n for n in rows})
    sync_all(hub)
    before = hub.store.rows_changed()
    reports = sync_all(hub)
    assert hub.store.rows_changed() == before
    assert all(not any(r.counts.values()) for r in reports)
