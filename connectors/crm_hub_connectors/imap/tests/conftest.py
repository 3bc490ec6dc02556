"""One Dovecot for all tests here; each test has a user, and so a mailbox, of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from crm_hub_connectors.imap.tests.mailbox import Mailbox

from crm_hub.sdk.testing.servers.dovecot import CAPABILITIES_WITHOUT_QRESYNC, Dovecot, dovecot
from crm_hub.sdk.testing.servers.process import Unobtainable

_numbers = count(1)


def _server(**options: str) -> Iterator[Dovecot]:
    try:
        with dovecot(**options) as server:
            yield server
    except Unobtainable as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def server() -> Iterator[Dovecot]:
    yield from _server()


@pytest.fixture(scope="session")
def plain_server() -> Iterator[Dovecot]:
    """A server that claims neither CONDSTORE, QRESYNC, ESEARCH nor LIST-STATUS."""
    yield from _server(capabilities=CAPABILITIES_WITHOUT_QRESYNC)


@pytest.fixture
def box(server: Dovecot) -> Iterator[Mailbox]:
    found = Mailbox(server, f"user{next(_numbers)}@clearwater.example")
    yield found
    found.close()


@pytest.fixture(params=["QRESYNC", "neither CONDSTORE nor QRESYNC"])
def either(
    request: pytest.FixtureRequest, server: Dovecot, plain_server: Dovecot
) -> Iterator[Mailbox]:
    """The same test on a server that tells deletes by itself and on one that does not."""
    one = server if request.param == "QRESYNC" else plain_server
    found = Mailbox(one, f"user{next(_numbers)}@clearwater.example")
    yield found
    found.close()
