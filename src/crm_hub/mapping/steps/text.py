"""Steps on text and lists of text."""

from __future__ import annotations

from typing import Any

from crm_hub.mapping.steps.kind import (
    Locale,
    Step,
    StepKind,
    as_text,
    map_params,
    plain,
    same,
    text_param,
)


def one_line(value: Any) -> str:
    """Return trimmed text in which each run of white space is one blank."""
    text = value if type(value) is str else as_text(value)
    return text if text.isalnum() else " ".join(text.split())


def many_lines(value: Any) -> str:
    """Return trimmed text with its line breaks; several empty lines become one."""
    text = value if type(value) is str else as_text(value)
    if text.isascii() and not any(mark in text for mark in _UNEVEN):
        return text.strip()
    return _evened(text)


# Without one of these, lines of ASCII text are even already: looked for at memory speed.
_UNEVEN = ("\n\n\n", " \n", "\t\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f")


def _evened(text: str) -> str:
    out: list[str] = []
    for line in text.splitlines():
        line = line.rstrip()
        if line or (out and out[-1]):
            out.append(line)
    return "\n".join(out).strip()


def _lower(value: Any) -> str:
    return one_line(value).lower()


def _upper(value: Any) -> str:
    return one_line(value).upper()


def _lines(value: Any) -> list[str]:
    return [line for raw in as_text(value).splitlines() if (line := one_line(raw))]


def _first(value: Any) -> Any:
    return value[0] if value else None


def _build_split(params: Any, _locale: Locale) -> Step:
    separator = text_param("split", params)

    def split(value: Any) -> list[str]:
        return [part for raw in as_text(value).split(separator) if (part := one_line(raw))]

    return Step(split, lambda items: separator.join(map(as_text, items)), "any", spreads=True)


def _build_join(params: Any, _locale: Locale) -> Step:
    separator = text_param("join", params)

    def join(items: Any) -> str:
        return separator.join(text for item in items if (text := one_line(item)))

    def split(value: Any) -> list[str]:
        return [part for part in str(value).split(separator) if part]

    return Step(join, split, takes_list=True)


def _build_affix(params: Any, _locale: Locale) -> Step:
    named = map_params("affix", params, ("prefix", "suffix"))
    prefix, suffix = (_affix_text(named.get(key)) for key in ("prefix", "suffix"))

    before, after = one_line(prefix), one_line(suffix)

    def strip(value: Any) -> str:
        return one_line(value).removeprefix(before).removesuffix(after).strip()

    return Step(strip, lambda value: f"{prefix}{value}{suffix}")


def _affix_text(value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise ValueError("'prefix' and 'suffix' of the step 'affix' are texts")
    return value or ""


KINDS = (
    plain("text", Step(one_line, same)),
    plain("multiline", Step(many_lines, same)),
    plain("lower", Step(_lower, same)),
    plain("upper", Step(_upper, same)),
    plain("lines", Step(_lines, "\n".join, "any", spreads=True)),
    plain("first", Step(_first, None, "any", takes_list=True)),
    StepKind("split", "a separator", _build_split),
    StepKind("join", "a separator", _build_join),
    StepKind("affix", "{prefix, suffix}", _build_affix),
)
