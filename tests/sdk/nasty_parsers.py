"""Parsers that misbehave on purpose, for the tests of the corpus runner."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from crm_hub.model.errors import RecordError


def parse(raw: bytes) -> Iterator[str]:
    """Do what the input says."""
    word = raw.decode()
    if word == "hang":
        time.sleep(60)
    if word == "spin":
        while True:
            pass
    if word == "refuse":
        raise RecordError("not readable")
    if word == "bug":
        raise KeyError("a bug")
    if word == "crash":
        os.abort()
    if word == "deep":
        nest([])
    if word == "nibble":
        held = [b"x" * 10**6 for _ in range(40)]
        del held
    if word == "eat":
        held = [b"x" * 10**6 for _ in range(300)]
        time.sleep(0.05)
        del held
    yield word


def nest(found: list[object]) -> None:
    nest([found])
