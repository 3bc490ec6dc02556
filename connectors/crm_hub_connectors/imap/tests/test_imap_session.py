"""Connecting: TLS, certificates, refusals, dead hosts, lines that break while nobody uses them."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from crm_hub_connectors.imap import session as sessions
from crm_hub_connectors.imap.tests.chaos import ChaosProxy, Fault, chaos
from crm_hub_connectors.imap.tests.mailbox import Mailbox, mail
from pydantic import ValidationError

from crm_hub.sdk import AuthRefused, ConfigError, NotSupported, Unavailable
from crm_hub.sdk.testing.servers.dovecot import Dovecot, dovecot
from crm_hub.sdk.testing.servers.process import Unobtainable, free_port

PASSWORD = "pass-wörd canary 4711"


@pytest.fixture(scope="module")
def tls_server() -> Iterator[Dovecot]:
    try:
        with dovecot(tls=True) as server:
            yield server
    except Unobtainable as why:
        pytest.skip(str(why))


@pytest.fixture
def tls_box(tls_server: Dovecot) -> Iterator[Mailbox]:
    box = Mailbox(tls_server, "tess@clearwater.example")
    yield box
    box.close()


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_mail_comes_over_tls_with_a_private_certificate(tls_box: Mailbox, tls: str) -> None:
    server = tls_box.server
    server.deliver("INBOX", [mail(1)], tls_box.user)
    port = server.tls_port if tls == "implicit" else server.port
    tls_box.restart(host="localhost", tls=tls, port=port, ca_file="cert.pem")
    tls_box.pull()
    assert "Order 1" in tls_box.subjects()
    assert tls_box.connector.wait(0.05) is False


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_a_certificate_nobody_vouches_for_pauses_the_connection(tls_box: Mailbox, tls: str) -> None:
    server = tls_box.server
    port = server.tls_port if tls == "implicit" else server.port
    connector = tls_box.connect(host="localhost", tls=tls, port=port)
    with pytest.raises(ConfigError, match="cannot be trusted") as caught:
        connector.check()
    assert not isinstance(caught.value, AuthRefused)
    assert "ca_file" in str(caught.value)


def test_a_certificate_for_another_name_is_refused(tls_box: Mailbox) -> None:
    # 127.0.0.2 reaches a server on 127.0.0.1 nowhere, so the proxy of another address stands in.
    with socket.create_server(("127.0.0.2", 0)) as front:
        proxy = ChaosProxy(tls_box.server.tls_port)
        threading.Thread(target=proxy.serve, args=(front,), daemon=True).start()
        connector = tls_box.connect(
            host="127.0.0.2", tls="implicit", port=front.getsockname()[1], ca_file="cert.pem"
        )
        with pytest.raises(ConfigError, match="cannot be trusted"):
            connector.check()


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_certificate_file_of_no_use_is_named(
    tls_box: Mailbox, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    connector = tls_box.connect(
        host="localhost", tls="implicit", port=tls_box.server.tls_port, ca_file=str(path)
    )
    with pytest.raises(ConfigError, match="cannot be used"):
        connector.check()


def test_a_server_without_starttls_is_told_apart_from_a_dead_one(box: Mailbox) -> None:
    with pytest.raises((ConfigError, Unavailable), match=r"STARTTLS|cannot be reached"):
        box.connect(tls="starttls").check()


def test_a_password_with_umlauts_is_sent_whole() -> None:
    try:
        with dovecot(password=PASSWORD.replace(" ", "")) as server:
            box = Mailbox(server, "ann@clearwater.example")
            assert box.connector.check().account == "ann@clearwater.example"
            box.close()
    except Unobtainable as why:
        pytest.skip(str(why))


def test_a_wrong_password_pauses_and_shows_in_no_log(
    box: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(AuthRefused) as caught:
        box.connect(password=PASSWORD).check()
    assert "canary" not in caplog.text + repr(caught.value)


def test_a_host_where_nobody_listens_is_unavailable(box: Mailbox) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        box.connect(port=free_port()).check()


def test_a_host_that_says_nothing_is_unavailable_in_time(
    box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "CONNECT_S", 0.3)
    monkeypatch.setattr(sessions, "READ_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connector = box.connect(port=silent.getsockname()[1])
        with pytest.raises(Unavailable):
            connector.check()


def test_a_session_that_broke_between_two_pulls_is_made_anew(box: Mailbox) -> None:
    box.deliver("INBOX", mail(1))
    with chaos(box.server.port) as proxy:
        box.restart(port=proxy.port)
        box.pull()
        assert proxy.connections == 1
        assert box.pull() == []
        assert proxy.connections == 1, "the session is kept between pulls"
        proxy.end_all()
        box.deliver("INBOX", mail(2))
        box.pull()
        assert proxy.connections == 2
        assert set(box.subjects()) == {"Order 1", "Order 2"}
        box.close()


def test_waiting_survives_a_session_that_broke(box: Mailbox) -> None:
    box.deliver("INBOX", mail(1))
    with chaos(box.server.port) as proxy:
        box.restart(port=proxy.port)
        box.pull()
        proxy.end_all()
        assert box.connector.wait(0.05) is False
        assert proxy.connections == 2
        box.close()


def test_waiting_on_a_dead_host_says_so(box: Mailbox) -> None:
    with pytest.raises(Unavailable):
        box.connect(port=free_port()).wait(5)


def test_waiting_on_a_server_without_idle_is_not_supported() -> None:
    words = "IMAP4rev1 SASL-IR LITERAL+ UIDPLUS"
    try:
        with dovecot(capabilities=words) as server:
            box = Mailbox(server, "ann@clearwater.example")
            box.deliver("INBOX", mail(1))
            box.pull()
            assert "Order 1" in box.subjects()
            with pytest.raises(NotSupported, match="IDLE"):
                box.connector.wait(1)
            box.close()
    except Unobtainable as why:
        pytest.skip(str(why))


def test_a_server_that_says_goodbye_in_mid_pull_loses_nothing(box: Mailbox) -> None:
    box.page_items = 5
    box.deliver("INBOX", *map(mail, range(40)))
    with chaos(box.server.port) as proxy:
        proxy.faults = [Fault(9_000, say=b"\r\n* BYE going down\r\n")]
        box.restart(port=proxy.port)
        with pytest.raises(Unavailable):
            box.pull()
        assert 0 < len(box.records) < 40
        box.pull()
        assert len(box.records) == 40
        box.close()


def test_close_logs_out(box: Mailbox) -> None:
    box.deliver("INBOX", mail(1))
    box.pull()
    before = box.server.said().count("Logged out")
    box.close()
    until = time.monotonic() + 20
    while box.server.said().count("Logged out") == before:
        assert time.monotonic() < until, "the session was not logged out"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "imaps://mail.example"), ("host", ""), ("port", 0), ("tls", "maybe"),
        ("own", "not an address"), ("never_log", "body:words"), ("never_log", "no domain"),
        ("since", "yesterday"), ("people", "all"), ("visibility", "none"), ("colour", "blue"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_refused(box: Mailbox, field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        box.connect(**{field: value})
    assert box.server.password not in str(caught.value)


def test_check_says_what_is_read_and_what_is_not(box: Mailbox) -> None:
    box.deliver("INBOX", mail(1), mail(2))
    box.deliver("Junk", mail(3))
    with box.user_session() as user:
        user.create_folder("Junk") if not user.folder_exists("Junk") else None
    lines = "\n".join(box.connector.check().lines)
    assert "2 messages in 1 of 2 folders: INBOX" in lines
    assert "left out: Junk" in lines
    assert "QRESYNC" in lines
    assert "without TLS" in lines


def test_check_names_what_fits_no_folder(box: Mailbox) -> None:
    box.deliver("INBOX", mail(1))
    box.restart(folders="INBOX, Snet, Work/*")
    assert "no folder fits: Snet, Work/*" in box.connector.check().lines


def test_no_folder_that_fits_is_an_error_and_deletes_nothing(box: Mailbox) -> None:
    box.deliver("INBOX", mail(1))
    box.pull()
    box.restart(folders="Nowhere")
    with pytest.raises(ConfigError, match="no folder fits"):
        box.pull()
    assert len(box.records) == 1
