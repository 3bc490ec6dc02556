"""Settings of the REST connector: one list described in fields, or several in `streams`."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

Paging = Literal["none", "cursor", "page", "offset", "link"]
SinceFormat = Literal["iso", "epoch_s", "epoch_ms"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")  # RFC 9110 section 5.6.2
_PATH = re.compile(r"[^.\s]+(\.[^.\s]+)*|")
_USUAL_PARAMETER = {"cursor": "cursor", "page": "page", "offset": "offset"}


class ListSettings(BaseModel):
    """One list of records: where it is, how it is paged, what its records are known by."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(
        "", title="Name", description="Name of the stream; empty: the last part of `path`."
    )
    path: str = Field(
        "", title="Path", description="Path of the list below the base address, such as /contacts."
    )
    records: str = Field(
        "",
        title="Records",
        description="Dotted path to the list inside the answer, such as data.items; empty: the"
        " answer itself is the list.",
    )
    id: str = Field(
        "id", title="Id", description="Dotted path to the id inside a record.", min_length=1
    )
    changed_at: str = Field(
        "",
        title="Time of change",
        description="Dotted path to a record's time of the last change; empty: it has none.",
    )
    paging: Paging = Field(
        "none",
        title="Paging",
        description="none: one answer; cursor: the answer names the next cursor; page and offset:"
        " counted by the hub; link: the answer holds the next address.",
    )
    page_param: str = Field(
        "",
        title="Page parameter",
        description="Query parameter of cursor, page or offset; empty: named like that.",
    )
    next: str = Field(
        "",
        title="Next",
        description="Dotted path to the next cursor or address in the answer; empty with paging"
        " link: the Link header with rel=next.",
    )
    first_page: int = Field(
        1, ge=0, le=1, title="First page", description="Number of the first page: 1 or 0."
    )
    size_param: str = Field(
        "", title="Size parameter", description="Query parameter for the records of a page."
    )
    page_size: int = Field(
        100, ge=1, le=10_000, title="Page size", description="Sent where there is a size parameter."
    )
    since_param: str = Field(
        "",
        title="Changed-since parameter",
        description="Query parameter that lists only what changed since a time; empty: the whole"
        " list is read each time, and what is missing is deleted.",
    )
    until_param: str = Field(
        "",
        title="Changed-until parameter",
        description="Query parameter for the end of a span of time that is read again.",
    )
    since_format: SinceFormat = Field(
        "iso",
        title="Format of times",
        description="How these parameters are written: iso (UTC), epoch_s or epoch_ms.",
    )
    overlap_s: int = Field(
        1,
        ge=1,
        le=86_400,
        title="Overlap in seconds",
        description="How much before the newest change is read again; more where the source"
        " shows changes later than it stamps them.",
    )
    reconcile: bool = Field(
        False,
        title="Look for deletes",
        description="Read the whole list once a day beside the changes, so that deletes show.",
    )
    params: str = Field(
        "",
        title="More parameters",
        description="Sent with each call, such as archived=false&fields=all. No secrets: this is"
        " kept in the open.",
    )
    section: str = Field(
        "",
        title="Section of the mapping",
        description="Which section of the mapping file reads the records; empty: told by the"
        " records, or with a mapping file by the name.",
    )

    @field_validator("records", "id", "changed_at", "next")
    @classmethod
    def _paths_are_dotted(cls, text: str) -> str:
        if not _PATH.fullmatch(text):
            raise ValueError("must be names joined by dots, such as data.items")
        return text

    @field_validator("path")
    @classmethod
    def _path_stays_home(cls, text: str) -> str:
        if "://" in text or text.startswith("//") or set(text) & set("?#\\\r\n\t "):
            raise ValueError("must be a path such as /api/contacts; parameters go into `params`")
        return text

    @field_validator("name")
    @classmethod
    def _name_is_plain(cls, text: str) -> str:
        if text and not _NAME.fullmatch(text):
            raise ValueError("must be up to 64 letters, digits, blanks, '.', '_' and '-'")
        return text

    def problem(self) -> str:
        """Return what does not fit together in this description, "" when all does."""
        if self.paging == "cursor" and not self.next:
            return "paging cursor needs `next`, where the answer holds the next cursor"
        if self.paging in ("none", "page", "offset") and self.next:
            return "`next` is for paging cursor or link"
        if self.since_param and not self.changed_at:
            return "since_param needs `changed_at`, which tells how far was read"
        if self.until_param and not self.since_param:
            return "until_param needs since_param"
        return ""

    @property
    def stream(self) -> str:
        """The stream's name."""
        last = re.sub(r"[^A-Za-z0-9._-]+", "-", self.path.strip("/").rsplit("/", 1)[-1])
        return self.name or last.strip("-._")[:64] or "records"

    @property
    def place(self) -> str:
        """The parameter that says which page."""
        return self.page_param or _USUAL_PARAMETER.get(self.paging, "")

    @property
    def fixed(self) -> list[tuple[str, str]]:
        """The parameters of every call, the page size among them."""
        size = [(self.size_param, str(self.page_size))] if self.size_param else []
        return [*parse_qsl(self.params, keep_blank_values=True), *size]


class RestSettings(ListSettings):
    """What the connector needs to know."""

    base_url: str = Field(
        title="Base address",
        description="Where the API is, such as https://crm.clearwater.example/api. It may be inside"
        " your own network.",
    )
    token: SecretStr | None = Field(
        default=None, title="Token", description="Sent with each call; empty: none.", min_length=1
    )
    auth_header: str = Field(
        "Authorization", title="Token header", description="Header that carries the token."
    )
    auth_scheme: str = Field(
        "Bearer",
        title="Token scheme",
        description="Word before the token, such as Bearer or Token; - for none.",
        pattern=r"^([A-Za-z0-9-]{1,40})?$",
    )
    mapping: str = Field(
        "",
        title="Mapping file",
        description="A mapping file of your own; each list is read by the section of its name.",
    )
    streams: tuple[ListSettings, ...] = Field(
        (),
        title="Several lists",
        description="A list of descriptions with the settings above; what one leaves out is taken"
        " from the connection.",
    )

    @field_validator("base_url")
    @classmethod
    def _address_is_one(cls, text: str) -> str:
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must begin with https:// or http:// and name a host")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("must hold no user, password or parameters")
        return text.rstrip("/")

    @field_validator("auth_header")
    @classmethod
    def _header_is_one(cls, text: str) -> str:
        if not _HEADER.fullmatch(text):
            raise ValueError("must be the name of an HTTP header")
        return text

    @model_validator(mode="after")
    def _lists_fit(self) -> RestSettings:
        names = [one.stream for one in self.lists]
        if len(set(names)) < len(names):
            raise ValueError("two lists have the same name; give each its own `name`")
        for one in self.lists:
            if found := one.problem():
                raise ValueError(f"{one.stream}: {found}")
        return self

    @property
    def lists(self) -> tuple[ListSettings, ...]:
        """The lists described, what is common to them filled in."""
        common = {
            key: getattr(self, key) for key in ListSettings.model_fields if key in self._given
        }
        if not self.streams:
            return (ListSettings.model_validate(common),)
        return tuple(
            ListSettings.model_validate({**common, **one.model_dump(exclude_unset=True)})
            for one in self.streams
        )

    @property
    def authorization(self) -> dict[str, str]:
        """The header that carries the token, none without a token."""
        if self.token is None:
            return {}
        scheme = "" if self.auth_scheme == "-" else self.auth_scheme
        return {self.auth_header: f"{scheme} {self.token.get_secret_value()}".strip()}

    @property
    def _given(self) -> set[str]:
        return self.model_fields_set - ({"name"} if self.streams else set())
