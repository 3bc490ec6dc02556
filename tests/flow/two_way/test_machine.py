"""The model of machine.py, the same small worlds each time; `scripts/hunt` tries others."""

from __future__ import annotations

from tests.flow.two_way.hunt import chosen
from tests.flow.two_way.machine import TwoWay

WORLDS = 25


class TestTwoWay(TwoWay.TestCase):  # type: ignore[name-defined,misc]
    settings = chosen(WORLDS, derandomize=True)
