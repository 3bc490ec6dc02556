"""A hub on a real address book: what an admin sees of cards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.carddav.tests.sources import card

from crm_hub.config import add_connection, create
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import SyncReport, sync
from crm_hub.model.errors import MassDelete
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.sdk.testing.servers.radicale import Collection, Radicale, radicale
from crm_hub.store import Machinery

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Radicale]:
    try:
        with radicale() as server:
            yield server
    except Unobtainable as reason:
        pytest.skip(str(reason))


class Scene:
    """A hub on one book of its own."""

    def __init__(self, folder: Path, server: Radicale) -> None:
        self.server = server
        self.book: Collection = server.collection(folder.name, kind="addressbook")
        secret = folder / "password"
        secret.write_text(server.password, "utf-8")
        secret.chmod(0o600)
        create(folder / "hub", own=["clearwater.example"])
        settings = {
            "url": server.url, "username": server.user, "password": f"file:{secret}",
            "book": folder.name,
        }  # fmt: skip
        add_connection(folder / "hub", "people", "carddav", settings)
        self.hub = Hub(folder / "hub", now=lambda: NOW)

    def sync(self, **options: Any) -> SyncReport:
        (report,) = sync(self.hub, ["people"], **options)
        return report


@pytest.fixture
def scene(tmp_path: Path, server: Radicale) -> Iterator[Scene]:
    made = Scene(tmp_path, server)
    for number in range(1, 11):
        made.book.write(f"visitor-{number}.vcf", card(number))
    assert made.sync().error is None
    yield made
    made.hub.close()


def test_cards_become_people_and_firms(scene: Scene) -> None:
    firm = card(11, "Acme", "ORG:Acme 11", "X-ABSHOWAS:COMPANY").replace("N:11;Acme;;;", "N:;;;;")
    scene.book.write("firm.vcf", firm)
    assert scene.sync().counts["new"] == 1
    with scene.hub.store.read() as db:
        counts = db.conn.exec_driver_sql(
            "select entity, count(*) from identity group by entity"
        ).fetchall()
    assert dict(tuple(row) for row in counts) == {"person": 10, "organization": 1}


def test_an_emptied_book_stops_with_a_question_and_deletes_nothing(scene: Scene) -> None:
    for name in scene.book.names():
        scene.book.remove(name)
    report = scene.sync()
    assert isinstance(report.error, MassDelete)
    assert "--accept-deletes" in str(report.error)
    assert _live(scene) == 10
    assert scene.sync(accept_deletes=True).error is None
    assert _live(scene) == 0


def test_a_book_that_is_no_longer_shared_stops_with_a_question(scene: Scene) -> None:
    scene.server.collection(f"{scene.book.folder.name}-other", kind="addressbook")
    shutil.rmtree(scene.book.folder)
    report = scene.sync()
    assert report.error is not None
    assert _live(scene) == 10


def test_a_token_that_expired_means_a_whole_read_which_finds_deletes(scene: Scene) -> None:
    scene.book.remove("visitor-3.vcf")
    scene.server.forget_tokens()
    report = scene.sync()
    assert report.error is None
    assert any("expired" in note for note in report.notes)
    assert _live(scene) == 9


def test_a_card_that_names_nobody_is_a_dead_letter_until_it_is_corrected(scene: Scene) -> None:
    bad = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:bad\r\nFN:\r\nN:;;;;\r\nEND:VCARD\r\n"
    scene.book.write("bad.vcf", bad)
    scene.book.write("visitor-12.vcf", card(12))
    report = scene.sync()
    assert report.error is None
    assert _live(scene) == 11
    with scene.hub.store.read() as db:
        (letter,) = Machinery(db).dead("people")
    assert "names nobody" in letter.reason
    scene.book.write("bad.vcf", card(13))
    assert scene.sync().error is None
    with scene.hub.store.read() as db:
        assert Machinery(db).dead("people") == []


def _live(scene: Scene) -> int:
    with scene.hub.store.read() as db:
        row = db.conn.exec_driver_sql("select count(*) from source_record where deleted = 0")
        return int(row.scalar_one())
