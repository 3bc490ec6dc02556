"""What the inbound walk promises of people, events and stored payloads, one promise a test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_hub.config import add_connection, create
from crm_hub.flow import reading
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound, sync
from crm_hub.flow.replay import replay, retry
from crm_hub.flow.status import status
from crm_hub.model.errors import AuthRefused, ConfigError, MassDelete, Throttled, Unavailable
from crm_hub.model.ids import public_id
from crm_hub.model.records import Change, Page, Reject, Window
from crm_hub.sdk import StreamInfo
from crm_hub.sdk.testing import servers
from crm_hub.store import Events, Landings, Machinery
from tests.flow.hubs import LAST, ids, make_hub, records, sync_all, write_rows

Row = dict[str, Any]


class Scene:
    """A hub with one CRM and its mailboxes, whose rows a test shows one state after the other."""

    def __init__(self, folder: Path, *names: str, **options: Any) -> None:
        self.folder = folder
        self.names = names or ("crm",)
        for name in self.names:
            (folder / "src" / name).mkdir(parents=True)
        self.hub = make_hub(folder / "hub", {n: folder / "src" / n for n in self.names}, **options)

    def show(self, name: str = "crm", **streams: list[Row]) -> None:
        write_rows(self.folder / "src" / name, streams)

    def sync(self, name: str = "crm", **streams: list[Row]) -> None:
        self.show(name, **streams)
        sync_all(self.hub)

    def remap(self, text: str) -> None:
        """Override the mapping, as an admin does, and open the hub again."""
        self.hub.close()
        folder = self.folder / "hub" / "mappings"
        folder.mkdir(exist_ok=True)
        (folder / "scripted.yaml").write_text(f"version: 1\nconnector: scripted\n{text}")
        self.hub = Hub(self.folder / "hub")

    def ids(self) -> dict[str, int]:
        return ids(self.hub)

    def subjects(self, who: str) -> list[str]:
        return [line.subject for line in reading.timeline(self.hub, who)[1]]

    def values(self, key: str) -> dict[str, Any]:
        who = public_id("person", self.ids()[key])
        stories = reading.explain_fields(self.hub, who).stories
        return {s.field: s.value for s in stories}

    def letters(self) -> list[Any]:
        with self.hub.store.read() as db:
            return Machinery(db).dead()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def person(i: int, **more: Any) -> Row:
    return {
        "id": f"a{i}",
        "first": "Ann",
        "last": f"Alder{i}",
        "email": f"ann{i}@firm.example",
        **more,
    }


def mail(i: int, **more: Any) -> Row:
    return {
        "id": f"m{i}", "message_id": f"<{i}@x.example>", "subject": f"Subject {i}",
        "date": f"2026-02-03T10:{i:02d}:00+00:00", "from": "ann1@firm.example",
        "from_name": "Ann Alder1", "to": "sales@ours.example", **more,
    }  # fmt: skip


# deletes ----------------------------------------------------------------------------------


def test_a_mass_delete_stops_until_it_is_accepted_and_ids_come_back(scene):
    everybody = [person(i) for i in range(20)]
    scene.sync(contacts=everybody)
    before = scene.ids()
    scene.show(contacts=[*everybody[:3], person(77)])
    for _ in range(2):
        (report,) = sync(scene.hub)
        assert isinstance(report.error, MassDelete)
        assert "3 of 20" in report.error.message or "4 of 21" in report.error.message
        assert "crm-hub sync crm --accept-deletes" in report.error.remedy
        found = scene.ids()
        assert found.items() >= before.items()
        assert "crm/contacts#a77" in found
    sync_all(scene.hub, accept_deletes=True)
    assert len(scene.ids()) == 4
    assert len(records(scene.hub)) == 4
    scene.sync(contacts=[*everybody, person(77)])
    assert scene.ids().items() >= before.items()


def test_an_emptied_source_deletes_nothing(scene):
    scene.sync(contacts=[person(1)])
    scene.show(contacts=[])
    (report,) = sync(scene.hub)
    assert isinstance(report.error, MassDelete)
    assert len(scene.ids()) == 1


def test_a_deleted_record_leaves_its_person_and_returns_under_the_same_id(scene):
    both = [person(1), person(2, last="Alder1", first="Ann", email="ann1@firm.example"), person(3)]
    scene.sync(contacts=both)
    before = scene.ids()
    assert before["crm/contacts#a1"] == before["crm/contacts#a2"]
    scene.sync(contacts=[both[0], both[2]])
    assert scene.ids() == {k: v for k, v in before.items() if k != "crm/contacts#a2"}
    scene.sync(contacts=both)
    assert scene.ids() == before


def test_a_record_that_cannot_be_read_any_more_is_not_taken_for_deleted(scene, monkeypatch):
    scene.sync(contacts=[person(i) for i in range(3)])
    make = scene.hub.connector

    def connector(name: str) -> Any:
        found = make(name)
        reject = Reject("a1", "line 2", "the line is no JSON", "Correct the line.")
        changes = [Change(f"a{i}", person(i)) for i in (0, 2)]
        found.pull = lambda *_: iter([Page(changes, {"n": 2}, complete=True, rejects=[reject])])
        return found

    monkeypatch.setattr(scene.hub, "connector", connector)
    sync_all(scene.hub)
    assert "crm/contacts#a1" in scene.ids()
    assert [d.record_key for d in scene.letters()] == ["a1"]


def test_a_first_load_that_goes_on_after_a_failure_marks_no_event_as_late(tmp_path):
    scene = Scene(tmp_path, page_size=2)
    scene.show(mails=[mail(i) for i in range(6)], contacts=[person(1)])
    make = scene.hub.connector

    def connector(name: str) -> Any:
        found = make(name)
        pull = found.pull

        def pages(stream: StreamInfo, *rest: Any) -> Iterator[Page]:
            for number, page in enumerate(pull(stream, *rest)):
                if stream.name == "mails" and number == 1:
                    raise Unavailable("the answer was cut")
                yield page

        found.pull = pages
        return found

    scene.hub.connector = connector
    (report,) = sync(scene.hub)
    assert report.error is not None
    scene.hub.connector = make
    sync_all(scene.hub)
    lines = reading.timeline(scene.hub, "ann1@firm.example")[1]
    assert [line.late for line in lines] == [False] * 6


def failing(scene: Scene, monkeypatch: pytest.MonkeyPatch, **errors: Exception) -> list[str]:
    """Let streams fail as they are read; return the names of those that were asked for."""
    asked: list[str] = []
    make = scene.hub.connector

    def connector(name: str) -> Any:
        found = make(name)
        pull = type(found).pull.__get__(found)

        def pages(stream: StreamInfo, *rest: Any) -> Iterator[Page]:
            asked.append(stream.name)
            if stream.name in errors:
                raise errors[stream.name]
            yield from pull(stream, *rest)

        found.pull = pages
        return found

    monkeypatch.setattr(scene.hub, "connector", connector)
    return asked


@pytest.mark.parametrize("error", [AuthRefused("forbidden"), Unavailable("it answers with 500")])
def test_a_stream_that_fails_starves_no_other(scene, monkeypatch, error):
    scene.show(companies=[{"id": "c1", "name": "Firm"}], contacts=[person(1)], mails=[mail(1)])
    asked = failing(scene, monkeypatch, companies=error)
    (report,) = sync(scene.hub)
    assert report.error is error
    assert asked == ["companies", "contacts", "mails"]
    assert scene.subjects("ann1@firm.example") == ["Subject 1"]
    with scene.hub.store.read() as db:
        (run,) = Machinery(db).runs()
    assert run.state != "done"
    assert error.message in run.message


def test_a_far_side_that_is_down_is_not_asked_for_every_stream(scene, monkeypatch):
    scene.show(companies=[{"id": "c1", "name": "Firm"}], contacts=[person(1)], mails=[mail(1)])
    down = Unavailable("no answer")
    asked = failing(scene, monkeypatch, companies=down, contacts=down, mails=down)
    (report,) = sync(scene.hub)
    assert report.error is down
    assert asked == ["companies", "contacts"]


def test_a_far_side_that_wants_a_rest_gets_it(scene, monkeypatch):
    scene.show(companies=[{"id": "c1", "name": "Firm"}], contacts=[person(1)])
    asked = failing(scene, monkeypatch, companies=Throttled("slow down", retry_after_s=60))
    (report,) = sync(scene.hub)
    assert isinstance(report.error, Throttled)
    assert asked == ["companies"]


def test_a_wish_for_a_rest_is_told_also_after_another_failure(scene, monkeypatch):
    scene.show(companies=[{"id": "c1", "name": "Firm"}], contacts=[person(1)], mails=[mail(1)])
    rest = Throttled("slow down", retry_after_s=60)
    asked = failing(scene, monkeypatch, companies=AuthRefused("forbidden"), contacts=rest)
    (report,) = sync(scene.hub)
    assert report.error is rest
    assert "forbidden" in report.notes
    assert asked == ["companies", "contacts"]


def test_a_first_load_that_goes_on_after_a_stop_marks_no_event_as_late(tmp_path):
    scene = Scene(tmp_path, page_size=2)
    scene.show(mails=[mail(i) for i in range(6)], contacts=[person(1)])
    read: list[str] = []
    scene.hub.stopping = lambda: "mails" in read
    Inbound(scene.hub, "crm", lambda _name, stream, _counts: read.append(stream)).run()
    scene.hub.stopping = lambda: False
    sync_all(scene.hub)
    lines = reading.timeline(scene.hub, "ann1@firm.example")[1]
    assert [line.late for line in lines] == [False] * 6


def test_only_a_sync_counts_as_a_look_at_the_source(scene):
    scene.sync(contacts=[person(1, changed_at="2026-01-03T00:00:00+00:00")])
    looked_us = scene.hub.last_looked_us("crm")
    replay(scene.hub)
    retry(scene.hub)
    day = datetime(2026, 1, 3, tzinfo=UTC)
    Inbound(scene.hub, "crm").backfill(Window(day, day.replace(day=4)))
    assert scene.hub.last_looked_us("crm") == looked_us
    sync_all(scene.hub)
    assert scene.hub.last_looked_us("crm") > looked_us


def test_after_a_first_sync_a_changed_mapping_is_seen_at_once(tmp_path):
    scene = Scene(tmp_path)
    scene.show(contacts=[person(1)])
    sync_all(scene.hub)
    with scene.hub.store.read() as db:
        (stream,) = Landings(db).streams("crm")
    assert stream.plan_digest == scene.hub.plan("crm").sections["contacts"].digest


# backfill, mappings, dead letters -----------------------------------------------------------


def test_a_backfill_brings_its_window_and_leaves_the_checkpoint_alone(scene):
    rows = [person(i, changed_at=f"2026-01-{i:02d}T00:00:00+00:00") for i in range(1, 10)]
    scene.sync(contacts=rows[:1])
    with scene.hub.store.read() as db:
        before = Landings(db).stream("crm", "contacts")
    scene.show(contacts=rows)
    window = Window(datetime(2026, 1, 3, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC))
    report = Inbound(scene.hub, "crm").backfill(window)
    assert report.error is None
    with scene.hub.store.read() as db:
        after = Landings(db).stream("crm", "contacts")
    assert sorted(records(scene.hub)) == [f"crm/contacts#a{i}" for i in (1, 3, 4)]
    assert after.checkpoint == before.checkpoint
    sync_all(scene.hub)
    assert len(scene.ids()) == 9


def test_a_changed_mapping_and_a_replay_change_values_and_no_id(scene):
    scene.sync(contacts=[person(i, title="Buyer", stage="lead") for i in range(5)])
    before = scene.ids()
    assert scene.values("crm/contacts#a1")["title"] == "Buyer"
    scene.remap("streams: {contacts: {fields: {title: {at: stage}}}}\n")
    (report,) = replay(scene.hub)
    assert report.error is None
    assert scene.values("crm/contacts#a1")["title"] == "lead"
    assert scene.ids() == before


def test_a_record_the_mapping_refuses_is_set_aside_and_goes_on_once_it_is_mended(scene):
    scene.remap("streams: {contacts: {unknown: fail}}\n")
    scene.sync(contacts=[person(1), person(2, surprise="x"), person(3)])
    assert sorted(scene.ids()) == ["crm/contacts#a1", "crm/contacts#a3"]
    (letter,) = scene.letters()
    assert (letter.record_key, letter.step) == ("a2", "map")
    assert "surprise" in letter.reason
    assert letter.remedy
    retry(scene.hub)
    assert [d.tries for d in scene.letters()] == [2]
    scene.remap("streams: {contacts: {unknown: keep}}\n")
    (report,) = retry(scene.hub, [letter.id])
    assert report.error is None
    assert scene.letters() == []
    assert "crm/contacts#a2" in scene.ids()


# payloads ----------------------------------------------------------------------------------

NASTY = {
    "id": "n1", "first": "A\x00nn", "last": "Al\ud800der", "email": "n1@firm.example",
    "nan": float("nan"), "inf": [float("-inf")], "huge": 2**70, "edge": [2**63 - 1, 2**63, -(2**63)],
    "pair": "\ud83d\ude00", "key\x00": {"\udfff": "x\x00"}, "deep": [[["\x00"]]],
}  # fmt: skip


def _landed(scene: Scene) -> tuple[dict[str, str], dict[str, Any]]:
    make = scene.hub.connector

    def connector(name: str) -> Any:
        found = make(name)
        found.pull = lambda *_: iter([Page([Change("n1", dict(NASTY))], {"n": 1})])
        return found

    scene.hub.connector = connector
    scene.sync(contacts=[])
    return records(scene.hub), scene.values("crm/contacts#n1")


def test_nul_surrogates_nan_and_huge_numbers_land_equal_on_both_stores(tmp_path):
    first = _landed(Scene(tmp_path / "sqlite"))
    assert first[1]["given_name"] == "Ann"
    assert '"huge":"1180591620717411303424"' in first[0]["crm/contacts#n1"]
    try:
        with servers.postgres() as base, servers.postgres_database(base) as url:
            scene = Scene(tmp_path / "pg", store=url)
            second = _landed(scene)
            scene.hub.close()
    except servers.Unobtainable as reason:
        pytest.skip(str(reason))
    assert second == first


# people and events ---------------------------------------------------------------------------


def test_a_mail_finds_its_person_when_the_contact_comes_later(scene):
    scene.sync(mails=[mail(1)], contacts=[person(2)])
    with scene.hub.store.read() as db:
        assert not [p for p in Events(db).participants([1]) if p.identity_id]
    scene.sync(contacts=[person(2), person(1)])
    assert scene.subjects("ann1@firm.example") == ["Subject 1"]


def test_a_contact_joins_the_company_that_comes_later_with_all_its_mail(scene):
    scene.sync(contacts=[person(1, company="c1")], mails=[mail(1)])
    scene.sync(companies=[{"id": "c1", "name": "Firm Ltd", "domain": "firm.example"}])
    firm = public_id("organization", scene.ids()["crm/companies#c1"])
    assert scene.subjects(firm) == ["Subject 1"]


def test_a_shared_mailbox_makes_two_people_no_one(scene):
    names = [("Ann", "Alder"), ("Bob", "Birch"), ("Cleo", "Alder")]
    rows = [
        {"id": f"s{i}", "first": first, "last": last, "email": "info@firm.example"}
        for i, (first, last) in enumerate(names)
    ]
    scene.sync(contacts=rows)
    found = scene.ids()
    assert len({found[f"crm/contacts#s{i}"] for i in range(3)}) == 3


def test_a_key_that_too_many_people_hold_joins_nobody(scene):
    folder = scene.folder / "hub" / "mappings"
    folder.mkdir(exist_ok=True)
    (folder / "identity.yaml").write_text("version: 1\nthresholds: {holders_cap: 5, link: 60}\n")
    rows = [person(i, last=LAST[i], phone="+12125550100") for i in range(8)]
    twin = {"id": "t", "first": "Ann", "last": LAST[0], "phone": "+12125550100"}
    scene.sync(contacts=[*rows[:3], twin])
    assert scene.ids()["crm/contacts#t"] == scene.ids()["crm/contacts#a0"]
    scene.sync(contacts=[*rows, twin])
    assert len(set(scene.ids().values())) == 9
    alone = {"id": "u", "first": "Ann", "last": LAST[0], "email": "ann0@firm.example"}
    scene.sync(contacts=[*rows, twin, alone])
    assert scene.ids()["crm/contacts#u"] == scene.ids()["crm/contacts#a0"]


def test_the_id_of_a_merged_person_still_leads_there_and_comes_back_on_a_split(scene):
    one, two = person(1), {"id": "b", "first": "Ann", "last": "Alder1", "phone": "+12125550101"}
    scene.sync(contacts=[one, two])
    before = scene.ids()
    assert len(set(before.values())) == 2
    scene.sync(contacts=[{**one, "phone": "+12125550101"}, two])
    (kept,) = set(scene.ids().values())
    (gone,) = set(before.values()) - {kept}
    with scene.hub.store.read() as db:
        assert reading.find(scene.hub, db, public_id("person", gone)).id == kept
    scene.sync(contacts=[one, two])
    assert scene.ids() == before
    with scene.hub.store.read() as db:
        assert reading.find(scene.hub, db, public_id("person", gone)).id == gone


def test_the_same_mail_in_three_mailboxes_is_one_event_told_three_times(tmp_path):
    scene = Scene(tmp_path, "crm", "box1", "box2", "box3")
    scene.show(contacts=[person(1)])
    for i in (1, 2, 3):
        scene.show(f"box{i}", mails=[mail(1, id=f"in{i}")])
    sync_all(scene.hub)
    (line,) = reading.timeline(scene.hub, "ann1@firm.example")[1]
    assert line.sources == ["box1/mails", "box2/mails", "box3/mails"]
    with scene.hub.store.read() as db:
        assert Events(db).total() == 1
        assert len(Events(db).sources_of_events([1])) == 3


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A person with 60 mails at 4 instants only."""
    scene = Scene(tmp_path_factory.mktemp("busy"))
    mails = [mail(i, date=f"2026-02-03T10:00:0{i % 4}+00:00") for i in range(60)]
    scene.sync(contacts=[person(1)], mails=mails)
    return scene


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8))
def test_pages_of_any_size_make_up_the_whole_timeline(busy, sizes):
    who = "ann1@firm.example"
    whole = reading.timeline(busy.hub, who, 1000)[1]
    assert len(whole) == 60
    assert whole == sorted(whole, key=lambda line: line.occurred_at, reverse=True)
    paged: list[reading.Line] = []
    cursor, turn = None, 0
    while lines := reading.timeline(busy.hub, who, sizes[turn % len(sizes)], cursor)[1]:
        paged += lines
        cursor, turn = lines[-1].cursor, turn + 1
    assert paged == whole


def test_repeated_ids_that_are_gone_from_a_source_no_longer_count(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    create(folder)
    add_connection(folder, "crm", "files", {"path": "people.csv"})
    hub = Hub(folder)
    for numbers, count in (((1, 2, 2), 2), ((1, 2, 3, 4), 4)):
        rows = "".join(f"{n},Ann Lee {n},ann{n}@firm.example\n" for n in numbers)
        (folder / "people.csv").write_text(f"id,Name,Email\n{rows}")
        sync_all(hub)
        (row,) = [one for one in status(hub) if one.stream == "people.csv"]
        assert (row.source_count, row.hub_count) == (count, count)


def test_a_mapping_file_that_is_no_text_stops_its_own_connection_alone(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    create(folder)
    (folder / "own.yaml").write_bytes("# für uns\n".encode("latin-1"))
    (folder / "people.csv").write_text("id,Name,Email\n1,Ann Lee,ann@firm.example\n")
    add_connection(folder, "broken", "files", {"path": "people.csv", "mapping": "own.yaml"})
    add_connection(folder, "whole", "files", {"path": "people.csv"})
    broken, whole = sync(Hub(folder))
    assert isinstance(broken.error, ConfigError)
    assert "own.yaml could not be read" in broken.error.message
    assert (whole.error, whole.counts["new"]) == (None, 1)
