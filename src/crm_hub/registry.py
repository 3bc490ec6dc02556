"""Which connectors there are: built in, installed by pip, or dropped into a folder of the hub.

Names come from folder names and entry points alone, so the command line starts without importing
a single connector; a connector is imported when it is asked for. Comes before flow, which makes
connectors from the classes found here.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from crm_hub.model.errors import ConfigError
from crm_hub.observe import redact

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from crm_hub.sdk.contract import Connector

_BUILT_IN = "crm_hub_connectors"
_GROUP = "crm_hub.connectors"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """One connector as found: a usable class, or the error that says why it is unusable.

    origin: where it comes from, for a person ("built in", "wheel acme 1.2", "folder ...").
    mapping_text, quality_text: the mapping and quality files lying beside the connector's module,
    if there are any.
    """

    name: str
    origin: str
    connector: type[Connector[Any]] | None
    error: str = ""
    mapping_text: str | None = None
    quality_text: str | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    """A place where a name was found; nothing is imported yet."""

    name: str
    origin: str
    module: str
    attribute: str = "connector"
    folder: Path | None = None  # only for drop-ins, which are imported from their folder


class Registry:
    """The connectors of this installation and of the hub's own folders.

    extra_folders: each holds drop-in connectors as `<name>/connector.py`; a missing folder is
    an empty one. What is found is looked up afresh at each call, so a new folder needs no restart.
    """

    def __init__(self, extra_folders: Sequence[Path] = ()) -> None:
        self._folders = tuple(extra_folders)

    def names(self) -> tuple[str, ...]:
        """Return every connector's name, sorted, without importing any."""
        return tuple(sorted(self._sources()))

    def get(self, name: str) -> Entry:
        """Return the usable connector `name`.

        Raises: ConfigError when it is unknown (with the nearest names), when two places offer it
        (naming both), or when it cannot be used (with the reason).
        """
        sources = self._sources()
        if name not in sources:
            raise _unknown(name, sorted(sources))
        entry = _load(sources[name])
        if entry.connector is None:
            raise ConfigError(
                f"connector {name} ({entry.origin}) cannot be used: {entry.error}",
                remedy="Correct or remove it, then run: crm-hub connectors",
            )
        return entry

    def mapping_text(self, name: str) -> str | None:
        """Return the mapping file that lies beside a connector, without importing the connector.

        One that pip installed has to be imported to say where it lies. Raises: as `get`.
        """
        sources = self._sources().get(name, ())
        if len(sources) != 1 or sources[0].folder is None:
            return self.get(name).mapping_text
        return _text(sources[0].folder / "mapping.yaml")

    def list(self) -> tuple[Entry, ...]:
        """Return all connectors by name; the broken ones carry their error, the rest are usable."""
        return tuple(_load(sources) for _, sources in sorted(self._sources().items()))

    def _sources(self) -> dict[str, Sequence[_Source]]:
        importlib.invalidate_caches()  # a folder made this second must be importable too
        found: dict[str, Sequence[_Source]] = {}
        seen: set[Path] = set()
        for source in self._scan():
            place = source.folder.resolve() if source.folder else None
            if place is not None and place in seen:
                continue
            if place is not None:
                seen.add(place)
            found[source.name] = (*found.get(source.name, ()), source)
        return found

    def _scan(self) -> Iterator[_Source]:
        yield from _built_in()
        yield from _installed()
        for folder in self._folders:
            yield from _dropped_in(folder)


def _built_in() -> Iterator[_Source]:
    spec = importlib.util.find_spec(_BUILT_IN)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for folder in _connector_folders(Path(place)):
            module = f"{_BUILT_IN}.{folder.name}.connector"
            yield _Source(folder.name, "built in", module, folder=folder)


def _installed() -> Iterator[_Source]:
    from importlib.metadata import entry_points

    for point in entry_points(group=_GROUP):
        yield _Source(point.name, _wheel(point), point.module, point.attr or "connector")


def _wheel(point: EntryPoint) -> str:
    return f"wheel {point.dist.name} {point.dist.version}" if point.dist else "an installed wheel"


def _dropped_in(folder: Path) -> Iterator[_Source]:
    for place in _connector_folders(folder):
        digest = hashlib.blake2b(str(place.resolve()).encode(), digest_size=6).hexdigest()
        package = f"_crm_hub_dropin_{place.name}_{digest}"  # never the name of anything else
        yield _Source(place.name, f"folder {place}", f"{package}.connector", folder=place)


def _connector_folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(
        place
        for place in parent.iterdir()
        if _NAME.match(place.name) and (place / "connector.py").is_file()
    )


def _load(sources: Sequence[_Source]) -> Entry:
    name, origin = sources[0].name, " and ".join(source.origin for source in sources)
    if len(sources) > 1:
        return Entry(name, origin, None, f"the name is offered by {origin}; rename or remove one")
    try:
        module = _import(sources[0])
        connector = _connector_class(module, sources[0])
        mapping, quality = _beside(module, "mapping.yaml"), _beside(module, "quality.yaml")
        return Entry(name, origin, connector, mapping_text=mapping, quality_text=quality)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's module may raise anything
        return Entry(name, origin, None, _reason(error))


def _import(source: _Source) -> ModuleType:
    package = source.module.partition(".")[0]
    if source.folder is not None and package != _BUILT_IN and package not in sys.modules:
        _register_package(package, source.folder)
    return importlib.import_module(source.module)


def _register_package(package: str, folder: Path) -> None:
    """Make the folder importable under its own unique name.

    sys.path stays as it is: a drop-in with a json.py shadows nothing, and two drop-ins may both
    have a client.py; inside the folder they are reached by relative imports.
    """
    spec = ModuleSpec(package, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    sys.modules[package] = importlib.util.module_from_spec(spec)


def _connector_class(module: ModuleType, source: _Source) -> type[Connector[Any]]:
    from crm_hub.sdk.contract import Connector, Manifest

    found = getattr(module, source.attribute, None)
    if not (isinstance(found, type) and issubclass(found, Connector)):
        raise ConfigError(f"its module has no `{source.attribute}` naming a subclass of Connector")
    manifest = getattr(found, "manifest", None)
    if not isinstance(manifest, Manifest):
        raise ConfigError(f"{found.__name__} has no `manifest`")
    if manifest.id != source.name:
        raise ConfigError(f"its manifest says id {manifest.id!r}, its place says {source.name!r}")
    return found


def _beside(module: ModuleType, name: str) -> str | None:
    if not module.__file__:
        return None
    return _text(Path(module.__file__).with_name(name))


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} could not be read ({type(error).__name__})",
            remedy="It must be readable by the hub and be UTF-8 text.",
        ) from None


def _reason(error: BaseException) -> str:
    if isinstance(error, ConfigError):
        return error.message
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"it needs the Python package {error.name!r}, which is not installed"
    return redact(f"{type(error).__name__}: {error}")[:500]


def _unknown(name: str, names: Sequence[str]) -> ConfigError:
    near = difflib.get_close_matches(name, names, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return ConfigError(
        f"there is no connector {name!r}.{hint}",
        remedy=f"There are: {', '.join(names) or 'none'}. To write one: crm-hub connectors new",
    )
