"""Mail messages as bytes, written out by hand (RFC 5322, RFC 2045) so that they never change.

The standard library would choose boundaries and line folds that differ between versions.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from .world import OWN_DOMAIN

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Mail:
    """One message of the mailbox. sender: the address on the mbox separator line."""

    at: datetime
    sender: str
    raw: bytes

    def in_mbox(self) -> bytes:
        """Return the message as mboxrd keeps it: separator line, quoted From_ lines."""
        lines = self.raw.replace(b"\r\n", b"\n").split(b"\n")
        quoted = b"\n".join(
            b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines
        )
        separator = f"From {self.sender} {self.at.astimezone(UTC):%a %b %d %H:%M:%S %Y}\n"
        return separator.encode() + quoted.rstrip(b"\n") + b"\n\n"


def word(text: str, charset: str = "utf-8", encoding: str = "B") -> str:
    """Return text as an RFC 2047 encoded word; plain ASCII stays as it is."""
    if text.isascii():
        return text
    data = text.encode(charset)
    if encoding == "B":
        return f"=?{charset}?B?{base64.b64encode(data).decode()}?="
    quoted = quopri.encodestring(data, header=True).decode().replace("?", "=3F")
    return f"=?{charset}?Q?{quoted}?="


def mailbox(name: str, address: str) -> str:
    """Return an address with its display name, quoted where the name needs it."""
    if not name:
        return address
    shown = word(name) if not name.isascii() else f'"{name}"' if set(name) & set(".,&'") else name
    return f"{shown} <{address}>"


def part(
    text: str, kind: str = "text/plain", charset: str = "utf-8", encoding: str = "8bit"
) -> bytes:
    """Return a text part with its headers. encoding: 7bit, 8bit, quoted-printable or base64."""
    data = text.encode(charset)
    if encoding == "quoted-printable":
        data = quopri.encodestring(data)
    elif encoding == "base64":
        data = base64.encodebytes(data)
    head = f"Content-Type: {kind}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n"
    return head.encode() + data


def attachment(filename_parameter: str, kind: str, data: bytes) -> bytes:
    """Return a base64 attachment; `filename_parameter` as in `filename="a.pdf"`."""
    head = (
        f"Content-Type: {kind}\nContent-Disposition: attachment; {filename_parameter}\n"
        "Content-Transfer-Encoding: base64\n\n"
    )
    return head.encode() + base64.encodebytes(data)


def multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    """Return a multipart body with its own Content-Type header; kind may carry parameters."""
    sub, _, parameters = kind.partition(";")
    head = f'Content-Type: multipart/{sub}; boundary="{boundary}"'
    head += f";{parameters}\n\n" if parameters else "\n\n"
    mark = f"--{boundary}\n".encode()
    inner = b"".join(mark + one.rstrip(b"\n") + b"\n" for one in parts)
    return head.encode() + inner + f"--{boundary}--\n".encode()


def message(headers: Headers, content: bytes) -> bytes:
    """Return a whole message; `content` begins with the MIME headers of its body."""
    head = "".join(f"{name}: {value}\n" for name, value in headers)
    return head.encode("utf-8", "surrogateescape") + b"MIME-Version: 1.0\n" + content


def mail(
    at: datetime,
    sender: tuple[str, str],
    to: Sequence[tuple[str, str]],
    subject: str,
    content: bytes,
    message_id: str,
    *,
    replies_to: Sequence[str] = (),
    extra: Headers = (),
) -> Mail:
    """Return a usual message. replies_to: the ids of the thread, oldest first."""
    outgoing = sender[1].endswith("@" + OWN_DOMAIN)
    headers = [("Return-Path", f"<{sender[1]}>")]
    if not outgoing:
        host = sender[1].partition("@")[2]
        stamp = format_datetime(at)
        headers.append(
            ("Received", f"from mx.{host} (mx.{host} [192.0.2.25])\n\tby mail.{OWN_DOMAIN};"
             f"\n\t{stamp}")
        )  # fmt: skip
    headers += [
        ("Message-ID", f"<{message_id}>"),
        ("Date", format_datetime(at)),
        ("From", mailbox(*sender)),
        ("To", ",\n\t".join(mailbox(*one) for one in to)),
        ("Subject", word(subject)),
    ]
    if replies_to:
        headers.append(("In-Reply-To", f"<{replies_to[-1]}>"))
        headers.append(("References", "\n\t".join(f"<{one}>" for one in replies_to)))
    labels = "Sent" if outgoing else "Inbox"
    given = {name for name, _ in extra}
    if "X-Gmail-Labels" not in given:
        headers.append(("X-Gmail-Labels", labels))
    return Mail(at, sender[1], message([*headers, *extra], content))


def quote(text: str, at: datetime, who: str) -> str:
    """Return text as a reply quotes it."""
    lines = "\n".join(f"> {line}".rstrip() for line in text.rstrip("\n").split("\n"))
    return f"\nOn {at:%a, %b %d, %Y at %I:%M %p} {who} wrote:\n{lines}\n"
