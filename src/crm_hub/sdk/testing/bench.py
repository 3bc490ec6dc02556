"""What a case of the suite works with: one fresh source, connectors on it, all they said."""

from __future__ import annotations

import functools
import logging
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crm_hub.model.errors import Unavailable
from crm_hub.model.records import Payload
from crm_hub.sdk.contract import Connector, Context, StreamInfo
from crm_hub.sdk.http import HttpClient
from crm_hub.sdk.testing.harness import Exempt, Harness, MiniHub, Source
from crm_hub.sdk.tokens import Grant

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
_MOST_ATTEMPTS = 40


class _Ear(logging.Handler):
    """Keeps every log line of the process, unredacted."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class _Grants:
    """Keeps a connector's grant over restarts; saves nothing while it `fails`."""

    def __init__(self) -> None:
        self.fails = False
        self._kept: Grant | None = None

    def load(self) -> Grant | None:
        return self._kept

    def save(self, grant: Grant) -> None:
        if self.fails:
            raise Unavailable("the disk is full")
        self._kept = grant


class Bench:
    """One fresh source and the connector on it; `waited_s` is what its client would have slept."""

    def __init__(self, harness: Harness, source: Source, folder: Path, ear: _Ear) -> None:
        self.harness = harness
        self.source = source
        self.waited_s: list[float] = []
        self.grants = _Grants()
        self._folder = folder
        self._ear = ear
        self._stream: StreamInfo | None = None
        self._open: list[Connector[Any]] = []

    def connect(
        self,
        settings: dict[str, Any] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Connector[Any]:
        """Return a new connector, as after a restart of the hub."""
        kind = self.harness.connector
        model = kind.manifest.settings
        context = Context(
            connection="suite",
            base_dir=self._folder,
            now=lambda: NOW,
            log=logging.getLogger("crm_hub.suite"),
            http=functools.partial(
                HttpClient, allow_private=True, timeout_s=3, sleep=self.waited_s.append
            ),
            zone="America/New_York",
            stopping=stopping,
            grants=self.grants if settings is None else _Grants(),
        )
        given = self.source.settings() if settings is None else settings
        connector = kind(model.model_validate(given), context)
        self._open.append(connector)
        return connector

    def close(self) -> None:
        """Close all connectors made so far, as the hub does at its end."""
        while self._open:
            self._open.pop().close()

    @property
    def stream(self) -> StreamInfo:
        """The stream under test, as `discover` describes it."""
        if self._stream is None:
            found = self.connect().discover()
            wanted = [s for s in found if s.name == self.harness.stream or not self.harness.stream]
            must(wanted, f"discover() does not list the stream {self.harness.stream!r}")
            self._stream = wanted[0]
        return self._stream

    def whole(self) -> dict[str, Payload]:
        """Return what one undisturbed pull gives; it must be all the source holds."""
        hub = MiniHub()
        hub.pull(self.connect(), self.stream)
        self.same_ids(hub, "an undisturbed pull")
        return hub.records

    def settle(self, hub: MiniHub) -> None:
        """Pull again and again, each time with a new connector, until a pull ends properly."""
        for _ in range(_MOST_ATTEMPTS):
            connector = self.connect()
            ended = hub.attempt(connector, self.stream)
            connector.close()
            if ended:
                return
        raise AssertionError(
            f"{_MOST_ATTEMPTS} pulls did not come to an end; the last error: {hub.errors[-1]}"
        )

    def same_ids(self, hub: MiniHub, after: str) -> None:
        """Assert that the hub holds the source's ids and no others."""
        lost = sorted(self.source.ids() - hub.records.keys())
        extra = sorted(hub.records.keys() - self.source.ids())
        must(not lost, f"after {after} {len(lost)} records are lost: {lost[:5]}")
        must(not extra, f"after {after} {len(extra)} records are there too many: {extra[:5]}")

    def said(self) -> str:
        """Return all log lines so far."""
        return "\n".join(self._ear.lines)


def must(holds: object, otherwise: str) -> None:
    """Raise AssertionError with `otherwise` unless it holds; unlike assert, under -O too."""
    if not holds:
        raise AssertionError(otherwise)


def told(error: BaseException) -> str:
    """Return all a person may see of an error: text, repr and the traceback with its causes."""
    return "\n".join([str(error), repr(error), *traceback.format_exception(error)])


@contextmanager
def bench(harness: Harness, records: int, page_size: int | None = None) -> Iterator[Bench]:
    """Yield a bench with a fresh source; everything logged meanwhile is kept."""
    root, ear = logging.getLogger(), _Ear()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            harness.source(records, page_size or harness.page_size) as source,
        ):
            made = Bench(harness, source, Path(folder), ear)
            try:
                yield made
            finally:
                made.close()
    finally:
        root.removeHandler(ear)
        root.setLevel(level)


def need_reading(bench: Bench) -> None:
    """Exempt a case about pulls where the stream only receives."""
    if bench.stream.caps.read == "none":
        raise Exempt("the stream only receives; nothing can be pulled")
