"""Is this webhook genuine? Checks over the raw bytes, for the `verify_hook` of a connector.

Parse nothing before a check passes: two JSON texts can mean the same and still differ in bytes,
and the signature is over the bytes. Every comparison takes the same time whatever differs.
All checks return nothing and raise HookRefused: status 401 when proof is missing or unreadable,
403 when it is wrong or too old, 409 when it was used before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from crm_hub.model.errors import HookRefused

Encoding = Literal["hex", "base64"]
_AGE_LIMIT_S = 300.0
_REMEDY = "Compare the signing secret of this connection with the one in the far side's settings."
_DIGITS = re.compile(r"[0-9]{1,18}")


def shared_secret_equal(given: str, secret: str) -> bool:
    """True when both texts are equal; an empty secret equals nothing. Takes constant time."""
    if not secret:
        return False
    return hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), secret.encode("utf-8", "surrogatepass")
    )


def check_shared_secret(given: str | None, secret: str) -> None:
    """Refuse a post whose key, token or password is not `secret`."""
    if not given:
        raise HookRefused("the post carries no key", status=401, remedy=_REMEDY)
    if not shared_secret_equal(given, secret):
        raise HookRefused("the post carries a wrong key", status=403, remedy=_REMEDY)


def sign(
    content: bytes, secret: bytes, *, encoding: Encoding = "hex", algorithm: str = "sha256"
) -> str:
    """Return the HMAC of `content` as text, as a sender computes it."""
    digest = hmac.digest(secret, content, algorithm)
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


def check_hmac(
    body: bytes,
    given: str | None,
    secret: str,
    *,
    prefix: str = "",
    encoding: Encoding = "hex",
    algorithm: str = "sha256",
) -> None:
    """Refuse a body whose signature header is not its HMAC.

    given: the header's value. Meta and WhatsApp: prefix "sha256=", hex (X-Hub-Signature-256).
    Typeform: prefix "sha256=", base64 (Typeform-Signature). Shopify-like: base64, no prefix.
    """
    expected = prefix + sign(body, _key(secret), encoding=encoding, algorithm=algorithm)
    _compare(given, expected)


def check_timestamped(
    body: bytes,
    header: str | None,
    secret: str,
    now: datetime,
    *,
    age_limit_s: float = _AGE_LIMIT_S,
) -> None:
    """Refuse a body not signed by a header like `t=1492774577,v1=<hex>[,v1=<hex>]`.

    Signed is "<t>.<body>" (Stripe, Calendly). Several v1 values stand in a header while the
    secret is being changed.
    """
    parts = [part.strip().partition("=") for part in (header or "")[:4000].split(",")]
    sent = next((value for name, _, value in parts if name == "t"), "")
    given = [value for name, _, value in parts if name == "v1"]
    expected = sign(sent.encode("utf-8", "replace") + b"." + body, _key(secret))
    _compare_any(given, expected)
    check_age(sent, now, age_limit_s=age_limit_s)


def check_slack(
    body: bytes,
    timestamp: str | None,
    signature: str | None,
    secret: str,
    now: datetime,
    *,
    age_limit_s: float = _AGE_LIMIT_S,
) -> None:
    """Refuse a body not signed as Slack does: "v0=" + hex HMAC of "v0:<timestamp>:<body>".

    Source: headers X-Slack-Request-Timestamp and X-Slack-Signature.
    """
    sent = timestamp or ""
    content = b"v0:" + sent.encode("utf-8", "replace") + b":" + body
    _compare(signature, "v0=" + sign(content, _key(secret)))
    check_age(sent, now, age_limit_s=age_limit_s)


# What HubSpot decodes in the URI before signing it.
_HUBSPOT_DECODED = {f"%{ord(letter):02X}": letter for letter in ":/?@!$'()*,;"}
_HUBSPOT_ESCAPE = re.compile("|".join(_HUBSPOT_DECODED), re.IGNORECASE)


def check_hubspot_v3(
    method: str,
    uri: str,
    body: bytes,
    timestamp_ms: str | None,
    signature: str | None,
    secret: str,
    now: datetime,
    *,
    age_limit_s: float = _AGE_LIMIT_S,
) -> None:
    """Refuse a body not signed as HubSpot v3: base64 HMAC of method + uri + body + timestamp.

    uri: the whole public address that was called, query included, https:// as HubSpot saw it.
    Source: headers X-HubSpot-Signature-V3 and X-HubSpot-Request-Timestamp (milliseconds).
    """
    sent = timestamp_ms or ""
    decoded = _HUBSPOT_ESCAPE.sub(lambda m: _HUBSPOT_DECODED[m[0].upper()], uri)
    content = method.upper().encode() + decoded.encode("utf-8", "replace") + body
    content += sent.encode("utf-8", "replace")
    _compare(signature, sign(content, _key(secret), encoding="base64"))
    check_age(sent, now, age_limit_s=age_limit_s, per_s=1000)


def check_standard(
    body: bytes,
    headers: Mapping[str, str],
    secret: str,
    now: datetime,
    *,
    age_limit_s: float = _AGE_LIMIT_S,
) -> None:
    """Refuse a body not signed after the Standard Webhooks specification.

    headers: lower-cased; webhook-id, webhook-timestamp, webhook-signature (one or more
    "v1,<base64>" with blanks between). secret: base64, with or without "whsec_".
    """
    sent = headers.get("webhook-timestamp", "")
    marks = [m.partition(",") for m in headers.get("webhook-signature", "")[:4000].split()]
    given = [value for version, _, value in marks if version == "v1"]
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise HookRefused(
            "the signing secret of this connection is not base64", status=403, remedy=_REMEDY
        ) from None
    signed = f"{headers.get('webhook-id', '')}.{sent}.".encode("utf-8", "replace") + body
    _compare_any(given, sign(signed, key, encoding="base64"))
    check_age(sent, now, age_limit_s=age_limit_s)


def check_age(
    sent: str | None, now: datetime, *, age_limit_s: float = _AGE_LIMIT_S, per_s: int = 1
) -> None:
    """Refuse a post sent more than `age_limit_s` ago or ahead.

    sent: the signed Unix time as text; per_s: its ticks a second (1000 for milliseconds).
    """
    if not sent or not _DIGITS.fullmatch(sent):
        raise HookRefused("the post carries no readable time", status=401, remedy=_REMEDY)
    age_s = now.astimezone(UTC).timestamp() - int(sent) / per_s
    if abs(age_s) > age_limit_s:
        raise HookRefused(
            f"the post was signed {abs(age_s):.0f} s {'ago' if age_s > 0 else 'ahead'}; "
            f"the limit is {age_limit_s:.0f} s",
            status=403,
            remedy="If these come fresh from the far side, set the clock of this machine.",
        )


class ReplayMemory:
    """The posts accepted lately, so that a copied one is refused. Bounded: the oldest go first.

    Use it after a check has passed, and only for posts with no id of their own: where the
    payload has one, the hub makes a repeat harmless by itself, and a sender that honestly
    repeats a post is then not refused.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def refuse_repeat(self, proof: str | bytes) -> None:
        """Remember this signature. Raises: HookRefused (409) when it is known already."""
        mark = self._mark(proof)
        with self._lock:
            if mark in self._known:
                raise HookRefused("this post was accepted before", status=409)
            self._known[mark] = None
            if len(self._known) > self._capacity:
                self._known.popitem(last=False)

    def forget(self, proof: str | bytes) -> None:
        """Let this signature in again, because what it came with could not be kept."""
        with self._lock:
            self._known.pop(self._mark(proof), None)

    def _mark(self, proof: str | bytes) -> bytes:
        raw = proof.encode("utf-8", "surrogatepass") if isinstance(proof, str) else proof
        return hashlib.blake2b(raw, digest_size=16).digest()


def _key(secret: str) -> bytes:
    if not secret:
        # An empty key would let anyone sign.
        raise HookRefused("this connection has no signing secret", status=403, remedy=_REMEDY)
    return secret.encode()


def _compare(given: str | None, expected: str) -> None:
    _compare_any([given] if given else [], expected)


def _compare_any(given: list[str], expected: str) -> None:
    if not given:
        raise HookRefused("the post is not signed", status=401, remedy=_REMEDY)
    if not any(shared_secret_equal(one, expected) for one in given):
        raise HookRefused("the signature does not fit the body", status=403, remedy=_REMEDY)
