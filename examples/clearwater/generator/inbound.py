"""What is posted to the receiver on the story's days: form posts, Google leads, Meta webhooks.

Each file holds the body of one request byte for byte; `posts.json` says in which order, to
which connection, with which content type and at which story time. `{{google_key}}` stands for
the key that the connection was set up with.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from . import cast
from .filler import FILLER
from .world import NEW_YORK, Fact, Output, Person, spell_phone

_FORM = 120210447700
_PAGE = "104200300400500"
_META_FORM = "778800990011"
NEW_LEADS = ("leah-fontaine", "omar-siddiqui")
_JSON, _URLENCODED = "application/json", "application/x-www-form-urlencoded"


class Post(NamedTuple):
    """One request. expect: what becomes of it, `lead`, `repeat`, `test` or `ignored`."""

    file: str
    connection: str
    path: str
    content_type: str
    at: datetime
    body: bytes
    expect: str


def _at(day: int, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, tzinfo=NEW_YORK)


def _pretty(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def _google(
    lead: str, answers: dict[str, str], at: datetime, *, test: bool = False, question: str = ""
) -> bytes:
    """Return the body Google Ads posts for one lead form submission."""
    columns = [
        {"column_name": name.replace("_", " ").title(), "string_value": value, "column_id": name}
        for name, value in answers.items()
    ]
    if question:
        columns.append({"column_name": question, "string_value": "30 to 50",
                        "column_id": "how_many_people_drink_water"})  # fmt: skip
    return _pretty({
        "lead_id": lead,
        "user_column_data": columns,
        "api_version": "1.0",
        "form_id": _FORM,
        "campaign_id": 20998877,
        "google_key": "{{google_key}}",
        "is_test": test,
        "gcl_id": "" if test else f"Cj0KCQiA{lead[-10:]}",
        "adgroup_id": 158400112233,
        "creative_id": 690011223344,
        "lead_submit_time": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    })  # fmt: skip


def _google_posts() -> list[Post]:
    dana = {
        "FULL_NAME": "Dana Whitfield", "WORK_EMAIL": cast.DANA.email,
        "PHONE_NUMBER": "+12125550147", "COMPANY_NAME": "Marlow & Finch LLP", "CITY": "New York",
        "JOB_TITLE": "Office Manager",
    }  # fmt: skip
    known = FILLER[3]
    other = {
        "FIRST_NAME": known.given, "LAST_NAME": known.family, "EMAIL": known.email,
        "PHONE_NUMBER": known.phone, "POSTAL_CODE": known.postcode,
    }  # fmt: skip
    sample = {"FULL_NAME": "FirstName LastName", "EMAIL": "test@example.com",
              "PHONE_NUMBER": "+16505550123"}  # fmt: skip
    at, question = _at(10, 9, 15, 22), "How many people drink water?"
    body = _google("lead-9f4b7c02d1a8e55c", dana, at, question=question)
    made = (
        ("google-01-dana", at, body, "lead"),
        ("google-02-dana-sent-again", at + timedelta(minutes=6), body, "repeat"),
        ("google-03-test", _at(10, 9, 30), _google("lead-000000000test01", sample,
         _at(10, 9, 30), test=True), "test"),
        ("google-04-customer", _at(11, 16, 2, 8), _google("lead-5d2e8a31c4b7f990", other,
         _at(11, 16, 2, 8)), "lead"),
    )  # fmt: skip
    return [
        Post(f"inbound/{name}.json", "google", "", _JSON, moment, content, expect)
        for name, moment, content, expect in made
    ]


def _form_posts() -> list[Post]:
    dana = {
        "submission_id": "f-20260310-0948", "first_name": "Dana", "last_name": "Whitfield",
        "email": "DANA.Whitfield@MarlowFinch.example", "company": "Marlow & Finch LLP",
        "message": "Two coolers for about 40 people. When could you deliver?",
        "page_url": "https://www.clearwater.example/offices", "utm_source": "google",
        "utm_medium": "cpc", "utm_campaign": "office-coolers-nyc", "website_url": "",
    }  # fmt: skip
    leah = {
        "submission_id": "f-20260311-1420", "name": "Leah Fontaine",
        "email": "leah.fontaine@homemail.example", "phone": "(914) 555-0181", "city": "Yonkers",
        "message": "Is there a plan for two people?", "website_url": "",
    }  # fmt: skip
    known = FILLER[16]
    hasty = {
        "name": known.name, "email": f" {known.email.upper()}",
        "phone": spell_phone(known.phone, 2),
        "message": "Please call me about the broken tap.", "website_url": "",
    }  # fmt: skip
    robot = {"name": "Best Offers", "email": "win@spam.example", "message": "Cheap links",
             "website_url": "https://spam.example"}  # fmt: skip
    made = (
        ("form-01-dana.json", "contact", _at(10, 9, 48, 31), _pretty(dana), "lead"),
        ("form-02-quote.urlencoded", "quote", _at(11, 14, 20), urlencode(leah).encode(), "lead"),
        ("form-03-hasty.urlencoded", "contact", _at(12, 8, 5), urlencode(hasty).encode(), "lead"),
        ("form-04-hasty-sent-again.urlencoded", "contact", _at(12, 8, 5, 3),
         urlencode(hasty).encode(), "repeat"),
        ("form-05-robot.json", "contact", _at(12, 3, 11), _pretty(robot), "ignored"),
    )  # fmt: skip
    return [
        Post(f"inbound/{name}", "form", form, _JSON if name.endswith("json") else _URLENCODED,
             at, body, expect)
        for name, form, at, body, expect in made
    ]  # fmt: skip


class MetaLead(NamedTuple):
    """A lead as the Graph API returns it, and the person behind it."""

    id: str
    at: datetime
    answers: dict[str, str]
    person: str


def _meta_leads() -> tuple[MetaLead, ...]:
    known: Person = FILLER[27]
    return (
        MetaLead("911000222333401", _at(10, 8, 42, 10), {
            "full_name": "Dana Whitfield", "email": cast.DANA.private_email,
            "company_name": "Marlow & Finch LLP", "city": "New York"}, cast.DANA.key),
        MetaLead("911000222333402", _at(13, 20, 31, 55), {
            "full_name": "Omar Siddiqui", "email": "omar.siddiqui@postbox.example",
            "phone_number": "+15515550182", "city": "Hoboken"}, "omar-siddiqui"),
        MetaLead("911000222333403", _at(13, 20, 33, 2), {
            "full_name": known.name, "email": known.email, "phone_number": known.phone,
            "city": known.city}, known.key),
    )  # fmt: skip


def _lead_json(lead: MetaLead) -> bytes:
    return _pretty({
        "id": lead.id,
        "created_time": f"{lead.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S+0000}",
        "ad_id": "120211000333001", "ad_name": "Cooler, blue", "adset_id": "120211000333002",
        "adset_name": "Offices NYC", "campaign_id": "120211000333003",
        "campaign_name": "Office coolers", "form_id": _META_FORM, "is_organic": False,
        "platform": "fb",
        "field_data": [{"name": name, "values": [text]} for name, text in lead.answers.items()],
    })  # fmt: skip


def _webhook(changes: list[dict[str, Any]], at: datetime) -> bytes:
    entry = {"id": _PAGE, "time": int(at.timestamp()), "changes": changes}
    return _pretty({"object": "page", "entry": [entry]})


def _leadgen(lead: MetaLead) -> dict[str, Any]:
    return {"field": "leadgen", "value": {
        "leadgen_id": lead.id, "form_id": _META_FORM, "page_id": _PAGE,
        "ad_id": "120211000333001", "adgroup_id": "120211000333002",
        "created_time": int(lead.at.timestamp()),
    }}  # fmt: skip


def _meta_posts() -> list[Post]:
    dana, *others = _meta_leads()
    feed = {"field": "feed", "value": {"item": "post", "verb": "add", "post_id": f"{_PAGE}_1"}}
    made = (
        ("meta-01-dana", dana.at, [_leadgen(dana)], "lead"),
        ("meta-02-page-post", _at(12, 10, 0), [feed], "ignored"),
        ("meta-03-two-leads", others[1].at, [_leadgen(lead) for lead in others], "lead"),
    )
    return [
        Post(f"inbound/{name}.json", "meta", "", _JSON, at + timedelta(seconds=2),
             _webhook(changes, at + timedelta(seconds=1)), expect)
        for name, at, changes, expect in made
    ]  # fmt: skip


def inbound() -> Output:
    """Return the request bodies, their order, the leads behind them, and who sent each."""
    posts = sorted([*_google_posts(), *_form_posts(), *_meta_posts()], key=lambda post: post.at)
    out = Output(files={post.file: post.body for post in posts})
    shown = [
        {"file": p.file, "connection": p.connection, "path": p.path,
         "content_type": p.content_type, "at": p.at.isoformat(), "expect": p.expect}
        for p in posts
    ]  # fmt: skip
    out.files["inbound/posts.json"] = _pretty(shown)
    for lead in _meta_leads():
        file = f"inbound/meta-leads/{lead.id}.json"
        out.files[file] = _lead_json(lead)
        out.facts.append(Fact("meta", file, lead.id, lead.person))
    dana, known, caller = cast.DANA.key, FILLER[3].key, FILLER[16].key
    for name, record_id, person in (
        ("google-01-dana.json", "lead-9f4b7c02d1a8e55c", dana),
        ("google-03-test.json", "lead-000000000test01", None),
        ("google-04-customer.json", "lead-5d2e8a31c4b7f990", known),
        ("form-01-dana.json", "contact/f-20260310-0948", dana),
        ("form-02-quote.urlencoded", "quote/f-20260311-1420", NEW_LEADS[0]),
        ("form-03-hasty.urlencoded", "", caller),
        ("form-04-hasty-sent-again.urlencoded", "", caller),
        ("form-05-robot.json", "", None),
    ):
        out.facts.append(Fact(name.partition("-")[0], f"inbound/{name}", record_id, person))
    return out
