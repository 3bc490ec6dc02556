"""What this connector promises, on real files."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crm_hub.registry import Registry
from crm_hub.sdk import ConfigError, Connector, Context, Page, Window

HERE = Path(__file__).resolve().parents[1]
Class = Registry([HERE.parent]).get("__NAME__").connector
assert Class is not None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(HERE / "fixtures" / "contacts", tmp_path / "contacts")
    return tmp_path / "contacts"


def connect(folder: Path, **settings: Any) -> Connector[Any]:
    assert Class is not None
    values = {"path": folder, "page_size": 1, **settings}
    context = Context("contacts", folder.parent, zone="America/New_York")
    return Class(Class.manifest.settings(**values), context)


def pull(connector: Connector[Any], checkpoint: Any = None, window: Any = None) -> list[Page]:
    return list(connector.pull(connector.discover()[0], checkpoint, window))


def ids(pages: list[Page]) -> list[str]:
    return [change.id for page in pages for change in page.changes]


def test_a_whole_read_gives_every_contact_and_is_complete(folder: Path) -> None:
    pages = pull(connect(folder))
    assert ids(pages) == ["dana", "office"]
    assert [page.complete for page in pages] == [False, True]
    assert pages[-1].source_count == 2


def test_nothing_changed_means_no_page(folder: Path) -> None:
    connector = connect(folder)
    assert pull(connector, pull(connector)[-1].checkpoint) == []


def test_a_resumed_read_gives_the_rest_and_never_claims_to_be_complete(folder: Path) -> None:
    connector = connect(folder)
    rest = pull(connector, pull(connector)[0].checkpoint)
    assert ids(rest) == ["office"]
    assert not any(page.complete for page in rest)
    assert ids(pull(connector, rest[-1].checkpoint)) == ["dana", "office"]


def test_a_deleted_file_is_missing_from_the_next_complete_read(folder: Path) -> None:
    connector = connect(folder)
    checkpoint = pull(connector)[-1].checkpoint
    (folder / "dana.json").unlink()
    pages = pull(connector, checkpoint)
    assert ids(pages) == ["office"]
    assert pages[-1].complete


def test_an_emptied_folder_is_a_complete_snapshot_of_nothing(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    assert [(page.complete, page.source_count) for page in pull(connect(folder))] == [(True, 0)]


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b"[" * 200_000, b" " * 2_000_000])
def test_a_bad_file_is_set_aside_and_the_rest_goes_on(folder: Path, content: bytes) -> None:
    (folder / "bad.json").write_bytes(content)
    pages = pull(connect(folder))
    assert ids(pages) == ["dana", "office"]
    assert [reject.place for page in pages for reject in page.rejects] == ["bad.json"]


def test_a_time_without_an_offset_counts_in_the_zone_of_the_connection(folder: Path) -> None:
    changes = {c.id: c for page in pull(connect(folder)) for c in page.changes}
    assert changes["office"].changed_at is not None
    assert changes["office"].changed_at.astimezone(UTC) == datetime(2026, 3, 11, 12, tzinfo=UTC)


def test_a_window_gives_its_span_and_no_checkpoint(folder: Path) -> None:
    window = Window(datetime(2026, 3, 11, tzinfo=UTC), datetime(2026, 3, 12, tzinfo=UTC))
    pages = pull(connect(folder), window=window)
    assert ids(pages) == ["office"]
    assert [page.checkpoint for page in pages] == [None, None]


def test_a_missing_folder_is_told_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        connect(tmp_path / "elsewhere").check()


def test_the_mapping_file_names_this_connector() -> None:
    entry = Registry([HERE.parent]).get("__NAME__")
    assert entry.mapping_text is not None
    assert "connector: __NAME__\n" in entry.mapping_text
