"""Likeness in a hub: who is alike joins, whatever came first; who may be is asked about."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crm_hub.flow import rebuilding, walk_alike, walk_names
from crm_hub.flow.hub import Hub
from crm_hub.flow.replay import replay
from crm_hub.flow.reviewing import answer, questions
from crm_hub.flow.rulings import unlink
from crm_hub.resolve.measured import Census
from crm_hub.store import Likeness
from tests.flow.hubs import FIRST, LAST, content, ids, make_hub, sync_all, world, write_rows

MEASURED = {**Census().doc(), "records": 200_000, "rules": "", "open": False}


def _small_caps(folder: Path) -> None:
    mappings = folder / "mappings"
    mappings.mkdir(parents=True, exist_ok=True)
    (mappings / "identity.yaml").write_text("version: 1\nthresholds: {holders_cap: 6}\n")


def _hub(folder: Path, rows: dict[str, Any], rng: random.Random | None, page_size: int) -> Hub:
    names = list(rows)
    if rng is not None:
        rng.shuffle(names)
    for name in names:
        shuffled = {
            stream: list(found) if rng is None else rng.sample(found, len(found))
            for stream, found in rows[name].items()
        }
        write_rows(folder / "src" / name, shuffled)
    hub = make_hub(folder / "hub", {n: folder / "src" / n for n in names}, page_size=page_size)
    hub.close()
    _small_caps(folder / "hub")
    hub = Hub(folder / "hub")
    with hub.store.write() as db:
        Likeness(db).keep_measured("person", 1, MEASURED)  # so that likeness joins from the start
    sync_all(hub)
    return hub


def _open(hub: Hub) -> list[Any]:
    """Return the open questions and the keys of several, without numbers."""
    with hub.store.read() as db:
        names = {
            row[0]: f"{row[1]}#{row[2]}"
            for row in db.conn.execute(
                text(
                    "SELECT r.id, s.connection || '/' || s.name, r.key FROM source_record r"
                    " JOIN stream s ON s.id = r.stream_id"
                )
            )
        }
        questions = sorted(
            (*sorted((names[q.a_record], names[q.b_record])), q.millibits, q.doc["reason"])
            for q in Likeness(db).questions()
        )
        several = db.conn.execute(text("SELECT key, kind FROM shared_key ORDER BY key"))
        return [questions, [tuple(row) for row in several]]


@pytest.mark.parametrize(("seed", "page_size"), [(1, 7), (2, 60), (3, 1000)])
def test_any_order_gives_the_same_people_and_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, page_size: int
) -> None:
    monkeypatch.setattr(walk_names, "CROWD", 9)
    monkeypatch.setattr(walk_names, "NEAR_CROWD", 3)
    rows = world(260, 60, seed)
    for each in rows["crm_b"]["contacts"]:
        each["company"] = rng_firm(each["id"])
    first = _hub(tmp_path / "a", rows, None, 200)
    other = _hub(tmp_path / "b", rows, random.Random(seed), page_size)
    assert _open(first)[0]
    assert content(other) == content(first)
    assert _open(other) == _open(first)


def rng_firm(key: str) -> str:
    return f"c{sum(map(ord, key)) % 5}"


# joining and asking ---------------------------------------------------------------------------

ANN = {"id": "1", "first": "Ann", "last": "Lindqvist"}


def _one(folder: Path, contacts: list[dict[str, Any]], settings: str = "") -> Hub:
    write_rows(folder / "src" / "crm", {"contacts": contacts})
    hub = make_hub(folder / "hub", {"crm": folder / "src" / "crm"})
    if settings:
        hub.close()
        (folder / "hub" / "mappings").mkdir(exist_ok=True)
        (folder / "hub" / "mappings" / "identity.yaml").write_text(settings)
        hub = Hub(folder / "hub")
    sync_all(hub)
    return hub


def _again(hub: Hub, folder: Path, contacts: list[dict[str, Any]]) -> None:
    write_rows(folder / "src" / "crm", {"contacts": contacts})
    sync_all(hub, accept_deletes=True)


PHONE = "+12125550123"
OTHERS = [
    {**ANN, "email": "ann@firm.example", "title": "Buyer"},
    {**ANN, "id": "2", "email": "ann.l@firm.example", "title": "Buyer"},
]


def test_one_name_in_one_firm_is_one_person(tmp_path: Path) -> None:
    hub = _one(tmp_path, OTHERS)
    assert len(set(ids(hub).values())) == 2
    assert [q.reason for q in questions(hub)[0]] == [walk_alike.BEFORE_REBUILD]
    rebuilding.rebuild(hub)
    assert questions(hub)[1] == 0
    assert len(set(ids(hub).values())) == 1
    _again(hub, tmp_path, [OTHERS[0], {**OTHERS[1], "first": "Britta"}])
    assert len(set(ids(hub).values())) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"first": "Bill", "last": "Hartwick", "phone": ""},
        {"first": "William", "last": "Hartwik"},
        {"first": "W", "last": "Hartwick"},
        {"first": "Wiliam", "last": "Hartwick"},
    ],
)
def test_a_nickname_a_slip_and_an_initial_are_found_after_the_first_rebuild(
    tmp_path: Path, other: dict[str, str]
) -> None:
    one = {"id": "1", "first": "William", "last": "Hartwick", "title": "Head of Purchasing",
           "email": "w.hartwick@oak.example"}  # fmt: skip
    box = {"id": "2", "title": "Head of Purchasing", "email": "purchasing.wh@oak.example"}
    hub = _one(tmp_path, [*_many(60, 4), one, {**box, **other}])
    assert _pairs(hub, "1", "2") == "apart"
    rebuilding.rebuild(hub)
    assert _pairs(hub, "1", "2") != "apart"
    # The same, come after it; and no longer, once the name is another.
    _again(hub, tmp_path, [*_many(60, 4), one])
    _again(hub, tmp_path, [*_many(60, 4), one, {**box, **other, "id": "3"}])
    assert _pairs(hub, "1", "3") != "apart"
    _again(hub, tmp_path, [*_many(60, 4), one, {**box, "id": "3", "first": "Ida", "last": "Kern"}])
    assert _pairs(hub, "1", "3") == "apart"


def _pairs(hub: Hub, one: str, other: str) -> str:
    """Return how two contacts stand to each other: one, asked or apart."""
    keys = {f"crm/contacts#{one}", f"crm/contacts#{other}"}
    found = ids(hub)
    if len({found[key] for key in keys}) == 1:
        return "one"
    return "asked" if keys in [set(q.records) for q in questions(hub, 1000)[0]] else "apart"


def test_a_name_alone_is_a_question_that_says_why(tmp_path: Path) -> None:
    hub = _one(tmp_path, [{**ANN, "email": "ann@firm.example"}, {**ANN, "id": "2", "phone": PHONE}])
    assert len(set(ids(hub).values())) == 2
    (asked,), count = questions(hub)
    assert count == 1
    assert [step["level"] for step in asked.waterfall] == ["same first name", "same last name"]
    assert {step["left"] for step in asked.waterfall} == {"ann", "lindqvist"}
    assert asked.bits < 1.5


def test_a_rejected_pair_never_returns(tmp_path: Path) -> None:
    rows = [{**ANN, "email": "ann@firm.example"}, {**ANN, "id": "2", "phone": PHONE}]
    hub = _one(tmp_path, rows)
    (asked,), _ = questions(hub)
    answer(hub, asked.number, one=False, who="kim", reason="namesakes")
    for _ in range(2):
        assert questions(hub) == ([], 0)
        assert len(set(ids(hub).values())) == 2
        replay(hub)
    # Now they share all that there is to share.
    _again(hub, tmp_path, [{**rows[0], "phone": PHONE}, {**rows[1], "email": "ann@firm.example"}])
    assert questions(hub) == ([], 0)
    assert len(set(ids(hub).values())) == 2


def test_an_accepted_pair_is_one_and_can_be_taken_back(tmp_path: Path) -> None:
    rows = [{**ANN, "email": "ann@firm.example"}, {**ANN, "id": "2", "phone": PHONE}]
    hub = _one(tmp_path, rows)
    (asked,), _ = questions(hub)
    answer(hub, asked.number, one=True)
    assert questions(hub) == ([], 0)
    assert len(set(ids(hub).values())) == 1
    unlink(hub, "crm/contacts#2")
    assert len(set(ids(hub).values())) == 2


def test_a_question_goes_when_its_reason_goes(tmp_path: Path) -> None:
    rows = [{**ANN, "email": "ann@firm.example"}, {**ANN, "id": "2", "phone": PHONE}]
    hub = _one(tmp_path, rows)
    assert questions(hub)[1] == 1
    _again(hub, tmp_path, [rows[0], {**rows[1], "last": "Moreau"}])
    assert questions(hub)[1] == 0
    _again(hub, tmp_path, rows)
    assert questions(hub)[1] == 1
    _again(hub, tmp_path, rows[:1])
    assert questions(hub)[1] == 0


def test_a_number_of_a_family_is_a_line_until_one_is_left(tmp_path: Path) -> None:
    rows = [
        {**ANN, "phone": PHONE},
        {**ANN, "id": "2", "first": "Emil", "phone": PHONE},
        {"id": "3", "phone": PHONE},
    ]
    hub = _one(tmp_path, rows)
    assert [kind for _, kind in _open(hub)[1]] == ["several"]
    assert len(set(ids(hub).values())) == 3
    _again(hub, tmp_path, [rows[0], {**rows[1], "phone": ""}, rows[2]])
    assert _open(hub)[1] == []
    found = ids(hub)
    assert found["crm/contacts#3"] == found["crm/contacts#1"] != found["crm/contacts#2"]


def test_the_number_of_a_crowd_joins_again_when_the_crowd_has_gone(tmp_path: Path) -> None:
    names = ["Abel", "Brandt", "Clausen", "Dietz", "Ebert", "Fuchs"]
    crowd = [{"id": f"c{i}", "first": "Jo", "last": n, "phone": PHONE} for i, n in enumerate(names)]
    bare = {"id": "x", "phone": PHONE}
    hub = _one(tmp_path, [*crowd, bare], "version: 1\nthresholds: {holders_cap: 4}\n")
    assert [kind for _, kind in _open(hub)[1]] == ["crowded"]
    _again(hub, tmp_path, [crowd[0], bare])
    assert _open(hub)[1] == []
    assert len(set(ids(hub).values())) == 1


def test_thresholds_are_the_admin_s(tmp_path: Path) -> None:
    strict = "version: 1\nthresholds: {link: 40, review: 30}\n"
    hub = _one(tmp_path, OTHERS, strict)
    assert len(set(ids(hub).values())) == 2
    assert questions(hub)[1] == 0


# rebuilding -----------------------------------------------------------------------------------


def _many(count: int, seed: int) -> list[dict[str, Any]]:
    """Return contacts of whom many have one of few names, and some are one person twice."""
    rng = random.Random(seed)
    rows = []
    for i in range(count):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        firm = rng.randrange(count // 4)
        row = {
            "id": f"a{i}", "first": first, "last": last, "title": rng.choice(["Buyer", "Head"]),
            "email": f"{first}.{last}@firm{firm}.example".lower(), "phone": f"+1212555{i:04d}",
        }  # fmt: skip
        rows.append(row)
        if i % 5 == 0:
            kept = rng.sample(["email", "phone", "title"], 1)
            other = {k: v for k, v in row.items() if k in ("first", "last", *kept)}
            if rng.random() < 0.5:
                other["email"] = f"{first[0]}.{last}@firm{firm}.example".lower()
            rows.append({**other, "id": f"b{i}"})
    return rows


def _holds(hub: Hub) -> tuple[Any, Any]:
    with hub.store.read() as db:
        tables = ("identity_link", "identity", "review", "shared_key", "population")
        rows = [
            [tuple(row) for row in db.conn.execute(text(f"SELECT * FROM {name} ORDER BY 1"))]
            for name in tables
        ]
    return rows, ids(hub)


def test_a_preview_shows_what_a_rebuild_does_and_writes_nothing(tmp_path: Path) -> None:
    hub = _one(tmp_path, _many(200, 4))
    before = _holds(hub)
    shown = rebuilding.preview(hub)
    assert _holds(hub) == before
    done = rebuilding.rebuild(hub)
    assert (shown.moves, shown.moved_records, shown.questions, shown.compared) == (
        done.moves, done.moved_records, done.questions, done.compared,
    )  # fmt: skip
    assert done.measured == ["person"]
    assert done.moves


def test_nobody_who_writes_waits_for_a_preview(tmp_path: Path) -> None:
    hub = _one(tmp_path, _many(60, 4))
    other = Hub(tmp_path / "hub")
    steps = []

    def write(step: str, _done: int, _all: int) -> None:
        _again(other, tmp_path, [*_many(60, 4), {**ANN, "id": f"new {len(steps)}"}])
        steps.append(step)

    rebuilding.preview(hub, progress=write)
    assert {step.split()[0] for step in steps} == {"measuring", "comparing"}
    assert any(key.startswith("crm/contacts#new") for key in ids(hub))


def test_ids_are_stable_across_rebuilds_and_little_change_costs_little(tmp_path: Path) -> None:
    rows = _many(200, 4)
    hub = _one(tmp_path, rows)
    rebuilding.rebuild(hub)
    after = ids(hub)
    again = rebuilding.rebuild(hub)
    assert (again.compared, again.moves) == (0, set())
    full = rebuilding.rebuild(hub, full=True)
    assert (full.compared, full.moves) == (len(rows), set())
    assert ids(hub) == after
    _again(hub, tmp_path, [*rows[:-4], *({**row, "title": "Clerk"} for row in rows[-4:])])
    found = rebuilding.rebuild(hub)
    assert (found.compared, found.moves) == (4, set())


def test_a_rebuild_in_pieces_is_one_rebuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = _many(150, 9)
    whole, pieces = _one(tmp_path / "a", rows), _one(tmp_path / "b", rows)
    rebuilding.rebuild(whole)
    monkeypatch.setattr(rebuilding, "BATCH", 7)
    stops = iter([False, False, False, True])
    pieces.stopping = lambda: next(stops, False)  # type: ignore[method-assign]
    rebuilding.rebuild(pieces)
    rebuilding.rebuild(pieces)
    assert content(pieces) == content(whole)
    assert _open(pieces) == _open(whole)


def test_what_came_before_a_rebuild_and_after_it_is_decided_alike(tmp_path: Path) -> None:
    rows = _many(200, 4)
    bulk, stream = _one(tmp_path / "a", rows), _one(tmp_path / "b", rows)
    rebuilding.rebuild(bulk)
    rebuilding.rebuild(stream)
    late = [{**row, "id": f"late {row['id']}", "phone": ""} for row in rows[::15]]
    _again(bulk, tmp_path / "a", rows + late)
    random.Random(2).shuffle(late)
    for place in range(0, len(late), 5):
        _again(stream, tmp_path / "b", rows + late[: place + 5])
    assert content(stream) == content(bulk)
    for hub in (bulk, stream):
        assert rebuilding.rebuild(hub).measured == []
    assert content(stream) == content(bulk)


def test_rulings_outlive_a_rebuild(tmp_path: Path) -> None:
    rows = [{**ANN, "email": "ann@firm.example"}, {**ANN, "id": "2", "phone": PHONE}]
    hub = _one(tmp_path, rows)
    (asked,), _ = questions(hub)
    answer(hub, asked.number, one=False)
    rebuilding.rebuild(hub, full=True)
    rebuilding.rebuild(hub, full=True)
    assert questions(hub) == ([], 0)
    assert len(set(ids(hub).values())) == 2


@pytest.mark.parametrize("page_size", [3, 1000])
def test_a_name_and_firm_that_many_share_make_nobody_one_however_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page_size: int
) -> None:
    monkeypatch.setattr(walk_names, "CROWD", 9)
    weighed: list[Any] = []
    real = walk_alike.Alike._weigh
    monkeypatch.setattr(
        walk_alike.Alike, "_weigh", lambda *given: (weighed.append(given), real(*given))[1]
    )
    masked = [
        {"id": str(n), "first": "Deleted", "last": "Account", "title": "Former",
         "email": f"deleted{chr(97 + n // 26)}{chr(97 + n % 26)}@firm.example"}
        for n in range(120)
    ]  # fmt: skip
    hub = _hub(tmp_path, {"crm": {"contacts": masked}}, None, page_size)
    assert len(set(ids(hub).values())) == 120
    assert questions(hub)[1] == 0
    assert len(weighed) < 200  # of 7,140 pairs
    write_rows(tmp_path / "src" / "crm", {"contacts": masked[:4]})
    sync_all(hub, accept_deletes=True)
    assert len(set(ids(hub).values())) < 4 or questions(hub)[1]
    write_rows(tmp_path / "src" / "crm", {"contacts": masked})
    sync_all(hub)
    assert len(set(ids(hub).values())) == 120
    assert questions(hub)[1] == 0
