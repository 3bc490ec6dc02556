"""A hunt for what no reader of mail, calendars and address books may do: fail, hang or grow.

    python bench/hunt.py                                 60 s with the sample files
    python bench/hunt.py --seconds 600 --seed 7 --corpus FOLDER

Takes sample files, spoils them (cut, bytes flipped, folding broken, boundaries nested, charsets
that lie, parameters in pieces, times out of range, rules without sense, old vCards) and gives each
to its reader and on to the mapping, in this process. A case that raises anything but an error of
the hub, takes more than 2 s of CPU or 100 MB is printed and kept. Not run by the tests: they keep
what it found.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import islice
from pathlib import Path

import orjson

from crm_hub.mapping import compile_plan, read_layers
from crm_hub.model.errors import HubError
from crm_hub.model.values import clean_json
from crm_hub.sdk import Reject
from crm_hub.sdk.formats.calendar import read_calendar
from crm_hub.sdk.formats.ical_resource import read_resource
from crm_hub.sdk.formats.mail_message import message_item_id, message_marks, parse_message
from crm_hub.sdk.formats.mail_people import Own
from crm_hub.sdk.formats.vcard import read_cards
from crm_hub.timeline import Source, compose, read_message, tokens, wanted

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "connectors" / "crm_hub_connectors" / "files" / "fixtures"
NOW = datetime(2026, 3, 15, tzinfo=UTC)
MAX_S, MAX_MB, HANG_S = 2.0, 100, 200
MOST_READ, MOST_WALKED = 5_000, 50
OWN = Own.parse("clearwater.example")
PLAN = compile_plan(read_layers("files", []), connection="box", region="US", zone="UTC")

CHARSETS = (
    b"utf-8 utf-16 utf-16le utf-32 utf-7 iso-2022-jp iso-2022-kr hz gb18030 big5 koi8-r idna punycode "
    b"unicode_escape raw_unicode_escape rot13 base64 zlib x-unknown iso-8859-8-i cp65001 utf8mb4 "
    b"ansi_x3.110-1983 unknown-8bit default \xff %00 us-ascii'en'x windows-874"
).split()
FIELDS = (
    b"From To Cc Subject Date Message-ID References In-Reply-To Content-Type Received List-Id "
    b"Content-Disposition Content-Transfer-Encoding Return-Path Auto-Submitted Reply-To Bcc Sender"
).split()
VALUES = [
    b"", b" ", b"<>", b"<@>", b"a@b@c@d", b'"', b'"a <b@c.example', b"(((((((", b"a:b:c;", b",,,,", b";;;",
    b"undisclosed-recipients:;", b"=?utf-8?q?", b"=?utf-8?b?gA==?=", b"=??q??=", b"=?utf-8?q?=00=0A=0D?=",
    b"=?utf-16?b?2AA=?= =?utf-16?b?3AA=?=", b"Thu, 99 Foo 99999 99:99:99 +9999", b"0", b"1 Jan 0000",
    b"31 Feb 2026 10:00:00 -2400", b"Mon, 1 Jan 10000 00:00:00 +0000", b"1 Jan 1 00:00:00 +2359",
    b"text/plain; charset*0=ut; charset*1*=f-8", b"text/plain; charset*=utf-8''%FF%FE; charset=x",
    b"text/plain; name*999999999999*=a", b"text/plain; name*0*=''%; name*0=b; name*1*=%zz; name*01=x",
    b"multipart/mixed", b'multipart/mixed; boundary=""', b"multipart/mixed; boundary=-",
    b"multipart/alternative; boundary==", b"message/rfc822", b"message/external-body; access-type=x",
    b"multipart/report; report-type=delivery-status", b"text/calendar; method=REQUEST", b"base64",
    b"quoted-printable", b"uuencode", b"application/pkcs7-mime", b"\x00\x01\x02", b"\xe2\x80\xae\xf0\x9f\x92\xa9",
    b"xn--a@xn--b.xn--c", b"x" * 5_000, b"<" * 3_000, b"a@b.example," * 3_000, b"<a@b> " * 3_000,
]  # fmt: skip
ICAL = [
    b"DTSTART:20260310", b"DTSTART:99999999T999999Z", b"DTSTART:00000101T000000", b"DTSTART;TZID=:20260310T100000",
    b"DTSTART;TZID=Nowhere/Land:20260310T100000", b"DTSTART;VALUE=DATE:20260310T100000Z", b"DTSTART:",
    b"DTSTART;VALUE=PERIOD:20260101T000000Z/P1D", b"DTEND:19000101", b"DURATION:PT", b"DURATION:-P99999999999W",
    b"DURATION:P1Y2M", b"RRULE:FREQ=DAILY;UNTIL=20260401", b"RRULE:FREQ=DAILY;UNTIL=tomorrow", b"RRULE:",
    b"RRULE:FREQ=DAILY;COUNT=-1", b"RRULE:FREQ=DAILY;INTERVAL=0", b"RRULE:FREQ=SECONDLY", b"RRULE:FREQ=MINUTELY;BYSECOND=61",
    b"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", b"RRULE:FREQ=MONTHLY;BYDAY=99MO", b"RRULE:FREQ=WEEKLY;BYDAY=XX",
    b"RRULE:FREQ=YEARLY;BYWEEKNO=53;BYSETPOS=-366", b"RRULE:FREQ=DAILY;UNTIL=99991231T235959Z;COUNT=99999999999999999999",
    b"RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=31;UNTIL=20990101", b"RRULE:FREQ=MINUTELY;BYYEARDAY=366;BYHOUR=25",
    b"EXDATE:", b"EXDATE;TZID=X:20260310,20260311T,99", b"RDATE;VALUE=PERIOD:x/y", b"RECURRENCE-ID:20260310T090000Z",
    b"RECURRENCE-ID;RANGE=THISANDFUTURE:20260310", b"RECURRENCE-ID;RANGE=THISANDPRIOR:x", b"SEQUENCE:-99999999999999999999",
    b"SEQUENCE:1.5", b"ATTENDEE;CN=\"a;b:c", b"ATTENDEE;PARTSTAT=:mailto:", b"ORGANIZER:mailto:a@b,c@d", b"UID:",
    b"UID:\xff\xfe\x00", b"STATUS:\xf0", b"BEGIN:VALARM", b"END:VALARM", b"BEGIN:VTIMEZONE", b"END:VEVENT", b"END:VCALENDAR",
    b"BEGIN:VEVENT", b"BEGIN:VTODO", b"BEGIN:" + b"X" * 900, b"TZOFFSETTO:+9999", b"TZOFFSETFROM:x", b"TZID:Europe/Berlin",
    b"GEO:1;2;3", b"X-" + b"A" * 900 + b":1", b"SUMMARY;LANGUAGE=" + b"x" * 3_000 + b":a", b"DUE:20260230T250000", b"COMPLETED:x",
    b"DTSTART;TZID=\"W. Europe Standard Time\":20260329T023000", b"DTSTAMP:20260310T100000+0100", b"\tX", b" ", b":", b";:;",
]  # fmt: skip
CARD = [
    b"N:;;;;;;;;;;", b"N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;=\r\n", b"FN;ENCODING=b:////",
    b"NOTE;ENCODING=QUOTED-PRINTABLE:a=\r\nb=\r\n=\r\n", b"PHOTO;ENCODING=BASE64;TYPE=JPEG:" + b"A" * 9_000,
    b"EMAIL;TYPE=:", b"EMAIL;PREF=999;PREF=x:a@b", b"TEL;VALUE=uri:tel:+1;ext=", b"TEL:" + b"9" * 500, b"BDAY:--0230",
    b"BDAY:0000-00-00", b"BDAY;VALUE=text:circa 1800", b"BDAY:99991231T246060Z", b"ADR:;;;;;;;;;;;;;", b"ADR;LABEL=\"x\\n\":",
    b"VERSION:2.1", b"VERSION:9", b"item1.X-ABLABEL:_$!<Home>!$_", b"item1.:", b".TEL:1", b"UID:urn:uuid:", b"REV:x",
    b"BEGIN:VCARD", b"END:VCARD", b"AGENT:BEGIN:VCARD\\nEND:VCARD", b"ORG:;;;", b"CATEGORIES:" + b"a," * 3_000, b"KIND:group",
    b"MEMBER:urn:uuid:x", b"URL:javascript:x", b"GENDER:;;;", b"X-\xff:1", b"N:\\", b"FN:\\\\\\,\\;\\n\\",
]  # fmt: skip


class Slow(Exception):
    """A case did not end in time."""


def spoil(rng: random.Random, raw: bytes, kind: str) -> bytes:
    """Return the sample spoiled in one to five ways."""
    for _ in range(rng.randrange(1, 6)):
        raw = rng.choice(_WAYS[kind])(rng, raw)
        if len(raw) > 3_000_000:
            return raw[:3_000_000]
    return raw


def cut(rng: random.Random, raw: bytes) -> bytes:
    return (
        raw[: rng.randrange(len(raw) + 1)]
        if rng.random() < 0.7
        else raw[rng.randrange(len(raw) + 1) :]
    )


def flip(rng: random.Random, raw: bytes) -> bytes:
    out = bytearray(raw)
    for _ in range(rng.choice([1, 3, 30, 300])):
        if out:
            out[rng.randrange(len(out))] = rng.choice(
                [0, 9, 10, 13, 32, 34, 58, 59, 61, 63, rng.randrange(256)]
            )
    return bytes(out)


def repeat(rng: random.Random, raw: bytes) -> bytes:
    a, b = sorted(rng.randrange(len(raw) + 1) for _ in range(2))
    piece = raw[a : min(b, a + 4_000)]
    times = rng.choice([2, 10, 100, max(1, 1_000_000 // (len(piece) + 1))])
    return raw[:a] + piece * times + raw[a:]


def lines(rng: random.Random, raw: bytes) -> bytes:
    found = raw.split(b"\n")
    rng.shuffle(found) if rng.random() < 0.2 else found.insert(
        rng.randrange(len(found) + 1), found[rng.randrange(len(found))]
    )
    return b"\n".join(found)


def ends(rng: random.Random, raw: bytes) -> bytes:
    end = rng.choice([b"\r\n", b"\r", b"\n", b"\n\r", b"\r\r\n", b"\x0b", b"\xe2\x80\xa8"])
    return raw.replace(b"\r\n", b"\n").replace(b"\n", end)


def fold(rng: random.Random, raw: bytes) -> bytes:
    at = rng.randrange(len(raw) + 1)
    fold_by = rng.choice(
        [b"\r\n ", b"\n\t", b"\n", b"\r\n \r\n ", b"\n \n", b"=\n", b"=\r\n", b"\n" + b" " * 5_000]
    )
    return raw[:at] + fold_by * rng.choice([1, 1, 50, 5_000]) + raw[at:]


def recode(rng: random.Random, raw: bytes) -> bytes:
    text = raw.decode("utf-8", "replace")
    way = rng.choice(["utf-16", "utf-8-sig", "latin-1", "utf-7", "utf-32", "cp1252", "shift_jis"])
    return text.encode(way, "replace")


def header(rng: random.Random, raw: bytes) -> bytes:
    field = rng.choice(FIELDS) + b": " + rng.choice(VALUES) * rng.choice([1, 1, 1, 20])
    if rng.random() < 0.5:
        return field + b"\n" + raw
    return re.sub(
        rb"(?mi)^" + rng.choice(FIELDS) + rb":.*$", lambda _: field, raw, count=rng.choice([1, 0])
    )


def charset(rng: random.Random, raw: bytes) -> bytes:
    name = rng.choice(CHARSETS)
    if rng.random() < 0.5:
        return re.sub(rb"(?i)charset=[^\s;]+", lambda _: b"charset=" + name, raw)
    word = (
        b"=?"
        + name
        + rng.choice([b"?q?", b"?b?", b"?B?", b"?x?"])
        + rng.choice([b"=E4", b"5L2g", b"////", b"=", b"_" * 2_000])
        + b"?="
    )
    return b"Subject: " + word * rng.choice([1, 3, 500]) + b"\n" + raw


def nest(rng: random.Random, raw: bytes) -> bytes:
    depth = rng.choice([1, 5, 60, 1_000])
    out = raw
    for level in range(depth):
        mark = b"b%d" % (level if rng.random() < 0.9 else 0)
        kind = rng.choice(
            [b"multipart/mixed", b"multipart/alternative", b"multipart/digest", b"multipart/signed"]
        )
        out = (
            b"Content-Type: message/rfc822\n\n" + out
            if rng.random() < 0.2
            else b"Content-Type: "
            + kind
            + b"; boundary="
            + mark
            + b"\n\n--"
            + mark
            + b"\n"
            + out
            + b"\n--"
            + mark
            + b"--\n"
        )
        if len(out) > 1_000_000:
            break
    return b"From: a@b.example\nMessage-ID: <n@x>\n" + out


def parts(rng: random.Random, raw: bytes) -> bytes:
    piece = rng.choice(
        [
            b"",
            b"\n\nx",
            b"Content-Type: text/html\n\n<p>" + b"<div>" * 2_000,
            b"Content-Type: message/rfc822\n\n" + raw[:2_000],
        ]
    )
    body = b"".join(b"--q\n" + piece + b"\n" for _ in range(rng.choice([1, 50, 20_000])))
    return b"From: a@b.example\nContent-Type: multipart/mixed; boundary=q\n\n" + body[:2_500_000]


def ical_line(rng: random.Random, raw: bytes) -> bytes:
    return _insert(rng, raw, rng.choice(ICAL))


def card_line(rng: random.Random, raw: bytes) -> bytes:
    return _insert(rng, raw, rng.choice(CARD))


def _insert(rng: random.Random, raw: bytes, line: bytes) -> bytes:
    found = raw.split(b"\n")
    name = re.match(rb"[A-Z-]*", line)
    places = [i for i, one in enumerate(found) if name and name[0] and one.startswith(name[0])]
    if places and rng.random() < 0.6:
        found[rng.choice(places)] = line + b"\r"
    else:
        found.insert(rng.randrange(len(found) + 1), line + b"\r")
    return b"\n".join(found)


_ANY: list[Callable[[random.Random, bytes], bytes]] = [cut, flip, repeat, lines, ends, fold, recode]
_WAYS = {
    "eml": [*_ANY, header, header, header, charset, nest, parts],
    "ics": [*_ANY, *[ical_line] * 9],
    "vcf": [*_ANY, *[card_line] * 7],
}
_WAYS["object"] = _WAYS["ics"]
SAMPLES = {
    "ics": (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\n"
        b"DTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nTZOFFSETFROM:+0200\r\n"
        b"TZOFFSETTO:+0100\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\n"
        b"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\n"
        b"END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1@x.example\r\nDTSTART;TZID=Own:20260105T100000\r\n"
        b"DTEND;TZID=Own:20260105T110000\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261231T235959Z\r\n"
        b"EXDATE;TZID=Own:20260112T100000\r\nSUMMARY:Pumps\r\nORGANIZER;CN=Ann:mailto:ann@acme.example\r\n"
        b'ATTENDEE;PARTSTAT=ACCEPTED;CN="Lee, Bob":mailto:bob@ours.example\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\n'
        b"END:VALARM\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1@x.example\r\nRECURRENCE-ID;TZID=Own:20260119T100000\r\n"
        b"DTSTART;TZID=Own:20260119T140000\r\nDURATION:PT1H\r\nSUMMARY:Later\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        b"BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VTODO\nUID:2\nDUE;VALUE=DATE:20260401\nSTATUS:NEEDS-ACTION\n"
        b"SUMMARY:Call\nEND:VTODO\nBEGIN:VEVENT\nUID:3\nDTSTART;VALUE=DATE:20260301\nRRULE:FREQ=YEARLY\nSUMMARY:Day\n"
        b"END:VEVENT\nEND:VCALENDAR\n",
    ),
    "vcf": (
        b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;Dr.\r\n"
        b"TEL;WORK;VOICE:+1 212 555 0100\r\nEMAIL;INTERNET;PREF:joerg@firm.example\r\nADR;HOME;ENCODING=QUOTED-PRINTABLE:;;"
        b"Hauptstra=C3=9Fe =\r\n1;Ulm;;89073;DE\r\nEND:VCARD\r\n",
        b"BEGIN:VCARD\nVERSION:4.0\nFN:Ann Lee\nN:Lee;Ann;;;\nEMAIL;PREF=1:ann@acme.example\nTEL;VALUE=uri:tel:+12125550101\n"
        b"BDAY:--0412\nORG:Acme;Sales\nitem1.URL:https://acme.example\nitem1.X-ABLABEL:Site\nUID:urn:uuid:1\nREV:20260101T000000Z\n"
        b"END:VCARD\n",
    ),
}


def read_mail(raw: bytes) -> None:
    payload = parse_message(raw, OWN, received_at=NOW, folder="INBOX")
    item = message_item_id(payload, raw)
    assert 0 < len(item) <= 600, "an id that is none"
    message_marks(raw)
    _walk("mail", payload)


def read_ics(raw: bytes) -> None:
    read = read_calendar(BytesIO(raw), zone="Europe/Berlin", now=NOW)
    for number, item in enumerate(islice(read, MOST_READ)):
        if not isinstance(item, Reject) and number < MOST_WALKED:
            _walk("calendar", item.payload)


def read_object(raw: bytes) -> None:
    found = read_resource(
        raw.decode("utf-8", "replace"), zone="Europe/Berlin", horizon=NOW + timedelta(days=365)
    )
    if found.payload is not None:
        orjson.dumps(clean_json(found.payload))


def read_vcf(raw: bytes) -> None:
    for number, item in enumerate(islice(read_cards(BytesIO(raw)), MOST_READ)):
        if not isinstance(item, Reject) and number < MOST_WALKED:
            _walk("contacts", item.payload)


def _walk(section: str, payload: dict[str, object]) -> None:
    found = PLAN.sections[section].map(clean_json(payload), None)
    for number, draft in enumerate(found.events):
        orjson.loads(orjson.dumps(draft))
        source = Source(1, "box#1", draft, "box/mail")
        told = read_message(number, compose([source]), [source], ())
        if told is not None:
            assert len(tokens(told)) + len(wanted(told)) < 2_000


READERS = {"eml": read_mail, "ics": read_ics, "vcf": read_vcf, "object": read_object}


def samples(corpora: list[Path]) -> list[tuple[str, bytes]]:
    """Return the files to spoil, by kind."""
    found: list[tuple[str, bytes]] = []
    for folder in (FIXTURES, *corpora):
        for path in sorted(folder.rglob("*")):
            kind = {".mbox": "eml"}.get(path.suffix, path.suffix.removeprefix("."))
            if kind in READERS and path.is_file():
                raw = path.read_bytes()[:200_000]
                mails = re.split(rb"(?m)^From .*\n", raw)[:40] if path.suffix == ".mbox" else [raw]
                found += [(kind, one) for one in mails]
    return [(kind, raw) for kind, raw in found if raw]


def hunt(seconds: float, seed: int, corpora: list[Path], keep: Path) -> int:
    """Hunt for so long; return how many cases were bad."""
    rng, found = random.Random(seed), samples(corpora)
    by_kind = {kind: [raw for k, raw in found if k == kind] for kind in READERS}
    for kind, raws in SAMPLES.items():
        by_kind[kind] += raws
    by_kind["object"] = by_kind["ics"]
    print({kind: len(raws) for kind, raws in by_kind.items()}, flush=True)
    signal.signal(signal.SIGALRM, _stop)
    count, refused, bad, worst = 0, 0, 0, 0.0
    seen: set[str] = set()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        kind = rng.choice([kind for kind, raws in by_kind.items() if raws])
        raw = spoil(rng, rng.choice(by_kind[kind]), kind)
        before_mb, begun, why = (
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            time.process_time(),
            "",
        )
        signal.setitimer(signal.ITIMER_REAL, HANG_S)
        try:
            READERS[kind](raw)
        except HubError:
            refused += 1
        except Slow:
            why = "hangs"
        except Exception:
            why = "".join(traceback.format_exc().splitlines(keepends=True)[-3:])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        spent = time.process_time() - begun
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10) - before_mb
        if not why and spent > MAX_S:
            why = f"slow: {spent:.1f} s"
        if not why and grown > MAX_MB:
            why = f"big: {grown} MB"
        count, worst = count + 1, max(worst, spent)
        mark = re.sub(r"\d+", "", why)[:200]
        if why:
            bad += 1
            if mark not in seen:
                seen.add(mark)
                path = keep / f"hunt-{seed}-{count}.{kind}"
                path.write_bytes(raw)
                print(f"{path} ({len(raw):,} bytes): {why}", flush=True)
    print(
        f"{count:,} cases, {refused:,} refused, {bad} bad of {len(seen)} kinds, the longest {worst:.2f} s"
    )
    return bad


def _stop(_signal: int, _frame: object) -> None:
    raise Slow


def main() -> None:
    """Hunt and say what was found; exit 1 when something was."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--corpus", type=Path, action="append", default=[], help="more sample files"
    )
    parser.add_argument("--keep", type=Path, help="where bad cases are kept; else a new folder")
    args = parser.parse_args()
    keep = args.keep or Path(tempfile.mkdtemp(prefix="crm-hub-hunt-"))
    sys.exit(1 if hunt(args.seconds, args.seed, args.corpus, keep) else 0)


if __name__ == "__main__":
    main()
