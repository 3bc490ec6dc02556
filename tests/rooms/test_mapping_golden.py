"""Golden tests inside mapping files, their accept command, and lint."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from crm_hub.mapping import accept, lint, parse, run_tests
from crm_hub.model.errors import ConfigError
from crm_hub.sdk.contract import StreamInfo

TEXT = """\
version: 1
connector: crm
streams:
  people:                       # from the export
    entity: person
    identity: [{match: email}]
    fields:
      given_name: {at: first}   # a comment that must stay
      email: {at: mail, dir: both, as: {split: ";"}}
    events:
      made:
        type: note
        occurred_at: at
        when: {at: at, present: true}
        participants: [{role: contact, match: email, at: mail}]
    tests:
      - remote: {first: " Ann", mail: ann@ACME.example}
        canonical: {given_name: Ann, email: [ann@acme.example]}
        roundtrip: true
      - remote: {first: Bob, mail: "?", at: 2026-03-10 08:40}
        zone: America/New_York
        canonical: {given_name: Bob}
        events: [{entry: made, occurred_at: "2026-03-10T12:40:00Z", participants: []}]
        drifts: [email, events.made]
"""


def test_a_file_whose_tests_hold_has_no_differences() -> None:
    results = run_tests(parse(TEXT, "crm.yaml"))
    assert [(r.section, r.index, r.differences) for r in results] == [
        ("people", 0, ()),
        ("people", 1, ()),
    ]
    assert str(results[1].mark) == "crm.yaml:20:9"


@pytest.mark.parametrize(
    ("was", "becomes", "difference"),
    [
        ("{given_name: Ann, ", "{given_name: Eve, ", "canonical.given_name: expected 'Eve'"),
        ("{given_name: Ann, ", "{", "canonical.given_name: expected 'nothing', got 'Ann'"),
        ("{given_name: Bob}", "{given_name: Bob, title: x}", "canonical.title: expected 'x'"),
        ("12:40:00Z", "13:40:00Z", "events[0].occurred_at: expected"),
        ("[{entry: made, ", "[{type: note}, {entry: made, ", "events: expected 2, got 1 (made)"),
        ("participants: []}]", "participants: [{role: to}]}]", "events[0].participants"),
        ("drifts: [email, events.made]", "drifts: []", "drifts: expected []"),
        ('as: {split: ";"}', 'as: [{split: ";"}, first]', "roundtrip.email: a step cannot"),
    ],
)
def test_each_difference_is_named(was: str, becomes: str, difference: str) -> None:
    assert was in TEXT
    results = run_tests(parse(TEXT.replace(was, becomes), "crm.yaml"))
    assert any(difference in line for result in results for line in result.differences)
    assert any(not result.ok for result in results)


def test_accept_rewrites_wrong_expectations_only_and_keeps_comments(tmp_path: Path) -> None:
    path = tmp_path / "crm.yaml"
    wrong = TEXT.replace("{given_name: Bob}", "{given_name: Eve}").replace("12:40", "13:40")
    path.write_text(wrong)
    path.chmod(0o640)
    assert accept(path) == 1
    assert all(result.ok for result in run_tests(parse(path.read_text(), "crm.yaml")))
    kept = [line for line in wrong.splitlines() if "#" in line]
    assert kept == [line for line in path.read_text().splitlines() if "#" in line]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert accept(path) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["crm.yaml"]


def test_accept_fills_in_a_test_that_expects_nothing_yet(tmp_path: Path) -> None:
    path = tmp_path / "crm.yaml"
    head, _, _ = TEXT.partition("    tests:")
    path.write_text(head + "    tests:\n      - remote: {mail: '?', at: '2026-03-10'}\n")
    assert accept(path) == 1
    (test,) = parse(path.read_text(), "crm.yaml").sections["people"].tests
    assert test.canonical == {}
    assert test.drifts == ["email", "events.made"]
    assert test.events == [
        {"entry": "made", "type": "note", "occurred_at": "2026-03-10T00:00:00Z", "key": ""}
    ]


def test_accept_does_not_touch_a_file_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "crm.yaml"
    path.write_text("version: 1\nconnector: [\n")
    with pytest.raises(ConfigError):
        accept(path)
    assert path.read_text() == "version: 1\nconnector: [\n"


def findings(text: str, *streams: StreamInfo) -> list[str]:
    return [str(finding) for finding in lint(parse(text, "crm.yaml"), streams)]


def test_a_sound_file_has_no_findings() -> None:
    fields = {"first": "string", "mail": "string", "at": "string"}
    assert findings(TEXT, StreamInfo("people", fields=fields)) == []


def test_lint_names_what_nobody_maps_and_what_the_source_does_not_have() -> None:
    fields = {"firstname": "string", "mail": "string", "at": "string", "fax": "string"}
    assert findings(TEXT, StreamInfo("people.csv", "people", fields=fields)) == [
        "crm.yaml:4:3: note: people.csv: nobody maps the field 'firstname'",
        "crm.yaml:4:3: note: people.csv: nobody maps the field 'fax'",
        "crm.yaml:8:7: note: people.csv: the source shows no field 'first'; "
        "did you mean 'firstname'?",
    ]
    silent = TEXT.replace("    entity: person", "    entity: person\n    unknown: drop")
    assert not any("nobody maps" in line for line in findings(silent, StreamInfo("people")))


def test_lint_names_a_stream_without_a_section() -> None:
    assert findings(TEXT, StreamInfo("deals")) == [
        "crm.yaml:3:1: warning: deals: no section for the shape 'deals'; it maps nothing"
    ]
    assert findings(TEXT, StreamInfo("deals", section={"entity": "deal"})) == []


@pytest.mark.parametrize(
    ("was", "becomes", "finding"),
    [
        ("given_name: {at: first}", "given_name: {at: first, dir: both, as: {enum: {a: b, c: b}}}",
         "8:7: warning: people.given_name: a step cannot be written back"),
        ("given_name: {at: first}", "given_name: {at: [first, name], dir: both}",
         "8:7: warning: people.given_name: only a field with exactly one path"),
        ("given_name: {at: first}", "stage: {at: first, as: {enum: {a: led}}}",
         "8:7: warning: people.stage: led not among the known words: lead, "),
        ("    identity: [{match: email}]\n", "",
         "4:3: warning: people: without `identity` no record is ever matched"),
    ],
)  # fmt: skip
def test_lint_warns_at_the_place(was: str, becomes: str, finding: str) -> None:
    assert was in TEXT
    assert any(
        line.startswith(f"crm.yaml:{finding}") for line in findings(TEXT.replace(was, becomes))
    )


def test_lint_notes_a_section_without_tests() -> None:
    head, _, _ = TEXT.partition("    tests:")
    assert findings(head) == ["crm.yaml:4:3: note: people: no golden test shows what comes out"]
