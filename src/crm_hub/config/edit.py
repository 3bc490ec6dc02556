"""Write and edit hub.yaml: each edit keeps the comments, is checked first, and is atomic.

Comes after `read`, which reads what is written here. Every edit takes the hub's edit
lock, so two commands at the same moment both take effect.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from crm_hub.config import read
from crm_hub.disk import create_private, edit_lock, write_private
from crm_hub.model.errors import ConfigError

_NEW = """\
# The settings of this hub. Edit freely; check with: crm-hub status
version: 1

# Where everything is kept: a file beside this one, or PostgreSQL:
#   store: {{url: postgresql://hub@db.example/hub, password: env:HUB_DB_PASSWORD}}
store: {store}

company:
  name: {name}
  # For phone numbers without a country code: ISO 3166, such as US, GB, DE.
  region: {region}
  # For times without a zone: an IANA name, such as America/New_York.
  zone: {zone}
  # Your own mail domains and addresses; mail from them counts as sent by you.
  own: {own}

# Where webhooks and forms come in (crm-hub receive).
receiver:
  host: 127.0.0.1
  port: 8765
  max_body_bytes: 1000000

# One entry for each source system; crm-hub connect KIND NAME --set key=value writes them, as in
#   mail: {{kind: files, settings: {{path: ./mail}}}}
# A secret is never here: the entry says sealed (kept in secrets.sealed), env:NAME or file:PATH.
connections:
"""


def create(
    hub_dir: Path,
    *,
    name: str = "",
    region: str = "US",
    zone: str = "UTC",
    own: Sequence[str] = (),
    store: str = "sqlite:///hub.db",
) -> Path:
    """Write a commented hub.yaml into `hub_dir` (made with mode 0700 if missing); return its path.

    Raises: ConfigError for a value hub.yaml would refuse, or when there is a hub.yaml already.
    """
    folder = hub_dir.absolute()
    path = folder / read.FILE_NAME
    values = {"name": name, "region": region, "zone": zone, "own": list(own), "store": store}
    text = _NEW.format_map({k: json.dumps(v, ensure_ascii=False) for k, v in values.items()})
    try:
        read.parse(text, folder)
    except ConfigError as error:
        # There is no such file yet: what is wrong was given by the caller.
        place = re.escape(str(path)) + r":\d+:\d+: "
        raise ConfigError(
            re.sub(place, "", error.message),
            remedy="Nothing was made. Give another value: crm-hub init --help",
        ) from None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be made ({error.strerror}).",
            remedy="Choose a folder that you may write: crm-hub init --hub FOLDER",
        ) from error
    if not create_private(path, text.encode()):
        raise ConfigError(
            f"{path} is there already; nothing was changed.",
            remedy="Edit it, or choose another folder: crm-hub init --hub FOLDER",
        )
    return path


def add_connection(
    hub_dir: Path,
    name: str,
    kind: str,
    settings: Mapping[str, Any],
    *,
    replace: bool = False,
    direction: str | None = None,
    brief: bool | None = None,
    only: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Add a connection; with `replace`, one of this name gets the new kind and settings.

    settings: as they shall stand in hub.yaml, secrets already sealed (`secrets.seal_settings`).
    direction, brief, only: None leaves what stands there, or the default.
    Raises: ConfigError when the name is taken or bad; hub.yaml is then unchanged.
    """
    read.check_name(name)

    def edit(connections: dict[str, Any]) -> None:
        if name in connections and not replace:
            raise ConfigError(
                f"there is a connection {name!r} already; nothing was changed.",
                remedy=f"Choose another name, or remove it first: crm-hub disconnect {name}",
            )
        entry = connections.setdefault(name, {})
        if not isinstance(entry, dict):
            connections[name] = entry = {}
        entry["kind"] = kind
        if direction is not None:
            entry["direction"] = direction
        if brief is not None:
            entry["brief"] = brief
        if only is not None:
            entry["only"] = {field: list(values) for field, values in only.items()}
        entry["settings"] = dict(settings)

    _edit_connections(hub_dir, edit, expected={name: settings})


def remove_connection(hub_dir: Path, name: str) -> None:
    """Take the connection out of hub.yaml. Raises: ConfigError when there is none of that name."""

    def edit(connections: dict[str, Any]) -> None:
        _existing(connections, name)
        del connections[name]

    _edit_connections(hub_dir, edit)


def set_paused(hub_dir: Path, name: str | None, paused: bool) -> list[str]:
    """Pause the connection or let it go on, all of them when `name` is None; return which.

    Raises: ConfigError when there is none of that name.
    """
    done: list[str] = []

    def edit(connections: dict[str, Any]) -> None:
        done[:] = list(connections) if name is None else [name]
        for one in done:
            _existing(connections, one)["paused"] = paused

    _edit_connections(hub_dir, edit)
    return done


def _existing(connections: dict[str, Any], name: str) -> dict[str, Any]:
    if name in connections:
        entry: dict[str, Any] = connections[name]
        return entry
    raise ConfigError(
        f"there is no connection {name!r}.",
        remedy=f"There are: {', '.join(connections) or 'none yet'}. See: crm-hub status",
    )


def _edit_connections(
    hub_dir: Path,
    edit: Callable[[dict[str, Any]], None],
    expected: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> None:
    """Apply `edit` to the connections of hub.yaml; what would not load again is not written.

    expected: connection → settings that must read back as they are.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    folder = hub_dir.absolute()
    read.read_text(folder)  # no hub: say so before a lock file appears
    with edit_lock(folder):
        text = read.read_text(folder)
        read.parse(text, folder)
        yaml = YAML()
        yaml.preserve_quotes = True
        yaml.width = 4096  # never re-wrap a line that a person wrote
        document = yaml.load(text)
        if not document.get("connections"):
            document["connections"] = {}
        edit(document["connections"])
        if not document["connections"]:
            document["connections"] = None  # `{}` under a comment would be written out of place
        out = io.StringIO()
        try:
            yaml.dump(document, out)
        except YAMLError:
            raise _not_yaml() from None
        result = read.parse(out.getvalue(), folder)
        # a rare line break (U+0085, U+2028) in a text is written but not read back the same
        if any(result.connections[name].settings != given for name, given in expected.items()):
            raise _not_yaml()
        write_private(folder / read.FILE_NAME, out.getvalue().encode())


def _not_yaml() -> ConfigError:
    return ConfigError(
        "the settings hold a value that YAML cannot carry; nothing was changed.",
        remedy="Use text without control characters, numbers, true or false, lists and mappings.",
    )
