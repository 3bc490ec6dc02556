"""Mapping files as text: what is plain data is read with its places, everything else refused."""

from __future__ import annotations

import time

import pytest

from crm_hub.model.errors import ConfigError
from crm_hub.yamltext import MAX_CHARS
from crm_hub.yamltext import read as read_document


def test_data_is_read_with_the_place_of_each_key() -> None:
    text = "a: {b: [1, 'x', \"2\", yes, 1.5, 007]}\nc:\n  - d: null\n    e: true\n"
    document = read_document(text, "m.yaml")
    assert document.data == {
        "a": {"b": [1, "x", "2", "yes", 1.5, 7]},
        "c": [{"d": None, "e": True}],
    }
    assert str(document.mark(("c", 0, "e"))) == "m.yaml:4:5"
    assert str(document.mark(("c", 0, "nowhere", 3))) == "m.yaml:3:5"


def test_an_empty_file_holds_no_data() -> None:
    assert read_document("# nothing\n", "m.yaml").data == {}


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("a: 1\na: 2\n", "m.yaml:2:1", "twice"),
        ("a:\n\t- b\n", "m.yaml:2:1", "not YAML"),
        ("a: &x 1\nb: *x\n", "m.yaml:1:4", "anchors"),
        ("b: *x\n", "m.yaml:1:4", "anchors"),
        ("a: !!python/object:os.system x\n", "m.yaml:1:4", "tags"),
        ("!!str a: 1\n", "m.yaml:1:1", "tags"),
        ("a: {<<: {b: 1}}\n", "m.yaml:1:5", "merge keys"),
        ("? [a, b]\n: 1\n", "m.yaml:1:3", "plain text"),
        ("- a\n", "m.yaml:1:1", "keys and values"),
        ("just words\n", "m.yaml:1:1", "keys and values"),
        ("a: 1\n---\nb: 2\n", "m.yaml:2:1", "second document"),
        ("a: b: c\n", "m.yaml:1:5", "not YAML"),
        ("a: 'x\n", "m.yaml:2:1", "not YAML"),
        ("a: [1, 2\n", "m.yaml:2:1", "not YAML"),
        ("a: @x\n", "m.yaml:1:4", "not YAML"),
    ],
)
def test_what_is_not_plain_data_is_refused_at_its_place(text: str, place: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_document(text, "m.yaml")
    assert caught.value.message.startswith(f"{place}: ")
    assert reason in caught.value.message
    assert caught.value.remedy


_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [*{below}, *{below}, *{below}, *{below}]\n"
    for below, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        _BOMB,
        "a: " + "[" * 100_000,
        "a: " + "[" * 20 + "]" * 20 + "\n" + "b: " + "[" * 50 + "]" * 50,
        "a: " + "{a: " * 5_000,
        "a: " + "[\n" * 50_000,
        "\n".join(" " * n + "a:" for n in range(1, 900)),
        "- " * 50_000,
        "? " * 100_000,
        ": " * 100_000,
        "a" * 400_000 + ": 1",
        "\n".join(f"k{n}: 1" for n in range(30_000)),
        "a: [" + "x," * 200_000 + "]",
        "a: [" + "[]," * 100_000 + "]",
        'a: "' + "\\x41" * 90_000,
        "a: \x00",
        "a: \ud800",
        "x" * (MAX_CHARS + 1),
        "a: " + "!" * 10_000,
        "%YAML 9.9\n---\na: 1\n",
        "%TAG ! tag:example.com,2000:\n---\na: !x 1\n",
        "a: |\n" + "\n" * 100_000 + "  x\n b",
    ],
)
def test_a_nasty_file_ends_in_a_config_error_in_time(text: str) -> None:
    start = time.process_time()
    with pytest.raises(ConfigError):
        read_document(text, "m.yaml")
    assert time.process_time() - start < 10, "a hang guard: the goal is 2 s on a quiet machine"
