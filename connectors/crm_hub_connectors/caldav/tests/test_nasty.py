"""Bad answers: what can be read comes in, the rest is set aside, nothing hangs or explodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from crm_hub_connectors.caldav.tests.fake_dav import FOLDER, FakeDav, response, xml
from crm_hub_connectors.caldav.tests.nasty import ANSWERS, BOMB, OBJECTS
from crm_hub_connectors.caldav.tests.rigs import NOW, after, connect, pull, told
from crm_hub_connectors.caldav.tests.sources import entry

from crm_hub.sdk import ConfigError, Page, TransientError, Unavailable
from crm_hub.sdk.testing import corpus, fault_server
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply

_HERE = "crm_hub_connectors.caldav.tests.nasty"


@pytest.fixture
def dav() -> Iterator[FakeDav]:
    with FaultServer() as server:
        fake = FakeDav(server)
        for number in range(4):
            fake.put(f"{number}.ics", entry(number))
        yield fake
        assert server.failures == []


@pytest.mark.parametrize("reader", ["read_list", "read_contents"])
def test_no_answer_takes_more_than_2_s_or_100_mb(reader: str) -> None:
    found = corpus.run(f"{_HERE}:{reader}", ANSWERS)
    assert [one for one in found if one.is_bad] == []
    assert len(found) >= 20


def test_no_calendar_object_takes_more_than_2_s_or_100_mb() -> None:
    found = corpus.run(f"{_HERE}:read_object", OBJECTS)
    assert [one for one in found if one.is_bad] == []
    assert len(found) >= 20


@pytest.mark.parametrize("name", sorted(ANSWERS))
@pytest.mark.parametrize("call", ["sync-collection", "PROPFIND"])
def test_a_nasty_answer_ends_a_pull_with_an_error_of_the_hub_and_loses_nothing(
    dav: FakeDav, name: str, call: str
) -> None:
    known = after(pull(connect(dav.server.url)))
    dav.put("new.ics", entry(9))
    reply = Reply(207, ANSWERS[name], "application/xml")
    if call == "PROPFIND":
        good = dav._propfind
        dav.server.route("PROPFIND", "/", lambda _call: reply)
    else:
        good = dav._report
        dav.server.route("REPORT", "/", lambda _call: reply)
    try:
        pages = pull(connect(dav.server.url), known)
    except (TransientError, ConfigError) as error:
        assert error.message  # noqa: PT017 - either outcome is fine, a silent delete is not
        pages = []
    assert None not in told(pages).values()
    dav.server.route("PROPFIND" if call == "PROPFIND" else "REPORT", "/", good)
    assert told(pull(connect(dav.server.url), known)).keys() >= {"new.ics"} - told(pages).keys()


def multiget(dav: FakeDav, change: Callable[[str], str | Reply]) -> None:
    """Let the server spoil its multiget answers; a GET still gives the object."""
    original = dav._multiget

    def spoilt(body: str) -> Reply:
        answer = original(body)
        found = change(answer.body.decode())
        return found if isinstance(found, Reply) else Reply(207, found.encode(), "application/xml")

    dav._multiget = spoilt  # type: ignore[method-assign]


SPOILT: dict[str, Callable[[str], str | Reply]] = {
    "an error of the server": lambda _: Reply(500, b""),
    "a refusal": lambda _: Reply(403, b'<error xmlns="DAV:"><too-many/></error>'),
    "too large": lambda _: Reply(413, b""),
    "an HTML page": lambda _: Reply(200, b"<html>Log in</html>", "text/html"),
    "a bomb": lambda _: Reply(207, BOMB),
    "cut": lambda text: text[: len(text) // 2],
    "nothing in it": lambda _: xml("").body.decode(),
    "the first one missing": lambda text: text.replace("/0.ics", "/x.ics", 1),
    "more than allowed": lambda text: text + " " * 21_000_000,
    "characters that XML forbids": lambda text: text.replace("SUMMARY:", "SUMMARY:\x0b\x01&#x1f;"),
    "every resource twice": lambda text: text.replace(
        "</multistatus>", text[text.index("<response>") :], 1
    ),
}


@pytest.mark.parametrize("name", sorted(SPOILT))
def test_what_a_batch_does_not_give_is_asked_for_one_by_one(dav: FakeDav, name: str) -> None:
    multiget(dav, SPOILT[name])
    pages = pull(connect(dav.server.url))
    found = told(pages)
    assert found.keys() == dav.texts.keys()
    assert all((payload or {})["summary"].startswith("Visit") for payload in found.values())
    assert [reject for page in pages for reject in page.rejects] == []


def rejects(pages: list[Page]) -> dict[str, str]:
    return {reject.id: reject.reason for page in pages for reject in page.rejects}


BAD: dict[str, tuple[str, str]] = {
    "no calendar": ("hello", "no iCalendar"),
    "HTML": ("<html>no</html>", "no iCalendar"),
    "a contact": ("BEGIN:VCARD\nFN:Ann\nEND:VCARD\n", "no iCalendar"),
    "no start": ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n", "DTSTART"),
    "a rule by the second": (entry(1, "x", "RRULE:FREQ=SECONDLY"), "SECONDLY"),
    "nothing": ("", "no iCalendar"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_bad_resource_is_set_aside_and_the_rest_of_the_page_comes(
    dav: FakeDav, name: str
) -> None:
    text, reason = BAD[name]
    dav.put("bad.ics", text)
    pages = pull(connect(dav.server.url))
    assert told(pages).keys() == dav.texts.keys() - {"bad.ics"}
    assert reason in rejects(pages)["bad.ics"]
    # It is still there: whoever sweeps must know that.
    assert pages[-1].complete
    dav.put("bad.ics", entry(5))
    cured = pull(connect(dav.server.url), after(pages))
    assert told(cured).keys() == {"bad.ics"}
    assert rejects(cured) == {}


def test_an_entry_that_neither_a_batch_nor_a_get_gives_is_set_aside(dav: FakeDav) -> None:
    multiget(dav, lambda _text: Reply(500, b""))
    get = dav._get

    def stumble(call: Call) -> Reply:
        return Reply(500, b"") if call.path.endswith("/2.ics") else get(call)

    dav.server.route("GET", FOLDER, stumble)
    pages = pull(connect(dav.server.url))
    assert told(pages).keys() == {"0.ics", "1.ics", "3.ics"}
    assert "500" in rejects(pages)["2.ics"]
    # The token has moved past it, so it is asked for again on another day.
    dav.server.route("GET", FOLDER, get)
    assert pull(connect(dav.server.url), after(pages)) == []
    tomorrow = pull(connect(dav.server.url, now=NOW + timedelta(days=1)), after(pages))
    assert told(tomorrow).keys() == {"2.ics"}
    assert after(tomorrow)["series"] == []


def test_a_server_that_gives_nothing_at_all_is_down_and_no_entry_is_blamed(dav: FakeDav) -> None:
    multiget(dav, lambda _text: Reply(500, b""))
    dav.server.route("GET", FOLDER, lambda _call: Reply(502, b""))
    with pytest.raises(Unavailable):
        pull(connect(dav.server.url))


def test_an_entry_the_user_may_not_read_is_set_aside_with_the_status(dav: FakeDav) -> None:
    original = dav._multiget

    def hidden(body: str) -> Reply:
        answer = original(body).body.decode()
        part = f"<response><href>{FOLDER}1.ics</href>"
        start = answer.index(part)
        end = answer.index("</response>", start) + len("</response>")
        spoilt = answer[:start] + response(f"{FOLDER}1.ics", status=403) + answer[end:]
        return Reply(207, spoilt.encode(), "application/xml")

    dav._multiget = hidden  # type: ignore[method-assign]
    pages = pull(connect(dav.server.url))
    assert "403" in rejects(pages)["1.ics"]
    assert told(pages).keys() == {"0.ics", "2.ics", "3.ics"}


def test_names_listed_twice_and_names_outside_the_calendar_do_no_harm(dav: FakeDav) -> None:
    original = dav._sync

    def odd(body: str) -> Reply:
        answer = original(body).body.decode()
        extra = "".join([
            response(f"{FOLDER}0.ics", "<getetag>&quot;x&quot;</getetag>"),
            response(f"http://elsewhere.example{FOLDER}%30.ics", "<getetag/>"),
            response("/dav/eve/private/x.ics", "<getetag/>"),
            response(f"{FOLDER}../../../secret.ics", "<getetag/>"),
            response(f"{FOLDER}sub/", "<resourcetype><collection/></resourcetype>"),
            response("", "<getetag/>"),
        ])  # fmt: skip
        return Reply(207, answer.replace("<response>", extra + "<response>", 1).encode())

    dav._sync = odd  # type: ignore[method-assign]
    pages = pull(connect(dav.server.url))
    assert told(pages).keys() == dav.texts.keys()
    # Something could not be placed, so this list may not delete anything.
    assert not pages[-1].complete


def test_a_list_that_is_cut_for_ever_ends(dav: FakeDav) -> None:
    tail = "<sync-token>urn:x:/1</sync-token>"
    dav._sync = lambda _body: xml(response(FOLDER, status=507), tail=tail)  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="never ends"):
        pull(connect(dav.server.url))


def test_an_endless_drip_ends_in_time(dav: FakeDav) -> None:
    connector = connect(dav.server.url)
    connector.discover()
    dav.server.always(fault_server.drip(0.05))
    connector._client = type(connector._client)(  # a client with less patience
        dav.server.url, timeout_s=0.2, retries=0, allow_private=True
    )
    with pytest.raises(Unavailable):
        pull(connector)


def test_a_body_that_inflates_without_end_is_cut_off(dav: FakeDav) -> None:
    connector = connect(dav.server.url)
    connector.discover()
    dav.server.always(fault_server.gzip_bomb(200_000_000))
    with pytest.raises(ConfigError, match="cut off"):
        pull(connector)


def test_no_checkpoint_of_another_form_does_harm(dav: FakeDav) -> None:
    good = after(pull(connect(dav.server.url)))
    odd: list[dict[str, Any]] = [
        {}, {"rules": 3}, {**good, "series": "x"}, {**good, "token": ""}, {**good, "etags": []},
    ]  # fmt: skip
    for checkpoint in odd:
        found = pull(connect(dav.server.url), checkpoint)
        assert told(found).keys() <= dav.texts.keys()
        assert None not in told(found).values()
