"""Nasty mail, calendars and address books, made when a test needs them: no big files are kept.

Each case: a name, the kind of file, and its bytes in pieces. Whatever is in it, a reader must
be through with it in 2 s and 100 MB, with items or rejects and never with an exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

MB = 1_000_000


class Nasty(NamedTuple):
    name: str
    kind: str
    pieces: Iterable[bytes]


def cases() -> Iterator[Nasty]:
    """Yield every case."""
    for name, pieces in _mails():
        yield Nasty(name, "eml", pieces)
    for name, pieces in _mailboxes():
        yield Nasty(name, "mbox", pieces)
    for name, pieces in _calendars():
        yield Nasty(name, "ics", pieces)
    for name, pieces in _cards():
        yield Nasty(name, "vcf", pieces)


def mail(*fields: bytes, body: bytes = b"hello\n") -> bytes:
    """Return a message with these fields besides From, Date and Message-ID."""
    head = (
        b"From: Ann <ann@acme.example>",
        b"Date: Tue, 10 Mar 2026 08:40:00 -0400",
        b"Message-ID: <1@acme.example>",
        *fields,
    )
    return b"\n".join(head) + b"\n\n" + body


def _mails() -> Iterator[tuple[str, list[bytes] | Iterable[bytes]]]:
    word = b" =?utf-8?q?=C3=A4bc?="
    yield "20,000 encoded words", [mail(b"Subject:" + word * 20_000)]
    yield "a subject of 10 MB", [mail(b"Subject: " + b"x" * 10 * MB)]
    yield "an encoded word that never ends", [mail(b"Subject: =?utf-8?b?" + b"QUJD" * 100_000)]
    yield "half encoded words", [mail(b"Subject: " + b"=?utf-8?q?" * 6_000)]
    yield (
        "unknown charset",
        [mail(b"Content-Type: text/plain; charset=x-unknown", body=b"\xe4\xf6" * 50)],
    )
    yield (
        "refused codecs",
        [mail(b"Subject: =?unicode_escape?q?=5Cu0041?= =?idna?q?xn--a?= =?zlib?b?eJw=?=")],
    )
    yield (
        "punycode body",
        [mail(b"Content-Type: text/plain; charset=punycode", body=b"a-" * 300_000)],
    )
    yield "utf-7 body", [mail(b"Content-Type: text/plain; charset=utf-7", body=b"+AGE-" * 100_000)]
    yield (
        "utf-16 body of odd length",
        [mail(b"Content-Type: text/plain; charset=utf-16", body=b"\xd8\x00\xd8" * 999)],
    )
    yield (
        "unknown transfer encoding",
        [mail(b"Content-Transfer-Encoding: x-rot13; a=b", body=b"uryyb")],
    )
    yield "cut base64", [mail(b"Content-Transfer-Encoding: base64", body=b"QUJDRA=\nQ")]
    yield (
        "base64 of nothing but padding",
        [mail(b"Content-Transfer-Encoding: base64", body=b"=" * MB)],
    )
    yield (
        "base64 of noise",
        [mail(b"Content-Transfer-Encoding: base64", body=b"\xff\x00!" * 300_000)],
    )
    yield (
        "quoted-printable of equals signs",
        [mail(b"Content-Transfer-Encoding: quoted-printable", body=b"=" * MB)],
    )
    yield "only NULs", [b"\x00" * MB]
    yield (
        "NULs everywhere",
        [mail(b"Subject: a\x00b", b"To: x\x00y@acme.example", body=b"a\x00" * 1000)],
    )
    yield "lone surrogates", [mail(b"Subject: \xed\xa0\x80", body=b"\xed\xb0\x80 &#xD800; \xff")]
    yield (
        "8-bit noise in every header",
        [bytes(range(128, 256)) * 20 + b": x\nFrom: \xe9\xff <\xe9@\xff>\n\n"],
    )
    yield "one line of 50 MB", (b"From: a@acme.example\n\n", *(b"x" * MB for _ in range(50)))
    yield "a header of 50 MB", (b"Subject: ", *(b"x" * MB for _ in range(50)))
    yield "300,000 header lines", [b"X-A: b\n" * 300_000]
    yield "folded for ever", [b"Subject: a\n" + b" b\n" * 300_000]
    yield "no colon anywhere", [b"hello\n" * 100_000]
    yield "nothing", [b""]
    yield "blank lines only", [b"\n" * 100_000]
    yield "carriage returns only", [b"From: a@acme.example\r\rhello\r" * 1000]
    yield "one name of 30,000 parts", [mail(b"To: " + b"a," * 30_000)]
    yield "20,000 recipients", [mail(b"To: " + b"x@acme.example, " * 20_000)]
    yield "nested comments", [mail(b"To: " + b"(" * 30_000 + b"a@acme.example")]
    yield "nested angle brackets", [mail(b"To: " + b"<" * 60_000)]
    yield "backslashes in an open quote", [mail(b'To: "' + b'\\"' * 30_000)]
    yield "quotes", [mail(b"To: " + b'"' * 60_000)]
    yield "groups", [mail(b"To: " + b"a:;" * 20_000)]
    yield "at signs", [mail(b"To: " + b"@" * 60_000)]
    yield "parameters without end", [mail(b"Content-Type: text/plain" + b';a="' * 15_000)]
    yield (
        "continued parameters",
        [mail(b"Content-Type: text/plain" + b";".join(b" n*%d*=''%%41" % n for n in range(4_000)))],
    )
    yield "references without end", [mail(b"References: " + b"<a@b> " * 10_000)]
    yield (
        "dates beyond time",
        [
            b"From: a@b.example\nDate: Mon, 99 Foo 99999 99:99:99 +9999\n\nx",
        ],
    )
    yield "a zone of a year", [b"From: a@b.example\nDate: Mon, 1 Jan 2024 10:00:00 +876000\n\nx"]
    yield from _mime()
    yield from _html()


def _mime() -> Iterator[tuple[str, Iterable[bytes]]]:
    multipart = b'Content-Type: multipart/mixed; boundary="b"'
    yield "300,000 parts", [mail(multipart, body=b"--b\n\nx\n" * 300_000)]
    yield "300,000 boundaries of others", [mail(multipart, body=b"--bx\n" * 300_000)]
    yield "boundary of one byte in binary", [mail(multipart, body=b"\n--b" * 500_000)]
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(3_000)
    )
    yield "3,000 levels", [b"From: a@acme.example\n" + deep]
    same = b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n' * 5_000
    yield "5,000 levels of one boundary", [b"From: a@acme.example\n" + same]
    yield "multipart without boundary", [mail(b"Content-Type: multipart/mixed")]
    yield "multipart that never begins", [mail(multipart, body=b"nothing here\n")]
    yield (
        "boundary with wildcard letters",
        [mail(b'Content-Type: multipart/mixed; boundary="(.*)+["', body=b"--(.*)+[\n\nhi\n")],
    )
    forwarded = b"Content-Type: message/rfc822\n\n" * 5_000
    yield "mail in mail in mail", [b"From: a@acme.example\n" + forwarded]
    report = b"Content-Type: multipart/report; boundary=b"
    group = b"Final-Recipient: rfc822; x@acme.example\nAction: failed\nStatus: 5.1.1\n\n"
    yield (
        "report of 50,000 recipients",
        [mail(report, body=b"--b\nContent-Type: message/delivery-status\n\n" + group * 50_000)],
    )
    invitation = b"Content-Type: text/calendar; method=REQUEST"
    yield "invitation of noise", [mail(invitation, body=b"BEGIN:VEVENT\nDTSTART:" + b"9" * MB)]
    big = b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n"
    yield (
        "attachment of 60 MB",
        (mail(multipart, body=b"--b\n" + big), *(b"QUJDQUJD\n" * 111_111 for _ in range(60))),
    )


def _html() -> Iterator[tuple[str, Iterable[bytes]]]:
    kind = b"Content-Type: text/html"
    for name, piece in (
        ("open tags", b"<a "), ("open comments", b"<!--"), ("angle brackets", b"<"),
        ("open scripts", b"<script>"), ("entities", b"&#x41;&nosuch;&"), ("nested divs", b"<div>"),
        ("open attributes", b'<p a="'), ("blanks", b" \t\n"),
    ):  # fmt: skip
        yield f"html of {name}", [mail(kind, body=piece * (900_000 // len(piece)))]
    for name, line in (
        ("attributions", b"On a, b\n"), ("headers", b"From: a\n"), ("quotes", b"> \n"),
        ("long attributions", b"On " + b"schrieb " * 40 + b"\n"), ("dashes", b"-----\n"),
    ):  # fmt: skip
        yield f"text of {name}", [mail(body=line * (99_000 // len(line)))]


def _mailboxes() -> Iterator[tuple[str, Iterable[bytes]]]:
    line = b"From a@acme.example Mon Mar  9 10:00:00 2026\n"
    yield "From_ lines only", [line * 100_000]
    yield "text in a mailbox", [b"From here on it is text.\n\n" * 100_000]
    yield "binary in a mailbox", [bytes(range(256)) * 20_000]
    yield "one message without end", (line, mail(), *(b"a" * 99 + b"\n" for _ in range(400_000)))
    yield "empty messages", [(line + b"X: y\n\n") * 2_000]
    yield "one line in a mailbox", (line, b"Subject: x\n\n", *(b"y" * MB for _ in range(50)))


def _calendars() -> Iterator[tuple[str, Iterable[bytes]]]:
    for rule in (
        b"FREQ=SECONDLY", b"FREQ=MINUTELY;COUNT=99999999", b"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
        b"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", b"FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        b"FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7,8;BYMINUTE=1,2,3,4,5,6,7", b"FREQ=WEEKLY;INTERVAL=0",
        b"FREQ=DAILY;COUNT=999999999999999", b"FREQ=", b"", b"FREQ=YEARLY;BYWEEKNO=53",
        b"FREQ=MONTHLY;BYDAY=99MO", b"FREQ=DAILY;UNTIL=99999999T999999Z",
        b"FREQ=DAILY;" + b"A=B;" * 9_999,
    ):  # fmt: skip
        yield f"rule {rule.decode()[:60]}", [event(b"RRULE:" + rule)]
    yield "a daily series since 1900", [event(b"RRULE:FREQ=DAILY", start=b"19000101T000000Z")]
    yield "a series since the year 1", [event(b"RRULE:FREQ=DAILY", start=b"00010101T000000Z")]
    yield "an event in the year 9999", [event(b"DURATION:P9999W", start=b"99991231T235959Z")]
    rare = b"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1000000\n"
    yield "300 zones that never change", [_zone(b"z%d" % n, rare) for n in range(300)]
    yield "a zone of 30,000 dates", [_zone(b"z", b"RDATE:19800101T000000\n" * 30_000)]
    yield "no start", [b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nEND:VEVENT\nEND:VCALENDAR\n"]
    yield (
        "never ends",
        [b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\nUID:a\nDTSTART:20260310T100000Z\n" * 5_000],
    )
    yield "nothing but BEGIN", [b"BEGIN:A\n" * 500_000]
    yield "BEGIN and END that do not meet", [b"BEGIN:VEVENT\n" + b"BEGIN:A\nEND:B\n" * 200_000]
    yield (
        "a description of 30 MB",
        (b"BEGIN:VEVENT\nDTSTART:20260310T100000Z\nDESCRIPTION:", *(b"x" * MB for _ in range(30))),
    )
    yield (
        "folded description of 30 MB",
        (
            b"BEGIN:VEVENT\nDTSTART:20260310T100000Z\nDESCRIPTION:",
            *(b"x" * 70 + b"\n " for _ in range(400_000)),
        ),
    )
    yield "100,000 attendees", [event(b"ATTENDEE:mailto:a@acme.example\n" * 25_000)]
    yield (
        "200,000 exception dates",
        [event(b"RRULE:FREQ=DAILY\nEXDATE:" + b"20260310T100000Z," * 50_000)],
    )
    yield "zones of nowhere", [event(start=b"20260310T100000", zone=b"../../../../etc/passwd")]
    zone = (
        b"BEGIN:VTIMEZONE\nTZID:Z\n"
        + _observance(b"FREQ=SECONDLY", b"+9900") * 9_000
        + b"END:VTIMEZONE\n"
    )
    yield "a zone of bombs", [zone + event(start=b"20260310T100000", zone=b"Z")]
    daily = _observance(b"FREQ=DAILY", b"+0100")
    yield (
        "a zone that changes every day",
        [
            b"BEGIN:VTIMEZONE\nTZID:Z\n"
            + daily * 200
            + b"END:VTIMEZONE\n"
            + event(b"RRULE:FREQ=DAILY", start=b"20260310T100000", zone=b"Z")
        ],
    )
    yield (
        "parameters of quotes",
        [event(b'ATTENDEE;CN="' + b'";"' * 20_000 + b":mailto:a@acme.example")],
    )
    yield "noise", [bytes(range(256)) * 4_000]
    yield "UTF-16", [event().decode().encode("utf-16")]


def _observance(rule: bytes, offset: bytes) -> bytes:
    onset = b"BEGIN:STANDARD\nDTSTART:16010101T000000\n"
    return onset + b"TZOFFSETTO:" + offset + b"\nRRULE:" + rule + b"\nEND:STANDARD\n"


def event(more: bytes = b"", start: bytes = b"20260310T100000Z", zone: bytes = b"") -> bytes:
    """Return a calendar of one event with these further lines."""
    at = b"DTSTART;TZID=" + zone + b":" + start if zone else b"DTSTART:" + start
    return (
        b"BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1@clearwater.example\n"
        + at + b"\n" + (more + b"\n" if more else b"") + b"END:VEVENT\nEND:VCALENDAR\n"
    )  # fmt: skip


def _zone(name: bytes, change: bytes) -> bytes:
    """Return a calendar of one event since 1950, in a zone that is spelled out."""
    clock = b"DTSTART:16010101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\n" + change
    clock = b"BEGIN:STANDARD\n" + clock + b"END:STANDARD\n"
    zone = b"BEGIN:VTIMEZONE\nTZID:" + name + b"\n" + clock + b"END:VTIMEZONE\nBEGIN:VEVENT"
    return event(b"RRULE:FREQ=YEARLY", b"19500310T090000", name).replace(b"BEGIN:VEVENT", zone)


def _cards() -> Iterator[tuple[str, Iterable[bytes]]]:
    yield "no END", [b"BEGIN:VCARD\nFN:A\n" * 2_000]
    yield "empty cards", [b"BEGIN:VCARD\nEND:VCARD\n" * 2_000]
    yield (
        "a photo of 30 MB",
        (
            b"BEGIN:VCARD\nFN:A\nPHOTO;ENCODING=b:",
            *(b"x" * MB for _ in range(30)),
            b"\nTEL:1\nEND:VCARD\n",
        ),
    )
    yield (
        "a folded photo of 20 MB",
        (
            b"BEGIN:VCARD\nFN:A\nPHOTO;ENCODING=b:",
            *(b"x" * 74 + b"\n " for _ in range(270_000)),
            b"\nTEL:1\nEND:VCARD\n",
        ),
    )
    yield (
        "soft breaks without end",
        [b"BEGIN:VCARD\nFN:A\nNOTE;QUOTED-PRINTABLE:" + b"a=\n" * 250_000],
    )
    yield "quoted-printable bomb", [b"BEGIN:VCARD\n" + b"NOTE;QUOTED-PRINTABLE:=\n" * 30_000]
    yield "semicolons", [b"BEGIN:VCARD\nFN:A\nN:" + b";" * 500_000 + b"\nEND:VCARD\n"]
    yield "backslashes", [b"BEGIN:VCARD\nFN:A\nN:" + b"\\" * 90_000 + b"\nEND:VCARD\n"]
    yield "parameters", [b"BEGIN:VCARD\nFN" + b";X" * 30_000 + b":A\nEND:VCARD\n"]
    yield "open quotes", [b"BEGIN:VCARD\nFN;X=" + b'"' * 60_000 + b":A\nEND:VCARD\n"]
    yield "groups", [b"BEGIN:VCARD\n" + b"a.b.c.FN:A\n" * 20_000 + b"END:VCARD\n"]
    yield (
        "20,000 telephones",
        [b"BEGIN:VCARD\nFN:A\n" + b"TEL:+12025550100\n" * 20_000 + b"END:VCARD\n"],
    )
    yield "refused charset", [b"BEGIN:VCARD\nFN;CHARSET=unicode_escape:\\u0000\xff\nEND:VCARD\n"]
    yield (
        "wrong charset",
        [b"BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-16:\xe4\xf6;\xfc\nEND:VCARD\n"],
    )
    yield "surrogates and NUL", [b"BEGIN:VCARD\nFN:\xed\xa0\x80\x00x\nUID:\x00\x01\nEND:VCARD\n"]
    yield "impossible birthday", [b"BEGIN:VCARD\nFN:A\nBDAY:99999999\nREV:9999-99-99\nEND:VCARD\n"]
    yield "a card of a calendar", [event()]
    yield "cards of noise", [b"BEGIN:VCARD\n" + bytes(range(256)) * 2_000 + b"\nEND:VCARD\n"]
