"""What the mapping of a connection means, as one digest a section, mostly without compiling it.

`status` compares these with what a stream was walked by. Compiling costs 0.2 s, so the digests are
kept in the hub's `run` folder beside a hash of all that they depend on.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_hub import __version__
from crm_hub.data import data_folder
from crm_hub.model.rules import ENGINE_VERSION

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub

_FILE = "digests.json"


class Digests:
    """The digests of a hub's mappings, each looked up once."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._found: dict[str, dict[str, str]] = {}
        self._layers: dict[str, list[str]] = {}

    def of(self, name: str) -> dict[str, str]:
        """Return shape → digest of the sections of a connection's mapping. Raises: ConfigError."""
        if name not in self._found:
            self._found[name] = self._looked_up(name)
        return self._found[name]

    def _looked_up(self, name: str) -> dict[str, str]:
        key, kept = self._key(name), _kept(self._hub)
        found = kept.get(name)
        if isinstance(found, dict) and found.get("key") == key:
            return dict(found["sections"])
        plan = self._hub.plan(name)
        sections = {shape: one.digest for shape, one in plan.sections.items()}
        _keep(self._hub, {**kept, name: {"key": key, "sections": sections}})
        return sections

    def _key(self, name: str) -> str:
        """Return a hash of all that a connection's mapping depends on."""
        one, company = self._hub.connection(name), self._hub.config.company
        own = one.settings.get("mapping")
        texts = [*self._texts(one.kind), _text(self._hub.folder / str(own)) if own else ""]
        digest = blake2b(digest_size=16)
        for part in (__version__, str(ENGINE_VERSION), name, company.region, company.zone, *texts):
            digest.update(f"{len(part)}:{part}".encode("utf-8", "replace"))
        return digest.hexdigest()

    def _texts(self, kind: str) -> list[str]:
        """Return the layers of a connector's mapping as they lie on the disk."""
        if kind not in self._layers:
            beside = self._hub.registry.mapping_text(kind) or ""
            places = [data_folder("mappings"), *self._hub.mapping_folders]
            self._layers[kind] = [beside, *(_text(place / f"{kind}.yaml") for place in places)]
        return self._layers[kind]


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def _kept(hub: Hub) -> dict[str, Any]:
    try:
        found = json.loads((hub.folder / "run" / _FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep(hub: Hub, kept: dict[str, Any]) -> None:
    """Keep it for the next time; where the folder cannot be written, the next time costs more."""
    folder = hub.folder / "run"
    waiting = folder / f".{_FILE}.{os.getpid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        waiting.write_text(json.dumps(kept, sort_keys=True), "utf-8")
        waiting.replace(folder / _FILE)
