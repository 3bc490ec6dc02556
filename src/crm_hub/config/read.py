"""hub.yaml as frozen settings: what this hub is, where it stores, which connections it has.

Comes before `edit`, which writes what is read here. An error names file, line, column and the
allowed values.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from crm_hub import yamltext
from crm_hub.model.entities import ENTITIES
from crm_hub.model.errors import ConfigError

FILE_NAME = "hub.yaml"
CONNECTION_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}\Z")
_MAX_CHARS = 64_000  # editing keeps comments, and reads about 50,000 characters a second
_STORES = ("sqlite", "postgresql", "postgresql+psycopg")
_REFERENCE = re.compile(r"(env|file):.+\Z")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _region(value: str) -> str:
    if value == "UK":
        raise ValueError("the United Kingdom is GB in ISO 3166")
    if not re.fullmatch(r"[A-Z]{2}", value):
        raise ValueError("must be two capital letters of ISO 3166, such as US, GB or DE")
    return value


def _zone(value: str) -> str:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        near = difflib.get_close_matches(value, sorted(available_timezones()), n=1)
        hint = f"; did you mean {near[0]}?" if near else ", such as America/New_York"
        raise ValueError(f"must be the name of an IANA time zone{hint}") from None
    return value


def _own(value: str) -> str:
    text = value.strip().lower()
    if not re.fullmatch(r"([^@\s]+@)?[^@\s.]+(\.[^@\s.]+)+", text):
        raise ValueError("must be a domain or an e-mail address")
    return text


def _kind(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", value):
        raise ValueError("must be a connector's name; see them with: crm-hub connectors")
    return value


def _store_url(value: str) -> str:
    try:
        url = urlsplit(value)
        password = url.password
    except ValueError:
        raise ValueError("must be sqlite:///FILE or postgresql://USER@HOST/DATABASE") from None
    if url.scheme not in _STORES or "://" not in value or not url.path.strip("/"):
        raise ValueError("must be sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    if password is not None or "password" in url.query:
        raise ValueError(
            "must hold no password; write store: {url: postgresql://USER@HOST/DATABASE, "
            "password: env:NAME} (or file:PATH)"
        )
    return value


def _reference(value: str) -> str:
    if not _REFERENCE.match(value):
        raise ValueError("must be env:NAME or file:PATH, never the password itself")
    return value


def _none_is_empty(value: Any) -> Any:
    return {} if value is None else value


def _read_only(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(value))


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _only(value: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    known = {name for fields in ENTITIES.values() for name in fields}
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean {near[0]}?" if near else ", such as owner"
            raise ValueError(f"must name fields of the hub{hint}")
    return MappingProxyType(dict(value))


def _timeline_url(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s#]+", value):
        raise ValueError("must be an http or https address without #")
    if value and "{id}" not in value:
        raise ValueError("must hold {id}, such as https://hub.acme.example/timeline/{id}")
    return value


class StoreConfig(_Frozen):
    """Where the hub's database is. password: a reference (env:NAME or file:PATH), never itself."""

    url: Annotated[str, AfterValidator(_store_url)] = "sqlite:///hub.db"
    password: Annotated[str, AfterValidator(_reference)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value


class CompanyConfig(_Frozen):
    """The company the hub works for.

    region: ISO 3166 code for phone numbers without a country. zone: IANA zone for times without
    one. own: its own domains and addresses, lower-cased; mail from them is outgoing.
    """

    name: str = Field(default="", max_length=200)
    region: Annotated[str, AfterValidator(_region)] = "US"
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    own: tuple[Annotated[str, AfterValidator(_own)], ...] = ()


class ReceiverConfig(_Frozen):
    """Where webhooks and forms come in. port 0 takes any free one."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8765, ge=0, le=65535)
    max_body_bytes: int = Field(default=1_000_000, ge=1_000, le=100_000_000)


Direction = Literal["pull", "push", "both"]


class ConnectionConfig(_Frozen):
    """One connection to one source system. settings: as written, secrets not looked up.

    direction: pull, push or both: whether the hub may write there at all; the mapping says which
    fields. With push its values count for nothing: what stands there is only written over.
    creates, deletes: how many records one run may create or delete there. only: field → values:
    records are created there only for those. brief: whether they get what the hub says of them.
    """

    name: str
    kind: Annotated[str, AfterValidator(_kind)]
    settings: Annotated[
        Mapping[str, Any], BeforeValidator(_none_is_empty), AfterValidator(_read_only)
    ] = Field(default_factory=lambda: MappingProxyType({}))
    paused: bool = False
    direction: Direction = "pull"
    creates: int = Field(default=1000, ge=0)
    deletes: int = Field(default=50, ge=0)
    only: Annotated[
        Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_listed)]],
        BeforeValidator(_none_is_empty),
        AfterValidator(_only),
    ] = Field(default_factory=lambda: MappingProxyType({}))
    brief: bool = False


def _named(value: Any) -> Any:
    """Give each connection its name, which hub.yaml says only once: as the key."""
    if not isinstance(value, dict):
        return {} if value is None else value
    return {
        name: {**entry, "name": name} if isinstance(entry, dict) else entry
        for name, entry in value.items()
    }


def _read_only_connections(value: Mapping[str, ConnectionConfig]) -> Mapping[str, ConnectionConfig]:
    return MappingProxyType(dict(value))


class HubConfig(_Frozen):
    """One hub's settings. folder: where hub.yaml lies; relative paths start there.

    timeline_url: where people read a timeline, with `{id}` in it; "" when nowhere.
    """

    folder: Path
    version: Literal[1]
    store: StoreConfig = StoreConfig()
    company: CompanyConfig = CompanyConfig()
    receiver: ReceiverConfig = ReceiverConfig()
    timeline_url: Annotated[str, AfterValidator(_timeline_url)] = ""
    connections: Annotated[
        Mapping[str, ConnectionConfig],
        BeforeValidator(_named),
        AfterValidator(_read_only_connections),
    ] = Field(default_factory=lambda: MappingProxyType({}))

    def store_url(self, password: str = "") -> str:
        """Return the store's URL: a relative SQLite file made absolute, the password put in.

        password: what `store.password` refers to, looked up by `crm_hub.secrets.reveal`.
        """
        url = urlsplit(self.store.url)
        if url.scheme == "sqlite":
            return f"sqlite:///{self.folder / self.store.url.removeprefix('sqlite:///')}"
        if not password:
            return self.store.url
        user, at, host = url.netloc.rpartition("@")
        secret = f"{user}:{quote(password, safe='')}{at or '@'}{host}"
        return urlunsplit(url._replace(netloc=secret))


def load(hub_dir: Path) -> HubConfig:
    """Return the settings of the hub in `hub_dir`.

    Raises: ConfigError naming file, line, column, what is wrong and the allowed values.
    """
    folder = hub_dir.absolute()
    return parse(read_text(folder), folder)


def read_text(folder: Path) -> str:
    """Return the text of the folder's hub.yaml. Raises: ConfigError when there is none."""
    path = folder / FILE_NAME
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(
            f"{folder} holds no hub: {FILE_NAME} is missing.",
            remedy=f"Create one with: crm-hub init --hub {folder}",
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text.", remedy="Save it as UTF-8.") from None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}).",
            remedy="Run the command as the user who owns the hub's folder.",
        ) from None


def parse(text: str, folder: Path) -> HubConfig:
    """Return the settings that `text` holds, as if it were the hub.yaml of `folder`.

    Raises: ConfigError as `load` does.
    """
    origin = str(folder / FILE_NAME)
    document = yamltext.read(text, origin, max_chars=_MAX_CHARS)
    _check_names(document)
    try:
        given = {key: value for key, value in document.data.items() if value is not None}
        return HubConfig.model_validate({**given, "folder": folder})
    except ValidationError as error:
        raise _invalid(error, document, origin) from None


def check_name(name: str) -> None:
    """Raise ConfigError unless `name` can name a connection."""
    if not CONNECTION_NAME.match(name):
        raise ConfigError(
            f"{name[:60]!r} cannot name a connection.",
            remedy="Use up to 41 of a-z, 0-9, _ and -, beginning with a letter: sales-mail",
        )


def _check_names(document: yamltext.Document) -> None:
    """Refuse what the models cannot see: bad names, and keys that the reader itself fills in."""
    for path, place in document.marks.items():
        if not path:
            continue
        if path == ("folder",) or (path[0] == "connections" and path[2:] == ("name",)):
            what = _say({"type": "extra_forbidden"}, path)
            raise ConfigError(f"{place}: {what}", remedy="Remove that line.")
        if path[0] == "connections" and len(path) == 2 and isinstance(path[1], str):
            try:
                check_name(path[1])
            except ConfigError as error:
                raise ConfigError(f"{place}: {error.message}", remedy=error.remedy) from None


def _invalid(error: ValidationError, document: yamltext.Document, origin: str) -> ConfigError:
    """Return one error that lists each finding with its place, in the order of the text."""
    findings = []
    for finding in error.errors(include_url=False, include_input=False):
        path = finding["loc"]
        # `store: TEXT` is short for `store: {url: TEXT}`: `where` falls back to what is there
        marked = document.mark if finding["type"] == "extra_forbidden" else document.value_mark
        findings.append((marked(path), _say(finding, path)))
    lines = [f"{place}: {what}" for place, what in sorted(findings)]
    return ConfigError("\n".join(lines), remedy=f"Correct {origin}, then run: crm-hub status")


def _say(finding: Mapping[str, Any], path: tuple[int | str, ...]) -> str:
    name = ".".join(str(part) for part in path)
    if finding["type"] == "extra_forbidden":
        allowed = _allowed_keys(path)
        near = difflib.get_close_matches(str(path[-1]), allowed, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        return f"unknown setting {name!r}; {hint}allowed here: {', '.join(allowed)}"
    if finding["type"] == "missing":
        return f"{name!r} is missing" + ("; write `version: 1`" if name == "version" else "")
    if finding["type"] in ("model_type", "dict_type", "mapping_type"):
        return f"{name!r} should be a mapping: lines of `key: value`"
    if path == ("version",):
        return "'version' should be 1; a file of a newer crm-hub is read by that one alone"
    what = str(finding["msg"]).removeprefix("Value error, ").removeprefix("Input should ")
    return f"{name!r} " + (what if what.startswith("must") else f"should {what}")


def _allowed_keys(path: tuple[int | str, ...]) -> list[str]:
    models: dict[int | str, type[BaseModel]] = {
        "store": StoreConfig,
        "company": CompanyConfig,
        "receiver": ReceiverConfig,
        "connections": ConnectionConfig,
    }
    model: type[BaseModel] = models[path[0]] if len(path) > 1 else HubConfig
    return [key for key in model.model_fields if key not in ("folder", "name") or len(path) == 2]
