"""The REST connector: any JSON list API, described by settings alone. Read only.

`settings` describes the lists, `reader` fetches their pages, `walk` makes pages of changes and
checkpoints of them; what the records mean is the mapping's, or guessed from their field names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crm_hub.sdk import (
    Caps,
    Checkpoint,
    CheckReport,
    ConfigError,
    Connector,
    Context,
    Manifest,
    NotSupported,
    Page,
    StreamInfo,
    Window,
)
from crm_hub.sdk.guess import columns_of, field_types, guess, json_shape
from crm_hub.sdk.http import HttpClient
from crm_hub_connectors.rest.answers import MAX_BODY_BYTES, getter
from crm_hub_connectors.rest.reader import Reader
from crm_hub_connectors.rest.settings import ListSettings, RestSettings
from crm_hub_connectors.rest.stamps import read_stamp
from crm_hub_connectors.rest.walk import Walk, rules_of, start_of

_SAMPLE = 50
_LOCAL = ("localhost", "127.0.0.1", "::1")


class RestConnector(Connector[RestSettings]):
    """Reads the lists of one API: what changed where that can be asked, else all of it."""

    manifest = Manifest(
        id="rest",
        version="1.0.0",
        title="JSON list API",
        settings=RestSettings,
        summary="Any HTTP API that lists records as JSON: in-house tools, described by settings.",
        docs=(
            "https://www.rfc-editor.org/rfc/rfc9110",
            "https://www.rfc-editor.org/rfc/rfc8288",
        ),
    )

    def __init__(self, settings: RestSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._samples: dict[str, list[Any]] = {}

    def check(self) -> CheckReport:
        """Return a line for each list. Raises: AuthRefused, Unavailable, ConfigError.

        ConfigError also for settings that no record of the first page bears out.
        """
        lines = [self._line(spec, self._read_sample(spec)) for spec in self.settings.lists]
        parts = urlsplit(self.settings.base_url)
        if self.settings.token and parts.scheme == "http" and parts.hostname not in _LOCAL:
            lines.append("The token travels unencrypted: base_url begins with http://.")
        return CheckReport(account=parts.netloc, lines=tuple(lines))

    def _line(self, spec: ListSettings, records: list[Any]) -> str:
        if not records:
            return f"{spec.stream}: the list is empty"
        find = getter(spec.id)
        named = sum(isinstance(find(r), str | int) for r in records)
        if not named:
            raise _nothing_at(spec, "id", spec.id, records)
        if spec.changed_at:
            stamp, zone = getter(spec.changed_at), self._zone
            if not any(read_stamp(stamp(r), zone) for r in records):
                raise _nothing_at(spec, "changed_at", spec.changed_at, records)
        text = f"{spec.stream}: {len(records)} records on a first page"
        text += f", {len(records) - named} of them without an id" if named < len(records) else ""
        return f"{text}; {_manner(spec)}"

    def discover(self) -> list[StreamInfo]:
        """Return a stream for each list; its shape is told by the first page of records."""
        return [self._info(spec) for spec in self.settings.lists]

    def _info(self, spec: ListSettings) -> StreamInfo:
        name, caps = spec.stream, _caps(spec)
        found = self._samples.get(name)
        records = self._read_sample(spec) if found is None else found
        sample = [r for r in records if isinstance(r, dict)]
        fields = field_types(sample)
        if spec.section or self.settings.mapping:
            return StreamInfo(name, spec.section or name, caps, fields)
        if shape := json_shape(sample):
            return StreamInfo(name, shape, caps, fields)
        proposal = guess(name, columns_of(sample), sample, flat=False)
        return StreamInfo(name, name, caps, fields, proposal.line, proposal.section)

    def _read_sample(self, spec: ListSettings) -> list[Any]:
        with self._http() as http:
            records = self._reader(http, spec).first(_SAMPLE)
        self._samples[spec.stream] = records[:_SAMPLE]
        return self._samples[spec.stream]

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        """Yield the pages of one list; see `walk` for what its checkpoint holds.

        Raises: NotSupported for a window where records carry no time of change.
        """
        spec = self._spec(stream.name)
        if window is not None and not spec.changed_at:
            raise NotSupported(
                f"{self.context.connection}: {spec.stream} carries no time of change, so no span"
                " of time can be read",
                remedy="Set `changed_at`, or run a sync, which reads the whole list.",
            )
        with self._http() as http:
            walk = Walk(self._reader(http, spec), spec, self._zone, self.context.now)
            rules = rules_of(self.settings.base_url, spec)
            pages = (
                walk.pages(start_of(checkpoint, rules, spec, self.context.now()))
                if window is None
                else walk.window(window)
            )
            # Closed before the client is: a page may just be fetched in the background.
            with closing(pages):
                for page in pages:
                    yield page
                    if self.context.stopping():
                        return

    def _spec(self, name: str) -> ListSettings:
        for spec in self.settings.lists:
            if spec.stream == name:
                return spec
        raise ConfigError(
            f"{self.context.connection}: the settings describe no list named {name}",
            remedy="Describe it again; what was read from it is kept.",
        )

    def _reader(self, http: HttpClient, spec: ListSettings) -> Reader:
        token = self.settings.token
        secret = token.get_secret_value() if token else ""
        return Reader(http, self.settings.base_url, spec, secret)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.context.zone)

    @contextmanager
    def _http(self) -> Iterator[HttpClient]:
        if self.context.http is None:
            raise ConfigError("rest was started without an HTTP client")
        settings = self.settings
        # The address is typed in by the admin, and in-house tools live in private networks.
        own_host = urlsplit(settings.base_url).hostname or ""
        with self.context.http(
            settings.base_url,
            headers={"accept": "application/json", **settings.authorization},
            max_body_bytes=MAX_BODY_BYTES,
            allow_private=[own_host],
        ) as client:
            yield client


def _caps(spec: ListSettings) -> Caps:
    if not spec.since_param:
        return Caps(read="full", deletes="reconcile")
    return Caps(read="since", deletes="reconcile" if spec.reconcile else "none")


def _manner(spec: ListSettings) -> str:
    if not spec.since_param:
        return "the whole list is read each time"
    deletes = "deletes show once a day" if spec.reconcile else "deletes are not seen"
    return f"only changes are read after the first time; {deletes}"


def _nothing_at(spec: ListSettings, setting: str, path: str, records: list[Any]) -> ConfigError:
    paths = field_types(r for r in records if isinstance(r, dict))
    there = ", ".join(list(paths)[:12]) or "no objects at all"
    what = "a readable time" if setting == "changed_at" else "an id"
    return ConfigError(
        f"{spec.stream}: no record of the first page has {what} at {path}",
        remedy=f"Set `{setting}` to one of: {there}",
    )


connector = RestConnector
