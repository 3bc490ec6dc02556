"""Calls the Graph API and turns its error codes into the hub's errors.

Graph answers most failures with status 400 and says what happened in `error.code`.
Source: https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_hub.sdk import AuthRefused, ConfigError, HubError, Throttled, Unavailable
from crm_hub.sdk.http import Answer, HttpClient
from crm_hub.sdk.http_answer import parse_json
from crm_hub.sdk.webhooks import sign

_TOKEN_CODES = frozenset({102, 190})
_PERMISSION_CODES = frozenset({3, 10, *range(200, 300)})
_QUOTA_CODES = frozenset({4, 17, 32, 341, 368, 613, *range(80_000, 80_015)})
_OUTAGE_CODES = frozenset({1, 2})
_BAD_PARAMETER = 100
_NO_SUCH_OBJECT = 33
_JUDGED_HERE = (401, 403)


class GoneError(ConfigError):
    """There is no such object, or this token may not see it: Graph does not say which."""


class BadParameterError(ConfigError):
    """Graph does not accept a field or parameter, such as an expired page cursor."""


class Graph:
    """The Graph API at one version with one access token."""

    def __init__(self, client: HttpClient, version: str, access_token: str, app_secret: str):
        self._client = client
        self._version = version
        # Apps that require it refuse every call without this proof of the secret.
        self._proof = sign(access_token.encode(), app_secret.encode())

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Return the JSON object at `path`.

        Raises: GoneError, BadParameterError, AuthRefused, Throttled, Unavailable, ConfigError.
        """
        answer = self._client.get(
            f"{self._version}/{path}",
            params={**params, "appsecret_proof": self._proof},
            accept=_JUDGED_HERE,
        )
        if not answer.ok:
            raise _error_of(answer)
        data = answer.json()
        if not isinstance(data, dict):
            raise Unavailable(f"{answer.where} answered without a JSON object")
        return data


def _error_of(answer: Answer) -> HubError:
    error = _error_object(answer.body)
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    where = f"{answer.where} (status {answer.status}, code {code}, subcode {subcode})"
    if code in _QUOTA_CODES:
        wait_s = _regain_s(answer.headers)
        return Throttled(f"{where}: Meta's call limit is used up", retry_after_s=wait_s)
    if code in _OUTAGE_CODES:
        return Unavailable(f"{where}: Meta reports an outage")
    if code in _TOKEN_CODES or code in _PERMISSION_CODES or answer.status in _JUDGED_HERE:
        return AuthRefused(
            f"{where}: Meta refused the access token",
            remedy="Make a new token with leads_retrieval, pages_manage_metadata and"
            " pages_show_list, and set it as access_token.",
        )
    if answer.missing or (code == _BAD_PARAMETER and subcode == _NO_SUCH_OBJECT):
        return GoneError(
            f"{where}: there is nothing of this id, or the token may not see it",
            remedy="Check the ids and the version in the settings, and what the token may see.",
        )
    kind = BadParameterError if code == _BAD_PARAMETER else ConfigError
    return kind(
        f"{where}: Meta does not accept the request",
        remedy="Check version and form_ids; set ad_details to false if the token lacks"
        " ads_management.",
    )


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _error_object(body: bytes) -> Mapping[str, Any]:
    try:
        data = parse_json(body)
    except (ValueError, RecursionError):
        return {}
    error = data.get("error") if isinstance(data, dict) else None
    return error if isinstance(error, dict) else {}


def _regain_s(headers: Mapping[str, str]) -> float | None:
    """Return the longest wait that X-Business-Use-Case-Usage names (it counts minutes)."""
    try:
        usage = parse_json(headers.get("x-business-use-case-usage", "").encode())
        waits = [
            float(item.get("estimated_time_to_regain_access", 0)) * 60
            for items in usage.values()
            for item in items
        ]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    longest = max(waits, default=0.0)
    return min(longest, 86_400.0) if longest > 0 else None
