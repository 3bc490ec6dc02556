"""One mail as a payload: who wrote to whom, when, about what, and whether a machine did.

Attachments are named, never carried. Encrypted mail stays closed: its text is empty.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_hub.model.errors import RecordError
from crm_hub.sdk.formats import mailtext
from crm_hub.sdk.formats.invitation import read_invitation
from crm_hub.sdk.formats.items import MAX_ID
from crm_hub.sdk.formats.mail_dates import parse_date
from crm_hub.sdk.formats.mail_headers import (
    Address,
    Headers,
    Raw,
    addresses,
    clean,
    mended,
    read_headers,
)
from crm_hub.sdk.formats.mail_people import NO_OWN, Own, is_machine
from crm_hub.sdk.formats.mail_report import read_bounce
from crm_hub.sdk.formats.mime import Part, Walk, walk

_REMEDY = "Open the file in a mail program; if it is not a mail, take it out of the folder."
_ID = re.compile(r"<([^<>\s]{1,500})>")
_SENT = (
    "sent|sent items|sent mail|sent messages|gesendet|gesendete objekte|gesendete elemente"
    "|envoyés|éléments envoyés|messages envoyés|enviados|elementos enviados|verzonden"
    "|verzonden items|posta inviata|skickat|sendt|wysłane"
)
SENT_FOLDERS = frozenset(_SENT.split("|"))
_DRAFT = (
    "draft|drafts|entwürfe|entwurf|brouillons|borradores|concepten|bozze|utkast|kladder"
    "|kopie robocze|rascunhos"
)
DRAFT_FOLDERS = frozenset(_DRAFT.split("|"))
_SPAM = (
    "spam|junk|junk email|junk e-mail|spamverdacht|courrier indésirable|correo no deseado"
    "|ongewenste e-mail|posta indesiderata|skräppost"
)
SPAM_FOLDERS = frozenset(_SPAM.split("|"))
_MARKED_UP = ("text/html", "text/enriched", "text/richtext")
_MAX_SKEW = timedelta(days=1)


def parse_message(
    raw: Raw,
    own: Own = NO_OWN,
    *,
    zone: str = "UTC",
    received_at: datetime | None = None,
    folder: str = "",
    flags: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return a raw mail as a payload of shape `mail`.

    Keys: message_id, original_message_id (a Gmail copy's first id), in_reply_to, references,
    thread_id (the first of the thread); date, received_at, occurred_at (ISO 8601 or None);
    from, to, cc, bcc, reply_to (address, name); subject, subject_key; text, reply_text,
    snippet, truncated, encrypted (pgp, smime or None), body_hash ("" for a mail with an id);
    attachments (filename, content_type, size in bytes, part as IMAP numbers it);
    direction (in, out), state (mail, draft, spam), labels, folder, flags; automated,
    list_id, bounce, invitation (shape `calendar`, with method);
    limit (which limit of its MIME structure was met, "" for none).
    received_at, folder, flags: what the mailbox knows beside the message itself. zone: for
    times without one in an invitation.
    Raises: RecordError when there is no header field at all: that is no mail.
    """
    raw = mended(raw)
    found = walk(raw)
    headers = found.headers
    if not headers:
        raise RecordError("there is no mail header in it", remedy=_REMEDY)
    sender = (addresses(headers.raw("from")) or addresses(headers.raw("sender")) or [{}])[0]
    labels = _labels(headers)
    places = {folder.lower(), *(label.lower() for label in labels)}
    # A delivery report of our own server is news to us, not mail of ours.
    is_ours = own.is_own(sender.get("address", "")) and found.kind != "multipart/report"
    out = is_ours or bool(places & SENT_FOLDERS)
    payload = _envelope(headers, sender, received_at)
    payload |= {
        "direction": "out" if out else "in",
        "state": _state(places, flags),
        "labels": labels,
        "folder": folder,
        "flags": list(flags),
        "automated": _is_automated(found, payload["from"]["address"]),
        "list_id": _bracketed(headers.text("list-id")),
        "bounce": read_bounce(found, raw),
        "invitation": _invitation(found, raw, zone),
    }
    payload |= _content(found, raw, hashed=not payload["message_id"])
    return payload


def message_item_id(payload: dict[str, Any], raw: Raw) -> str:
    """Return the key of a mail inside its stream: Message-ID and date, else a hash of the whole.

    The date is part of it because some programs give all their mails one id.
    """
    if not payload["message_id"]:
        return "sha:" + hashlib.sha256(raw).hexdigest()[:40]
    if not payload["date"]:
        return str(payload["message_id"])
    moment = datetime.fromisoformat(payload["date"]).astimezone(UTC)
    return f"{payload['message_id']} {moment:%Y%m%dT%H%M%S}"


def message_marks(raw: Raw) -> tuple[str, str | None]:
    """Return (message_id, date) as `parse_message` gives them, from header fields alone."""
    headers = read_headers(mended(raw))
    date = parse_date(headers.raw("date")) if headers.raw("date") else None
    return _message_id(headers.raw("message-id")), date.isoformat() if date else None


def _envelope(headers: Headers, sender: Address, received_at: datetime | None) -> dict[str, Any]:
    date = parse_date(headers.raw("date")) if headers.raw("date") else None
    received = _received_at(headers) or received_at
    # The Date header lies now and then; a mail does not arrive a day before it is written.
    lies = date is None or (received is not None and date - received > _MAX_SKEW)
    occurred = (received if lies else None) or date
    subject = headers.text("subject")
    references = _ids(headers.raw("references"))
    in_reply_to = _ids(headers.raw("in-reply-to"))
    message_id = _message_id(headers.raw("message-id"))
    return {
        "message_id": message_id,
        "original_message_id": _message_id(headers.raw("x-google-original-message-id")),
        "in_reply_to": in_reply_to[0] if in_reply_to else "",
        "references": references,
        "thread_id": (references or in_reply_to or [message_id])[0],
        "date": date.isoformat() if date else None,
        "received_at": received.astimezone(UTC).isoformat() if received else None,
        "occurred_at": occurred.isoformat() if occurred else None,
        "from": {"address": sender.get("address", ""), "name": sender.get("name", "")},
        "to": addresses(", ".join(headers.all("to"))),
        "cc": addresses(", ".join(headers.all("cc"))),
        "bcc": addresses(headers.raw("bcc")),
        "reply_to": addresses(headers.raw("reply-to")),
        "subject": subject,
        "subject_key": mailtext.subject_key(subject),
    }


def _message_id(value: str) -> str:
    match = _ID.search(value)
    text = match[1] if match else "".join(value.split()).strip("<>")
    if not text.isprintable():
        text = "".join(c for c in text if c.isprintable())
    return text if len(text) <= MAX_ID else ""


def _ids(value: str) -> list[str]:
    """Return the message ids of a References field: the first and the last 99 at most."""
    found = list(dict.fromkeys(_ID.findall(value)))
    return found if len(found) <= 100 else [found[0], *found[-99:]]


def _received_at(headers: Headers) -> datetime | None:
    top = headers.raw("received") or headers.raw("delivery-date")
    return parse_date(top.rpartition(";")[2]) if top else None


def _labels(headers: Headers) -> list[str]:
    value = headers.text("x-gmail-labels")
    return [label.strip().strip('"') for label in value.split(",")][:100] if value else []


def _state(places: set[str], flags: tuple[str, ...]) -> str:
    """Return draft or spam for what is no correspondence yet or ever, else mail."""
    if "draft" in flags or places & DRAFT_FOLDERS:
        return "draft"
    return "spam" if places & SPAM_FOLDERS else "mail"


def _bracketed(value: str) -> str:
    inside = re.search(r"<([^<>]{1,300})>", value)
    return inside[1].strip() if inside else value[:300]


def _is_automated(found: Walk, sender: str) -> bool:
    """Tell whether a program wrote it. Source: RFC 3834, RFC 2919, RFC 3464."""
    headers = found.headers
    submitted = headers.raw("auto-submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if headers.raw("precedence").lower() in ("bulk", "list", "junk", "auto_reply"):
        return True
    if headers.raw("list-id") or headers.raw("list-unsubscribe"):
        return True
    null_path = "".join(headers.raw("return-path").split()) == "<>"
    return null_path or found.kind == "multipart/report" or is_machine(sender)


def _invitation(found: Walk, raw: Raw, zone: str) -> dict[str, Any] | None:
    for part in found.parts:
        if part.content_type == "text/calendar":
            body, _ = part.text(raw)
            return read_invitation(
                body.encode("utf-8", "replace"), zone, method=part.params.get("method", "")
            )
    return None


def _content(found: Walk, raw: Raw, *, hashed: bool) -> dict[str, Any]:
    encrypted = _encrypted(found)
    text, cut = ("", False) if encrypted else _text(found, raw)
    if text.lstrip().startswith("-----BEGIN PGP MESSAGE-----"):
        encrypted, text = "pgp", ""
    reply = mailtext.reply_text(text)
    attachments = [_attachment(part, raw) for part in found.parts if _is_attachment(part)]
    return {
        "text": text,
        "truncated": cut,
        "reply_text": reply,
        "snippet": mailtext.snippet(reply),
        "attachments": attachments[:200],
        "encrypted": encrypted,
        "limit": found.limit,
        "body_hash": _body_hash(text, attachments) if hashed else "",
    }


def _text(found: Walk, raw: Raw) -> tuple[str, bool]:
    """Return (the readable text, was it cut): plain parts, and HTML where no plain one exists."""
    texts = [part for part in found.parts if part.is_inline_text]
    plain = {p.choice for p in texts if p.content_type == "text/plain" and p.end > p.start + 2}
    plain.discard(-1)
    out: list[str] = []
    cut = False
    for part in texts:
        if part.content_type != "text/plain" and part.choice in plain:
            continue
        body, was_cut = part.text(raw)
        cut = cut or was_cut
        is_marked = part.content_type in _MARKED_UP
        body = mailtext.html_to_text(body) if is_marked else body.strip()
        if body:
            out.append(body)
        if sum(map(len, out)) > mailtext.MAX_TEXT:
            break
    text = "\n".join(out)
    return text[: mailtext.MAX_TEXT], cut or len(text) > mailtext.MAX_TEXT


def _is_attachment(part: Part) -> bool:
    if part.is_inline_text or part.content_type == "message/delivery-status":
        return False
    return part.content_type != "text/calendar" or bool(part.filename)


def _attachment(part: Part, raw: Raw) -> dict[str, Any]:
    return {
        "filename": part.filename,
        "content_type": part.content_type[:200],
        "size": part.size(raw),
        "part": part.number,
    }


def _encrypted(found: Walk) -> str | None:
    kinds = {found.kind, *(part.content_type for part in found.parts)}
    if "application/pgp-encrypted" in kinds:
        return "pgp"
    if found.kind == "multipart/encrypted":
        return "smime" if "pkcs7" in found.params.get("protocol", "") else "pgp"
    if found.kind in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        return "smime"
    return None


def _body_hash(text: str, attachments: list[dict[str, Any]]) -> str:
    """Return what two copies of one mail have in common, whatever their transport did to it."""
    names = "".join(a["filename"] for a in attachments) if not text else ""
    return hashlib.blake2b(
        clean(text or names).encode("utf-8", "replace"), digest_size=12
    ).hexdigest()
