"""A line to a real server that breaks after any number of bytes: nothing is lost and nothing doubled.

CRM_HUB_CUTS cuts for each server, spread over the longest line of a whole first read; scripts/soak
runs the long version.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from crm_hub_connectors.imap.tests.chaos import ChaosProxy, Fault, chaos

from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.model.errors import HubError
from crm_hub.sdk.testing.servers import Unobtainable
from tests.flow.kill_places import Place
from tests.flow.test_kill_servers import SERVERS, make, synced

CUTS = int(os.environ.get("CRM_HUB_CUTS", "3"))


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_a_line_cut_after_any_number_of_bytes_loses_and_doubles_nothing(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)
    try:
        with SERVERS[server](random.Random(server)) as place, chaos(_port(place)) as proxy:
            _lead_through(place, proxy)
            _cut(tmp_path, place, proxy)
    except Unobtainable as why:
        pytest.skip(str(why))


def _cut(folder: Path, place: Place, proxy: ChaosProxy) -> None:
    expected, _ = synced(make(folder / "twin", place))
    longest, failed, broken = proxy.longest, 0, 0
    for number in range(CUTS):
        after = longest * number // CUTS + number % 7
        hub = make(folder / f"hub{number}", place)
        # What may be asked again is asked again at once, so the line breaks more than once.
        given = [Fault(after, "reset" if number % 3 == 0 else "cut") for _ in range(6)]
        proxy.faults[:] = given
        failed += bool(_errors(hub))
        broken += len(given) - len(proxy.faults)
        proxy.faults.clear()
        found, _ = synced(hub)
        for part, value in expected.items():
            assert found[part] == value, (part, f"after {after} of {longest} bytes")
    assert broken >= CUTS, "each read met a line that breaks"
    assert failed > 0, "and some of them failed for it"


def _errors(folder: Path) -> list[HubError]:
    hub = Hub(folder)
    found = [report.error for report in sync(hub) if report.error is not None]
    hub.close()
    return found


def _port(place: Place) -> int:
    if "port" in place.settings:
        return int(place.settings["port"])
    port = urlsplit(place.settings["url"]).port
    assert port is not None
    return port


def _lead_through(place: Place, proxy: ChaosProxy) -> None:
    if "port" in place.settings:
        place.settings = {**place.settings, "port": proxy.port}
        return
    parts = urlsplit(place.settings["url"])
    through = urlunsplit(parts._replace(netloc=f"{parts.hostname}:{proxy.port}"))
    place.settings = {**place.settings, "url": through}
