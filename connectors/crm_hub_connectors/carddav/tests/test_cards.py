"""What cards become, and what is written of them, on a real server and on strange ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from crm_hub_connectors.carddav.cards import CardReader
from crm_hub_connectors.carddav.tests.rigs import connect
from crm_hub_connectors.carddav.tests.sources import card

from crm_hub.sdk import Outcome, Ref, StreamInfo, Write
from crm_hub.sdk.dav.reading import Found
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply
from crm_hub.sdk.testing.relay import forward
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.sdk.testing.servers.xandikos import Xandikos, xandikos

PHOTO = "PHOTO;ENCODING=b;TYPE=JPEG:" + "QUJD" * 3_000
APPLE = card(7, "Visitor", "item2.ADR;type=HOME:;;1 Pier;Springfield;;;", "item2.X-ABADR:us", PHOTO)
READER = CardReader(datetime(2026, 3, 10, tzinfo=UTC))


@pytest.fixture(scope="module")
def server() -> Iterator[Xandikos]:
    try:
        with xandikos() as server:
            yield server
    except Unobtainable as reason:
        pytest.skip(str(reason))


def push(url: str, fields: dict[str, Any], **more: Any) -> Outcome:
    settings = {"operation": "upsert", "id": None, "guard": None, "key": "key", **more}
    write = Write(
        settings["operation"], settings.get("stream", "addressbook"), settings["id"], fields, {}, settings["guard"],
        settings["key"],
    )  # fmt: skip
    return connect(url).push([write])[0]


def read(text: str | None, **more: Any) -> Any:
    return READER.read(Found("a.vcf", "/b/a.vcf", '"1"', text, **more))


# reading ---------------------------------------------------------------------------------------


def test_a_card_is_kept_as_it_came_but_for_its_picture() -> None:
    change = read(APPLE).change
    assert change.payload["picture"]
    assert len(change.payload["vcard"]) < 1_000
    assert change.changed_at == datetime(2026, 1, 5, 8, tzinfo=UTC)
    other = read(APPLE.replace("QUJD", "QUJE", 1)).change
    assert other.payload["picture"] != change.payload["picture"], "a new picture is a change"
    small = card(8)
    assert read(small).change.payload["vcard"] == small


@pytest.mark.parametrize(
    "text",
    [
        "", "<html>", "BEGIN:VCARD\nVERSION:3.0\nFN:cut", "BEGIN:VCARD\nVERSION:4.0\nEND:VCARD",
        "BEGIN:VCARD\r\n" + "X:" + "y" * 10_000_000 + "\r\nEND:VCARD",
    ],
)  # fmt: skip
def test_a_card_that_cannot_be_read_is_set_aside_with_a_reason(text: str) -> None:
    found = read(text)
    assert found.change is None
    assert found.rejects[0].reason


def test_a_distribution_list_is_no_record() -> None:
    text = "BEGIN:VCARD\nVERSION:4.0\nKIND:group\nFN:All\nMEMBER:mailto:a@x.example\nEND:VCARD"
    assert read(text).change.payload is None


def test_a_bad_card_does_not_stop_the_others(server: Xandikos) -> None:
    # Some servers check what they store; what is already there is told by a multiget all the same.
    with FaultServer() as between:
        forward(between, server.url)
        server.put(server.addressbook + "good.vcf", card(1), "text/vcard")
        server.put(server.addressbook + "bad.vcf", card(2), "text/vcard")
        pages = connect(server.url)
        stream = StreamInfo("addressbook", "contacts")
        ids = {c.id for page in pages.pull(stream, None) for c in page.changes}
        assert {"good.vcf", "bad.vcf"} <= ids
    for name in ("good.vcf", "bad.vcf"):
        server.delete(server.addressbook + name)


# writing ---------------------------------------------------------------------------------------


def test_a_change_leaves_every_other_byte_of_a_card_as_it_was(server: Xandikos) -> None:
    path = server.addressbook + "visitor 7.vcf".replace(" ", "%20")
    server.put(path, APPLE, "text/vcard")
    found = push(server.url, {"title": "Head of Pumps"}, id="visitor%207.vcf")
    assert found.result == "applied"
    held = (server.get(path) or b"").decode()
    assert held.replace("TITLE:Head of Pumps\r\n", "") == APPLE
    again = push(server.url, {"title": "Head of Pumps"}, id="visitor%207.vcf", guard=found.version)
    assert (again.result, again.version) == ("applied", found.version)
    server.delete(path)


def test_a_new_card_is_found_by_its_key_and_a_repeat_makes_no_second(server: Xandikos) -> None:
    fields = {"fn": "Bea Ott", "kind": "individual", "emails.value": ["bea@x.example"]}
    one = push(server.url, fields, key="key-1")
    two = push(server.url, fields, key="key-1")
    assert (one.result, two.result, two.id, two.version) == (
        "applied", "duplicate", one.id, one.version,
    )  # fmt: skip
    ((_, change),) = connect(server.url).fetch([Ref("addressbook", "", {"external_id": "key-1"})])
    assert change.id == one.id
    assert connect(server.url).fetch([Ref("addressbook", "", {"external_id": "other"})]) == []
    gone = push(server.url, {}, id=one.id, operation="delete", guard=one.version)
    assert gone.result == "applied"
    assert push(server.url, {"title": "x"}, id=one.id).result == "gone"


def test_a_key_whose_card_was_changed_since_gives_no_version_to_trust(server: Xandikos) -> None:
    fields = {"fn": "Bea Ott", "kind": "individual"}
    one = push(server.url, fields, key="key-2")
    assert one.id is not None
    held = (server.get(server.addressbook + one.id) or b"").decode()
    server.put(server.addressbook + one.id, held.replace("Bea", "Bella"), "text/vcard")
    again = push(server.url, fields, key="key-2")
    assert (again.result, again.version) == ("duplicate", None)


@pytest.mark.parametrize("etag", ['W/"1"', ""])
def test_a_server_without_a_sound_etag_is_not_written_to(etag: str) -> None:
    with FaultServer() as odd:
        headers = {"ETag": etag} if etag else {}
        _collection(odd)
        odd.route(
            "GET", "/book/", lambda _call: Reply(200, card(1).encode(), "text/vcard", headers)
        )
        found = push(odd.url, {"title": "x"}, id="a.vcf", stream="book")
        assert found.result == "rejected"
        assert "etag" in found.reasons["title"]
        assert not any(call.method == "PUT" for call in odd.calls)


def test_a_card_that_moved_between_read_and_write_is_a_conflict() -> None:
    with FaultServer() as odd:
        _collection(odd)
        etags = iter(['"1"', '"2"'])
        odd.route(
            "GET", "/book/",
            lambda _call: Reply(200, card(1).encode(), "text/vcard", {"ETag": next(etags)}),
        )  # fmt: skip
        odd.route("PUT", "/book/", lambda _call: Reply(412, b""))
        found = push(odd.url, {"title": "x"}, id="a.vcf", stream="book", guard='"1"')
        assert (found.result, found.version) == ("conflict", '"2"')
        assert found.current is not None


def test_a_put_that_gives_no_etag_is_read_back() -> None:
    held = {"text": card(1).encode()}

    def put(call: Call) -> Reply:
        held["text"] = call.body.replace(b"REV:", b"X-STORED:1\r\nREV:")
        return Reply(204, b"")

    with FaultServer() as odd:
        _collection(odd)
        odd.route(
            "GET", "/book/",
            lambda _call: Reply(200, held["text"], "text/vcard", {"ETag": f'"{len(held["text"])}"'}),
        )  # fmt: skip
        odd.route("PUT", "/book/", put)
        found = push(odd.url, {"title": "x"}, id="a.vcf", stream="book")
        assert (found.result, found.version) == ("applied", f'"{len(held["text"])}"')


@pytest.mark.parametrize("status", [403, 409, 413, 415, 422])
def test_what_a_server_does_not_take_is_rejected_by_field(status: int) -> None:
    with FaultServer() as odd:
        _collection(odd)
        odd.route(
            "GET", "/book/",
            lambda _call: Reply(200, card(1).encode(), "text/vcard", {"ETag": '"1"'}),
        )  # fmt: skip
        odd.route("PUT", "/book/", lambda _call: Reply(status, b"no"))
        found = push(odd.url, {"title": "x"}, id="a.vcf", stream="book")
        assert found.result == "rejected"
        assert str(status) in found.reasons["title"]


def _collection(server: FaultServer, more: str = "") -> None:
    """Let a server have one address book at /book/."""
    about = (
        '<multistatus xmlns="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><response>'
        "<href>/book/</href><propstat><prop><resourcetype><collection/><A:addressbook/>"
        f"</resourcetype>{more}</prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
    )
    server.route("PROPFIND", "/", lambda _c: Reply(207, about.encode(), "application/xml"))


def test_a_book_that_may_only_be_read_is_not_offered_for_writing() -> None:
    rights = (
        "<current-user-privilege-set><privilege><read/></privilege></current-user-privilege-set>"
    )
    with FaultServer() as odd:
        _collection(odd)
        assert connect(odd.url).discover()[0].caps.write == {"upsert", "delete"}
    with FaultServer() as odd:
        _collection(odd, rights)
        (info,) = connect(odd.url).discover()
        assert not info.caps.write
        assert "read only" in info.guess
