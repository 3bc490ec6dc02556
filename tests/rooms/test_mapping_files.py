"""Mapping files as types: errors name their place, layers override field by field."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_hub.mapping import (
    MappingFile,
    builtin_folder,
    compile_plan,
    compile_section,
    overlay,
    parse,
    read_identity,
    read_layers,
    read_survivorship,
    run_tests,
)
from crm_hub.mapping.plan import Plan
from crm_hub.model.entities import ENTITIES
from crm_hub.model.errors import ConfigError
from crm_hub.model.rules import Win

HEAD = "version: 1\nconnector: crm\nstreams:\n"
PEOPLE = (
    HEAD + "  people:\n"
    "    entity: person\n"
    "    identity: [{match: email}]\n"
    "    fields:\n"
    "      given_name: first\n"
    "      email: {at: mail, win: [erp, crm]}\n"
    "    events:\n"
    "      made: {type: note, occurred_at: at, key: [note, {at: id}]}\n"
)


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, "crm.yaml")
    assert caught.value.remedy
    return caught.value.message


def people(fields: str) -> str:
    return f"{HEAD}  people:\n    entity: person\n    fields:\n      {fields}\n"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (people("given_name: {at: first, dirr: both}"), "7:31", "did you mean 'dir'"),
        (people("given_nam: first"), "7:7", "did you mean 'given_name'"),
        (people("email: {at: mail, as: emial}"), "7:25", "did you mean 'email'"),
        (people("email: {at: mail, dir: bot}"), "7:25", "'pull', 'push' or 'both'"),
        (people("email: {at: mail, as: {split: ''}}"), "7:25", "needs a text"),
        (people("email: {at: mail, as: {date: 'x'}}"), "7:25", "takes a format"),
        (people("email: {at: mail, as: {money: {currncy: USD}}}"), "7:25", "no parameter"),
        (people("email: {at: mail, as: {enum: {a: 1, A: 2}}}"), "7:25", "twice"),
        (people("email: {at: a..b}"), "7:15", "empty part"),
        (people("email: [3]"), "7:7", "expected keys and values"),
        (people("email: {at: []}"), "7:15", "a path is a text"),
        (people("email: {}"), "7:7", "exactly one of"),
        (people("email: {at: a, const: b}"), "7:7", "exactly one of"),
        (people("stage: {at: a, win: best}"), "7:22", "{ladder: [...]}"),
        (people("address: {of: {stret: a}}"), "7:22", "did you mean 'street'"),
        (people("note: {at: a, when: {at: b}}"), "7:21", "`is`, `not` or `present`"),
        (HEAD + "  a: {entity: persn}\n", "4:7", "did you mean 'person'"),
        (HEAD + "  a: {entity: person, identity: [{match: email}]}\n", "4:34", "needs the field"),
        (HEAD + "  a: {entity: person, identity: [{strong: x}]}\n", "4:34", "needs `at`"),
        (HEAD + "  a: {entity: person, hook: 'os:system'}\n", "4:23", "a hook is a function"),
        (HEAD + "  a: {entity: person, hook: 'nonsense'}\n", "4:23", "match pattern"),
        (HEAD + "  a: {unknown: keep}\n", "4:3", "`entity`, `events` or both"),
        (HEAD + "  a: {events: {e: {type: note}}}\n", "4:16", "'occurred_at' is missing"),
        (
            HEAD + "  a: {events: {e: {type: invoice.isued, occurred_at: t}}}\n",
            "4:20",
            "did you mean 'invoice.issued'",
        ),
        (
            HEAD + "  a: {events: {e: {type: note, occurred_at: t, participants: [{role: x,"
            " name: n}]}}}\n",
            "4:64",
            "'organizer'",
        ),
        ("version: 2\nconnector: crm\n", "1:1", "expected 1"),
        ("version: 1\nconnector: crm\nstream: {}\n", "3:1", "did you mean 'streams'"),
        ("version: 1\n", "1:1", "'connector' is missing"),
    ],
)
def test_an_error_names_line_column_and_what_is_allowed(text: str, place: str, words: str) -> None:
    message = refused(text)
    assert message.startswith(f"crm.yaml:{place}: ")
    assert words in message


def test_every_problem_of_a_file_is_listed_at_once_up_to_five() -> None:
    message = refused(people("\n      ".join(f"wrong{n}: a" for n in range(7))))
    assert message.count("crm.yaml:") == 5
    assert "… and 2 more" in message


def test_a_connector_without_streams_is_a_mapping_of_nothing() -> None:
    assert parse(HEAD, "crm.yaml").sections == {}


def test_an_overriding_file_changes_one_field_and_keeps_the_others() -> None:
    over = HEAD + "  people:\n    fields:\n      email: {at: other}\n"
    merged = overlay(parse(PEOPLE, "a.yaml"), parse(over, "b.yaml", complete=False))
    fields = merged.sections["people"].fields
    assert fields["email"].at == ("other",)
    assert fields["email"].win is None, "a field is replaced whole"
    assert fields["given_name"].at == ("first",)
    assert list(merged.sections["people"].events) == ["made"]
    assert str(merged.mark("streams", "people", "fields", "email")) == "b.yaml:6:7"
    assert str(merged.mark("streams", "people", "fields", "given_name")) == "a.yaml:8:7"


def test_null_in_an_overriding_file_takes_an_entry_out() -> None:
    over = HEAD + "  people:\n    fields: {given_name: null}\n    events: {made: ~}\n"
    merged = overlay(parse(PEOPLE, "a.yaml"), parse(over, "b.yaml", complete=False))
    assert list(merged.sections["people"].fields) == ["email"]
    assert not merged.sections["people"].events


def test_an_empty_key_in_an_overriding_file_changes_nothing() -> None:
    over = HEAD + "  people:\n    fields:\n    events:\n"
    base = parse(PEOPLE, "a.yaml")
    merged = overlay(base, parse(over, "b.yaml", complete=False))
    assert merged.sections == base.sections


def test_an_overriding_file_may_add_a_section() -> None:
    over = HEAD + "  firms:\n    entity: organization\n    fields: {legal_name: name}\n"
    merged = overlay(parse(PEOPLE, "a.yaml"), parse(over, "b.yaml"))
    assert list(merged.sections) == ["people", "firms"]


def test_an_error_in_an_overriding_file_names_that_file() -> None:
    over = HEAD + "  people:\n    fields: {emial: x}\n"
    with pytest.raises(ConfigError, match=r"b\.yaml:5:14: .*did you mean 'email'"):
        overlay(parse(PEOPLE, "a.yaml"), parse(over, "b.yaml", complete=False))


def test_a_file_of_another_connector_is_not_laid_over() -> None:
    with pytest.raises(ConfigError, match="for the connector 'erp', not 'crm'"):
        overlay(parse(PEOPLE, "a.yaml"), parse("version: 1\nconnector: erp\n", "b.yaml"))


def test_folders_are_layers_and_the_last_one_wins(tmp_path: Path) -> None:
    for folder, path in (("one", "a"), ("two", "b")):
        (tmp_path / folder).mkdir()
        text = HEAD + f"  people:\n    fields: {{email: {path}}}\n"
        (tmp_path / folder / "crm.yaml").write_text(text)
    folders = [tmp_path / "one", tmp_path / "none", tmp_path / "two"]
    file = read_layers("crm", folders, base_text=PEOPLE, base_origin="crm/mapping.yaml")
    assert file.sections["people"].fields["email"].at == ("b",)
    assert file.sections["people"].fields["given_name"].at == ("first",)


def test_a_connector_without_any_file_maps_nothing() -> None:
    assert read_layers("nobody-has-this", []).sections == {}


@pytest.mark.parametrize("kind", ["../secrets", "a/b", "", ".", "a.b"])
def test_a_kind_cannot_name_a_file_elsewhere(kind: str) -> None:
    with pytest.raises(ConfigError, match="no connector kind"):
        read_layers(kind, [])


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"crm\.yaml could not be read"):
        read_layers("crm", [tmp_path])


def plan_of(text: str, **over: str) -> Plan:
    locale = {"connection": "crm1", "region": "US", "zone": "UTC"} | over
    return compile_plan(parse(text, "crm.yaml"), **locale)


def test_the_digest_follows_the_meaning_and_not_the_writing() -> None:
    usual = plan_of(PEOPLE).digest
    assert plan_of("# a comment\n" + PEOPLE.replace("given_name: first", 'given_name: "first"'))
    assert plan_of("# a comment\n" + PEOPLE).digest == usual
    tested = PEOPLE + "    tests: [{remote: {first: A}, canonical: {given_name: A}}]\n"
    assert plan_of(tested).digest == usual
    assert plan_of(PEOPLE.replace("at: mail", "at: post")).digest != usual
    assert plan_of(PEOPLE, zone="Europe/Berlin").digest != usual
    assert plan_of(PEOPLE, connection="crm2").digest != usual


def test_the_digest_of_a_section_stays_when_another_changes() -> None:
    more = PEOPLE + "  firms: {entity: organization, fields: {legal_name: name}}\n"
    assert plan_of(more).sections["people"].digest == plan_of(PEOPLE).sections["people"].digest
    assert plan_of(more).digest != plan_of(PEOPLE).digest


def test_a_section_plan_carries_the_rules_of_its_fields() -> None:
    assert plan_of(PEOPLE).sections["people"].rules == {"email": Win("ordered", ("erp", "crm"))}


@pytest.mark.parametrize("over", [{"zone": "Mars/Olympus"}, {"zone": "../x"}, {"region": "XX"}])
def test_an_unknown_zone_or_region_is_refused(over: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="is no"):
        plan_of(PEOPLE, **over)


def test_a_constant_that_does_not_fit_its_field_is_refused_at_compile_time() -> None:
    with pytest.raises(ConfigError, match="not an e-mail address"):
        plan_of(people("email: {const: nobody}"))


def test_a_section_proposed_by_a_connector_is_checked_like_a_file() -> None:
    where = {"name": "guess", "connection": "c", "region": "US", "zone": "UTC"}
    section = {"entity": "person", "flat": True, "fields": {"email": {"at": "E.Mail"}}}
    plan = compile_section(section, **where)
    mapped = plan.map({"E.Mail": "ann@acme.example"})
    assert mapped.record is not None
    assert mapped.record.values == {"email": ["ann@acme.example"]}
    with pytest.raises(ConfigError, match="did you mean 'email'"):
        compile_section({"entity": "person", "fields": {"emial": "x"}}, **where)
    with pytest.raises(ConfigError, match="unknown key 'field'"):
        compile_section({"entity": "person", "field": {}}, **where)


def test_every_built_in_mapping_passes_its_own_tests() -> None:
    kinds = [p.stem for p in builtin_folder().glob("*.yaml")]
    for kind in sorted(set(kinds) - {"survivorship", "identity"}):
        failed = [result for result in run_tests(read_layers(kind, [])) if not result.ok]
        assert not failed


def test_every_canonical_field_has_a_rule() -> None:
    rules = read_survivorship()
    assert {e: set(f) for e, f in rules.items()} == {e: set(f) for e, f in ENTITIES.items()}
    assert rules["person"]["given_name"] == Win("latest")
    assert rules["person"]["email"] == Win("union")
    assert rules["person"]["consent_email"] == Win("strictest", ("denied", "granted"))
    assert rules["person"]["stage"].strategy == "ladder"


def test_rules_are_overridden_field_by_field(tmp_path: Path) -> None:
    text = "version: 1\nentities: {person: {title: [erp, crm], stage: latest}}\n"
    (tmp_path / "survivorship.yaml").write_text(text)
    rules = read_survivorship([tmp_path])["person"]
    assert rules["title"] == Win("ordered", ("erp", "crm"))
    assert rules["stage"] == Win("latest")
    assert rules["consent_email"].strategy == "strictest"


def _saying(win: str) -> MappingFile:
    line = f"version: 1\nconnector: x\nstreams: {{c: {{entity: person, fields: {{title: {win}}}}}}}"
    return parse(line, "x.yaml")


def test_a_mapping_says_who_wins_unless_the_hubs_own_file_does(tmp_path: Path) -> None:
    said = {"crm": _saying("{at: t, win: [crm, erp]}"), "erp": _saying("{at: t}")}
    assert read_survivorship([], said)["person"]["title"] == Win("ordered", ("crm", "erp"))
    (tmp_path / "survivorship.yaml").write_text("version: 1\nentities: {person: {title: manual}}\n")
    assert read_survivorship([tmp_path], said)["person"]["title"] == Win("manual")


def test_two_mappings_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    said = {"crm": _saying("{at: t, win: [crm]}"), "erp": _saying("{at: t, win: human}")}
    with pytest.raises(ConfigError, match="crm and erp say different things of who wins in person"):
        read_survivorship([], said)
    (tmp_path / "survivorship.yaml").write_text("version: 1\nentities: {person: {title: human}}\n")
    assert read_survivorship([tmp_path], said)["person"]["title"] == Win("human")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 1\nentities: {persn: {}}\n", r"2:12: .*did you mean 'person'"),
        ("version: 1\nentities: {person: {titel: latest}}\n", r"2:21: .*did you mean 'title'"),
        ("version: 1\nentities: {person: {title: newest}}\n", r"2:21: .*a rule is latest"),
        ("version: 1\nentity: {}\n", r"2:1: .*did you mean 'entities'"),
        ("entities: {}\n", "version: 1"),
        ("version: 1\nentities: [a]\n", "expected keys and values"),
    ],
)
def test_a_wrong_rule_is_refused_at_its_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "survivorship.yaml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_survivorship([tmp_path])


def test_the_built_in_identity_rules_know_the_usual_cases() -> None:
    rules = read_identity()
    assert {"info", "office", "no-reply", "mailer-daemon", "buchhaltung"} <= rules.role_local_parts
    assert {"gmail.com", "gmx.de", "qq.com"} <= rules.free_domains
    assert len(rules.free_domains) >= 150
    assert "dr" in rules.honorifics
    assert "test@test.com" in rules.junk_emails
    assert rules.holders_cap == 50


def test_identity_lists_are_changed_or_replaced(tmp_path: Path) -> None:
    (tmp_path / "identity.yaml").write_text(
        "version: 1\nthresholds: {holders_cap: 9}\nhonorifics: [Dr]\n"
        "role_local_parts: {add: [Fahrdienst], remove: [hello]}\n"
    )
    rules = read_identity([tmp_path])
    assert rules.honorifics == {"dr"}
    assert "fahrdienst" in rules.role_local_parts
    assert "info" in rules.role_local_parts
    assert "hello" not in rules.role_local_parts
    assert rules.holders_cap == 9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 1\nhonorific: []\n", "did you mean 'honorifics'"),
        ("version: 1\nhonorifics: dr\n", "list of texts"),
        ("version: 1\nhonorifics: {ad: [dr]}\n", "did you mean 'add'"),
        ("version: 1\nthresholds: {holders_cap: no}\n", "whole number"),
        ("version: 1\nthresholds: {holder_cap: 5}\n", "did you mean 'holders_cap'"),
    ],
)
def test_a_wrong_identity_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "identity.yaml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_identity([tmp_path])
