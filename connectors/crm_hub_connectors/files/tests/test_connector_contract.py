"""The contract suite on real folders: one with a table, one with JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Set
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crm_hub_connectors.files.connector import FilesConnector

from crm_hub.sdk.testing.contract import ContractSuite, Exempt, Harness
from crm_hub.sdk.testing.harness import Alteration, Source

EXEMPT = {10: "no token", 22: "files do not merge records"}


class SmallPages(FilesConnector):
    """The connector as it is, with pages small enough to cut a short file into several."""

    page_items = 10


class _File(Source):
    """One file in a folder, written anew at each change, as a program that exports does."""

    name = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: dict[str, dict[str, Any]] = {}
        self.moment = datetime(2026, 3, 1, tzinfo=UTC)
        self.next = 0

    def settings(self) -> dict[str, Any]:
        return {"path": str(self.folder)}

    def bad_settings(self) -> dict[str, Any]:
        raise Exempt("a folder has no credential")

    def dead_settings(self) -> dict[str, Any]:
        return {"path": str(self.folder / "missing")}

    def ids(self) -> Set[str]:
        return set(self.records)

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        ids = []
        for _ in range(count):
            self.moment += timedelta(seconds=0 if same_stamp else 1)
            id = f"{self.next:06}"
            self.next += 1
            self.records[id] = self.record(id, at or self.moment)
            ids.append(id)
        self.write()
        return ids

    def change(self, id: str) -> None:
        self.moment += timedelta(seconds=1)
        self.records[id] = self.record(id, self.moment, name=f"New {self.moment:%H%M%S}")
        self.write()

    def delete(self, id: str) -> None:
        del self.records[id]
        self.write()

    def record(self, id: str, at: datetime, name: str = "Ann") -> dict[str, Any]:
        raise NotImplementedError

    def write(self) -> None:
        raise NotImplementedError


class _Table(_File):
    def record(self, id: str, at: datetime, name: str = "Ann") -> dict[str, Any]:
        return {
            "Record ID": id,
            "First Name": name,
            "Email": f"p{id}@x.example",
            "Lead Status": "Open",
            "Last Modified Date": at.isoformat(),
        }

    def alter(self, how: Alteration) -> None:
        first = next(iter(self.records.values()))
        if how == "field retyped":
            raise Exempt("every cell of a table is text")
        if how == "field added":
            first["Favourite water"] = "still"
        else:
            del first["Lead Status"]
        self.write()

    def write(self) -> None:
        columns = dict.fromkeys(name for row in self.records.values() for name in row)
        with (self.folder / "people.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(columns), restval="")
            writer.writeheader()
            writer.writerows(self.records.values())


class _Lines(_File):
    def record(self, id: str, at: datetime, name: str = "Ann") -> dict[str, Any]:
        properties = {"firstname": name, "email": f"p{id}@x.example", "seats": 3}
        return {"id": id, "properties": properties, "updatedAt": at.isoformat()}

    def alter(self, how: Alteration) -> None:
        properties = next(iter(self.records.values()))["properties"]
        if how == "field added":
            properties["colour"] = "blue"
        elif how == "field removed":
            del properties["seats"]
        else:
            properties["seats"] = ["three"]
        self.write()

    def write(self) -> None:
        lines = (json.dumps(record) + "\n" for record in self.records.values())
        (self.folder / "people.jsonl").write_text("".join(lines))


class _FileHarness(Harness):
    connector = SmallPages
    page_size = SmallPages.page_items
    exempt = EXEMPT
    kind: type[_File]

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[Source]:
        with TemporaryDirectory() as folder:
            source = self.kind(Path(folder))
            source.add(records)
            yield source


class TableHarness(_FileHarness):
    kind = _Table


class LinesHarness(_FileHarness):
    kind = _Lines


class TestTableContract(ContractSuite):
    harness = TableHarness()


class TestJsonLinesContract(ContractSuite):
    harness = LinesHarness()
