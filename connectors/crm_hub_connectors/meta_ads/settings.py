"""Settings of the Meta lead ads connector."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

GRAPH_URL = "https://graph.facebook.com"
OBJECT_ID = re.compile(r"[0-9]{1,32}")
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


class MetaAdsSettings(BaseModel):
    """What the connector needs to know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    app_secret: SecretStr = Field(
        title="App secret",
        description="From the app's settings at Meta; it signs the webhooks.",
        min_length=8,
    )
    verify_token: SecretStr = Field(
        title="Verify token",
        description="A word of your own, typed into the webhook subscription at Meta as well.",
        min_length=8,
    )
    access_token: SecretStr = Field(
        title="Access token",
        description="A page or system user token with leads_retrieval; it reads the leads.",
        min_length=8,
    )
    form_ids: str = Field(
        default="",
        title="Lead forms",
        description="Ids of lead forms to read as well, comma separated, so that a lead whose"
        " webhook was missed still comes in. Empty: webhooks alone.",
    )
    ad_details: bool = Field(
        default=True,
        title="Ad and campaign names",
        description="Read the names of ad and campaign too; the token then needs ads_management.",
    )
    version: str = Field(
        default="v24.0",
        title="Graph API version",
        description="Such as v24.0.",
        pattern=r"^v\d{1,3}\.\d{1,2}$",
    )
    base_url: str = Field(
        default=GRAPH_URL,
        title="Graph API address",
        description="Leave it as it is; tests and proxies set their own.",
    )

    @field_validator("form_ids")
    @classmethod
    def _forms_are_ids(cls, text: str) -> str:
        if not all(OBJECT_ID.fullmatch(part) for part in _parts(text)):
            raise ValueError("form ids are numbers, separated by commas")
        return text

    @field_validator("base_url")
    @classmethod
    def _address_is_safe(cls, text: str) -> str:
        parts = urlsplit(text)
        local = parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS
        if not parts.hostname or not (parts.scheme == "https" or local):
            raise ValueError("the address starts with https:// (http:// on this machine only)")
        return text.rstrip("/")

    @property
    def forms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_parts(self.form_ids)))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
