"""sync, status, dead, replay and mapping: what came in, what did not, and how it is told."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
from click import unstyle

from crm_hub.cli.progress import Shown

MAPPING = """version: 1
connector: files
streams:
  shoes:
    entity: person
    identity: [{match: email}]
    fields:
      display_name: {at: Who}
      email: {at: Mail, as: email}
    tests:
      - remote: {Who: Ann Lee, Mail: ann@lee.example}
        canonical: {display_name: Ann LEE, email: [ann@lee.example]}
"""


def test_a_first_sync_counts_what_came_and_a_second_finds_nothing_new(
    crm, hub_dir: Path, people_hub: Path
) -> None:
    (hub_dir / "more.csv").write_text("Name,E-mail\nCy Adler,cy@adler.example\n")
    crm.fine("connect", "files", "more", "--set", "path=more.csv")
    first = {one["connection"]: one for one in crm.fine("sync", "--json").data["connections"]}
    assert (first["more"]["new"], first["more"]["people"]) == (1, 1)
    again = crm.fine("sync", "--json").data
    assert again["stopped"] is False
    assert sum(one["pulled"] for one in again["connections"]) == 0
    table = crm.fine("sync", "more").out.splitlines()
    assert table[0].split()[:3] == ["connection", "pulled", "new"]
    assert table[1].split()[0] == "more"


def test_one_failing_connection_does_not_stop_the_next_and_the_exit_status_tells(
    crm, people_hub: Path
) -> None:
    crm.fine("connect", "files", "gone", "--set", "path=gone.csv", "--no-check")
    (people_hub / "zoe.csv").write_text("Name,E-mail\nZoe Ray,zoe@ray.example\n")
    crm.fine("connect", "files", "zoe", "--set", "path=zoe.csv")
    done = crm("sync")
    assert done.status == 1
    assert "gone" in done.err
    assert [line.split()[-1] for line in done.out.splitlines()[1:4]] == ["ok", "failed", "ok"]
    data = crm("sync", "--json").data["connections"]
    assert data[1]["error"]
    assert data[1]["remedy"]
    states = {row["connection"]: row["state"] for row in crm("status", "--json").data["streams"]}
    assert states["gone"] != "ok"
    assert states["zoe"] == "ok"


def test_a_failure_stands_in_the_status_until_the_source_answers_again(
    crm, people_hub: Path
) -> None:
    (people_hub / "people.csv").rename(people_hub / "away.csv")
    assert crm("sync").status == 1
    assert crm.fine("status", "--json").data["streams"][0]["state"] == "failing"
    (people_hub / "away.csv").rename(people_hub / "people.csv")
    crm.fine("sync")
    assert crm.fine("status", "--json").data["streams"][0]["state"] == "ok"


def test_an_unknown_connection_names_those_there_are(crm, people_hub: Path) -> None:
    done = crm("sync", "peple", "--json")
    assert done.status == 2
    assert "people" in done.data["remedy"]


def test_a_mass_delete_is_braked_until_it_is_accepted(crm, people_hub: Path) -> None:
    lines = (people_hub / "people.csv").read_text().splitlines()
    (people_hub / "people.csv").write_text("\n".join(lines[:2]) + "\n")
    braked = crm("sync")
    assert braked.status == 1
    assert "--accept-deletes" in braked.err
    done = crm.fine("sync", "--accept-deletes", "--json")
    assert done.data["connections"][0]["deleted"] == 2


def test_a_window_reads_a_span_again_without_moving_the_checkpoint(crm, people_hub: Path) -> None:
    since = ("sync", "people", "--since", "2026-02-02", "--until", "2026-02-03")
    report = crm.fine(*since, "--json").data["connections"][0]
    assert (report["pulled"], report["unchanged"]) == (1, 1)
    assert crm.fine("sync", "--json").data["connections"][0]["pulled"] == 0


@pytest.mark.parametrize(
    "span",
    [
        ("--until", "2026-01-01"),
        ("--since", "yesterday"),
        ("--since", "2026-02-02", "--until", "2026-02-01"),
    ],
)
def test_a_span_that_makes_no_sense_is_a_usage_error(crm, people_hub: Path, span) -> None:
    done = crm("sync", *span, "--json")
    assert done.status == 2
    assert done.data["error"]


def test_status_is_complete_only_when_nothing_is_missing(crm, people_hub: Path) -> None:
    assert "All 1 streams are complete." in crm.fine("status").out
    row = crm.fine("status", "--json").data["streams"][0]
    assert (row["source_count"], row["hub_count"], row["coverage"]) == (3, 3, 100.0)
    assert row["state"] == "ok"
    (people_hub / "bad.jsonl").write_text('{"email": "a@b.example", "name": "A"}\n{broken\n')
    crm.fine("connect", "files", "bad", "--set", "path=bad.jsonl")
    crm.fine("sync")
    done = crm.fine("status")
    assert "1 of 2 streams are not complete." in done.out


def test_what_was_set_aside_is_listed_shown_and_tried_again(crm, people_hub: Path) -> None:
    assert crm.fine("dead", "list").out == "Nothing was set aside.\n"
    (people_hub / "bad.jsonl").write_text('{"email": "a@b.example", "name": "A"}\n{broken\n')
    crm.fine("connect", "files", "bad", "--set", "path=bad.jsonl")
    assert "crm-hub dead list" in crm.fine("sync").out
    [letter] = crm.fine("dead", "list", "bad", "--json").data["dead"]
    assert letter["reason"]
    assert letter["remedy"]
    shown = crm.fine("dead", "show", letter["id"]).out
    assert letter["reason"] in shown
    assert "{broken" in shown
    assert crm.fine("dead", "retry", letter["id"], "--json").data["left"] == 1
    (people_hub / "bad.jsonl").write_text('{"email": "a@b.example", "name": "A"}\n')
    crm.fine("sync")
    assert crm.fine("dead", "list", "--json").data == {"dead": []}


@pytest.mark.parametrize("number", [99, -1, 10**30])
def test_a_number_that_nothing_has_is_refused(crm, people_hub: Path, number) -> None:
    for command in (("dead", "show", "--json", "--", number), ("dead", "retry", "--", number)):
        assert crm(*command).status == 2


def test_replay_walks_what_is_stored_and_reads_no_source(crm, people_hub: Path) -> None:
    (people_hub / "people.csv").rename(people_hub / "away.csv")
    (people_hub / "people.csv").write_text((people_hub / "away.csv").read_text())
    before = crm.fine("people", "--json").data
    report = crm.fine("replay", "--json").data["connections"][0]
    assert (report["walked"], report["people"]) == (3, 0)
    assert crm.fine("people", "--json").data == before


def test_mapping_files_are_linted_tested_and_accepted(crm, hub_dir: Path) -> None:
    (hub_dir / "shoes.csv").write_text("Who,Mail,Size\nAnn Lee,ann@lee.example,39\n")
    (hub_dir / "own.yaml").write_text(MAPPING)
    crm.fine("connect", "files", "shoes", "--set", "path=shoes.csv", "--set", "mapping=own.yaml")
    found = crm("mapping", "lint", "shoes", "--json").data["findings"]
    assert any("'Size'" in one["message"] for one in found)
    assert {one["connection"] for one in found} == {"shoes"}
    failing = crm("mapping", "test", "shoes")
    assert failing.status == 1
    assert "Ann LEE" in failing.out
    assert crm.fine("mapping", "accept", "own.yaml", "--json").data["changed"] == 1
    assert "display_name: Ann Lee" in (hub_dir / "own.yaml").read_text()
    crm.fine("mapping", "test", "shoes")
    assert crm("mapping", "accept", "nowhere.yaml").status == 2


def test_a_broken_mapping_names_file_line_and_column(crm, hub_dir: Path) -> None:
    (hub_dir / "shoes.csv").write_text("Who,Mail\nAnn Lee,ann@lee.example\n")
    (hub_dir / "own.yaml").write_text(MAPPING.replace("display_name: {at", "dsplay_name: {at"))
    settings = ("--set", "path=shoes.csv", "--set", "mapping=own.yaml")
    crm.fine("connect", "files", "shoes", *settings, "--no-check")
    done = crm("mapping", "lint", "--json")
    assert done.status == 2
    assert "own.yaml:8:" in done.data["error"]
    assert "display_name" in done.data["error"]


def test_progress_without_a_terminal_is_a_plain_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with Shown() as progress:
        for _ in range(50):
            clock[0] += 0.1
            progress("mail", "in\x1b[2Jbox", Counter(pulled=1000, events=5))
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 2
    assert lines[0] == "mail: in [2Jbox: 1,000 records, 5 events"
    assert unstyle(captured.err) == captured.err


def test_a_failure_of_a_connection_is_told_once_under_its_name(
    crm, people_hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POST", "canary")
    refused = ("--set", "host=127.0.0.1", "--set", "port=1", "--set", "username=ann")
    crm.fine("connect", "imap", "post", *refused, "--set", "password=env:POST", "--no-check")
    monkeypatch.delenv("POST")
    done = crm("check", "post")
    assert done.err.startswith("Error: post: password refers to")
    monkeypatch.setenv("POST", "canary")
    assert crm("sync", "post").err.startswith("Error: post: 127.0.0.1:1 cannot be reached")
    (people_hub / "people.csv").unlink()
    assert crm("sync", "people").status == 1
    lines = crm.fine("status").out.splitlines()
    assert "post: 127.0.0.1:1 cannot be reached: Connection refused" in lines
    assert sum("cannot be opened" in line for line in lines) == 1


def test_lint_warns_of_a_mapping_file_that_nothing_reads(crm, people_hub: Path) -> None:
    folder = people_hub / "mappings"
    (folder / "fles.yaml").write_text("version: 1\nconnector: files\nstreams: {}\n")
    (folder / "own.yaml").write_text("version: 1\nconnector: files\nstreams: {}\n")
    crm.fine("connect", "files", "people", "--replace", "--set", "mapping=mappings/own.yaml")
    done = crm("mapping", "lint")
    assert done.status == 1
    assert "fles.yaml:1:1: warning: nothing reads this file" in done.out
    assert "did you mean files.yaml?" in done.out
    assert "own.yaml:1:1: warning" not in done.out
    (folder / "fles.yaml").rename(folder / "files.yml")
    assert "files.yml:1:1: warning: nothing reads" in crm("mapping", "lint").out
