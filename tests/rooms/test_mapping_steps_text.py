"""The fast ways of text steps give what the slow ones give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crm_hub.mapping.steps.text import _evened, many_lines

PIECES = st.sampled_from(
    ["a", "b c", "\n", "\n\n", " ", "\t", "\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f",
     "\x85", "\xa0", "ä", "\u2028", "> x", ""]
)  # fmt: skip


@given(st.lists(PIECES, max_size=20).map("".join))
def test_text_that_is_even_already_is_left_as_it_is(text: str) -> None:
    assert many_lines(text) == _evened(text)
