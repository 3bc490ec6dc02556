"""A new connector from the template: a small one that works, under the author's own name.

Comes before the registry, which finds the result when it lies in a hub's `connectors/` folder.
"""

from __future__ import annotations

import keyword
import re
import shutil
import tempfile
from pathlib import Path

from crm_hub.data import data_folder
from crm_hub.model.errors import ConfigError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")
_LEFT_OVER = re.compile(r"__(NAME|TITLE|CLASS)__")


def new_connector(name: str, target: Path) -> list[Path]:
    """Write a working connector to `target/name` and return the files written.

    Raises: ConfigError for a name that Python or a mapping file could not use, or when something
    of that name is there already; nothing is then written.
    """
    _check_name(name)
    place = target / name
    if place.exists():
        raise ConfigError(
            f"{place} is there already; nothing was written.",
            remedy="Choose another name: crm-hub connectors new NAME",
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target, prefix=".new-") as draft:
            files = _fill(data_folder("connector_template"), Path(draft) / name, name)
            (Path(draft) / name).rename(place)  # whole or not at all
    except OSError as error:
        raise ConfigError(
            f"{place} cannot be written ({error.strerror}).",
            remedy="Choose a folder that you may write.",
        ) from error
    return [place / file for file in files]


def _check_name(name: str) -> None:
    if not _NAME.match(name) or keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise ConfigError(
            f"{name[:60]!r} cannot name a connector.",
            remedy="Use up to 41 of a-z, 0-9 and _, beginning with a letter: acme_crm",
        )


def _fill(template: Path, draft: Path, name: str) -> list[Path]:
    """Copy the template with its placeholders filled; return the files, relative to `draft`."""
    shutil.copytree(template, draft, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    words = name.split("_")
    title = " ".join(words).strip().capitalize()
    camel = "".join(word.capitalize() for word in words)
    for file in files:
        text = file.read_text(encoding="utf-8")
        text = text.replace("__NAME__", name).replace("__TITLE__", title)
        text = text.replace("__CLASS__", camel)
        if _LEFT_OVER.search(text):
            raise ValueError(f"the template's {file.name} has a placeholder that is not filled")
        if file.suffix == ".py":
            compile(text, str(file), "exec")
        file.write_text(text, encoding="utf-8")
    return [file.relative_to(draft) for file in files]
