"""Golden tests inside a mapping file: payload → what must come out, run and accepted.

The same pairs are documentation, regression tests and the author's quickest feedback.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from crm_hub.mapping.language import GoldenTest, Section
from crm_hub.mapping.plan import SectionPlan, compile_plan
from crm_hub.mapping.reading import MappingFile, parse, read_text
from crm_hub.mapping.steps import Locale
from crm_hub.mapping.steps.times import iso_utc
from crm_hub.mapping.values import compile_steps, last_step
from crm_hub.model.canonical import EventDraft, Mapped
from crm_hub.model.entities import ENTITIES
from crm_hub.model.errors import RecordError
from crm_hub.model.values import from_us
from crm_hub.yamltext import Mark

TEST_CONNECTION = "test"
_MISSING = "nothing"


@dataclass(frozen=True, slots=True)
class TestResult:
    """One golden test: which, where it stands, and each difference in words (none: it passed)."""

    __test__ = False  # not a test class for pytest, in spite of its name

    section: str
    index: int
    mark: Mark
    differences: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.differences


def run_tests(file: MappingFile) -> list[TestResult]:
    """Return the result of every golden test of the file, in its order."""
    return [
        TestResult(name, index, file.mark("streams", name, "tests", index), differences)
        for name, section in file.sections.items()
        for index, test in enumerate(section.tests)
        for differences in [tuple(_differences(file, name, section, test))]
    ]


def _plan(file: MappingFile, name: str, test: GoldenTest) -> SectionPlan:
    only = MappingFile(file.connector, {name: file.sections[name]}, file.document)
    plan = compile_plan(only, connection=TEST_CONNECTION, region=test.region, zone=test.zone)
    return plan.sections[name]


def _differences(file: MappingFile, name: str, section: Section, test: GoldenTest) -> list[str]:
    try:
        mapped = _plan(file, name, test).map(test.remote)
    except RecordError as error:
        return [f"the record was refused: {error.message}"]
    found: list[str] = []
    if test.canonical is not None:
        values = mapped.record.values if mapped.record else {}
        found += _unequal("canonical", test.canonical, values)
    if test.events is not None:
        found += _event_differences(test.events, mapped)
    drifted = [drift.field for drift in mapped.drifts]
    found += _unequal_values("drifts", sorted(test.drifts), sorted(set(drifted)))
    if test.roundtrip:
        found += _roundtrip(section, test, mapped)
    return found


def _unequal(place: str, wanted: dict[str, Any], got: dict[str, Any]) -> list[str]:
    keys = [*wanted, *(key for key in got if key not in wanted)]
    return [
        line
        for key in keys
        for line in _unequal_values(
            f"{place}.{key}", wanted.get(key, _MISSING), got.get(key, _MISSING)
        )
    ]


def _unequal_values(place: str, wanted: Any, got: Any) -> list[str]:
    return [] if wanted == got else [f"{place}: expected {wanted!r}, got {got!r}"]


def _event_differences(wanted: list[dict[str, Any]], mapped: Mapped) -> list[str]:
    got = [event_facts(event) for event in mapped.events]
    if len(wanted) != len(got):
        entries = ", ".join(str(event["entry"]) for event in got) or "none"
        return [f"events: expected {len(wanted)}, got {len(got)} ({entries})"]
    return [
        line
        for index, (want, have) in enumerate(zip(wanted, got, strict=True))
        for line in _subset(f"events[{index}]", want, have)
    ]


def _subset(place: str, wanted: Any, got: Any) -> list[str]:
    """Compare what `wanted` names; objects and lists of objects may hold more keys."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return [
            line
            for key, value in wanted.items()
            for line in _subset(f"{place}.{key}", value, got.get(key, _MISSING))
        ]
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        return [
            line
            for index, (want, have) in enumerate(zip(wanted, got, strict=True))
            for line in _subset(f"{place}[{index}]", want, have)
        ]
    return _unequal_values(place, wanted, got)


def event_facts(event: EventDraft) -> dict[str, Any]:
    """Return an event draft as golden tests write it: times as text, participants as objects."""
    facts = {name: getattr(event, name) for name in EventDraft.__slots__}
    facts["occurred_at"] = iso_utc(from_us(facts.pop("occurred_at_us")))
    facts["participants"] = [
        {"role": person.role, "key": person.key, "name": person.name}
        for person in event.participants
    ]
    return facts


def _roundtrip(section: Section, test: GoldenTest, mapped: Mapped) -> list[str]:
    """Write each two-way field back through its steps and read it again."""
    locale = Locale(TEST_CONNECTION, test.region, ZoneInfo(test.zone), flat=section.flat)
    found: list[str] = []
    for name, value in (mapped.record.values if mapped.record else {}).items():
        rule = section.fields[name]
        if rule.dir != "both" or not rule.at or mapped.record is None:
            continue
        field = ENTITIES[mapped.record.entity][name]
        pipe = compile_steps(rule.steps, last_step(name, field.type), locale)
        if not pipe.invertible:
            found.append(f"roundtrip.{name}: a step cannot be written back")
            continue
        again = pipe.items(pipe.write(value), test.remote, [])
        wanted = value if isinstance(value, list) else [value]
        found += _unequal_values(f"roundtrip.{name}", wanted, again)
    return found


def accept(path: Path) -> int:
    """Rewrite the expectations of the file's golden tests to what comes out now.

    Comments and layout stay. Returns how many tests changed; a test whose record is refused stays
    as it is. Raises: ConfigError when the file cannot be read.
    """
    text = read_text(path)
    file = parse(text, str(path))
    failing = [result for result in run_tests(file) if not result.ok]
    from ruamel.yaml import YAML  # only who edits pays for it

    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 4096
    editor.indent(mapping=2, sequence=4, offset=2)
    data = editor.load(text)
    changed = 0
    for result in failing:
        test = file.sections[result.section].tests[result.index]
        try:
            mapped = _plan(file, result.section, test).map(test.remote)
        except RecordError:
            continue
        _rewrite(data["streams"][result.section]["tests"][result.index], test, mapped)
        changed += 1
    if changed:
        out = io.BytesIO()
        editor.dump(data, out)
        _replace(path, out.getvalue())
    return changed


def _replace(path: Path, content: bytes) -> None:
    """Put the new text in the file's place at once, with the mode it had."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(content)
    temporary.chmod(path.stat().st_mode)
    temporary.replace(path)


def _rewrite(node: Any, test: GoldenTest, mapped: Mapped) -> None:
    if mapped.record is not None:
        node["canonical"] = mapped.record.values
    if test.events is not None or mapped.events:
        node["events"] = _accepted_events(test.events or [], mapped)
    drifts = sorted({drift.field for drift in mapped.drifts})
    if drifts != sorted(test.drifts):
        node["drifts"] = drifts


_USUAL_FACTS = ("entry", "type", "occurred_at", "key")


def _accepted_events(wanted: list[dict[str, Any]], mapped: Mapped) -> list[dict[str, Any]]:
    """Return the events with the keys that the test named before, else the usual ones."""
    out = []
    for index, event in enumerate(mapped.events):
        facts = event_facts(event)
        named = wanted[index] if index < len(wanted) else dict.fromkeys(_USUAL_FACTS)
        out.append({key: facts[key] for key in named if key in facts})
    return out
