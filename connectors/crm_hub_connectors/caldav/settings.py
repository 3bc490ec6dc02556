"""Settings of the CalDAV connector."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from crm_hub.sdk.formats.mail_people import OwnText

_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


class CaldavSettings(BaseModel):
    """What the connector needs to know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(
        title="Address",
        description="The server, such as https://cloud.acme.example, or the address it gives for "
        "CalDAV, or that of one calendar.",
        min_length=8,
        max_length=2_000,
    )
    username: str = Field(title="User name", description="Who logs in.", min_length=1)
    password: SecretStr = Field(
        title="Password",
        description="The user's password; an app password where the server offers them.",
    )
    calendars: str = Field(
        "",
        title="Calendars",
        description="Which to read, by name, separated by commas; empty: all of them.",
    )
    since: date | None = Field(
        None,
        title="Not before",
        description="What ended before this day (YYYY-MM-DD) is not taken; empty: everything.",
    )
    own: OwnText = Field(
        "",
        title="Own addresses and domains",
        description="E-mail addresses or domains of the company itself, separated by commas; "
        "they tell the others' answers to a meeting from ours.",
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
        """Return the names of the calendars to read; none for all."""
        return tuple(part for one in self.calendars.split(",") if (part := one.strip()))
