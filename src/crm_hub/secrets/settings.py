"""A connector's settings: what hub.yaml says, checked by the connector's model, secrets filled in.

Comes after the sealed store and the references; flow makes the connector with the result.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from crm_hub.model.errors import ConfigError
from crm_hub.observe import redact
from crm_hub.secrets.references import hide_all, is_reference, reveal
from crm_hub.secrets.sealed import SealedStore

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound="BaseModel")
_SEALED = "sealed"


def secret_fields(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of the model's secret settings: those typed SecretStr, optional or not."""
    return frozenset(n for n, f in model.model_fields.items() if _is_secret(f.annotation))


def _is_secret(annotation: Any) -> bool:
    from pydantic import SecretStr

    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))


def resolve_settings(
    model: type[M],
    connection: str,
    values: Mapping[str, Any],
    store: SealedStore,
    *,
    kind: str = "KIND",
) -> M:
    """Return the connector's settings with every secret looked up and every value checked.

    values: the connection's settings as hub.yaml holds them. kind: for the example in a message.
    Raises: ConfigError naming each wrong setting, what is allowed and the command that sets it;
    it never repeats a value.
    """
    command = f"crm-hub connect {kind} {connection} --replace"
    _refuse_unknown(model, connection, values, command)
    given, secrets = _split(model, values)
    looked_up = {f: _look_up(connection, f, s, store, command) for f, s in secrets.items()}
    return _validated(model, connection, {**given, **looked_up}, command)


def seal_settings(
    model: type[BaseModel],
    connection: str,
    values: Mapping[str, Any],
    store: SealedStore,
    *,
    kind: str = "KIND",
    replace: bool = False,
) -> dict[str, Any]:
    """Seal the secrets among new settings; return the settings as hub.yaml shall hold them.

    References (`env:NAME`, `file:PATH`) and the word `sealed` stay as given. Nothing is sealed
    unless all settings are valid. replace: there is such a connection already.
    Raises: ConfigError as `resolve_settings` does.
    """
    command = f"crm-hub connect {kind} {connection}{' --replace' if replace else ''}"
    _refuse_unknown(model, connection, values, command)
    given, secrets = _split(model, values)
    clear = {f: s for f, s in secrets.items() if s != _SEALED and not is_reference(s)}
    hide_all(clear.values())
    kept = {f: s for f, s in secrets.items() if f not in clear}
    looked_up = {f: _look_up(connection, f, s, store, command) for f, s in kept.items()}
    _validated(model, connection, {**given, **clear, **looked_up}, command)
    for field, secret in clear.items():
        store.put(connection, field, secret)
    return {**given, **kept, **dict.fromkeys(clear, _SEALED)}


def _split(
    model: type[BaseModel], values: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the plain settings and the secret ones; a blank secret counts as not given."""
    secret = secret_fields(model)
    plain = {name: value for name, value in values.items() if name not in secret}
    return plain, {name: str(values[name]) for name in values if name in secret and values[name]}


def _look_up(connection: str, field: str, value: str, store: SealedStore, command: str) -> str:
    if value != _SEALED:
        if not is_reference(value):
            raise ConfigError(
                f"{connection}: {field} stands in hub.yaml in clear text; it was not used.",
                remedy=f"Write env:NAME or file:PATH there, or seal it: {command} --set {field}=-",
            )
        return reveal(value, store.folder, f"{connection}: {field}")
    secret = store.get(connection, field)
    if secret is None:
        raise ConfigError(
            f"{connection}: {field} is said to be sealed, but no such secret is kept.",
            remedy=_example(command, field, secret=True),
        )
    return secret


def _refuse_unknown(
    model: type[BaseModel], connection: str, values: Mapping[str, Any], command: str
) -> None:
    known = sorted(model.model_fields)
    for name in values:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(
            f"{connection}: there is no setting {name!r}.{hint}",
            remedy=f"There are: {', '.join(known)}. {_example(command, 'KEY')}",
        )


def _validated(model: type[M], connection: str, values: Mapping[str, Any], command: str) -> M:
    from pydantic import ValidationError

    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise _invalid(error, model, connection, command) from None  # its text repeats the input


def _invalid(
    error: ValidationError, model: type[BaseModel], connection: str, command: str
) -> ConfigError:
    secrets = secret_fields(model)
    lines, first = [], ""
    for finding in error.errors(include_url=False, include_input=False, include_context=False):
        name = ".".join(str(part) for part in finding["loc"]) or "settings"
        first = first or name
        what = _say(finding["type"], str(finding["msg"]), secret=name.split(".")[0] in secrets)
        lines.append(f"{connection}: {name} {what}")
    remedy = _example(command, first, secret=first.split(".")[0] in secrets)
    return ConfigError("\n".join(lines), remedy=remedy)


def _say(kind: str, message: str, *, secret: bool) -> str:
    if kind == "missing":
        return "is required"
    if secret and kind == "value_error":
        return "is not a usable secret"  # the connector's own words might repeat it
    if secret and kind == "too_short":
        return "is too short"  # pydantic counts the items of what it does not show
    return redact(message.removeprefix("Value error, ").replace("Input should", "should", 1))


def _example(command: str, field: str, *, secret: bool = False) -> str:
    # A secret is asked for: on a command line the shell's history and all users would see it.
    return f"Set it with: {command} --set {field}={'-' if secret else 'VALUE'}"
