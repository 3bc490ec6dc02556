"""Settings of the web form connector."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

FORM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def words(text: str) -> tuple[str, ...]:
    """Return the parts of a comma separated text, in order, without blanks."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def origin_of(url: str) -> str:
    """Return the origin (RFC 6454) of an http or https URL in lower case, or an empty text."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()


class WebFormSettings(BaseModel):
    """What the connector needs to know; every setting has a working default."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    forms: str = Field(
        default="",
        title="Forms",
        description="Names of the forms that may post, comma separated; empty takes any name.",
    )
    honeypot: str = Field(
        default="website_url",
        title="Honeypot field",
        description="A field people cannot see. A post that fills it is taken for a robot's and"
        " kept out.",
    )
    secret: SecretStr | None = Field(
        default=None,
        title="Shared token",
        description="When set, a post must carry it as header X-Form-Token or as query parameter"
        " token. A token in a page is readable by its visitors: use it between servers.",
        min_length=8,
    )
    allowed_origins: str = Field(
        default="",
        title="Allowed origins",
        description="Sites whose pages may post from a browser, comma separated, such as"
        " https://www.clearwater.example. Empty: no cross-origin scripts, but plain HTML forms"
        " from anywhere.",
    )
    max_fields: int = Field(
        default=100,
        ge=1,
        le=5_000,
        title="Most fields",
        description="A post with more fields is refused.",
    )
    redirect: str = Field(
        default="",
        title="Thank-you page",
        description="Where a browser is sent after a plain HTML post: a path such as /thanks, or"
        " a page on one of the allowed origins.",
    )

    @field_validator("forms")
    @classmethod
    def _forms_are_names(cls, text: str) -> str:
        if not all(FORM_NAME.fullmatch(name) for name in words(text)):
            raise ValueError("a form name has letters, digits, '.', '_' and '-', at most 64")
        return text

    @field_validator("allowed_origins")
    @classmethod
    def _origins_are_origins(cls, text: str) -> str:
        for entry in words(text):
            if origin_of(entry) != entry.lower().rstrip("/"):
                raise ValueError("an origin is scheme and host, such as https://www.example.com")
        return text

    @model_validator(mode="after")
    def _redirect_stays_home(self) -> WebFormSettings:
        target = self.redirect
        if any(char in target for char in "\\\r\n\t\0") or not target.isascii():
            raise ValueError("redirect holds a character that a Location header cannot carry")
        is_path = target.startswith("/") and not target.startswith("//")
        if target and not is_path and origin_of(target) not in self.origins:
            raise ValueError("redirect must be a path, or a page on one of allowed_origins")
        return self

    @property
    def form_names(self) -> tuple[str, ...]:
        return words(self.forms)

    @property
    def origins(self) -> tuple[str, ...]:
        return tuple(origin_of(entry) for entry in words(self.allowed_origins))
