"""Settings of the CalDAV connector."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from crm_hub.sdk.dav.settings import DavSettings, named
from crm_hub.sdk.formats.mail_people import OwnText


class CaldavSettings(DavSettings):
    """What the connector needs to know."""

    url: str = Field(
        title="Address",
        description="The server, such as https://cloud.acme.example, or the address it gives for "
        "CalDAV, or that of one calendar.",
        min_length=8,
        max_length=2_000,
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
    inform_guests: bool = Field(
        False,
        title="Let the server inform guests",
        description="Whether meetings whose guests the calendar server informs may be changed "
        "and deleted; it then mails them.",
    )

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return the names of the calendars to read; none for all."""
        return named(self.calendars)
