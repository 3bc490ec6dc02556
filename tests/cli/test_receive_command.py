"""receive: the door as a process, with what it takes walked a moment later."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from crm_hub.flow import draining
from crm_hub.model.errors import Throttled, Unavailable
from tests.cli.test_process import GUARD_S, run, start

FORM = {"name": "Ada Lund", "email": "ada@lund.example", "message": "Hello"}


@pytest.fixture
def form_hub(crm, hub_dir: Path) -> Path:
    """A hub with a form and nothing else."""
    crm.fine("connect", "web_form", "form")
    return hub_dir


def until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + GUARD_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def found(folder: Path) -> list[str]:
    _, out, _ = run("people", "--json", cwd=folder)
    return [one["name"] for one in json.loads(out)["people"]]


def test_a_posted_form_is_a_person_a_moment_later_and_sigterm_ends_it_cleanly(
    form_hub: Path,
) -> None:
    process = start("receive", "--port", "0", cwd=form_hub, PYTHONUNBUFFERED="1")
    assert process.stdout is not None
    first = process.stdout.readline()
    url = re.search(r"http://\S+", first)
    assert url is not None, process.communicate()
    assert process.stdout.readline().strip() == f"form: {url[0]}/in/form"
    assert httpx.post(f"{url[0]}/in/form/contact", json=FORM).status_code == 200
    assert httpx.post(f"{url[0]}/in/nowhere", json=FORM).status_code == 404
    until(lambda: found(form_hub) == ["Ada Lund"])
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=GUARD_S)
    assert (process.returncode, "Traceback" in err) == (0, False), err
    assert "Stopped" in err


def test_without_sync_a_post_waits_for_the_next_sync(form_hub: Path) -> None:
    process = start("receive", "--port", "0", "--no-sync", cwd=form_hub, PYTHONUNBUFFERED="1")
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    httpx.post(f"{url}/in/form/contact", json=FORM)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=GUARD_S)
    assert process.returncode == 0
    _, out, _ = run("status", "--json", cwd=form_hub)
    assert json.loads(out)["streams"][0]["waiting"] == 1
    assert run("sync", cwd=form_hub)[0] == 0
    assert found(form_hub) == ["Ada Lund"]


def test_a_secret_in_a_body_is_not_kept_and_the_lead_is(crm, hub_dir: Path) -> None:
    secret = "canary-key-0123456789"
    crm.fine("connect", "google_ads", "google", "--set", f"google_key={secret}")
    process = start("receive", "--port", "0", "--no-sync", cwd=hub_dir, PYTHONUNBUFFERED="1")
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    columns = [{"column_id": "FULL_NAME", "column_name": "Name", "string_value": "Ada Lund"}]
    lead = {"lead_id": "L1", "google_key": secret, "user_column_data": columns, "form_id": 1}
    assert httpx.post(f"{url}/in/google", json=lead).status_code == 200
    assert httpx.post(f"{url}/in/google", json={**lead, "google_key": "x"}).status_code == 403
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=GUARD_S)
    kept = b"".join(path.read_bytes() for path in hub_dir.iterdir() if path.is_file())
    assert b"Ada Lund" in kept
    assert secret.encode() not in kept
    crm.fine("sync")
    assert [one["name"] for one in crm.fine("people", "--json").data["people"]] == ["Ada Lund"]


def test_a_port_that_is_taken_is_a_message(crm, form_hub: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, out, err = run("receive", "--port", taken.getsockname()[1], cwd=form_hub)
    assert (status, out) == (2, "")
    assert "cannot listen" in err


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A drainer's world: how often it looked, and what each look raises."""
    world = SimpleNamespace(count=0, error=None, seen=threading.Event())

    def drain(_hub: object, _name: str) -> object:
        world.count += 1
        world.seen.set()
        return world.error

    monkeypatch.setattr(draining, "waits", lambda _hub, _name: True)
    monkeypatch.setattr(draining, "drain", drain)
    return world


def turns(drainer: draining.Drainer, count: int) -> None:
    """Let the drainer take so many turns without waiting for its clock."""
    left = [count]

    def wait(_seconds: float) -> bool:
        left[0] -= 1
        return left[0] < 0

    drainer._stop.wait = wait  # type: ignore[method-assign]
    drainer._run()


def a_drainer() -> draining.Drainer:
    return draining.Drainer(SimpleNamespace(stopping=lambda: False), ["form"])  # type: ignore[arg-type]


def test_a_door_that_works_is_looked_at_each_second(looks: SimpleNamespace) -> None:
    turns(a_drainer(), 10)
    assert looks.count == 10


def test_a_door_that_fails_is_asked_less_and_less_often(looks: SimpleNamespace) -> None:
    looks.error = Unavailable("down")
    turns(a_drainer(), 1000)
    assert looks.count == 1 + 5 + (1000 - 63) // 60


def test_a_source_that_wishes_a_pause_gets_it(looks: SimpleNamespace) -> None:
    looks.error = Throttled("slow down", retry_after_s=500)
    turns(a_drainer(), 1000)
    assert looks.count == 2
