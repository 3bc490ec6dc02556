"""The table that the hub writes: what is in it, what is left alone, and the contract suite on it."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from crm_hub_connectors.files import swap
from crm_hub_connectors.files.connector import FilesConnector, FilesSettings
from crm_hub_connectors.files.table_out import COLUMNS, cell, plain
from crm_hub_connectors.files.tests.test_vdir import Died, Doomed
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.sdk import ConfigError, Context, Outcome, Write
from crm_hub.sdk.testing.contract import ContractSuite, Exempt, Harness
from crm_hub.sdk.testing.harness import Alteration, Source

NOW = datetime(2026, 3, 10, tzinfo=UTC)


class SmallPages(FilesConnector):
    page_items = 10


def connect(path: Path) -> FilesConnector:
    settings = FilesSettings.model_validate({"path": str(path), "format": "csv-out"})
    return SmallPages(settings, Context("table", path.parent, now=lambda: NOW))


def create(key: str, **fields: Any) -> Write:
    return Write("upsert", "people.csv", None, {"kind": "person", **fields}, {}, None, key)


def push(path: Path, *writes: Write) -> list[Outcome]:
    return connect(path).push(writes)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_table_has_a_fixed_head_and_a_row_for_each_record(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    push(
        path, create("k1", name="Ann Lee, Dr.", note='says "hi"\nand goes'), create("k2", name="Ö")
    )
    assert path.read_bytes().startswith(",".join(COLUMNS).encode() + b"\r\nk1,person,")
    found = rows(path)
    assert [row["id"] for row in found] == ["k1", "k2"]
    assert found[0]["name"] == "Ann Lee, Dr."
    assert found[0]["note"] == 'says "hi"\nand goes'
    assert found[1]["name"] == "Ö"


def test_a_second_run_changes_no_byte_and_not_the_file(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    first = push(path, create("k1", name="Ann"))
    before = path.stat().st_mtime_ns, path.stat().st_ino
    again = push(path, create("k1", name="Ann"))
    assert [o.result for o in (*first, *again)] == ["applied", "duplicate"]
    assert first[0].version == again[0].version
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize(
    "text", ["=1+1", "+12125550147", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "'=1", "'+1"]
)
def test_no_cell_is_a_formula_and_each_is_read_as_what_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / "people.csv"
    push(path, create("k1", name=text))
    assert rows(path)[0]["name"] == f"'{text}"
    ((page,), _) = list(connect(path).pull(connect(path).discover()[0], None)), None
    assert page.changes[0].payload["name"] == text  # type: ignore[index]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_every_text_comes_back_from_its_cell(text: str) -> None:
    assert plain(cell(text)) == text
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_what_people_add_stays(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    push(path, create("k1", name="Ann"))
    found = rows(path)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*COLUMNS, "Mine"])
        writer.writeheader()
        writer.writerow({**found[0], "Mine": "called"})
        writer.writerow({"name": "a row of my own"})
    one = Write("upsert", "people.csv", "k1", {"title": "Buyer"}, {}, None, "x")
    assert push(path, one)[0].result == "applied"
    after = rows(path)
    assert (after[0]["Mine"], after[0]["title"]) == ("called", "Buyer")
    assert after[1]["name"] == "a row of my own"


@pytest.mark.parametrize(
    "text", ["name,email\r\nAnn,a@x.example\r\n", "id,name\r\n1,a,b\r\n", "id,id\r\n", "\xff\xfe"]
)
def test_a_table_of_somebody_else_is_never_written_over(tmp_path: Path, text: str) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match="not a table that the hub wrote"):
        push(path, create("k1", name="Ann"))
    assert path.read_bytes() == text.encode("latin-1")


def test_a_table_that_is_gone_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    connector = connect(path)
    (info,) = connector.discover()
    (empty,) = connector.pull(info, None)
    assert (empty.changes, empty.complete) == ([], True)
    push(path, create("k1", name="Ann"))
    (page,) = connector.pull(info, empty.checkpoint)
    path.unlink()
    with pytest.raises(ConfigError, match="gone"):
        list(connector.pull(info, page.checkpoint))


def test_what_is_saved_meanwhile_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "people.csv"
    push(path, create("k1", name="Ann"))
    real, saved = swap.lay_beside, []

    def lay_beside(*given: Any) -> Path:
        if not saved:
            saved.append(True)
            path.write_bytes(path.read_bytes().replace(b"Ann", b"Ann Quist"))
        return real(*given)

    monkeypatch.setattr(swap, "lay_beside", lay_beside)
    push(path, create("k2", name="Bo"))
    assert [row["name"] for row in rows(path)] == ["Ann Quist", "Bo"]


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_leaves_the_old_table_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    def act(folder: Path) -> list[Outcome]:
        return push(folder / "people.csv", create("k1", name="Ann"), create("k2", name="Bo"))

    doomed = Doomed(0, after)
    monkeypatch.setattr(swap, "os", doomed)
    act(tmp_path)
    wanted = (tmp_path / "people.csv").read_bytes()
    for n in range(1, doomed.calls + 1):
        folder = tmp_path / f"{n}"
        folder.mkdir()
        monkeypatch.setattr(swap, "os", Doomed(n, after))
        with pytest.raises(Died):
            act(folder)
        path = folder / "people.csv"
        assert not path.exists() or path.read_bytes() == wanted
        monkeypatch.undo()
        assert {o.result for o in act(folder)} <= {"applied", "duplicate"}
        assert path.read_bytes() == wanted


class RowSource(Source):
    """The table as a program sees it that opens, changes and saves it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbers, self._names = itertools.count(), itertools.count(1)
        self._columns = list(COLUMNS)
        self._save([])

    def settings(self) -> dict[str, Any]:
        return {"path": str(self.path), "format": "csv-out"}

    def bad_settings(self) -> dict[str, Any]:
        raise Exempt("a file has no credential")

    def dead_settings(self) -> dict[str, Any]:
        return {"path": str(self.path.parent / "missing" / "x.csv"), "format": "csv-out"}

    def ids(self) -> Set[str]:
        return {row["id"] for row in rows(self.path)}

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        if at is not None:
            raise Exempt("a row has no time")
        new = [{"id": f"{next(self._numbers):06}", "kind": "person", "name": "Ann"}
               for _ in range(count)]  # fmt: skip
        self._save([*rows(self.path), *new])
        return [row["id"] for row in new]

    def change(self, id: str) -> None:
        name = f"Ann {next(self._names)}"
        self._save([{**r, "name": name} if r["id"] == id else r for r in rows(self.path)])

    def delete(self, id: str) -> None:
        self._save([row for row in rows(self.path) if row["id"] != id])

    def alter(self, how: Alteration) -> None:
        first, *rest = rows(self.path)
        if how == "field retyped":
            raise Exempt("every cell of a table is text")
        if how == "field added":
            self._columns.append("Mine")
            self._save([{**first, "Mine": "yes"}, *rest])
        else:
            self._columns.remove("name")
            self._save([{k: v for k, v in r.items() if k != "name"} for r in (first, *rest)])

    def new_fields(self) -> Mapping[str, Any]:
        return {"kind": "person", "name": f"New {next(self._names)}"}

    def changed_fields(self, id: str) -> Mapping[str, Any]:
        return {"title": f"Buyer {id}", "phone": "+12125550147"}

    def bad_fields(self) -> Mapping[str, Any]:
        return {"name": ["a", "b"]}

    def held(self, id: str) -> Mapping[str, Any] | None:
        return next((row for row in rows(self.path) if row["id"] == id), None)

    def _save(self, found: list[dict[str, str]]) -> None:
        with self.path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, self._columns, restval="")
            writer.writeheader()
            writer.writerows(found)


class RowHarness(Harness):
    connector = SmallPages
    page_size = SmallPages.page_items
    exempt: Mapping[int, str] = {
        6: "a full read knows no cursor of time", 10: "no token", 22: "rows are not merged",
    }  # fmt: skip

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[Source]:
        with TemporaryDirectory() as folder:
            source = RowSource(Path(folder) / "people.csv")
            source.add(records)
            yield source


class TestTableOutContract(ContractSuite):
    harness = RowHarness()
