"""An opened hub: its configuration, store, connectors, mappings and rules in one place."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_hub import config as hub_config
from crm_hub.config import ConnectionConfig, HubConfig
from crm_hub.model.errors import ConfigError, Unavailable
from crm_hub.observe import logger
from crm_hub.registry import Registry
from crm_hub.secrets import SealedStore, resolve_settings
from crm_hub.store import Store

# The mapping language, its steps and the connectors' side cost half a second of imports, which a
# command that only looks into the store does without.
if TYPE_CHECKING:
    from crm_hub.flow.batch import Tools
    from crm_hub.mapping import MappingFile, Plan, SectionPlan
    from crm_hub.sdk import Connector, Context, StreamInfo
    from crm_hub.sdk.http import HttpClient

_MARKS = {"sync": "looked", "push": "pushed"}


def utc_now() -> datetime:
    """Return the present instant. The one place where the hub reads the clock."""
    return datetime.now(UTC)


class Hub:
    """One hub folder, opened. Everything is read once and lazily.

    now: the clock, for tests. stopping: true once a person asked the hub to stop.
    """

    def __init__(self, folder: Path, *, now: Callable[[], datetime] = utc_now) -> None:
        self.folder = folder
        self.now = now
        self.stopping: Callable[[], bool] = lambda: False
        self.config: HubConfig = hub_config.load(folder)
        self.registry = Registry([folder / "connectors"])
        self.secrets = SealedStore(folder)
        self._overrides: dict[str, dict[str, Any]] = {}
        self._connectors: dict[str, Connector[Any]] = {}
        self._plans: dict[str, Plan] = {}
        self._files: dict[str, MappingFile] = {}
        self._layered: dict[str, MappingFile] = {}

    @cached_property
    def store(self) -> Store:
        password = self.config.store.password
        from crm_hub.secrets import reveal

        word = reveal(password, self.folder, "store.password") if password else ""
        return Store(self.config.store_url(word), self.folder).open()

    @property
    def mapping_folders(self) -> list[Path]:
        return [self.folder / "mappings"]

    @cached_property
    def tools(self) -> Tools:
        from crm_hub.flow.two_way import two_way_of

        return replace(self._reading_tools, two_way=two_way_of(self))

    @cached_property
    def _reading_tools(self) -> Tools:
        """The tools of a hub that writes nowhere: what the files say, whatever was approved."""
        from crm_hub.flow.batch import Tools
        from crm_hub.mapping import read_identity, read_survivorship

        exclusive: set[tuple[str, str]] = set()
        files: dict[str, MappingFile] = {}
        for name in self.config.connections:
            try:
                files[name] = self.mapping(name)
            except ConfigError:
                continue  # a broken connection says so when it is asked itself
            exclusive |= _exclusive(name, files[name])
        return Tools(
            read_identity(self.mapping_folders),
            read_survivorship(self.mapping_folders, files),
            frozenset(self.config.company.own),
            frozenset(exclusive),
            {name: (name, one.kind) for name, one in self.config.connections.items()},
            None,
            frozenset(n for n, one in self.config.connections.items() if one.direction == "push"),
        )

    def forget_tools(self) -> None:
        """Let the tools be made anew: another route was approved."""
        self.__dict__.pop("tools", None)

    def written_to(self) -> list[str]:
        """Return the connections that hub.yaml lets the hub write to."""
        return [n for n, one in self.config.connections.items() if one.direction != "pull"]

    def connection(self, name: str) -> ConnectionConfig:
        """Return a connection's configuration, or say which there are."""
        found = self.config.connections.get(name)
        if found is None:
            names = ", ".join(sorted(self.config.connections)) or "none yet"
            raise ConfigError(f"there is no connection named {name}", remedy=f"There are: {names}.")
        return found

    def connector(self, name: str) -> Connector[Any]:
        """Return the connector of a connection, ready to be called; the same one until `release`.

        It is for one thread at a time, the one that holds the connection (`alone`).
        """
        if name not in self._connectors:
            one = self.connection(name)
            settings = {**one.settings, **self._overrides.get(name, {})}
            self._connectors[name] = self.make(name, one.kind, settings)
        return self._connectors[name]

    def override(self, name: str, **settings: Any) -> None:
        """Let a connection use other settings while this hub is open; hub.yaml stays as it is."""
        self._overrides[name] = settings
        self.release(name)

    def release(self, name: str) -> None:
        """Let go of a connection's connector, so that the next call begins with a fresh one."""
        held = self._connectors.pop(name, None)
        if held is not None:
            held.close()

    def make(self, name: str, kind: str, values: dict[str, Any]) -> Connector[Any]:
        """Return a connector of `kind` with these settings, secrets filled in."""
        entry = self.registry.get(kind)
        if entry.connector is None:
            raise ConfigError(
                f"the connector {kind} ({entry.origin}) cannot be used: {entry.error}",
                remedy="Run: crm-hub connectors list",
            )
        model = entry.connector.manifest.settings
        if "own" in model.model_fields and not values.get("own"):
            values = {**values, "own": ",".join(self.config.company.own)}
        settings = resolve_settings(model, name, values, self.secrets, kind=kind)
        return entry.connector(settings, self._context(name))

    def _context(self, name: str) -> Context:
        from crm_hub.flow.grants import SealedGrants
        from crm_hub.sdk import Context

        company = self.config.company
        return Context(
            connection=name,
            base_dir=self.folder,
            now=self.now,
            log=logger(f"connection.{name}"),
            http=_http_client,
            region=company.region,
            zone=company.zone,
            stopping=lambda: self.stopping(),
            grants=SealedGrants(self.secrets, name),
        )

    # mappings -----------------------------------------------------------------------------

    def mapping(self, name: str) -> MappingFile:
        """Return the mapping file of a connection: built in, then the admin's, then its own."""
        from crm_hub.mapping import overlay, parse, read_text

        if name not in self._files:
            one = self.connection(name)
            found = self._layers(one.kind)
            own = one.settings.get("mapping")
            if own:
                path = self.folder / str(own)
                if not path.is_file():
                    raise ConfigError(
                        f"{name}: the mapping file {own} is not there",
                        remedy="Put it beside hub.yaml or correct the setting `mapping`.",
                    )
                found = overlay(found, parse(read_text(path), str(own)))
            self._files[name] = found
        return self._files[name]

    def _layers(self, kind: str) -> MappingFile:
        """Return the mapping of a connector kind, read once for all its connections."""
        from crm_hub.mapping import read_layers

        if kind not in self._layered:
            text = self.registry.mapping_text(kind)
            self._layered[kind] = read_layers(kind, self.mapping_folders, base_text=text)
        return self._layered[kind]

    def plan(self, name: str) -> Plan:
        """Return the compiled mapping of a connection."""
        from crm_hub.mapping import compile_plan

        if name not in self._plans:
            company = self.config.company
            self._plans[name] = compile_plan(
                self.mapping(name), connection=name, region=company.region, zone=company.zone
            )
        return self._plans[name]

    def section(self, name: str, info: StreamInfo) -> SectionPlan | None:
        """Return the mapping of one stream; the connector's proposal where the files have none."""
        found = self.plan(name).sections.get(info.shape)
        if found is None and info.section is not None:
            from crm_hub.mapping import compile_section

            company = self.config.company
            found = compile_section(
                dict(info.section),
                name=info.shape,
                connection=name,
                region=company.region,
                zone=company.zone,
            )
        return found

    # housekeeping -------------------------------------------------------------------------

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Hold the connection for this process; a second one is told so instead of waiting."""
        folder = self.folder / "run"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Unavailable(
                f"{name}: {folder} cannot be written to ({error.strerror}); nothing was begun",
                remedy="Free space, or correct owner and mode of the hub's folder.",
            ) from None
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Unavailable(
                    f"{name}: another process is syncing this connection",
                    remedy="Wait for it to end; crm-hub status shows when.",
                ) from None
            yield
        finally:
            os.close(handle)

    def looked(self, name: str, kind: str = "sync") -> None:
        """Note that a run of this kind has just ended well, without writing a row."""
        (self.folder / "run" / f"{name}.{_MARKS[kind]}").touch()

    def last_looked_us(self, name: str, kind: str = "sync") -> int | None:
        """Return when a run of this kind last ended well."""
        try:
            return (self.folder / "run" / f"{name}.{_MARKS[kind]}").stat().st_mtime_ns // 1000
        except FileNotFoundError:
            return None

    def names(self, wanted: Sequence[str] = ()) -> list[str]:
        """Return the wanted connections, or all that are not paused."""
        if wanted:
            return [self.connection(name).name for name in wanted]
        return [n for n, one in self.config.connections.items() if not one.paused]

    def close(self) -> None:
        for name in list(self._connectors):
            self.release(name)
        if "store" in self.__dict__:
            self.store.close()


def _http_client(*args: Any, **options: Any) -> HttpClient:
    """Return a client; httpx is loaded for connectors that speak HTTP alone."""
    from crm_hub.sdk.http import HttpClient

    return HttpClient(*args, **options)


def _exclusive(name: str, file: MappingFile) -> set[tuple[str, str]]:
    """Return (scope, name) of the strong ids of which one identity has only one."""
    return {
        ("" if one.scope == "hub" else name, one.strong)
        for section in file.sections.values()
        for one in section.identity
        if one.strong and one.exclusive
    }
