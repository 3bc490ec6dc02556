"""Tables and times: aligned, safe to show, as wide as the terminal."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.cli import output


@given(st.text())
def test_shown_text_is_one_line_without_control_characters(text: str) -> None:
    shown = output.plain(text)
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
    assert not set("\u202a\u202b\u202d\u202e\u2066\u2067\u2028\u2029") & set(shown)
    assert output.plain(shown) == shown


@given(st.text(), st.integers(1, 40))
def test_cut_text_fits_and_short_text_stays(text: str, columns: int) -> None:
    text = output.plain(text)
    shown = output.cut(text, columns)
    assert output.width(shown) <= columns
    assert shown == text or shown.endswith("…")


@given(st.lists(st.tuples(st.text(max_size=20), st.integers()), min_size=1, max_size=5))
def test_columns_line_up_whatever_the_cells_hold(rows: list[tuple[str, int]]) -> None:
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "say", lambda text="": lines.append(text))
        output.table(["name", "n"], rows, right=["n"])
    assert len(lines) == len(rows) + 1
    assert len({output.width(line) for line in lines}) == 1


def test_on_a_narrow_terminal_the_widest_column_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(output, "say", lambda text="": lines.append(text))
    monkeypatch.setattr(output, "columns", lambda: 40)
    output.table(["id", "subject"], [["P1", "x" * 200]])
    assert all(output.width(line) <= 40 for line in lines)
    assert lines[1].endswith("…")


def test_midnight_is_a_day_and_the_clock_is_the_zone_s() -> None:
    midnight = datetime(2026, 3, 12, 4, tzinfo=UTC)
    assert output.moment(midnight, "America/New_York") == "2026-03-12"
    assert output.moment(midnight, "UTC") == "2026-03-12 04:00"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, "-"), (0, "0 s"), (61, "1 min"), (7200, "2 h"), (90_000, "1 d")]
)
def test_ages_are_told_in_their_largest_unit(seconds: int | None, shown: str) -> None:
    assert output.age(seconds) == shown


def test_colour_needs_a_terminal_and_nobody_against_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert output.paint("ok", "green") == "ok"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert output.paint("ok", "green") != "ok"
    monkeypatch.setenv("NO_COLOR", "1")
    assert output.paint("ok", "green") == "ok"


def test_an_error_shows_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    output.problem("GET https://x.example/?access_token=abc123 failed", "Bearer abcdef123456")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "abc123" not in shown.err
    assert "abcdef123456" not in shown.err
