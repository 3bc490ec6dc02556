"""The rows of a hub with many events, as the walk would leave them, generated in store order.

Event number e (counted from 0) occurs e minutes after the start. Every `stride`-th is the busy
person's; the others go round the people one by one, so that one person's events lie as far apart
in every table as they can. Each event also stands on the timeline of the person's firm. One in
twenty is told by a second source. Nothing is held in memory: each table is a generator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from crm_hub.model.canonical import EventDraft, ParticipantDraft
from crm_hub.store.match_keys import key_hash

Row = tuple[Any, ...]
START_US = 1_500_000_000_000_000
MINUTE_US = 60_000_000
RECORDS_A_PERSON = 5
PEOPLE_A_FIRM = 10
KINDS = ("email.received", "email.sent", "call.in", "order.placed", "invoice.paid")
_BODY = "We looked at the filters again and would like ten of them before the end of the month. "

_PEOPLE = '["from Ann Lee","to Sales"]'


@dataclass(frozen=True, slots=True)
class Town:
    """How many there are of what. events: all, the busy person's `busy_events` among them."""

    events: int
    people: int
    busy_events: int
    body_bytes: int

    @property
    def stride(self) -> int:
        return max(2, self.events // self.busy_events)

    @property
    def busy(self) -> int:
        return self.people + 1

    @property
    def firms(self) -> int:
        return self.people // PEOPLE_A_FIRM + 1

    def firm_of(self, person: int) -> int:
        """Return the firm's identity of a person's."""
        return self.busy + 1 + (person - 1) // PEOPLE_A_FIRM

    def person_of(self, event: int) -> int:
        """Return whose event it is."""
        if event % self.stride == 0:
            return self.busy
        return (event - event // self.stride - 1) % self.people + 1

    def events_of(self, person: int) -> Iterator[int]:
        """Yield a person's events, the oldest first."""
        if person == self.busy:
            yield from range(0, self.events, self.stride)
            return
        place = person - 1
        while (event := place + place // (self.stride - 1) + 1) < self.events:
            yield event
            place += self.people

    @property
    def contacts(self) -> int:
        return self.busy * RECORDS_A_PERSON

    def record_of(self, event: int) -> int:
        """Return the source record that tells an event."""
        return self.contacts + 1 + event

    def tables(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """Yield each table's name with its rows."""
        yield "stream", iter(self._streams())
        yield "source_record", self._records()
        yield "canonical_record", self._canonical()
        yield "match_key", self._keys()
        yield "identity_link", self._links()
        yield "identity", self._identities()
        yield "event", self._events()
        yield "event_source", self._sources()
        yield "participant", self._participants()
        yield "timeline_entry", self._entries()
        yield "event_line", self._lines()

    def _streams(self) -> list[Row]:
        names = [f"crm{n}" for n in range(1, RECORDS_A_PERSON + 1)]
        names += ["mail", "erp"]
        return [(n, name, "records", "x", None, None, 0, None, None)
                for n, name in enumerate(names, 1)]  # fmt: skip

    def _records(self) -> Iterator[Row]:
        for record in range(1, self.contacts + 1):
            stream, person = (record - 1) % RECORDS_A_PERSON + 1, (record - 1) // RECORDS_A_PERSON
            yield _record(record, stream, f"c{person:09}", '{"id": "1", "name": "Ann Lee"}')
        payload = orjson.dumps({"id": "1", "text": self.body}).decode()
        for event in range(self.events):
            yield _record(self.record_of(event), 6, f"m{event:09}", payload)
        for number, _event in enumerate(range(0, self.events, 20)):
            yield _record(self.record_of(self.events + number), 7, f"o{number:09}", payload)

    def _canonical(self) -> Iterator[Row]:
        for record in range(1, self.contacts + 1):
            person = (record - 1) // RECORDS_A_PERSON + 1
            yield (record, "person", None, _values(person), f"e:{address(person)}")

    def _keys(self) -> Iterator[Row]:
        for person in range(1, self.busy + 1):
            for place in range(RECORDS_A_PERSON):
                record = (person - 1) * RECORDS_A_PERSON + place + 1
                yield (key_hash(f"e:{address(person)}"), record, None)

    def _links(self) -> Iterator[Row]:
        for record in range(1, self.contacts + 1):
            person = (record - 1) // RECORDS_A_PERSON + 1
            yield (record, person, person, "key", "current", START_US)

    def _identities(self) -> Iterator[Row]:
        for person in range(1, self.busy + 1):
            golden = f'{{"v":{_values(person)},"p":{{}}}}'
            yield (person, "person", f"Ann Lee {person}", None, golden, START_US, 1)
        for firm in range(self.firm_of(1), self.firm_of(1) + self.firms):
            golden = f'{{"v":{{"display_name":"Firm {firm}"}},"p":{{}}}}'
            yield (firm, "organization", f"Firm {firm}", None, golden, START_US, 1)

    def _events(self) -> Iterator[Row]:
        for event in range(self.events):
            at_us = START_US + event * MINUTE_US
            yield (
                event + 1, f"m|{event:09}", None, at_us, at_us, KINDS[event % 5], at_us,
                event % 1000, "full", self.record_of(event), "mail", at_us, False,
            )  # fmt: skip

    def _sources(self) -> Iterator[Row]:
        before, after = self._draft()
        for event in range(self.events):
            yield (self.record_of(event), "mail", event + 1, f"{before}{event}{after}")
        for number, event in enumerate(range(0, self.events, 20)):
            record = self.record_of(self.events + number)
            yield (record, "mail", event + 1, f"{before}{event}{after}")

    def _participants(self) -> Iterator[Row]:
        for event in range(self.events):
            person = self.person_of(event)
            key = f"e:{address(person)}"
            yield (event + 1, 0, "from", key, _domain(person), "Ann Lee", person, "resolved")
            yield (event + 1, 1, "to", "e:sales@clearwater.example", None, "Sales", None, "own")

    def _entries(self) -> Iterator[Row]:
        for person in range(1, self.busy + 1):
            for event in self.events_of(person):
                yield (person, START_US + event * MINUTE_US, event % 1000, event + 1)
        for firm in range(self.firms):
            first = firm * PEOPLE_A_FIRM + 1
            for person in range(first, min(first + PEOPLE_A_FIRM, self.busy + 1)):
                number = self.firm_of(person)
                for event in self.events_of(person):
                    yield (number, START_US + event * MINUTE_US, event % 1000, event + 1)

    def _lines(self) -> Iterator[Row]:
        draft = orjson.loads("@@".join(self._draft()))
        for event in range(self.events):
            tellers = ["erp/records", "mail/records"] if event % 20 == 0 else ["mail/records"]
            shown = [
                KINDS[event % 5], False, f"Filters {event}", draft["snippet"], draft["attributes"],
                tellers,
            ]  # fmt: skip
            yield (event + 1, None, _PEOPLE, orjson.dumps(shown).decode())

    @property
    def body(self) -> str:
        return (_BODY * (self.body_bytes // len(_BODY) + 1))[: self.body_bytes]

    def _draft(self) -> tuple[str, str]:
        """Return a draft's JSON as the walk stores it, cut where the subject's number stands."""
        draft = EventDraft(
            entry="mail", type="email.received", occurred_at_us=START_US, key="m|000000000",
            direction="in", subject="Filters @@", snippet="We looked at the filters again",
            body=self.body, zone="UTC", attributes={"attachments": [], "automated": False},
            participants=[ParticipantDraft("from", "e:ann@firm.example", "Ann Lee"),
                          ParticipantDraft("to", "e:sales@clearwater.example", "Sales")],
        )  # fmt: skip
        before, _, after = orjson.dumps(draft).decode().partition("@@")
        return before, after


def address(person: int) -> str:
    """Return a person's e-mail address."""
    return f"ann{person:07}@firm{(person - 1) // PEOPLE_A_FIRM:06}.example"


def _domain(person: int) -> str:
    return f"d:firm{(person - 1) // PEOPLE_A_FIRM:06}.example"


def _values(person: int) -> str:
    return f'{{"display_name":"Ann Lee {person}","email":["{address(person)}"]}}'


def _record(number: int, stream: int, key: str, payload: str) -> Row:
    at_us = START_US + number
    return (number, stream, key, number.to_bytes(16, "big"), None, at_us, at_us, False, payload)
