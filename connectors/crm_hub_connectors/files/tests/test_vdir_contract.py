"""The contract suite on a folder with one card for each file, which is read and written."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crm_hub_connectors.files.connector import FilesConnector

from crm_hub.sdk.formats.vcard import card_payload
from crm_hub.sdk.testing.contract import ContractSuite, Exempt, Harness
from crm_hub.sdk.testing.harness import Alteration, Source

CARD = """\
BEGIN:VCARD\r
VERSION:3.0\r
UID:{id}\r
FN:{name}\r
N:Bell;Ann;;;\r
item1.EMAIL;TYPE=work:{id}@bell.example\r
item1.X-ABLabel:Desk\r
X-PHONETIC-LAST-NAME:bel\r
NOTE:likes tea\\, and a very long line that somebody's program folded somewhere ab\r
 out here\r
END:VCARD\r
"""


class SmallPages(FilesConnector):
    """The connector as it is, with pages small enough to cut a folder into several."""

    page_items = 10


class CardFolder(Source):
    suffix = ".vcf"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count()
        self._moment = itertools.count(1)

    def settings(self) -> dict[str, Any]:
        return {"path": str(self.folder), "format": "vdir"}

    def bad_settings(self) -> dict[str, Any]:
        raise Exempt("a folder has no credential")

    def dead_settings(self) -> dict[str, Any]:
        return {"path": str(self.folder / "missing"), "format": "vdir"}

    def ids(self) -> Set[str]:
        return {path.name for path in self.folder.glob(f"*{self.suffix}")}

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        ids = [f"{next(self._numbers):06}{self.suffix}" for _ in range(count)]
        for id in ids:
            self._save(id, self.text(id))
            if at is not None:
                os.utime(self.folder / id, (at.timestamp(), at.timestamp()))
        return ids

    def text(self, id: str) -> str:
        return CARD.format(id=id.removesuffix(".vcf"), name="Ann Bell")

    def change(self, id: str) -> None:
        text = (self.folder / id).read_bytes().decode()
        self._save(id, text.replace("FN:", f"FN:New {next(self._moment)} ", 1))

    def delete(self, id: str) -> None:
        (self.folder / id).unlink()

    def alter(self, how: Alteration) -> None:
        id = min(self.ids())
        text = (self.folder / id).read_bytes().decode()
        if how == "field added":
            text = text.replace("END:", "X-WATER:still\r\nTITLE:Buyer\r\nEND:")
        elif how == "field removed":
            text = "".join(line for line in text.splitlines(True) if "EMAIL" not in line)
        else:
            raise Exempt("every value of a card is text")
        self._save(id, text)

    def new_fields(self) -> Mapping[str, Any]:
        number = next(self._moment)
        return {
            "kind": "individual",
            "fn": f"New {number}",
            "emails.value": [f"n{number}@x.example"],
        }

    def changed_fields(self, id: str) -> Mapping[str, Any]:
        return {"title": f"Buyer of {id}", "emails.value": [f"c.{id}@bell.example"]}

    def bad_fields(self) -> Mapping[str, Any]:
        return {"bday": "some day"}

    def held(self, id: str) -> Mapping[str, Any] | None:
        path = self.folder / id
        if not path.exists():
            return None
        payload = card_payload(path.read_bytes())
        rest = [line for line in path.read_bytes().decode().split("\r\n") if "EMAIL" not in line]
        return {**payload, "emails": None, "emails.value": [e["value"] for e in payload["emails"]],
                "lines": [line for line in rest if not line.startswith("TITLE")]}  # fmt: skip

    def _save(self, id: str, text: str) -> None:
        waiting = self.folder / f".{id}.new"
        waiting.write_bytes(text.encode())
        waiting.replace(self.folder / id)


class CardHarness(Harness):
    connector = SmallPages
    page_size = SmallPages.page_items
    memory_records = 2_000
    exempt: Mapping[int, str] = {10: "no token", 22: "files do not merge records"}

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[Source]:
        with TemporaryDirectory() as folder:
            source = CardFolder(Path(folder))
            source.add(records)
            yield source


class TestCardFolderContract(ContractSuite):
    harness = CardHarness()
