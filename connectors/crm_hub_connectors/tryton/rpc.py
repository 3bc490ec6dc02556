"""Calls Tryton by JSON-RPC and turns what it answers into the hub's errors.

A log-in gives a session, which Tryton ends after some idle time (config `[session]`); a 401 then
costs one new log-in. Errors come with status 200, as `{"error": [...]}`:

    ["UserError", [message, description, domain]]    no right to read, mostly: ConfigError
    ["LoginException", [...]]                        more than a password is wanted: AuthRefused
    ["UserWarning", ...]                             only a person can answer: ConfigError
    ["ConcurrencyException", ...]                    Unavailable; Moved where a write was guarded
    [text of a Python exception, traceback]          FaultError, a kind of Unavailable

Source: trytond 8.2, trytond/protocols/dispatcher.py, jsonrpc.py and trytond/exceptions.py.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from crm_hub.sdk import AuthRefused, ConfigError, HubError, Unavailable
from crm_hub.sdk.http import HttpClient
from crm_hub_connectors.tryton.settings import TrytonSettings

_MOST_MESSAGE = 300
_TREE = "model.ir.model.access.get_access"


class FaultError(Unavailable):
    """Tryton itself broke on this call; a single record may be the cause."""


class Moved(Exception):
    """Somebody has changed the record since it was read; nothing was written."""


class Refused(Exception):
    """Tryton does not take this change, for the reason it gives; nothing was written."""


class Session:
    """A user's log-in, kept between pulls. `context` goes with every call."""

    def __init__(self) -> None:
        self.header = ""
        self.context: dict[str, Any] = {}


class Rpc:
    """Remote calls over one client, as one user."""

    def __init__(self, client: HttpClient, settings: TrytonSettings, session: Session) -> None:
        self._client = client
        self._settings = settings
        self._session = session
        self._path = f"{settings.database}/rpc/"

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of a method, called in the user's context.

        Raises: AuthRefused, ConfigError, Throttled, Unavailable, FaultError.
        """
        fresh = not self._session.header
        if fresh:
            self._log_in()
        try:
            return self._asked(method, [*params, self._session.context])
        except AuthRefused:
            if fresh:
                raise
        # The session has ended: once more, with a new one.
        self._log_in()
        return self._asked(method, [*params, self._session.context])

    def model(self, model: str, method: str, *params: Any) -> Any:
        """Return the result of a model's method; see `call`."""
        return self.call(f"model.{model}.{method}", *params)

    def write(self, model: str, method: str, *params: Any, stamps: Mapping[str, str]) -> Any:
        """Return the result of a method that writes. It is sent once; all of it holds, or nothing.

        stamps: "model,id" → the `_timestamp` it was read with; Tryton checks those it writes to.
        Raises: Moved, Refused, and as `call`; after Unavailable nobody knows whether it was done.
        """
        if not self._session.header:
            self._log_in()
        name = f"model.{model}.{method}"
        for last in (False, True):
            context = {**self._session.context, "_timestamp": dict(stamps)}
            try:
                answer = self._answer(name, [*params, context], harmless=False)
            except AuthRefused:
                if last:
                    raise
                # A session that has ended is refused before anything is done.
                self._log_in()
                continue
            break
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        kind = error[0] if isinstance(error, list) and error else ""
        if kind == "ConcurrencyException":
            raise Moved
        if kind in ("UserError", "UserWarning"):
            raise Refused(_said(error))
        raise error_of(name, error)

    def rights(self, models: Sequence[str], right: str) -> dict[str, bool]:
        """Return for each model whether the user has a right: read, write, create or delete."""
        found = self.call(_TREE, list(models))
        return {model: bool(found.get(model, {}).get(right)) for model in models}

    def readable(self, models: Sequence[str]) -> dict[str, bool]:
        """Return for each model whether the user may read it."""
        return self.rights(models, "read")

    def server_time(self, now: Callable[[], datetime]) -> datetime:
        """Return the server's clock by the Date header of an answer; ours where it has none."""
        answer = self._client.post(
            "rpc/", json={"id": 0, "method": "common.server.version", "params": []},
            idempotent=True, accept=(401, 403),
        )  # fmt: skip
        try:
            moment = parsedate_to_datetime(answer.headers.get("date", ""))
        except (ValueError, TypeError):
            return now()
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _log_in(self) -> None:
        self._session.header = ""
        settings = self._settings
        proof = {"password": settings.password.get_secret_value()}
        found = self._asked("common.db.login", [settings.username, proof, settings.language])
        try:
            user_id, token = int(found[0]), str(found[1])
        except (TypeError, ValueError, LookupError):
            raise Unavailable("Tryton answered the log-in without a session") from None
        packed = base64.b64encode(f"{settings.username}:{user_id}:{token}".encode()).decode()
        self._session.header = f"Session {packed}"
        self._session.context = {}
        preferences = self._asked("model.res.user.get_preferences", [True, {}])
        kept = ("company", "companies", "company_filter", "employee", "groups", "language")
        # What is archived is still there, so it is read as well.
        self._session.context = {
            **{name: preferences[name] for name in kept if name in preferences},
            "language": settings.language, "active_test": False,
        }  # fmt: skip

    def _asked(self, method: str, params: list[Any]) -> Any:
        # Calls that only read, so each is harmless to repeat.
        answer = self._answer(method, params, harmless=True)
        if answer.get("error") is not None:
            raise error_of(method, answer["error"])
        return answer["result"]

    def _answer(self, method: str, params: list[Any], *, harmless: bool) -> dict[str, Any]:
        ask = {"id": 1, "method": method, "params": params}
        headers = {"authorization": self._session.header} if self._session.header else {}
        try:
            answer = self._client.json(
                self._path, method="POST", json=ask, headers=headers, idempotent=harmless
            )
        except AuthRefused as error:
            raise AuthRefused(
                error.message,
                remedy="Check user and password of this connection, and that the user is active.",
            ) from None
        if not isinstance(answer, dict) or ("result" not in answer and not answer.get("error")):
            raise Unavailable(f"Tryton answered {method} with neither result nor error")
        return answer


def error_of(method: str, error: Any) -> HubError:
    """Return the hub's error for what stands under `error` in an answer."""
    kind = error[0] if isinstance(error, list) and error else ""
    if kind == "LoginException":
        return AuthRefused(
            "Tryton wants more than a password for this log-in",
            remedy="Let this user log in by password alone ([session] authentications).",
        )
    if kind in ("UserError", "UserWarning"):
        return ConfigError(
            f"Tryton refused {method}: {_said(error)}",
            remedy="Give this user the groups Sales, Accounting and Sale Opportunity, or name"
            " only the streams it may read in `streams`.",
        )
    if kind == "ConcurrencyException":
        return Unavailable(f"Tryton was busy with the same record at {method}")
    return FaultError(
        f"Tryton itself broke at {method}",
        remedy="It is tried again by itself; if it stays so, Tryton's own log has the traceback.",
    )


def _said(error: Any) -> str:
    """Return what Tryton tells the user, the first of its texts that is a sentence."""
    detail = error[1] if len(error) > 1 else ""
    texts = detail if isinstance(detail, list) else []
    said = next((text for text in texts if isinstance(text, str) and " " in text), "")
    return said[:_MOST_MESSAGE]
