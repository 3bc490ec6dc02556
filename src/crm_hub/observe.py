"""Log lines and redaction: what the hub says about itself, with no secret in it."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable

_HIDDEN = "***"
_URL_SECRET = re.compile(
    r"(?i)\b(access_token|token|key|api_key|apikey|google_key|password|secret|signature|sig|code"
    r"|client_secret|refresh_token|hub\.verify_token)=(?!(?:-|VALUE)(?:\s|$))([^&\s\"']+)"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}")

_known_secrets: set[str] = set()


def hide(secrets: Iterable[str]) -> None:
    """Remember these values; no log line or error text of this process shows them again."""
    _known_secrets.update(s for s in secrets if len(s) >= 4)


def redact(text: str) -> str:
    """Return text with known secrets, bearer tokens and secret URL parameters blanked."""
    for secret in sorted(_known_secrets, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, _HIDDEN)
    text = _URL_SECRET.sub(lambda m: f"{m[1]}={_HIDDEN}", text)
    return _BEARER.sub(lambda m: f"{m[1]} {_HIDDEN}", text)


class _Redacted(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure(level: str = "WARNING") -> None:
    """Send log lines to stderr, redacted. httpx and httpcore stay quiet: they log whole URLs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacted("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("httpx", "httpcore", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)


def logger(name: str) -> logging.Logger:
    """Return the logger of one room or connection."""
    return logging.getLogger(f"crm_hub.{name}")
