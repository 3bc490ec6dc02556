"""Bodies: what is refused with which status, laws of reading, and hostile posts."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from crm_hub_connectors.web_form.body import read_form
from crm_hub_connectors.web_form.submission import fold
from crm_hub_connectors.web_form.tests.nasty import BODIES, CASES, PARTS
from crm_hub_connectors.web_form.tests.posts import URLENCODED
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.sdk import HookRefused
from crm_hub.sdk.testing import corpus

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
PAIRS = st.lists(st.tuples(NAMES, TEXT), max_size=20)


def together(pairs: list[tuple[str, str]]) -> dict[str, str | list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


@given(PAIRS)
def test_what_a_browser_urlencodes_is_read_back(pairs: list[tuple[str, str]]) -> None:
    assert read_form(URLENCODED, urlencode(pairs).encode(), 100).fields == together(pairs)


def browser_name(name: str) -> str:
    # The escapes of the HTML standard for names in multipart bodies.
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


@given(PAIRS.filter(lambda pairs: not any(c in n for n, _ in pairs for c in "\\%")))
def test_what_a_browser_sends_as_multipart_is_read_back(pairs: list[tuple[str, str]]) -> None:
    parts = [
        f'--b0\r\nContent-Disposition: form-data; name="{browser_name(name)}"\r\n\r\n{value}\r\n'
        for name, value in pairs
    ]
    body = "".join([*parts, "--b0--\r\n"]).encode()
    found = read_form("multipart/form-data; boundary=b0", body, 100).fields
    assert found == together(pairs)


@given(st.dictionaries(NAMES.filter(lambda name: name != "fields"), TEXT, max_size=20))
def test_a_flat_json_object_is_its_own_fields(fields: dict[str, str]) -> None:
    assert read_form("application/json", json.dumps(fields).encode(), 100).fields == fields


@given(st.text())
def test_folding_a_folded_name_changes_nothing(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("E-Mail", "e_mail"),
        ("firstName", "first_name"),
        ("form_fields[email]", "email"),
        ("days[]", "days"),
        ("Téléphone", "telephone"),
        ("  Your Name * ", "your_name"),
        ("姓名", ""),
    ],
)
def test_names_fold_to_plain_words(name: str, folded: str) -> None:
    assert fold(name) == folded


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("cut json", 400),
        ("json list", 400),
        ("json latin-1", 400),
        ("json depth 30", 400),
        ("form bad utf-8", 400),
        ("form unknown charset", 400),
        ("form codec that is none", 400),
        ("multipart no end", 400),
        ("multipart part without name", 400),
        ("multipart bad utf-8", 400),
        ("form 200k fields", 413),
        ("json 300k keys", 413),
        ("json nested lists", 413),
        ("multipart only delimiters", 413),
        ("xml", 415),
        ("no content type", 415),
    ],
)
def test_an_unreadable_body_is_refused_with_its_status(case: str, status: int) -> None:
    kind, body = BODIES[case]
    with pytest.raises(HookRefused) as refused:
        read_form(kind.decode("latin-1"), body, 100)
    assert refused.value.status == status
    assert refused.value.remedy


def test_the_limit_of_fields_is_inclusive_for_every_kind() -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n'
    bodies = {
        URLENCODED: lambda n: b"&".join([b"a=1"] * n),
        PARTS.decode(): lambda n: part * n + b"--x--\r\n",
        "application/json": lambda n: json.dumps({str(i): 1 for i in range(n)}).encode(),
    }
    for kind, body in bodies.items():
        read_form(kind, body(5), 5)
        with pytest.raises(HookRefused) as refused:
            read_form(kind, body(6), 5)
        assert refused.value.status == 413


def test_every_hostile_post_ends_in_time_and_memory() -> None:
    findings = corpus.run("crm_hub_connectors.web_form.tests.nasty:read", CASES)
    assert len(findings) >= 50
    bad = [finding for finding in findings if finding.is_bad]
    assert not bad, corpus.report(bad)
