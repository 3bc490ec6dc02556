"""What happens to a payload before it is read: the check for new fields, then the hook."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any

from crm_hub.mapping.language import Section, all_paths
from crm_hub.mapping.paths import parse_path
from crm_hub.model.errors import ConfigError, RecordError


def preparation(name: str, section: Section) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
    """Return the closure payload → payload, None when nothing is to be done.

    Its errors: RecordError for a new field under `unknown: fail` and for a hook that fails,
    ConfigError for a hook that cannot be loaded.
    """
    hook = _hook(name, section.hook) if section.hook else None
    check = _unknown_check(name, section) if section.unknown == "fail" else None
    if hook is None and check is None:
        return None

    def prepare(payload: dict[str, Any]) -> dict[str, Any]:
        if check is not None:
            check(payload)
        return hook(payload) if hook is not None else payload

    return prepare


def _unknown_check(name: str, section: Section) -> Callable[[dict[str, Any]], None]:
    parts = [parse_path(path, flat=section.flat) for path in all_paths(section)]
    whole = any(not path for path in parts)
    known = {path[0] for path in parts if path}

    def check(payload: dict[str, Any]) -> None:
        new = [] if whole else sorted(key for key in payload if key not in known)
        if new:
            raise RecordError(
                f"{name}: the record has fields that the mapping does not know: "
                f"{', '.join(new[:5])}.",
                remedy="Map them, or say `unknown: keep` in the section; then replay the record.",
            )

    return check


def _hook(name: str, target: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    module, _, attribute = target.partition(":")
    loaded: list[Callable[[dict[str, Any]], Any]] = []

    def load() -> Callable[[dict[str, Any]], Any]:
        if not loaded:
            try:
                loaded.append(getattr(importlib.import_module(module), attribute))
            except (ImportError, AttributeError) as error:
                raise ConfigError(
                    f"{name}: the hook {target} cannot be loaded ({type(error).__name__}).",
                    remedy="Install its module beside the hub, or take `hook` out of the mapping.",
                ) from error
        return loaded[0]

    def run(payload: dict[str, Any]) -> dict[str, Any]:
        function = load()
        try:
            out = function(copy.deepcopy(payload))
        except Exception as error:
            raise RecordError(
                f"{name}: the hook {target} failed ({type(error).__name__}).",
                remedy="Correct the hook, then replay the record.",
            ) from error
        if not isinstance(out, dict):
            raise RecordError(
                f"{name}: the hook {target} gave no object.",
                remedy="A hook returns the payload as a dict; correct it, then replay the record.",
            )
        return out

    return run
