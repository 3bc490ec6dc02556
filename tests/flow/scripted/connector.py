"""A source for tests: streams of JSON lines in a folder, read in pages of any size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, Field

from crm_hub.sdk import (
    Caps,
    Change,
    Checkpoint,
    CheckReport,
    Connector,
    Manifest,
    Page,
    StreamInfo,
    Window,
)


class ScriptedSettings(BaseModel):
    path: str = Field(title="Folder", description="Folder of <shape>.jsonl files.")
    page_size: int = Field(1000, title="Page size", description="Changes a page.")


class ScriptedConnector(Connector[ScriptedSettings]):
    """Reads each file whole; a first load goes on from the line where the checkpoint stands."""

    manifest = Manifest("scripted", "1", "Scripted source", ScriptedSettings)

    def check(self) -> CheckReport:
        return CheckReport("a folder")

    def discover(self) -> list[StreamInfo]:
        files = sorted(Path(self.settings.path).glob("*.jsonl"))
        return [StreamInfo(f.stem, caps=Caps("full", "reconcile")) for f in files]

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        path = Path(self.settings.path) / f"{stream.name}.jsonl"
        lines = path.read_text("utf-8").splitlines()
        if window is not None:
            found = [change for change in map(_change, lines) if _within(window, change)]
            yield Page(found, None)
            return
        state = {"lines": len(lines), "mtime": path.stat().st_mtime_ns}
        if checkpoint is not None and checkpoint.get("done") == state:
            return
        # Only a first load goes on in the middle. A later one must see all there is in one go,
        # or what was deleted would stay.
        first = checkpoint is None or "of" in checkpoint
        resumed = checkpoint is not None and checkpoint.get("of") == state
        start = int(checkpoint["offset"]) if checkpoint is not None and resumed else 0
        for offset in range(start, max(len(lines), 1), self.settings.page_size):
            end = offset + self.settings.page_size
            last = end >= len(lines)
            here = {"offset": end, "of": state} if first else None
            yield Page(
                [_change(line) for line in lines[offset:end]],
                {"done": state} if last else here,
                complete=last and start == 0,
                source_count=len(lines) if last else None,
            )


def _within(window: Window, change: Change) -> bool:
    return change.changed_at is not None and window.since <= change.changed_at < window.until


def _change(line: str) -> Change:
    row = json.loads(line)
    at = row.pop("changed_at", None)
    return Change(row["id"], row, None if at is None else datetime.fromisoformat(at))


connector = ScriptedConnector
