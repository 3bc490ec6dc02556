"""The scripted mail: Dana's, and each case that a mailbox reader has to get right."""

from __future__ import annotations

from datetime import datetime

from . import cast
from .agenda import INVITATION, VISIT, WALKTHROUGH, invitation_text
from .message import Mail, attachment, mail, mailbox, message, multipart, part, quote
from .world import NEW_YORK, OWN_DOMAIN, Person

_SALES = ("Clearwater Sales", f"sales@{OWN_DOMAIN}")
_ORDERS = ("Clearwater Orders", f"orders@{OWN_DOMAIN}")
_BILLING = ("Clearwater Billing", f"billing@{OWN_DOMAIN}")
DANA_ID = "20260310151207.77a1@marlowfinch.example"
TWICE_ID = "deliveries-2026-02@tidewaterproperty.example"
NEW_PEOPLE = (
    ("Ingrid Halvorsen", "ingrid@fjordcoffee.example"),
    ("Kenji Watanabe", "kenji.watanabe@tsukibento.example"),
    ("Jürgen Weiß", "j.weiss@weissoptik.example"),
    ("Павел Орлов", "orlov@homemail.example"),
)
"""They wrote to Clearwater and stand in no other tool."""


def _at(month: int, day: int, hour: int, minute: int, second: int = 0) -> datetime:
    year = 2025 if month > 6 else 2026
    return datetime(year, month, day, hour, minute, second, tzinfo=NEW_YORK)


def _who(person: Person) -> tuple[str, str]:
    return person.name, person.email


_DANA_TEXT = """Good morning,

I just spoke with someone on your orders line. We would like two coolers and
weekly bottles for about 40 people on the 26th floor. Could somebody come by
tomorrow and look at where they would stand?

Best,
Dana

--
Dana Whitfield
Office Manager
Marlow & Finch LLP
405 Lexington Ave, New York
212-555-0147
"""

_VISIT_TEXT = """Dear Dana,

gladly: our technician comes tomorrow at 2 pm, the invitation is attached.

--
Clearwater Water Delivery
(718) 555-0101
"""


def _dana() -> list[Mail]:
    """Return Dana's mail of the fifth door, our answer with the invitation, her acceptance."""
    wrote, answered = _at(3, 10, 11, 12, 7), _at(3, 10, 11, 41, 30)
    html = (
        "<html><body>"
        + _DANA_TEXT.replace("&", "&amp;").replace("\n", "<br>\n")
        + "</body></html>\n"
    )
    both = [part(_DANA_TEXT, encoding="quoted-printable"),
            part(html, "text/html", encoding="quoted-printable")]  # fmt: skip
    answer = _VISIT_TEXT + quote(_DANA_TEXT, wrote, "Dana Whitfield")
    answer_id, subject = f"20260310154130.visit@mail.{OWN_DOMAIN}", "Coolers for our office"
    invite = part(invitation_text(VISIT, "REQUEST"), "text/calendar; method=REQUEST")
    accept = part(invitation_text(VISIT, "REPLY"), "text/calendar; method=REPLY", encoding="base64")
    return [
        mail(wrote, _who(cast.DANA), [_ORDERS], subject,
             multipart("alternative", "000000000000dana01", both), DANA_ID),
        mail(answered, _SALES, [_who(cast.DANA)], f"Re: {subject}",
             multipart("mixed", "cw-visit-1", [part(answer), invite]), answer_id,
             replies_to=[DANA_ID]),
        mail(_at(3, 10, 12, 5, 2), _who(cast.DANA), [_SALES], "Accepted: Site visit Marlow & Finch",
             multipart("alternative", "000000000000dana02",
                       [part("Dana Whitfield has accepted this invitation.\n"), accept]),
             "20260310160502.acc@marlowfinch.example", replies_to=[answer_id]),
    ]  # fmt: skip


def _invited() -> Mail:
    text = part("Please join us for the walk-through of the new building.\n")
    invite = part(invitation_text(WALKTHROUGH, "REQUEST"), "text/calendar; method=REQUEST")
    gloria = cast.TIDEWATER_STAFF[0]
    return mail(_at(2, 16, 10, 30), _who(gloria), [_SALES], f"Invitation: {WALKTHROUGH.summary}",
                multipart("alternative", "tw-walk-1", [text, invite]), INVITATION)  # fmt: skip


def _twice() -> list[Mail]:
    """Return one mail that stands in the export under two folders."""
    text = part("Hello,\n\nattached is the list of our lobbies for February.\n\nPeter Vance\n")
    sheet = attachment('filename="lobbies.csv"', "text/csv", b"building,bottles\n1180 6th Ave,14\n")
    body = multipart("mixed", "tw-lobbies", [text, sheet])
    peter, at = cast.TIDEWATER_STAFF[1], _at(2, 2, 9, 5)
    return [
        mail(at, _who(peter), [_ORDERS], "Lobby deliveries February", body, TWICE_ID,
             extra=[("X-Gmail-Labels", folder)])
        for folder in ("Inbox", "Deliveries,Archived")
    ]  # fmt: skip


def _info_mailbox() -> list[Mail]:
    """Return three mails from one shared mailbox, each signed by somebody else."""
    said = (
        "Please deliver on Thursdays only.",
        "Our cooler hums very loudly.",
        "Six bottles, please.",
    )
    return [
        mail(_at(12, 3 + 9 * n, 9, 20 + n), (person.name, cast.INFO_MAILBOX), [_ORDERS],
             "Harborview Dental", part(f"{text}\n\n{person.name}\nHarborview Dental\n"),
             f"info-{n + 1}@harborviewdental.example")
        for n, (person, text) in enumerate(zip(cast.HARBORVIEW_STAFF, said, strict=True))
    ]  # fmt: skip


def _former_employee() -> list[Mail]:
    """Return Priya's mail from her old firm, her new one, and her successor's."""
    old = ("Priya Raman", cast.PRIYA_OLD_EMAIL)
    return [
        mail(_at(11, 6, 15, 44), old, [_ORDERS], "Last order before I leave",
             part("Hello,\n\none more delivery as usual. Friday is my last day at Brightloom,\n"
                  "Owen Hart takes over.\n\nPriya\n"), "leave-1@brightloom.example"),
        mail(_at(11, 20, 10, 2), _who(cast.OWEN), [_ORDERS], "New contact at Brightloom",
             part("Hi,\n\nplease write to me from now on.\n\nOwen Hart\n"),
             "owen-1@brightloom.example"),
        mail(_at(2, 17, 16, 31), _who(cast.PRIYA), [_SALES], "Water for my new studio",
             part("Hi all,\n\nit's Priya, formerly of Brightloom. I manage the studios of Cobalt\n"
                  "Yoga now and we need two coolers. Call me on my mobile?\n\nPriya Raman\n"
                  "Cobalt Yoga Studios\n347-555-0175\n"), "studio-1@cobaltyoga.example"),
    ]  # fmt: skip


def _new_people() -> list[Mail]:
    """Return mail in the charsets and spellings that real programs still send."""
    ingrid, kenji, juergen, pavel = NEW_PEOPLE
    price_list = attachment(
        "filename*=utf-8''Wasser%20f%C3%BCrs%20B%C3%BCro.pdf", "application/pdf",
        b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
    )  # fmt: skip
    german = part("Guten Tag,\n\nliefern Sie auch fürs Büro in Hoboken?\n\nJürgen Weiß\n",
                  charset="iso-8859-15", encoding="quoted-printable")  # fmt: skip
    japanese = part("こんにちは。水をお願いします。\nKenji Watanabe, Tsuki Bento\n",
                    charset="iso-2022-jp", encoding="7bit")  # fmt: skip
    russian = part("Добрый день! Сколько стоит кулер на месяц?\n", charset="koi8-r",
                   encoding="base64")  # fmt: skip
    undeclared = part("Hi — “two” coolers for the café, please.\n\nIngrid\n", charset="cp1252")
    undeclared = undeclared.replace(b"charset=cp1252", b"charset=x-unknown")
    return [
        mail(_at(12, 1, 13, 8), ingrid, [_SALES], "Coolers for a café", undeclared,
             "m1@fjordcoffee.example"),
        mail(_at(1, 13, 9, 50), kenji, [_SALES], "水のご注文", japanese, "m2@tsukibento.example"),
        mail(_at(1, 27, 8, 45), juergen, [_SALES], "Anfrage: Wasser fürs Büro",
             multipart("mixed", "wo-1", [german, price_list]), "m3@weissoptik.example"),
        mail(_at(2, 24, 20, 15), pavel, [_SALES], "Кулер", russian, "m4@homemail.example"),
    ]  # fmt: skip


_DSN_STATUS = b"""Content-Type: message/delivery-status

Reporting-MTA: dns; mail.clearwater.example
Arrival-Date: Wed, 21 Jan 2026 09:00:04 -0500

Final-Recipient: rfc822; marcus@harborviewdental.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user
"""


def _automated() -> list[Mail]:
    """Return what machines wrote: a bounce, a newsletter, an absence note, a payment notice."""
    bounce = multipart("report; report-type=delivery-status", "dsn-1", [
        part("Your message could not be delivered to marcus@harborviewdental.example.\n"),
        _DSN_STATUS,
        b"Content-Type: text/rfc822-headers\n\nMessage-ID: <offer-9@mail.clearwater.example>\n"
        b"Subject: Your spring offer\n",
    ])  # fmt: skip
    away = cast.TIDEWATER_STAFF[4]
    letter = part("<html><body><h1>Cooler Trade Weekly</h1>"
                  "<p>Filter prices rise.</p></body></html>\n",
                  "text/html", encoding="quoted-printable")  # fmt: skip
    return [
        mail(_at(1, 21, 9, 0, 9), ("Mail Delivery System", f"MAILER-DAEMON@mail.{OWN_DOMAIN}"),
             [_SALES], "Undelivered Mail Returned to Sender", bounce,
             f"dsn-9@mail.{OWN_DOMAIN}", extra=[("Auto-Submitted", "auto-replied")]),
        mail(_at(1, 15, 6, 0), ("Cooler Trade Weekly", "news@coolertrade.example"), [_SALES],
             "Filter prices rise", letter, "issue-302@coolertrade.example",
             extra=[("List-Id", "Cooler Trade Weekly <weekly.coolertrade.example>"),
                    ("List-Unsubscribe", "<https://coolertrade.example/leave>"),
                    ("Precedence", "bulk")]),
        mail(_at(1, 21, 9, 1), _who(away), [_SALES], "Out of office: Your spring offer",
             part("I am out of the office until January 26.\n"), "ooo-1@tidewaterproperty.example",
             replies_to=[f"offer-9@mail.{OWN_DOMAIN}"], extra=[("Auto-Submitted", "auto-replied")]),
        mail(_at(3, 19, 14, 2), ("PayDesk", "no-reply@paydesk.example"), [_BILLING],
             "Payment received", part("A payment from Marlow & Finch LLP has arrived.\n"),
             "pay-77120@paydesk.example", extra=[("Auto-Submitted", "auto-generated")]),
    ]  # fmt: skip


def _odd() -> list[Mail]:
    """Return mail that breaks a rule: no Message-ID, a date nobody can read, a bare From_ line."""
    maria, other_maria = cast.MARIAS
    no_id = message([("Received", "from mx.mailbox.example by mail.clearwater.example;\n\t"
                      "Thu, 5 Feb 2026 18:22:10 -0500"),
                     ("From", mailbox(*_who(maria))), ("To", mailbox(*_ORDERS)),
                     ("Date", "yesterday evening"), ("Subject", "second cooler")],
                    part("From Monday on we need a second cooler.\n"
                         "From then on six bottles.\n"))  # fmt: skip
    forward = part("FYI\n\n---------- Forwarded message ---------\nFrom: Clearwater Orders\n"
                   "Subject: Delivery on Friday\n\nYour delivery comes on Friday.\n")  # fmt: skip
    cc = mailbox("", "GLORIA.STEIN@TidewaterProperty.example")
    return [
        Mail(_at(2, 5, 18, 22, 10), maria.email, no_id),
        mail(_at(2, 6, 9, 12), _who(other_maria), [_ORDERS], "Fwd: Delivery on Friday", forward,
             "fwd-1@astoriaprint.example"),
        mail(_at(2, 11, 12, 40), _who(cast.TIDEWATER_STAFF[2]),
             [_ORDERS, _who(cast.TIDEWATER_STAFF[3])], "Bottles for floor 9 and 10",
             part("Both floors need water from March on.\n\nRuth Amsel\n"),
             "floors@tidewaterproperty.example", extra=[("Cc", cc)]),
    ]  # fmt: skip


def story() -> list[Mail]:
    """Return every scripted message."""
    return [*_dana(), _invited(), *_twice(), *_info_mailbox(), *_former_employee(),
            *_new_people(), *_automated(), *_odd()]  # fmt: skip
