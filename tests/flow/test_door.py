"""Forms from the HTTP door to a person with an event: durable first, walked later."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from crm_hub.config import add_connection, create
from crm_hub.flow import inbound, reading
from crm_hub.flow.hooks import Door
from crm_hub.flow.hub import Hub
from crm_hub.flow.replay import retry
from crm_hub.service.receiver import ReceiverThread
from crm_hub.store import Landings, Machinery, Timelines
from tests.flow.hubs import sync_all, winners

ENTRY = Path(__file__).with_name("kept_form.py")
ROOT = ENTRY.parents[2]
HANG_S = 30.0
FORM = {"name": "Dana Whitfield", "email": "dana@marlowfinch.example", "message": "Two coolers."}


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    create(tmp_path / "hub", own=["clearwater.example"])
    add_connection(tmp_path / "hub", "web", "web_form", {})
    hub = Hub(tmp_path / "hub")
    with hub.store.read():  # builds the tables
        pass
    return hub


def _post(url: str, path: str = "/in/web/contact", **body: Any) -> httpx.Response:
    return httpx.post(url + path, timeout=HANG_S, **(body or {"json": FORM}))


def _inbox(hub: Hub) -> dict[tuple[str, str], int]:
    with hub.store.read() as db:
        return Machinery(db).inbox_counts()


def _messages(hub: Hub) -> list[str]:
    with hub.store.read() as db:
        row = reading.find(hub, db, FORM["email"])
        words = winners(db)
        page = Timelines(db).page(row.id, 100, None)
        return [orjson.loads(words[one.event_id][1])["body"] for one in page]


def test_a_posted_form_becomes_a_person_with_an_event(hub):
    with ReceiverThread(Door(hub)) as receiver:
        assert _post(receiver.url).status_code == 200
        assert _inbox(hub) == {("web", "due"): 1}
        # The visitor's second click.
        assert _post(receiver.url, data=FORM).status_code == 200
    sync_all(hub)
    assert _inbox(hub) == {("web", "done"): 2}
    row, (line,) = reading.timeline(hub, FORM["email"])
    assert row.display_name == FORM["name"]
    assert (line.type, line.subject) == ("form.submitted", "Form contact")
    assert _messages(hub) == [FORM["message"]]
    sync_all(hub)
    assert len(reading.timeline(hub, FORM["email"])[1]) == 1


def test_a_form_is_landed_and_walked_by_one_commit(hub):
    with ReceiverThread(Door(hub)) as receiver:
        assert _post(receiver.url).status_code == 200
    commits = []
    hub.store.before_commit = lambda: commits.append(hub.now())
    sync_all(hub)
    assert len(commits) == 2  # the other one ends the run
    assert _messages(hub) == [FORM["message"]]


def test_what_cannot_be_walked_now_is_landed_and_walked_by_the_next_sync(hub, monkeypatch):
    with ReceiverThread(Door(hub)) as receiver:
        assert _post(receiver.url).status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(inbound, "walk", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sync_all(hub)
    assert _inbox(hub) == {("web", "done"): 1}
    with hub.store.read() as db:
        assert len(Landings(db).due("web")) == 1
    sync_all(hub)
    assert _messages(hub) == [FORM["message"]]


@pytest.mark.parametrize("path", ["/in/nobody/contact", "/in/nobody", "/in/web/", "/elsewhere"])
def test_a_door_that_does_not_exist_is_404_and_keeps_nothing(hub, path):
    with ReceiverThread(Door(hub)) as receiver:
        assert _post(receiver.url, path).status_code == 404
    assert _inbox(hub) == {}


def test_what_was_answered_200_is_there_after_a_kill(hub):
    paths = os.pathsep.join(str(ROOT / p) for p in ("src", "connectors"))
    with subprocess.Popen(
        [sys.executable, str(ENTRY), str(hub.folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    ) as process:
        try:
            url = process.stdout.readline().strip()
            answers = [_post(url, json={**FORM, "message": str(n)}).status_code for n in range(5)]
        finally:
            process.kill()
    assert answers == [200] * 5
    assert _inbox(hub) == {("web", "due"): 5}
    sync_all(hub)
    assert sorted(_messages(hub)) == ["0", "1", "2", "3", "4"]


def test_a_kept_request_that_cannot_be_read_is_set_aside_and_can_be_tried_again(hub):
    with ReceiverThread(Door(hub)) as receiver:
        assert _post(receiver.url, "/in/web/quote").status_code == 200
        assert _post(receiver.url, json={**FORM, "message": "Good."}).status_code == 200
    # The form is taken off the list while its post waits.
    add_connection(hub.folder, "web", "web_form", {"forms": "contact"}, replace=True)
    closed = Hub(hub.folder)
    sync_all(closed)
    assert _inbox(closed) == {("web", "dead"): 1, ("web", "done"): 1}
    with closed.store.read() as db:
        (letter,) = Machinery(db).dead()
    assert (letter.step, letter.reason) == ("parse", "there is no such form")
    assert "forms" in letter.remedy
    assert len(reading.timeline(closed, FORM["email"])[1]) == 1
    closed.close()
    add_connection(hub.folder, "web", "web_form", {"forms": "contact,quote"}, replace=True)
    opened = Hub(hub.folder)
    (report,) = retry(opened, [letter.id])
    assert report.error is None
    assert _inbox(opened) == {("web", "done"): 2}
    with opened.store.read() as db:
        assert Machinery(db).dead() == []
    assert len(reading.timeline(opened, FORM["email"])[1]) == 2
    opened.close()
