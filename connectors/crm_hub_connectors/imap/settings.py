"""What an admin can tell the IMAP connector, checked before anything is connected."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from crm_hub.sdk import ConfigError
from crm_hub.sdk.formats.mail_people import Own, OwnText
from crm_hub_connectors.imap.rules import NeverLog

_PORTS = {"implicit": 993, "starttls": 143, "none": 143}


class ImapSettings(BaseModel):
    """One mailbox, and what of it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field(
        title="Server",
        description="Name of the IMAP server, such as imap.provider.example.",
        min_length=1,
        max_length=253,
        pattern=r"^[^\s/:@]+$|^\[?[0-9A-Fa-f:.]+\]?$",
    )
    port: int | None = Field(
        None, title="Port", description="Empty: 993 with implicit TLS, else 143.", ge=1, le=65535
    )
    tls: Literal["implicit", "starttls", "none"] = Field(
        "implicit",
        title="Encryption",
        description="implicit: TLS from the first byte; starttls: TLS after a greeting; "
        "none: everything, the password too, goes over the wire in the open.",
    )
    ca_file: str = Field(
        "",
        title="Certificate file",
        description="PEM file with the certificate of the server or of the authority that signed "
        "it, where that is a private one; a relative path starts at the hub's folder.",
    )
    username: str = Field(
        title="User", description="The name to log in with, often the address.", min_length=1
    )
    password: SecretStr = Field(
        title="Password",
        description="The mailbox's password, or an app password.",
        min_length=1,
    )
    folders: str = Field(
        "",
        title="Folders",
        description="Folders to read, separated by commas, `*` for any letters. Empty: all "
        "but junk, trash and drafts.",
    )
    since: date | None = Field(
        None, title="Since", description="Mail that arrived before this day is not read."
    )
    never_log: str = Field(
        "",
        title="Never log",
        description="What must never be kept, separated by commas: addresses, domains, "
        "`subject:words`, `label:folder or keyword`. It beats everything else.",
    )
    people: Literal["replied", "senders", "none"] = Field(
        "replied",
        title="People from mail",
        description="replied: whom you wrote to, and who answered you, becomes a person; "
        "senders: whoever wrote to you too; none: mail gives timeline events only.",
    )
    visibility: Literal["metadata", "subject", "full"] = Field(
        "full",
        title="Visibility",
        description="What of a mail is kept: metadata (who and when), subject, or full.",
    )
    own: OwnText = Field(
        "",
        title="Own addresses and domains",
        description="E-mail addresses or domains of the company itself, separated by commas; "
        "they tell sent from received mail. The user's own address is always one.",
    )

    @field_validator("never_log")
    @classmethod
    def _never_log_is_readable(cls, text: str) -> str:
        return _readable(text, NeverLog.parse)

    @property
    def effective_port(self) -> int:
        return self.port or _PORTS[self.tls]

    @property
    def us(self) -> Own:
        """Return the company's own addresses, the user's own among them."""
        user = self.username if "." in self.username.rpartition("@")[2] else ""
        address = user if "@" in user else ""
        return Own.parse(",".join(filter(None, (self.own, address))))

    @property
    def patterns(self) -> tuple[str, ...]:
        """Return the folders asked for; none means all."""
        return tuple(filter(None, (part.strip() for part in self.folders.split(","))))


def _readable(text: str, parse: object) -> str:
    try:
        parse(text)  # type: ignore[operator]
    except ConfigError as error:
        raise ValueError(error.message) from None
    return text
