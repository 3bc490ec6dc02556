"""A second process makes half of the profiles of a long table, and nothing hangs on it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from crm_hub.flow import helper, understanding
from crm_hub.flow.understanding import Understanding, understand
from crm_hub.mapping.rulebooks import read_identity
from crm_hub.resolve.profile import Contact, Profile, firm_profile, packed, profile, unpacked

RULES = read_identity(())


def _contacts(count: int) -> list[Contact]:
    return [
        Contact(
            f"c{at}", ("Ann", "Bill", "Józef")[at % 3], f"Kestrel{at % 40}",
            emails=(f"k{at}@acme{at % 7}.example", "info@acme.example")[: at % 3],
            phones=(f"+4915155501{at:03}",)[: at % 2], company=("Acme GmbH", "")[at % 2],
            street="Elm Street 4", postcode="10115", city="Berlin", birth="1980-03-01",
            refs=(f"C-{at}",), source="crm",
        )
        for at in range(count)
    ]  # fmt: skip


@pytest.fixture
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(understanding, "MANY", 1)
    monkeypatch.setattr(understanding, "cores", lambda: 2)
    monkeypatch.setattr(understanding, "_JOB", 30)
    monkeypatch.setattr(understanding, "_TURN", 7)


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(understanding._log, "warning", lambda text, *_: found.append(text))
    return found


class _Patient(helper.Helper):
    """A helper that is waited for, so that it surely gets its share."""

    def has_answered(self, wait_s: float = 0.0) -> bool:
        return super().has_answered(10.0)


@pytest.mark.parametrize(("entity", "make"), [("person", profile), ("organization", firm_profile)])
@pytest.mark.usefixtures("_two_cores")
def test_both_processes_make_the_same_profiles_in_order(monkeypatch, entity, make) -> None:
    monkeypatch.setattr(understanding, "Helper", _Patient)
    given = _contacts(400)
    told: list[tuple[str, int, int]] = []
    there: list[int] = []
    monkeypatch.setattr(understanding, "unpacked", lambda data: there.append(1) or unpacked(data))
    with Understanding(entity, RULES) as taken:
        for contact in given:
            taken.take(contact)
        while_reading = len(there)
        found = taken.profiles(lambda *step: told.append(step))
    assert found == [make(contact, RULES) for contact in given]
    assert told[-1] == ("understanding", 400, 400)
    assert 0 < while_reading < len(there)


@pytest.mark.usefixtures("_two_cores")
def test_when_the_second_process_dies_its_work_is_done_here(monkeypatch, warned) -> None:
    class Killed(_Patient):
        def send(self, job: object) -> None:
            super().send(job)
            if isinstance(job, bytes):
                os.kill(self.pid, signal.SIGKILL)

    monkeypatch.setattr(understanding, "Helper", Killed)
    given = _contacts(200)
    found = understand(given, "person", RULES)
    assert found == [profile(contact, RULES) for contact in given]
    assert ["going on without it" in text for text in warned] == [True]


@pytest.mark.usefixtures("_two_cores")
def test_without_a_second_process_all_is_done_here(monkeypatch, warned) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", none)
    given = _contacts(50)
    found = understand(given, "person", RULES)
    assert found == [profile(contact, RULES) for contact in given]
    assert ["no second process" in text for text in warned] == [True]


@pytest.mark.usefixtures("_two_cores")
def test_a_failure_ends_the_second_process(monkeypatch) -> None:
    started: list[helper.Helper] = []

    class Noted(_Patient):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            started.append(self)

    def stopped() -> Iterator[Contact]:
        yield from _contacts(100)
        raise KeyboardInterrupt

    monkeypatch.setattr(understanding, "Helper", Noted)
    with pytest.raises(KeyboardInterrupt):
        understand(stopped(), "person", RULES)
    assert started[0]._process.poll() == -signal.SIGKILL


def test_a_local_number_takes_its_country_from_any_other_row() -> None:
    given = [Contact("a", "Ann", "Kestrel", phones=("0171 5550100",)),
             Contact("b", "Bill", "Kestrel", phones=("+491715550100",)),
             Contact("c", "Cleo", "Kestrel", phones=("0171 5550199",))]  # fmt: skip
    found = understand(given, "person", RULES)
    assert found[0].phones == found[1].phones == {"+491715550100"}
    assert found[2].phones == profile(given[2], RULES).phones


def test_a_packed_profile_is_the_same_profile() -> None:
    given = [profile(contact, RULES) for contact in _contacts(20)] + [Profile("bare")]
    assert unpacked(packed(given)) == given
