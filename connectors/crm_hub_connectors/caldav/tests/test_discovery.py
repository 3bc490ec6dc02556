"""From an address to calendars, and what is said when that does not work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from crm_hub_connectors.caldav import CaldavConnector
from crm_hub_connectors.caldav.tests.fake_dav import FOLDER, FakeDav, response, xml
from crm_hub_connectors.caldav.tests.rigs import connect, pull, told
from crm_hub_connectors.caldav.tests.sources import RadicaleSource, entry, radicale_source
from pydantic import ValidationError

from crm_hub.sdk import AuthRefused, ConfigError, Unavailable
from crm_hub.sdk.dav.hrefs import member, path_of
from crm_hub.sdk.testing.contract import CANARY, WRONG
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply, html_page
from crm_hub.sdk.testing.servers import Unobtainable, free_port


@pytest.fixture(scope="module")
def source() -> Iterator[RadicaleSource]:
    try:
        with radicale_source(1) as source:
            source.radicale.collection("home", title="At home", components="VTODO")
            source.radicale.collection("people", kind="addressbook")
            yield source
    except Unobtainable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def dav() -> Iterator[FakeDav]:
    with FaultServer() as server:
        yield FakeDav(server)


# on Radicale ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/", "/ann/", "/.well-known/caldav", "/nobody/is/here"])
def test_the_calendars_are_found_from_any_address_of_the_server(
    source: RadicaleSource, path: str
) -> None:
    assert source.server is not None
    found = connect(f"{source.server.url}{path}").discover()
    assert [one.name for one in found] == ["home", "work"]
    assert [one.guess for one in found] == [
        "home (At home): tasks; changes by a sync token",
        "work (Work): meetings and tasks; changes by a sync token",
    ]


def test_the_address_of_one_calendar_means_that_one(source: RadicaleSource) -> None:
    assert source.server is not None
    connector = connect(f"{source.server.url}/ann/work/")
    assert [one.name for one in connector.discover()] == ["work"]
    assert told(pull(connector)).keys() == source.ids()


def test_a_check_names_the_user_and_the_calendars(source: RadicaleSource) -> None:
    assert source.server is not None
    report = connect(source.server.url).check()
    assert report.account == "ann (/ann/)"
    assert len(report.lines) == 2
    assert CANARY not in repr(report)


def test_a_wrong_password_is_refused(source: RadicaleSource) -> None:
    assert source.server is not None
    for call in (connect(source.server.url, password=WRONG).check,
                 connect(source.server.url, password=WRONG).discover):  # fmt: skip
        with pytest.raises(AuthRefused, match="401"):
            call()


def test_some_calendars_are_chosen_by_name_or_title(source: RadicaleSource) -> None:
    assert source.server is not None
    for wanted, names in {"work": ["work"], "At Home, WORK": ["home", "work"]}.items():
        connector = connect(source.server.url, calendars=wanted)
        assert [one.name for one in connector.discover()] == names
    with pytest.raises(ConfigError, match="'play'") as caught:
        connect(source.server.url, calendars="work, play").discover()
    assert "home, work" in caught.value.remedy


def test_what_is_behind_the_address_is_looked_up_once(source: RadicaleSource) -> None:
    assert source.server is not None
    connector = connect(source.server.url)
    connector.discover()
    source.server.calls.clear()
    connector.discover()
    assert [(c.method, c.path) for c in source.server.calls] == [("PROPFIND", "/ann/")]


# on other servers -------------------------------------------------------------------------


def test_a_redirect_on_the_same_server_is_followed_with_the_credential(dav: FakeDav) -> None:
    answer = dav._propfind

    def moved(call: Call) -> Reply:
        if call.path in ("/", "/.well-known/caldav"):
            return Reply(301, headers={"Location": "/dav/ann/"})
        assert "authorization" in call.headers
        return answer(call)

    dav.server.route("PROPFIND", "/", moved)
    assert [one.name for one in connect(dav.server.url).discover()] == ["work"]
    assert dav.server.failures == []


def test_a_redirect_to_another_host_is_named_and_not_followed(dav: FakeDav) -> None:
    to = "https://calendar.elsewhere.example/dav/"
    dav.server.route("PROPFIND", "/", lambda _call: Reply(302, headers={"Location": to}))
    with pytest.raises(ConfigError, match=r"calendar\.elsewhere\.example") as caught:
        connect(dav.server.url).check()
    assert to in caught.value.remedy


def test_a_redirect_in_a_circle_ends(dav: FakeDav) -> None:
    dav.server.route("PROPFIND", "/", lambda _call: Reply(302, headers={"Location": "/a/"}))
    with pytest.raises(Unavailable, match="circle"):
        connect(dav.server.url).check()


def test_calendars_on_another_host_are_named_and_get_no_password(dav: FakeDav) -> None:
    home = (
        "<C:calendar-home-set><href>https://p07.icloud.example:443/7/</href></C:calendar-home-set>"
    )
    dav.server.route("PROPFIND", "/", lambda call: xml(response(call.path, home)))
    with pytest.raises(ConfigError, match=r"p07\.icloud\.example") as caught:
        connect(dav.server.url).discover()
    assert "https://p07.icloud.example/7/" in caught.value.remedy


@pytest.mark.parametrize("status", [400, 404, 405, 410, 501])
def test_a_server_without_caldav_is_a_setting_to_correct(status: int) -> None:
    with FaultServer() as server:
        server.route("PROPFIND", "/", lambda _call: Reply(status, b"no", "text/plain"))
        with pytest.raises(ConfigError, match=str(status)) as caught:
            connect(server.url).check()
        assert "url" in caught.value.remedy


def test_a_server_that_forbids_everything_refuses_the_user() -> None:
    with FaultServer() as server:
        server.route("PROPFIND", "/", lambda _call: Reply(403, b"", "text/plain"))
        with pytest.raises(AuthRefused):
            connect(server.url).check()


def test_a_log_in_page_and_a_dead_host_are_no_settings_but_outages(dav: FakeDav) -> None:
    dav.server.always(html_page())
    with pytest.raises(Unavailable, match="HTML page") as caught:
        connect(dav.server.url).check()
    assert "log-in page" in caught.value.remedy
    with pytest.raises(Unavailable):
        connect(f"http://127.0.0.1:{free_port()}").check()


def test_a_user_without_calendars_is_no_error(dav: FakeDav) -> None:
    answer = dav._propfind

    def empty(call: Call) -> Reply:
        return xml("") if call.headers.get("depth") == "1" else answer(call)

    dav.server.route("PROPFIND", "/", empty)
    connector = connect(dav.server.url)
    assert connector.discover() == []
    assert connector.check().lines == ("There is no calendar yet.",)


def test_a_calendar_that_went_since_is_named_with_those_there_are(dav: FakeDav) -> None:
    with pytest.raises(ConfigError, match="old is not there") as caught:
        pull(connect(dav.server.url), stream="old")
    assert "work" in caught.value.remedy


# spellings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("href", "name"),
    [
        ("/dav/ann/work/a.ics", "a.ics"),
        ("/dav/ann/work/a%2Eics", "a.ics"),
        ("https://other.example:8443/dav/ann/work/a.ics", "a.ics"),
        ("/dav/%61nn/work/caf%c3%a9%20x.ics", "caf%C3%A9%20x.ics"),
        ("/dav/ann/work/café x.ics", "caf%C3%A9%20x.ics"),
        ("/dav/ann/work/7@acme.example", "7@acme.example"),
        ("/dav/ann/work/7%40acme.example", "7@acme.example"),
        ("/dav/ann/work/a%2Fb.ics", "a%2Fb.ics"),
        ("/dav/ann/work/a%252Fb.ics", "a%252Fb.ics"),
        ("/dav/ann/work/", ""),
        ("/dav/ann/work", ""),
        ("/dav/ann/other/a.ics", None),
        ("/dav/ann/work/sub/a.ics", None),
        ("/dav/ann/work/..", None),
        ("", None),
        ("http://[", None),
        ("/dav/ann/work/" + "x" * 3_000, None),
    ],
)
def test_every_spelling_of_an_address_is_one_name(href: str, name: str | None) -> None:
    assert member(href, FOLDER) == name


def test_a_path_in_the_one_spelling_stays_as_it_is() -> None:
    for path in ("/a/caf%C3%A9%20x.ics", "/a%2Fb/", "/7@acme.example", "/a%252Fb"):
        assert path_of(path) == path


def test_odd_spellings_are_asked_for_as_the_server_writes_them(dav: FakeDav) -> None:
    dav.spell = lambda name: f"http://elsewhere.example{FOLDER}{name.replace('a', '%61')}"
    dav.put("a7@x.ics", entry(1))
    assert told(pull(connect(dav.server.url))).keys() == {"a7@x.ics"}
    asked = next(c.body for c in dav.server.calls if b"multiget" in c.body)
    assert b"http://elsewhere.example/dav/ann/work/%617@x.ics" in asked


# settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://cloud.acme.example"},
        {"url": "https://ann:pw@cloud.acme.example"},
        {"url": "ftp://cloud.acme.example"},
        {"url": "cloud.acme.example"},
        {"own": "not an address"},
        {"since": "yesterday"},
        {"username": ""},
    ],
)
def test_a_wrong_setting_is_told_without_the_password(wrong: dict[str, str]) -> None:
    good = {"url": "https://cloud.acme.example", "username": "ann", "password": CANARY}
    model = CaldavConnector.manifest.settings
    model.model_validate(good)
    with pytest.raises(ValidationError) as caught:
        model.model_validate({**good, **wrong})
    assert CANARY not in str(caught.value)
