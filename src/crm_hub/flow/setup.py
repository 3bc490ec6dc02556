"""Setting a hub up: making it, and connecting a source only once it has answered.

Secrets are tried before they are sealed, and sealed before hub.yaml names them, so a failed
attempt changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticUndefined

from crm_hub import config as hub_config
from crm_hub.config import ConnectionConfig
from crm_hub.flow.grants import SealedGrants
from crm_hub.flow.hub import Hub
from crm_hub.model.errors import ConfigError
from crm_hub.registry import Entry
from crm_hub.sdk import Connector
from crm_hub.secrets import SealedStore, seal_settings, secret_fields

_FOLDERS = ("mappings", "connectors")


class FoundStream(NamedTuple):
    """A stream a check found. mapped: the hub knows what its records mean."""

    name: str
    shape: str
    guess: str
    mapped: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What a connection's source answered. receives: webhooks or forms are posted to it."""

    connection: str
    kind: str
    account: str
    lines: tuple[str, ...]
    scopes: tuple[str, ...]
    clock_skew_s: float | None
    streams: list[FoundStream]
    receives: bool


def create_hub(
    folder: Path,
    *,
    name: str = "",
    region: str = "US",
    zone: str = "UTC",
    own: Sequence[str] = (),
    store: str = "sqlite:///hub.db",
) -> Path:
    """Make a hub: hub.yaml, its key (0600) and its folders; return the path of hub.yaml.

    Raises: ConfigError for a value that is wrong, or when there is a hub already.
    """
    from phonenumbers import SUPPORTED_REGIONS

    if len(region) == 2 and region.isupper() and region not in (*SUPPORTED_REGIONS, "UK"):
        raise ConfigError(
            f"{region!r} is no region of ISO 3166",
            remedy="Nothing was made. Give a country's two letters, such as US, DE or GB.",
        )
    path = hub_config.create(folder, name=name, region=region, zone=zone, own=own, store=store)
    SealedStore(folder).create_key()
    for place in _FOLDERS:
        (folder / place).mkdir(mode=0o700, exist_ok=True)
    return path


def check(hub: Hub, name: str) -> Checked:
    """Return what the source of a connection answers. Raises: HubError, what is wrong with it."""
    connector = hub.connector(name)
    report = connector.check()
    streams = [
        FoundStream(s.name, s.shape, s.guess, hub.section(name, s) is not None)
        for s in connector.discover()
    ]
    return Checked(
        name,
        hub.connection(name).kind,
        report.account,
        report.lines,
        report.scopes,
        report.clock_skew_s,
        streams,
        receives(type(connector)),
    )


def receives(connector: type[Connector[Any]]) -> bool:
    """Whether webhooks or forms can be posted to connections of this kind."""
    return connector.verify_hook is not Connector.verify_hook


def receiving(hub: Hub) -> list[str]:
    """Return the connections that webhooks or forms can be posted to; a broken one is left out."""
    found = []
    for name in hub.names():
        try:
            entry = hub.registry.get(hub.connection(name).kind)
        except ConfigError:
            continue  # `check` and `sync` say what is wrong with it
        if entry.connector is not None and receives(entry.connector):
            found.append(name)
    return found


def connect(
    hub: Hub,
    kind: str,
    name: str,
    given: Mapping[str, str],
    *,
    checked: bool = True,
    replace: bool = False,
    direction: str | None = None,
    brief: bool | None = None,
    only: Mapping[str, Sequence[str]] | None = None,
) -> Checked | None:
    """Connect a source system; return what its check found, None when it was not to be checked.

    given: setting → text, as typed. With `replace`, a connection of the same kind keeps the
    settings that are not given, and an empty text takes one out. direction,
    brief, only: None leaves them as they are.
    The hub's own view (`hub.config`, `hub.secrets`) holds the new connection afterwards.
    Raises: ConfigError for settings, and whatever the check raises; nothing is written then.
    """
    hub_config.check_name(name)
    entry = hub.registry.get(kind)
    model = _model(entry)
    before = hub.config.connections.get(name)
    if before is not None and not replace:
        raise ConfigError(
            f"there is a connection {name!r} already; nothing was changed.",
            remedy=f"Change it with: crm-hub connect {kind} {name} --replace --set key=value",
        )
    kept = dict(before.settings) if before is not None and before.kind == kind else {}
    values = _merged(model, kept, given)
    _refuse_missing(model, kind, name, values, replace=before is not None)
    draft = _Draft(hub.folder)
    written = seal_settings(model, name, values, draft, kind=kind, replace=before is not None)
    if before is not None and secret_fields(model) & given.keys():
        SealedGrants(draft, name).forget()
    asked = {"direction": direction, "brief": brief, "only": only}
    asked = {key: value for key, value in asked.items() if value is not None}
    new = _connection(name, {"kind": kind, "settings": written, **asked})
    update = {key: getattr(new, key) for key in ("kind", "settings", *asked)}
    _adopt(hub, (before or new).model_copy(update=update), draft)
    found = check(hub, name) if checked else None
    draft.seal()
    hub_config.add_connection(
        hub.folder, name, kind, written,
        replace=replace, direction=direction, brief=brief, only=only,
    )  # fmt: skip
    hub.secrets = SealedStore(hub.folder)
    return found


def _connection(name: str, entry: Mapping[str, Any]) -> ConnectionConfig:
    try:
        return ConnectionConfig.model_validate({"name": name, **entry})
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]
        what = f"{said['loc'][0]} {str(said['msg']).removeprefix('Value error, ')}"
        raise ConfigError(
            f"{name}: {what}; nothing was changed.",
            remedy="Name a field of the hub and its values, such as: --only owner=Bob",
        ) from None


def disconnect(hub: Hub, name: str) -> None:
    """Take a connection and its secrets out; what was read from it stays. Raises: ConfigError."""
    hub_config.remove_connection(hub.folder, name)
    hub.secrets.delete(name)


class _Draft(SealedStore):
    """A sealed store that keeps new secrets in memory until they have proved to work."""

    def __init__(self, hub_dir: Path) -> None:
        super().__init__(hub_dir)
        self._new: dict[tuple[str, str], str] = {}

    def get(self, connection: str, field: str) -> str | None:
        new = self._new.get((connection, field))
        return super().get(connection, field) if new is None else new

    def put(self, connection: str, field: str, secret: str) -> None:
        self._new[connection, field] = secret

    def seal(self) -> None:
        """Seal the new secrets for good."""
        for (connection, field), secret in self._new.items():
            super().put(connection, field, secret)


def _adopt(hub: Hub, one: ConnectionConfig, draft: SealedStore) -> None:
    """Let the opened hub see a connection that hub.yaml does not have yet."""
    connections = {**hub.config.connections, one.name: one}
    hub.config = hub.config.model_copy(update={"connections": connections})
    hub.secrets = draft


def _model(entry: Entry) -> type[BaseModel]:
    if entry.connector is None:  # the registry refuses those; this is for the type checker
        raise ConfigError(f"{entry.name} cannot be used: {entry.error}")
    return entry.connector.manifest.settings


def _merged(
    model: type[BaseModel], kept: Mapping[str, Any], given: Mapping[str, str]
) -> dict[str, Any]:
    typed = {key: _typed(model, key, text) for key, text in given.items()}
    return {key: value for key, value in {**kept, **typed}.items() if value != ""}


def _typed(model: type[BaseModel], key: str, text: str) -> Any:
    """Return numbers, truth values and lists as such where the setting is not a text."""
    field = model.model_fields.get(key)
    if field is None or field.annotation is str or key in secret_fields(model):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if value is None else value


def _refuse_missing(
    model: type[BaseModel], kind: str, name: str, values: Mapping[str, Any], *, replace: bool
) -> None:
    """Name every required setting at once, with what it is, so that one more try is enough."""
    secrets = secret_fields(model)
    missing = [
        key
        for key, field in model.model_fields.items()
        if field.is_required() and key not in values
    ]
    if not missing:
        return
    lines = [f"  {key}: {settings_line(model, key)}" for key in missing]
    sets = " ".join(f"--set {key}={'-' if key in secrets else 'VALUE'}" for key in missing)
    raise ConfigError(
        "\n".join([f"{name}: required settings are missing:", *lines]),
        remedy=f"Give them: crm-hub connect {kind} {name}{' --replace' * replace} {sets}",
    )


def settings_line(model: type[BaseModel], key: str) -> str:
    """Return title, description and default of a setting in one line."""
    field = model.model_fields[key]
    parts = [f"{field.title or key}.", field.description or ""]
    if key in secret_fields(model):
        parts.append("Secret: kept sealed.")
    elif field.default not in (PydanticUndefined, None, ""):
        parts.append(f"Default: {field.default}.")
    return " ".join(part for part in parts if part)
