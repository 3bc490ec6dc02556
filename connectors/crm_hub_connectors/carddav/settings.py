"""Settings of the CardDAV connector."""

from __future__ import annotations

from pydantic import Field

from crm_hub.sdk.dav.settings import DavSettings, named


class CarddavSettings(DavSettings):
    """What the connector needs to know."""

    url: str = Field(
        title="Address",
        description="The server, such as https://cloud.acme.example, or the address it gives for "
        "CardDAV, or that of one address book.",
        min_length=8,
        max_length=2_000,
    )
    book: str = Field(
        "",
        title="Address book",
        description="Which to read, by name; several separated by commas; empty: all of them.",
    )

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return the names of the address books to read; none for all."""
        return named(self.book)
