"""Answers captured from Radicale 3.9, Xandikos 0.4 and Cyrus 3.6 are read alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_hub.sdk.dav import davxml
from crm_hub.sdk.dav.client import Responses
from crm_hub.sdk.dav.fetching import Contents, Listing

FOLDER = Path(__file__).parent.parent / "fixtures"
PATHS = {
    "radicale": "/ann/work/",
    "xandikos": "/user/calendars/calendar/",
    "cyrus": "/dav/calendars/user/ann/Default/",
}
NAMES = {"visit-1.ics", "caf%C3%A9%202.ics", "visit-3.ics"}
TOKENS = {"radicale": "http://radicale.org/ns/sync/", "xandikos": "7ddb", "cyrus": "data:,"}


def body(server: str, kind: str) -> bytes:
    return (FOLDER / f"{server}-{kind}.xml").read_bytes()


@pytest.mark.parametrize("server", PATHS)
def test_changes_are_read(server: str) -> None:
    listing, token = davxml.read_multistatus(
        body(server, "changes"), lambda: Listing(PATHS[server])
    )
    assert listing.etags.keys() == {"visit-1.ics"}
    assert listing.gone == {"visit-3.ics"}
    assert (listing.cut, listing.strange) == (False, 0)
    assert token.startswith(TOKENS[server])


@pytest.mark.parametrize("server", PATHS)
def test_objects_are_read(server: str) -> None:
    contents, _ = davxml.read_multistatus(
        body(server, "objects"), lambda: Contents(PATHS[server], NAMES)
    )
    found = contents.found
    assert found.keys() == NAMES
    assert found["visit-3.ics"].gone
    assert "SUMMARY:Café 2" in (found["caf%C3%A9%202.ics"].text or "")
    assert found["visit-1.ics"].etag.startswith('"')


@pytest.mark.parametrize("server", PATHS)
def test_an_old_token_is_named_as_such(server: str) -> None:
    assert "valid-sync-token" in davxml.error_names(body(server, "old-token"))


@pytest.mark.parametrize("server", PATHS)
def test_the_calendar_is_among_the_collections(server: str) -> None:
    found, _ = davxml.read_multistatus(body(server, "calendars"), Responses)
    calendars = [r.href for r in found.found if r.properties["resourcetype"].all("calendar")]
    assert calendars == [PATHS[server]]
