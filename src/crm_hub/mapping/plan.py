"""A mapping file compiled for one connection: source payload → canonical record and events.

The last stage of the room: reading.py gave the types, record.py and events.py the closures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from phonenumbers import SUPPORTED_REGIONS
from pydantic import ValidationError

from crm_hub.mapping.check import problems
from crm_hub.mapping.each import compile_entry
from crm_hub.mapping.language import Section
from crm_hub.mapping.prepare import preparation
from crm_hub.mapping.reading import MappingFile, problems_of, refused
from crm_hub.mapping.record import compile_record
from crm_hub.mapping.steps import Locale
from crm_hub.model.canonical import CanonicalRecord, Drift, Mapped
from crm_hub.model.errors import ConfigError, RecordError
from crm_hub.model.rules import ENGINE_VERSION, Win
from crm_hub.yamltext import Document

_Run = Callable[[Sequence[dict[str, Any]], Sequence[int | None]], Sequence[Mapped | RecordError]]
_REMEDY = "Correct the mapping, then replay the record."


@dataclass(frozen=True, slots=True)
class SectionPlan:
    """One section, ready to map records.

    entity: what its records are ("" for a section of events; the default where the record says).
    rules: the survivorship rules that this section sets, by field. clears: the fields in which a
    blank says that the value is gone. has_strong_id: its records have an id of their own.
    digest: changes when what the section means changes.
    """

    name: str
    entity: str
    delete: str
    rules: dict[str, Win]
    digest: str
    clears: frozenset[str]
    has_strong_id: bool
    _run: _Run
    _of: tuple[str, Section, Locale]

    @property
    def names_its_records(self) -> bool:
        """Whether two records of one id are two things: people, firms, rows of a table.

        A mailbox may hold one mail twice, each copy with labels of its own.
        """
        return bool(self.entity) or self._of[1].flat

    def __reduce__(self) -> tuple[Callable[..., SectionPlan], tuple[str, Section, Locale]]:
        """Closures do not travel to another process; what they are made of does."""
        return _compile, self._of

    def map(self, payload: dict[str, Any], changed_at_us: int | None = None) -> Mapped:
        """Return what one source record says, in the words of the canonical model.

        payload: cleaned JSON, left unchanged. changed_at_us: the source's time of the last change
        where the section does not read one from the payload.
        A value that does not fit is left out and listed in `drifts`.
        Raises: RecordError when the record as a whole cannot go on.
        """
        (found,) = self._run([payload], [changed_at_us])
        if isinstance(found, RecordError):
            raise found
        return found

    def map_all(
        self, payloads: Sequence[dict[str, Any]], times: Sequence[int | None]
    ) -> list[Mapped | Exception]:
        """Return what each record says, or the exception that `map` raises for it.

        times: changed_at_us of each. A quarter faster than one after the other.
        """
        try:
            return list(self._run(payloads, times))
        except Exception:  # noqa: BLE001 - the others are to go on
            return [self._alone(*one) for one in zip(payloads, times, strict=True)]

    def _alone(self, payload: dict[str, Any], changed_at_us: int | None) -> Mapped | Exception:
        try:
            return self.map(payload, changed_at_us)
        except Exception as error:  # noqa: BLE001
            return error


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole mapping file compiled for one connection; `digest` covers all its sections."""

    sections: dict[str, SectionPlan]
    digest: str


def compile_plan(file: MappingFile, *, connection: str, region: str, zone: str) -> Plan:
    """Return the plan of a mapping file.

    region: ISO 3166 code for phone numbers without a country. zone: IANA zone for times without
    one. Raises: ConfigError.
    """
    locale = _locale(connection, region, zone)
    sections = {}
    for name, section in file.sections.items():
        try:
            sections[name] = _compile(name, section, locale)
        except ValueError as error:
            mark = file.mark("streams", name)
            raise ConfigError(f"{mark}: streams.{name}: {error}.", remedy=_REMEDY) from error
    digests = [sections[name].digest for name in sorted(sections)]
    return Plan(sections, _hash(digests))


def compile_section(
    section: Mapping[str, Any], *, name: str, connection: str, region: str, zone: str
) -> SectionPlan:
    """Return the plan of a section that a connector proposes (`StreamInfo.section`).

    Raises: ConfigError.
    """
    document = Document({"streams": {name: section}})
    try:
        typed = Section.model_validate(section)
    except ValidationError as error:
        found = problems_of(document, error, ("streams", name))
        raise refused(document, found) from error
    if found := list(problems(name, typed)):
        raise refused(document, found)
    try:
        return _compile(name, typed, _locale(connection, region, zone))
    except ValueError as error:
        raise ConfigError(f"streams.{name}: {error}.", remedy=_REMEDY) from error


def _locale(connection: str, region: str, zone: str) -> Locale:
    if region.upper() not in SUPPORTED_REGIONS:
        raise ConfigError(
            f"{connection}: {region!r} is no region.",
            remedy="Set company.region in hub.yaml to an ISO 3166 code, such as US, DE or GB.",
        )
    try:
        return Locale(connection, region.upper(), ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"{connection}: {zone!r} is no time zone.",
            remedy="Set company.zone in hub.yaml to an IANA name, such as America/New_York or UTC.",
        ) from error


def _hash(meaning: Any) -> str:
    return blake2b(orjson.dumps(meaning, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _compile(name: str, section: Section, locale: Locale) -> SectionPlan:
    made_of = (name, section, locale)
    locale = locale._replace(flat=section.flat)
    meaning = section.model_dump(mode="json", exclude={"tests", "unknown"}) | {
        "unknown": section.unknown == "fail"
    }
    place = [ENGINE_VERSION, locale.connection, locale.region, str(locale.zone)]
    return SectionPlan(
        name=name,
        entity=section.entity.default if section.entity else "",
        delete=section.delete,
        rules={field: rule.win for field, rule in section.fields.items() if rule.win is not None},
        digest=_hash([*place, meaning]),
        clears=frozenset(name for name, rule in section.fields.items() if rule.blank == "clears"),
        has_strong_id=any(one.strong for one in section.identity),
        _run=_runner(name, section, locale),
        _of=made_of,
    )


def _runner(name: str, section: Section, locale: Locale) -> _Run:
    prepare = preparation(name, section)
    records_of = compile_record(section, locale) if section.entity else None
    builds = [compile_entry(entry, spec, locale) for entry, spec in section.events.items()]

    def run(
        payloads: Sequence[dict[str, Any]], times: Sequence[int | None]
    ) -> list[Mapped | RecordError]:
        if prepare is not None:
            payloads = [prepare(payload) for payload in payloads]
        drifts: list[list[Drift]] = [[] for _ in payloads]
        records: Sequence[CanonicalRecord | None] = [None] * len(payloads)
        if records_of is not None:
            records = records_of(payloads, times, drifts)
        found = [Mapped(record, [], drift) for record, drift in zip(records, drifts, strict=True)]
        for build in builds:
            for payload, mapped in zip(payloads, found, strict=True):
                mapped.events += build(payload, mapped.drifts)
        return [_refused(name, one) if _says_nothing(one) else one for one in found]

    return run


def _says_nothing(mapped: Mapped) -> bool:
    return mapped.record is None and bool(mapped.drifts) and not mapped.events


def _refused(name: str, mapped: Mapped) -> RecordError:
    first = mapped.drifts[0]
    return RecordError(
        f"{name}: no event could be read ({first.field}: {first.reason}).", remedy=_REMEDY
    )
