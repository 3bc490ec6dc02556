"""The fast ways of reading mail give what the slow ones give: on real, broken and random mail."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.sdk.formats import mail_headers, mailtext
from crm_hub.sdk.formats.mail_dates import parse_date
from crm_hub.sdk.formats.mail_headers import (
    addresses,
    parameters,
    read_headers,
    read_mail_headers,
)

CHECKOUT = Path(__file__).resolve().parents[2]
CORPUS = CHECKOUT.parent / "shared" / "corpora" / "mail"
SAMPLES = (
    [p.read_bytes() for p in sorted(CORPUS.glob("*.eml"))]
    or [
        raw.partition(b"\n")[2]  # the rest is what stands behind "From " and the sender
        for p in sorted((CHECKOUT / "examples").rglob("*.mbox"))
        for raw in re.split(rb"^From ", p.read_bytes(), flags=re.MULTILINE)[1:]
    ]
)
assert SAMPLES
SCRAPS = [
    b"\n", b"\r", b"\r\n", b" ", b"\n ", b"\n\t", b":", b'"', b"<", b"\xff", b"=?utf-8?q?", b"\0",
    b"\n>", b"\r\n\r\n", b"\n\r\n", b"\n \n", b"Subject:", b"\nto : a@b.example\n", b"\x0b", b"\x0c",
]  # fmt: skip

HEADER_PIECES = st.sampled_from(
    [*SCRAPS, b"From: Ann <a@x.example>\r\n", b"TO: b@x.example\n", b"X-Other: 1\r\n", b"Date",
     b"Received: x; Tue, 10 Mar 2026 12:00:00 +0000\r\n\tby y\r\n", b"cc:c@x.example\n", b"body"]
)  # fmt: skip


def broken(count: int) -> list[bytes]:
    """Return samples with bytes lost, doubled and put in."""
    rng = random.Random(11)
    out = []
    for _ in range(count):
        raw = bytearray(rng.choice(SAMPLES))
        for _ in range(rng.randrange(1, 8)):
            at = rng.randrange(min(len(raw), 3_000) + 1)
            if rng.random() < 0.4:
                del raw[at : at + rng.randrange(1, 9)]
            else:
                raw[at:at] = rng.choice(SCRAPS)
        out.append(bytes(raw))
    return out


def same(raw: bytes, start: int = 0) -> None:
    fast, slow = read_mail_headers(raw, start), read_headers(raw, start)
    assert fast.body_start == slow.body_start
    assert bool(fast) == bool(slow)
    for name in set(mail_headers._KNOWN.values()):
        assert fast.all(name) == slow.all(name), name


def by_expression(raw: bytes) -> tuple[int, int]:
    """Return where the header ends and the body begins, as a regular expression finds it."""
    found = re.compile(rb"\r?\n\r?\n").search(raw, 0, mail_headers.MAX_HEADER_BYTES)
    end = min(len(raw), mail_headers.MAX_HEADER_BYTES)
    return (found.start(), found.end()) if found else (end, end)


@pytest.mark.parametrize("number", range(0, len(SAMPLES), 10))
def test_headers_of_real_mail_are_read_alike(number: int) -> None:
    for raw in SAMPLES[number : number + 10]:
        same(raw)
        same(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def test_headers_of_broken_mail_are_read_alike() -> None:
    for raw in broken(1_500):
        same(raw)


@given(st.lists(HEADER_PIECES, max_size=30).map(b"".join))
def test_headers_of_random_mail_are_read_alike(raw: bytes) -> None:
    same(raw)
    if raw[:1] not in (b"\r", b"\n"):
        assert mail_headers._extent(raw, 0, len(raw)) == by_expression(raw)


def test_headers_over_a_limit_are_read_alike() -> None:
    many = b"".join(b"X-%d: a\n" % n for n in range(2_500)) + b"To: late@x.example\n\nbody"
    same(many)
    same(b"Subject: " + b"long " * 20_000 + b"\nTo: a@x.example\n\n")
    same(b"To: a@x.example\n" + b"Received: x\n" * 60_000)


@given(st.text(alphabet='ab@.<>",;:()= \\', max_size=60))
def test_addresses_from_memory_are_those_read_anew(value: str) -> None:
    first, again = addresses(value), addresses(value)
    assert first == again == mail_headers._addresses(value)
    if first:
        first[0]["name"] = "changed by a caller"
        assert addresses(value) == again


@given(st.text(alphabet="atexplinch/;=\"'*0 %-", max_size=60))
def test_parameters_from_memory_are_those_read_anew(value: str) -> None:
    kind, found = parameters(value)
    assert (kind, found) == mail_headers._parameters(value)
    found["added"] = "by a caller"
    assert "added" not in parameters(value)[1]


@pytest.mark.parametrize("year", ["0001", "9999"])
@pytest.mark.parametrize("zone", ["+1400", "-1400", "+0000"])
def test_dates_at_the_ends_of_the_calendar_are_read_or_left_out(year: str, zone: str) -> None:
    for day in ("1 Jan", "31 Dec"):
        for clock in ("00:00:00", "23:59:59"):
            found = parse_date(f"{day} {year} {clock} {zone}")
            assert found is None or found.utctimetuple()


def slow_reply_text(text: str) -> str:
    """Return what `reply_text` gives, line by line."""
    lines = text.split("\n")
    quoted_after = max((i for i, one in enumerate(lines) if one.startswith(">")), default=0)
    kept: list[str] = []
    skip = False
    for index, line in enumerate(lines):
        head = line[:400].strip()
        if skip:
            skip = False
        elif not mailtext._TELLING.match(line):
            kept.append(line)
        elif line in ("-- ", "--\r", "-- \r") or (head == "--" and len(lines) - index <= 15):
            break
        elif head.startswith(">"):
            continue
        elif head and mailtext._begins_quote(lines, index, head):
            if index >= quoted_after:
                break
            skip = not mailtext._ATTRIBUTION.match(head)
        else:
            kept.append(line)
    return "\n".join(kept).strip() or text.strip()


LINES = st.sampled_from(
    ["It fits.", "", "> quoted", ">> twice", "-- ", "--", "Ann", "On Mon, Ann Lee wrote:",
     "On Mon, 2 Feb 2026 at 10:00 Ann Lee <ann@x.example>", "wrote:", "From: Ann", "Sent: Monday",
     "-----Original Message-----", "________________________", "Von: Ann", "Gesendet: Montag",
     "am besten morgen", "* a list", "  > indented", "Le lun. Ann a écrit :", "--\r"]
)  # fmt: skip


@given(st.lists(LINES, max_size=25).map("\n".join))
def test_answers_are_cut_alike(text: str) -> None:
    assert mailtext.reply_text(text) == slow_reply_text(text)
