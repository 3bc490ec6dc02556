"""The settings that every WebDAV connector has: where the server is, and who logs in."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


class DavSettings(BaseModel):
    """An address and a log-in."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(
        title="Address",
        description="The server, such as https://cloud.acme.example, or an address below it.",
        min_length=8,
        max_length=2_000,
    )
    username: str = Field(title="User name", description="Who logs in.", min_length=1)
    password: SecretStr = Field(
        title="Password",
        description="The user's password; an app password where the server offers them.",
    )

    @field_validator("url")
    @classmethod
    def _address_is_safe(cls, text: str) -> str:
        parts = urlsplit(text.strip())
        local = parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS
        if not parts.hostname or not (parts.scheme == "https" or local):
            raise ValueError("the address starts with https:// (http:// on this machine only)")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("user name and password have settings of their own; no ? and no #")
        return text.strip()

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return the names of the collections to read; none for all."""
        return ()


def named(text: str) -> tuple[str, ...]:
    """Return the names in a setting, which commas part."""
    return tuple(part for one in text.split(",") if (part := one.strip()))
