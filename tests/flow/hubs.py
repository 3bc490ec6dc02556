"""Small hubs for tests, and what they hold in words that no load order changes."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from crm_hub.config import add_connection, create
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import SyncReport, sync
from crm_hub.resolve.marks import MARK, read_mark
from crm_hub.store import Db, Identities, Landings, Memberships, Timelines
from crm_hub.store.match_keys import entries_of, split

HERE = Path(__file__).parent
Rows = Mapping[str, Iterable[Mapping[str, Any]]]


def write_rows(folder: Path, rows: Rows) -> None:
    """Write the source's streams as they are now."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, found in rows.items():
        lines = [json.dumps(dict(row)) for row in found]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), "utf-8")


def make_hub(
    folder: Path,
    sources: Mapping[str, Path],
    *,
    store: str = "sqlite:///hub.db",
    page_size: int = 1000,
) -> Hub:
    """Return a hub with one scripted connection for each folder of `sources`."""
    create(folder, own=["ours.example"], store=store)
    shutil.copytree(HERE / "scripted", folder / "connectors" / "scripted", dirs_exist_ok=True)
    for name, path in sources.items():
        add_connection(folder, name, "scripted", {"path": str(path), "page_size": page_size})
    return Hub(folder)


def sync_all(hub: Hub, **options: Any) -> list[SyncReport]:
    """Sync everything; a failing connection fails the test."""
    reports = list(sync(hub, **options))
    for report in reports:
        assert report.error is None, report.error
    return reports


def content(hub: Hub) -> dict[str, Any]:
    """Return identities, golden values and timelines, named by source keys instead of numbers.

    Every record must also be found by its keys, and by no others.
    """
    with hub.store.read() as db:
        _found_by_its_keys(db)
        names = {
            row[0]: f"{row[1]}/{row[2]}#{row[3]}"
            for row in db.conn.execute(
                text(
                    "SELECT r.id, s.connection, s.name, r.key FROM source_record r"
                    " JOIN stream s ON s.id = r.stream_id WHERE NOT r.deleted"
                )
            )
        }
        members: dict[int, list[str]] = {}
        for record, identity in db.conn.execute(
            text("SELECT record_id, identity_id FROM identity_link WHERE state <> 'revoked'")
        ):
            members.setdefault(identity, []).append(names[record])
        label = {i: "|".join(sorted(found)) for i, found in members.items()}
        golden = {}
        for row in Identities(db).identities(members).values():
            doc = orjson.loads(row.golden)
            origin = doc["p"]
            where = (
                names[origin]
                if isinstance(origin, int)
                else {f: names[r] for f, r in origin.items()}
            )
            golden[label[row.id]] = (row.entity, row.display_name, doc["v"], where)
        words = winners(db)
        timelines = {
            label[i]: [
                (r.occurred_at_us, r.seq, _told(r.shown), words[r.event_id])
                for r in Timelines(db).page(i, 100_000, None)
            ]
            for i in members
        }
        firms = sorted((label[p], label[o]) for p, o, *_ in Memberships(db).of_people(members))
        told = sorted((len(list(rows))) for rows in _sources(db).values())
    return {"golden": golden, "timelines": timelines, "memberships": firms, "told": told}


def _found_by_its_keys(db: Db) -> None:
    """Fail unless the entries are those of the records' keys, each name with its record's mark."""
    rows = db.conn.execute(text("SELECT record_id, match_keys FROM canonical_record")).fetchall()
    keys = [(key, r) for r, held in rows for key in split(held) if key[:2] != MARK]
    marks = {record: read_mark(split(held)) for record, held in rows}
    tables = ("match_key", "match_key_recent") if db.name == "sqlite" else ("match_key",)
    entries = [
        (key, record, None if mark is None else bytes(mark))
        for table in tables
        for key, record, mark in db.conn.execute(text(f"SELECT key, record_id, mark FROM {table}"))
    ]
    assert sorted(entries, key=repr) == sorted(entries_of(keys, marks), key=repr)


def _told(shown: str) -> list[Any]:
    """Return what a line shows but whether it came late, which says when it was read."""
    kind, _, *rest = orjson.loads(shown)
    return [kind, *rest]


def winners(db: Any) -> dict[int, tuple[str, str]]:
    """Return the visibility of each event and the words it shows, as JSON."""
    rows = db.conn.execute(
        text(
            "SELECT e.id, e.visibility, s.draft FROM event e JOIN event_source s"
            " ON s.record_id = e.record_id AND s.entry = e.entry"
        )
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _sources(db: Any) -> dict[int, list[int]]:
    out: dict[int, list[int]] = {}
    for event, record in db.conn.execute(text("SELECT event_id, record_id FROM event_source")):
        out.setdefault(event, []).append(record)
    return out


def ids(hub: Hub) -> dict[str, int]:
    """Return the identity id of every source record, by source key."""
    with hub.store.read() as db:
        rows = db.conn.execute(
            text(
                "SELECT s.connection, s.name, r.key, l.identity_id FROM identity_link l"
                " JOIN source_record r ON r.id = l.record_id JOIN stream s ON s.id = r.stream_id"
                " WHERE l.state <> 'revoked'"
            )
        )
        return {f"{r[0]}/{r[1]}#{r[2]}": r[3] for r in rows}


def records(hub: Hub) -> dict[str, str]:
    """Return the payload of every live source record, by source key."""
    with hub.store.read() as db:
        repo = Landings(db)
        streams = {s.id: s for s in repo.streams()}
        out = {}
        for stream in streams.values():
            for raw in repo.records(repo.live_numbers(stream.id)):
                out[f"{stream.connection}/{stream.name}#{raw.key}"] = raw.payload
        return out


FIRST = "Anna Bert Carla Dora Emil Frida Georg Hanna Ivan Julia Karl Lena".split()
LAST = "Abel Brandt Clausen Dietz Ebert Fuchs Graf Huber Imhof Jansen Keller Lorenz".split()


def world(people: int, mails: int, seed: int) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return rows for two CRMs and a mailbox around the same people, with every usual trap:
    shared mailboxes and phones, families, initials, missing names, the same mail twice."""
    rng = random.Random(seed)
    out: dict[str, dict[str, list[dict[str, Any]]]] = {
        "crm_a": {"contacts": [], "companies": []},
        "crm_b": {"contacts": []},
        "mail_1": {"mails": []},
        "mail_2": {"mails": []},
    }
    firms = max(1, people // 20)
    for i in range(firms):
        out["crm_a"]["companies"].append(
            {
                "id": f"c{i}",
                "name": f"Firm {i} GmbH",
                "domain": f"firm{i}.example",
                "email": f"info@firm{i}.example",
            }
        )
    for i in range(people):
        _person(out, rng, i, firms)
    for i in range(mails):
        _mail(out, rng, i, people, firms)
    return out


def _person(out: Any, rng: random.Random, i: int, firms: int) -> None:
    first, last, firm = rng.choice(FIRST), rng.choice(LAST), rng.randrange(firms)
    email = f"{first}.{last}{i}@firm{firm}.example".lower()
    phone = f"+1212555{i % 10000:04d}" if i % 50 else "+12125559999"
    base = {
        "first": first, "last": last, "email": email, "phone": phone,
        "company": f"c{firm}", "title": rng.choice(["Buyer", "Head", ""]),
        "changed_at": f"2026-01-{1 + i % 27:02d}T10:00:00+00:00",
    }  # fmt: skip
    out["crm_a"]["contacts"].append({"id": f"a{i}", **base, "stage": "lead"})
    kind = i % 7
    if kind == 0:
        other = {**base, "first": first[0], "email": email.upper(), "stage": "customer"}
    elif kind == 1:
        other = {"name": f"{last}, {first}", "phone": phone}
    elif kind == 2:
        other = {"name": f"{rng.choice(FIRST)} {last}", "phone": phone}
    elif kind == 3:
        other = {"name": f"{first} {last}", "email": f"info@firm{firm}.example"}
    elif kind == 4:
        other = {"email": email, "email2": f"{first}{i}@private.example".lower()}
    else:
        return
    out["crm_b"]["contacts"].append({"id": f"b{i}", **other})


def _mail(out: Any, rng: random.Random, i: int, people: int, firms: int) -> None:
    who = out["crm_a"]["contacts"][rng.randrange(people)]
    sender = rng.choice(
        [who["email"], f"info@firm{rng.randrange(firms)}.example", f"new{i}@else.example"]
    )
    row = {
        "id": f"m{i}", "message_id": f"<{i}@x>" if i % 5 else "", "subject": f"Subject {i % 40}",
        "date": f"2026-02-{1 + i % 27:02d}T{i % 24:02d}:{i % 60:02d}:00+00:00",
        "from": sender, "from_name": f"{who['first']} {who['last']}", "to": "sales@ours.example",
        "body": "x" * rng.randrange(5),
    }  # fmt: skip
    out["mail_1"]["mails"].append(row)
    if i % 3 == 0:
        out["mail_2"]["mails"].append({**row, "id": f"n{i}", "body": "yy"})
