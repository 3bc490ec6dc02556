"""Nasty tables, workbooks and JSON end in time and memory, and never in an exception."""

from __future__ import annotations

import pytest
from crm_hub_connectors.files.tests import nasty_tables as nasty

from crm_hub.sdk.testing import corpus

_HERE = "crm_hub_connectors.files.tests.nasty_tables"


@pytest.mark.parametrize(
    ("reader", "cases"),
    [
        ("read_table", nasty.TABLES | {name: name.encode() for name in nasty.BIG}),
        ("read_workbook", nasty.WORKBOOKS),
        ("read_json", nasty.JSON),
        ("read_json_lines", nasty.JSON),
    ],
)
def test_every_nasty_input_is_read_or_refused_within_2_s_and_100_mb(
    reader: str, cases: dict[str, bytes]
) -> None:
    found = corpus.run(f"{_HERE}:{reader}", cases)
    assert len(found) == len(cases)
    bad = [finding for finding in found if finding.is_bad]
    assert not bad, corpus.report(bad)


def test_there_are_at_least_thirty_nasty_tables() -> None:
    assert len(nasty.TABLES) + len(nasty.BIG) >= 30
