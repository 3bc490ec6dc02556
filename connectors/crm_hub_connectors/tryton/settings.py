"""Settings of the Tryton connector."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from crm_hub_connectors.tryton.streams import SPECS


class TrytonSettings(BaseModel):
    """What the connector needs to know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(
        title="Address",
        description="Where Tryton answers, such as https://erp.example or http://10.0.0.5:8000.",
    )
    database: str = Field(
        title="Database",
        description="The database's name, as the Tryton client shows it at log-in.",
        pattern=r"^[A-Za-z0-9_.-]{1,63}$",
    )
    username: str = Field(
        title="User",
        description="A user of its own for the hub.",
        min_length=1,
        pattern=r"^[^:]+$",
    )
    password: SecretStr = Field(
        title="Password", description="The password of that user.", min_length=1
    )
    language: str = Field(
        default="en",
        title="Language",
        description="For names that Tryton translates, such as those of countries.",
        pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$",
    )
    streams: str = Field(
        default="",
        title="Streams",
        description="What to read, comma separated, of: parties, sales, invoices, payments,"
        " opportunities. Empty: all that the activated modules offer.",
    )
    page_size: int = Field(
        default=200,
        title="Page size",
        description="How many records are asked for at once.",
        ge=5,
        le=1000,
    )

    @field_validator("url")
    @classmethod
    def _address(cls, text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address starts with https:// or http://")
        if parts.username or parts.query or parts.fragment:
            raise ValueError("the address is host and path only; user and password go apart")
        return text.rstrip("/")

    @field_validator("streams")
    @classmethod
    def _known(cls, text: str) -> str:
        if unknown := [name for name in _parts(text) if name not in SPECS]:
            raise ValueError(f"no such stream: {', '.join(unknown)}; there are {', '.join(SPECS)}")
        return text

    @property
    def wanted(self) -> tuple[str, ...]:
        """The streams asked for by name; empty when all are."""
        return tuple(dict.fromkeys(_parts(self.streams)))

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
