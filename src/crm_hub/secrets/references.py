"""References to secrets kept elsewhere: `env:NAME` and `file:PATH`, as hub.yaml may hold them.

Comes before the sealed store, whose key may be a reference too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from crm_hub.model.errors import ConfigError
from crm_hub.observe import hide

_REFERENCE = re.compile(r"(env|file):(.+)\Z", re.DOTALL)
_MAX_SECRET_BYTES = 100_000


def is_reference(value: Any) -> bool:
    """Return whether the value is `env:NAME` or `file:PATH`."""
    return isinstance(value, str) and _REFERENCE.match(value) is not None


def reveal(text: str, base_dir: Path, what: str, *, or_itself: bool = False) -> str:
    """Return the secret that `text` refers to: `env:NAME` or `file:PATH` (from `base_dir`).

    A file's trailing line end is not part of the secret. what: the setting's name, for messages.
    or_itself: text that is no reference is the secret itself; without it, that is refused.
    Raises: ConfigError when the reference leads nowhere.
    """
    match = _REFERENCE.match(text)
    if match is None:
        if not or_itself:
            raise ConfigError(
                f"{what} stands in hub.yaml in clear text; it was not used.",
                remedy=f"Write env:NAME or file:PATH there, or seal it with --set {what}=VALUE",
            )
        secret = text
    elif match[1] == "env":
        secret = _from_environment(match[2], what)
    else:
        secret = _from_file(base_dir / match[2], what)
    hide_all([secret])
    return secret


def _from_environment(name: str, what: str) -> str:
    secret = os.environ.get(name, "")
    if not secret:
        raise ConfigError(
            f"{what} refers to the environment variable {name}, which is not set.",
            remedy=f"Set {name} for the hub's process (systemd: EnvironmentFile=), then try again.",
        )
    return secret


def _from_file(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SECRET_BYTES + 1)
        secret = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        content, secret = b"", ""
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a usable path"
        raise ConfigError(
            f"{what} refers to the file {path}, which cannot be read ({why}).",
            remedy="Correct the path in hub.yaml, or the file's owner and mode.",
        ) from None
    if not secret or len(content) > _MAX_SECRET_BYTES:
        raise ConfigError(
            f"{what} refers to the file {path}, which holds no usable text.",
            remedy=f"It must hold the secret alone, as UTF-8 text of up to {_MAX_SECRET_BYTES} "
            "bytes.",
        )
    return secret


def hide_all(secrets: Iterable[str]) -> None:
    """Hide the secrets from log lines, as they are and as they stand in a URL or in JSON."""
    for secret in secrets:
        hide({secret, quote(secret, safe=""), json.dumps(secret)[1:-1]})
