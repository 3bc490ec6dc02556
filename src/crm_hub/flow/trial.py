"""A look at one's own exports: a connection for each path, and whose timeline is the longest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from crm_hub import config as hub_config
from crm_hub.flow.hub import Hub
from crm_hub.model.errors import ConfigError
from crm_hub.model.ids import public_id
from crm_hub.store import Events, Identities

KIND = "files"


def connect_paths(folder: Path, paths: Sequence[Path]) -> dict[str, Path]:
    """Connect each file or folder to the hub in `folder`; return connection name → path.

    Raises: ConfigError when a path leads nowhere; nothing is connected then.
    """
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise ConfigError(
            f"there is no {' and no '.join(missing)}.",
            remedy="Name files or folders that exist: crm-hub try PATH…",
        )
    named: dict[str, Path] = {}
    for path in paths:
        name = _free_name(path, named)
        named[name] = path.absolute()
        hub_config.add_connection(folder, name, KIND, {"path": str(named[name])})
    return named


def _free_name(path: Path, taken: dict[str, Path]) -> str:
    """Return a connection name made of the file's own: `Contacts (2).csv` → contacts-2."""
    words = re.findall(r"[a-z0-9]+", path.absolute().stem.lower())
    name = "-".join(words)[:30] or "files"
    if not name[0].isalpha():
        name = f"files-{name}"
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def busiest(hub: Hub) -> str | None:
    """Return the public id of the person with the most events, None when nobody has any."""
    with hub.store.read() as db:
        found = Events(db).busiest("person", 1)
    return public_id("person", found[0][0]) if found else None


def totals(hub: Hub) -> dict[str, int]:
    """Return how many people, organizations and events the hub holds."""
    with hub.store.read() as db:
        counts = Identities(db).counts()
        events = Events(db).total()
    return {
        "people": counts.get("person", 0),
        "organizations": counts.get("organization", 0),
        "events": events,
    }
