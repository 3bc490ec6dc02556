"""The long hunt says what it found, and how to find it again."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.flow.two_way import hunt
from tests.flow.two_way.hunt import Lot
from tests.flow.two_way.machine import TwoWay


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def pool(count: int, mp_context: Any) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(count)

    monkeypatch.setattr(hunt, "ProcessPoolExecutor", pool)


def test_a_hunt_goes_on_until_so_many_steps_were_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hunt, "hunt", lambda seed, worlds, _shrink: Lot(seed, worlds, 1000, ""))
    assert hunt.main(["5000", "--seed", "7", "--processes", "2"]) == 0
    told = capsys.readouterr().out
    assert "seeds from 7 on" in told
    assert "No promise was broken: 5,000 steps" in told


def test_a_broken_promise_ends_it_and_the_line_that_repeats_it_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        hunt, "hunt", lambda seed, worlds, _shrink: Lot(seed, worlds, 10, "lost!" * (seed == 9))
    )
    assert hunt.main(["5000", "--seed", "8", "--processes", "1"]) == 1
    told = capsys.readouterr().out
    assert "lost!" in told
    assert "scripts/hunt 1 --seed 9" in told


def test_a_lot_tells_the_steps_that_broke_a_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_machine: TwoWay) -> None:
        raise AssertionError("the sides differ")

    monkeypatch.setattr(TwoWay, "_equal", broken)
    found = hunt.hunt(1)
    assert "the sides differ" in found.broken
    assert "state.begin(" in found.broken
    assert found.worlds > 0
    assert found.steps > 0
    assert logging.root.manager.disable == logging.NOTSET
