"""No call reaches an address of the hub's own network, however it is written."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.model.errors import ConfigError, Unavailable
from crm_hub.sdk.http import HttpClient
from crm_hub.sdk.http_guard import refusal
from crm_hub.sdk.testing import fault_server as faults
from crm_hub.sdk.testing.fault_server import FaultServer, Reply

HOSTS = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.000.000.001",
    "0127.0.0.1",
    "0177.0.0.1",
    "0177.0.0.01",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "0x7F000001",
    "2130706433",
    "017700000001",
    "127.1.2.3",
    "127.255.255.254",
    "0",
    "0.0.0.0",
    "00000000",
    "0x0",
    "0.0.0.0.",
    "localhost",
    "LOCALHOST",
    "LocalHost",
    "localhost.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::]",
    "[0::0]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::1]",
    "[::ffff:0.0.0.0]",
    "[::ffff:169.254.169.254]",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "[fe80::1]",
    "[fd00::1]",
    "[fec0::1]",
    "[ff02::1]",
    "10.0.0.1",
    "10.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.1",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "1.0.0.127.in-addr.arpa@127.0.0.1",
    "example.com@127.0.0.1",
    "127.0.0.1#@example.com",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "[::1%25lo]",
    "127.0.0.1%00",
    "%31%32%37.0.0.1",
]


@pytest.fixture
def canary() -> Iterator[FaultServer]:
    with FaultServer() as server:
        server.always(faults.status(200))
        yield server


def test_there_are_enough_forms() -> None:
    assert len(set(HOSTS)) >= 60


@pytest.mark.parametrize("host", HOSTS)
def test_no_form_of_an_inner_address_reaches_a_server_there(canary: FaultServer, host: str) -> None:
    with (
        HttpClient(retries=0, timeout_s=1) as http,
        pytest.raises((ConfigError, Unavailable)),
    ):
        http.get(f"http://{host}:{canary.port}/")
    assert canary.calls == []


def test_a_redirect_inside_is_refused_as_well(canary: FaultServer) -> None:
    with FaultServer() as server:
        server.always(faults.redirect("http://169.254.169.254/latest/meta-data"))
        with (
            HttpClient(allow_private=True, limit_to_hosts=["127.0.0.1", "169.254.169.254"]) as http,
            pytest.raises(ConfigError, match="link-local"),
        ):
            http.get(f"{server.url}/x")


def test_only_the_hosts_that_are_named_may_be_private(
    canary: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _always("127.0.0.1"))
    with HttpClient(allow_private=["inside.example"]) as http:
        assert http.get(f"http://Inside.example:{canary.port}/").ok
        with pytest.raises(ConfigError, match="loopback"):
            http.get(f"http://outside.example:{canary.port}/")
    assert len(canary.calls) == 1
    assert canary.calls[0].headers["host"].lower().startswith("inside.example")


def test_the_judged_address_is_the_connected_one(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["93.184.215.14", "127.0.0.1", "127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: _always(next(answers))())
    opened: list[str] = []

    def connect(self: Any, host: str, *args: Any, **kwargs: Any) -> Any:
        opened.append(host)
        raise httpcore.ConnectError("no network in this test")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    with HttpClient(retries=0) as http:
        with pytest.raises(Unavailable):
            http.get("http://rebinding.example/")
        with pytest.raises(ConfigError, match="loopback"):
            http.get("http://rebinding.example/")
    assert opened == ["93.184.215.14"]


def test_of_mixed_addresses_only_the_allowed_ones_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mixed = _always("127.0.0.1")() + _always("93.184.215.14")()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: mixed)
    opened: list[str] = []

    def connect(self: Any, host: str, *args: Any, **kwargs: Any) -> Any:
        opened.append(host)
        raise httpcore.ConnectTimeout("no network in this test")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    with HttpClient(retries=0) as http, pytest.raises(Unavailable):
        http.get("http://mixed.example/")
    assert opened == ["93.184.215.14"]


def _always(address: str) -> Any:
    def resolve(host: str = "", port: int = 80, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    return resolve


@given(st.ip_addresses(v=4))
def test_every_way_to_wrap_an_ipv4_address_is_judged_like_it(address: Any) -> None:
    packed = f"{int(address):08x}"
    tail = f"{packed[:4]}:{packed[4:]}"
    for wrapped in (f"::ffff:{tail}", f"64:ff9b::{tail}", f"2002:{tail}::1"):
        assert refusal(wrapped) == refusal(str(address))
        assert refusal(wrapped, allow_private=True) == refusal(str(address), allow_private=True)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "8.8.8.8"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert refusal(address) == ""


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "::1", "fd00::1", "100.64.0.9"])
def test_allow_private_lets_inner_addresses_through(address: str) -> None:
    assert refusal(address) != ""
    assert refusal(address, allow_private=True) == ""


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "::"])
def test_some_addresses_are_never_allowed(address: str) -> None:
    assert refusal(address, allow_private=True) != ""


def test_replies_are_not_confused_with_the_canary(canary: FaultServer) -> None:
    canary.always(None)
    canary.route("GET", "/", lambda _: Reply.json({"here": True}))
    with HttpClient(allow_private=True) as http:
        assert http.json(f"{canary.url}/") == {"here": True}
