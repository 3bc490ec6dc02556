"""The contract suite: what every connector must survive, here on a folder that the test changes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Set
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crm_hub.registry import Registry
from crm_hub.sdk.testing.contract import Alteration, ContractSuite, Exempt, Harness, Source

HERE = Path(__file__).resolve().parents[1]
Class = Registry([HERE.parent]).get("__NAME__").connector
assert Class is not None


class FolderSource(Source):
    """The far side: a folder, changed as its owner would change it."""

    def __init__(self, folder: Path, records: int, page_size: int) -> None:
        self.folder, self.page_size = folder, page_size
        self.stamp = datetime(2026, 1, 1, tzinfo=UTC)
        self.count = 0
        self.add(records)

    def settings(self) -> dict[str, Any]:
        return {"path": self.folder, "page_size": self.page_size}

    def bad_settings(self) -> dict[str, Any]:
        raise Exempt("a folder needs no credential")

    def dead_settings(self) -> dict[str, Any]:
        return {"path": self.folder / "missing"}

    def ids(self) -> Set[str]:
        return {file.stem for file in self.folder.glob("*.json")}

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        new = [f"{self.count + n:06}" for n in range(count)]
        self.count += count
        for name in new:
            self.stamp += timedelta(0 if same_stamp else 1)
            self.write(name, {"id": name, "name": name, "updated_at": (at or self.stamp)})
        return new

    def change(self, id: str) -> None:
        self.write(id, {**self.read(id), "name": "Someone else"})

    def delete(self, id: str) -> None:
        (self.folder / f"{id}.json").unlink()

    def alter(self, how: Alteration) -> None:
        first = min(self.ids())
        record = self.read(first)
        if how == "field added":
            record["nickname"] = "Dee"
        elif how == "field removed":
            del record["name"]
        else:
            record["name"] = ["Dana", 1]
        self.write(first, record)

    def read(self, id: str) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.folder / f"{id}.json").read_text())
        return record

    def write(self, id: str, record: dict[str, Any]) -> None:
        (self.folder / f"{id}.json").write_text(json.dumps(record, default=datetime.isoformat))


class FolderHarness(Harness):
    connector = Class
    page_size = 2
    memory_records = 4_000
    exempt = {10: "it has no token to refresh", 22: "files do not merge"}  # noqa: RUF012

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[Source]:
        with tempfile.TemporaryDirectory() as folder:
            yield FolderSource(Path(folder), records, page_size)


class TestContract(ContractSuite):
    harness = FolderHarness()
