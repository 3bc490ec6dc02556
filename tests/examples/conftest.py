"""What the tests of the sample firm share: the evidence in its files, and the truth about it."""

from __future__ import annotations

import pytest

from tests.examples import clearwater as firm
from tests.examples.clearwater import Evidence


@pytest.fixture(scope="module")
def found() -> list[Evidence]:
    return firm.all_evidence()


@pytest.fixture(scope="module")
def person_of() -> dict[tuple[str, str], str]:
    """Record → true person; form posts are named by their file, they have no id to share."""
    out = {}
    for fact in firm.load("truth.json")["records"]:
        if fact["person"]:
            record_id = fact["file"] if fact["connection"] == "form" else fact["id"]
            out[(fact["connection"], record_id)] = fact["person"]
    return out
