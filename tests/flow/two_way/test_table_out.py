"""A table that the hub keeps: it follows the golden records, and a second run changes no byte."""

from __future__ import annotations

import csv
from pathlib import Path

from crm_hub.config import add_connection
from crm_hub.flow.inbound import SyncReport
from crm_hub.flow.outbound import push
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import World


class TableWorld(World):
    def __init__(self, folder: Path) -> None:
        self.table = folder.parent / "people.csv"
        super().__init__(folder, [Side("a", Clock())])
        self.hub.close()
        settings = {"path": str(self.table), "format": "csv-out"}
        add_connection(folder, "table", "files", settings, direction="push")
        self.open()

    def push(self, *names: str, yes: bool = True) -> list[SyncReport]:
        found = [push(self.hub, name, yes=yes, many=True) for name in ("a", "table")]
        reports = [one for one in found if one is not None]
        for report in reports:
            assert report.error is None, report.error
        return reports

    def rows(self) -> dict[str, dict[str, str]]:
        with self.table.open(encoding="utf-8", newline="") as stream:
            return {row["family_name"]: row for row in csv.DictReader(stream)}


MAPPING = """\
version: 1
connector: files
streams:
  table_out:
    create: {when: [family_name]}
"""


def test_the_table_follows_and_rests(tmp_path: Path) -> None:
    world = TableWorld(tmp_path / "hub")
    (world.folder / "mappings").mkdir(exist_ok=True)
    (world.folder / "mappings" / "files.yaml").write_text(MAPPING)
    world.hub.close()
    world.open()
    a = world.sides["a"]
    ann = a.add(first="Ann", last="Bell", email=["ann@bell.example", "b@bell.example"])
    bo = a.add(first="Bo", last="=HYPERLINK(1)", email=["bo@quist.example"], phone="+12125550147")
    for _ in range(3):
        world.round()
    rows = world.rows()
    assert rows["Bell"]["email"] == "ann@bell.example; b@bell.example"
    assert rows["'=HYPERLINK(1)"]["phone"] == "'+12125550147"
    ids = {row["id"] for row in rows.values()}
    raw, stamp = world.table.read_bytes(), world.table.stat().st_mtime_ns
    for _ in range(2):
        world.round()
    assert (world.table.read_bytes(), world.table.stat().st_mtime_ns) == (raw, stamp)
    a.edit(ann, title="Buyer", last="Marlow")
    for _ in range(2):
        world.round()
    rows = world.rows()
    assert (rows["Marlow"]["title"], rows["Marlow"]["name"]) == ("Buyer", "Ann Marlow")
    assert {row["id"] for row in rows.values()} == ids
    assert a.pushed == []
    a.drop(bo)
    for _ in range(2):
        world.round()
    assert list(world.rows()) == ["Marlow"]
    world.hub.close()
