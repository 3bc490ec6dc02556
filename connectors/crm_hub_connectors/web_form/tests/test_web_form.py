"""What a form post becomes, and who may post."""

from __future__ import annotations

import pytest
from crm_hub_connectors.web_form.tests.posts import FIXTURES, URLENCODED, post, submit, web_form
from pydantic import ValidationError

from crm_hub.sdk import HookRefused

SITE = "https://www.clearwater.example"


def test_a_json_post_keeps_its_fields_raw_and_gives_folded_answers() -> None:
    body = (FIXTURES / "contact.json").read_bytes()
    payload = submit(web_form(), post(body, user_agent="Mozilla/5.0"))
    assert payload["id"] == "contact/f-1001"
    assert payload["submission_id"] == "f-1001"
    assert payload["submitted_at"] == "2026-03-10T14:05:00+00:00"
    assert payload["fields"]["email"] == "Dana.Whitfield@MarlowFinch.example"
    assert payload["answers"]["message"].endswith("\nWhen could you deliver?")
    assert payload["user_agent"] == "Mozilla/5.0"


def test_the_page_is_kept_without_its_query_and_the_campaign_is_taken_from_it() -> None:
    payload = submit(web_form(), post((FIXTURES / "contact.json").read_bytes()))
    assert payload["page_url"] == f"{SITE}/offices"
    assert payload["utm_source"] == "google"


def test_an_urlencoded_post_keeps_repeated_fields_as_lists() -> None:
    body = (FIXTURES / "contact.urlencoded").read_bytes()
    payload = submit(web_form(), post(body, URLENCODED, referer=f"{SITE}/offices?x=1"))
    assert payload["fields"]["days[]"] == ["Tue", "Thu"]
    assert payload["answers"]["your_name"] == "Dana Whitfield"
    assert payload["answers"]["days"] == ["Tue", "Thu"]
    assert payload["page_url"] == f"{SITE}/offices"


def test_a_multipart_post_gives_text_fields_and_names_its_files() -> None:
    body = (FIXTURES / "contact.multipart").read_bytes()
    payload = submit(web_form(), post(body, "multipart/form-data; boundary=x7"))
    assert payload["fields"] == {
        "form_fields[name]": "Zoë Whitfield",
        "form_fields[email]": "zoe@marlowfinch.example",
    }
    assert payload["answers"] == {"name": "Zoë Whitfield", "email": "zoe@marlowfinch.example"}
    [file] = payload["files"]
    assert (file["field"], file["content_type"], file["size_bytes"]) == (
        "plan",
        "application/pdf",
        12,
    )
    assert "%PDF" not in repr(payload)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ('{"fields": {"E-Mail": "a@b.example"}, "submission_id": 7}', {"E-Mail": "a@b.example"}),
        ('{"fields": [{"name": "email", "value": "a@b.example"}]}', {"email": "a@b.example"}),
        ('{"email": "a@b.example"}', {"email": "a@b.example"}),
    ],
)
def test_the_usual_json_envelopes_are_opened(body: str, fields: dict[str, str]) -> None:
    assert submit(web_form(), post(body))["fields"] == fields


def test_nested_json_names_are_joined() -> None:
    payload = submit(web_form(), post('{"name": {"first": "Dana", "last": "Whitfield"}}'))
    assert payload["answers"] == {"name_first": "Dana", "name_last": "Whitfield"}


def test_json_sent_as_plain_text_by_a_beacon_is_read() -> None:
    assert submit(web_form(), post('{"name": "Dana"}', "text/plain;charset=UTF-8"))["answers"]


def test_a_declared_character_set_is_obeyed() -> None:
    body = "name=Zo\xeb".encode("latin-1")
    payload = submit(web_form(), post(body, f"{URLENCODED}; charset=ISO-8859-1"))
    assert payload["answers"]["name"] == "Zoë"


def test_the_same_submission_id_is_one_record_and_other_posts_are_their_own() -> None:
    connector = web_form()
    first = submit(connector, post('{"submission_id": "A", "name": "Dana"}'))
    again = submit(connector, post('{"submission_id": "A", "name": "Dana"}', later_s=900))
    other = submit(connector, post('{"name": "Dana"}'))
    later = submit(connector, post('{"name": "Dana"}', later_s=3))
    assert first["id"] == again["id"]
    assert len({first["id"], other["id"], later["id"]}) == 3


def test_a_double_click_has_one_content_key_whatever_token_the_page_made() -> None:
    connector = web_form()
    keys = {
        submit(connector, post(body, later_s=n))["content_key"]
        for n, body in enumerate(
            [
                '{"name": "Dana", "csrf_token": "1"}',
                '{"csrf_token": "2", "name": "Dana "}',
                '{"name": "Dana", "g-recaptcha-response": "xyz"}',
            ]
        )
    }
    assert len(keys) == 1
    different = submit(connector, post('{"name": "Ann"}'))["content_key"]
    elsewhere = submit(connector, post('{"name": "Dana"}', form="quote"))["content_key"]
    assert len(keys | {different, elsewhere}) == 3


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"name": "Best Offers", "website_url": "https://spam.example"}', "application/json"),
        ("name=Best+Offers&website_url=x", URLENCODED),
    ],
)
def test_a_filled_honeypot_is_answered_as_success_and_kept_out(
    body: str, content_type: str
) -> None:
    connector = web_form()
    robot, person = post(body, content_type), post(body.replace("website_url", "m"), content_type)
    assert connector.verify_hook(robot) == connector.verify_hook(person)
    batch = connector.parse_hook(robot)
    assert (list(batch.changes), batch.ignored) == ([], "honeypot field website_url was filled")
    assert connector.parse_hook(person).changes


@pytest.mark.parametrize("form", ["", "newsletter", "../contact", "contact/x", "x" * 65])
def test_an_unknown_form_is_404(form: str) -> None:
    with pytest.raises(HookRefused) as refused:
        web_form(forms="contact, quote").verify_hook(post("{}", form=form))
    assert refused.value.status == 404


def test_without_a_list_any_form_name_is_taken() -> None:
    assert submit(web_form(), post('{"a": 1}', form="spring.offer-2"))["form"] == "spring.offer-2"


def test_a_token_is_asked_for_in_header_or_query() -> None:
    connector = web_form(secret="s3cret-token")
    assert connector.verify_hook(post("{}", x_form_token="s3cret-token")).keep
    assert connector.verify_hook(post("{}", query={"token": "s3cret-token"})).keep
    for request, status in ((post("{}"), 401), (post("{}", x_form_token="S3cret-token"), 403)):
        with pytest.raises(HookRefused) as refused:
            connector.verify_hook(request)
        assert refused.value.status == status
        assert "s3cret" not in str(refused.value).lower()


def test_an_allowed_origin_may_ask_and_post_from_a_script() -> None:
    connector = web_form(allowed_origins=f"{SITE}, https://shop.clearwater.example")
    asked = connector.verify_hook(post(b"", method="OPTIONS", origin=SITE))
    assert (asked.status, asked.keep) == (204, False)
    assert asked.headers["access-control-allow-origin"] == SITE
    assert asked.headers["access-control-allow-methods"] == "POST"
    reply = connector.verify_hook(post("{}", origin=SITE))
    assert reply.headers["access-control-allow-origin"] == SITE
    assert reply.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", f"{SITE}.evil.example", "http://www.clearwater.example"],
)
def test_another_origin_may_neither_ask_nor_post(origin: str) -> None:
    connector = web_form(allowed_origins=SITE)
    for method in ("OPTIONS", "POST"):
        with pytest.raises(HookRefused) as refused:
            connector.verify_hook(post("{}", method=method, origin=origin))
        assert refused.value.status == 403


def test_without_allowed_origins_plain_posts_pass_and_no_script_is_let_in() -> None:
    reply = web_form().verify_hook(post("a=1", URLENCODED, origin="https://any.example"))
    assert "access-control-allow-origin" not in reply.headers
    with pytest.raises(HookRefused):
        web_form().verify_hook(post("", method="OPTIONS", origin="https://any.example"))


def test_a_browser_is_sent_to_the_thank_you_page_on_the_site_it_came_from() -> None:
    connector = web_form(allowed_origins=SITE, redirect="/thanks")
    page = post("a=1", URLENCODED, origin=SITE, accept="text/html,*/*")
    assert connector.verify_hook(page).status == 303
    assert connector.verify_hook(page).headers["location"] == f"{SITE}/thanks"
    script = post("a=1", URLENCODED, origin=SITE, accept="*/*")
    assert connector.verify_hook(script).body == b'{"ok":true}'


def test_a_get_is_405() -> None:
    with pytest.raises(HookRefused) as refused:
        web_form().verify_hook(post(b"", method="GET"))
    assert refused.value.status == 405


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"redirect": "//evil.example"}, "redirect"),
        ({"redirect": "https://evil.example/x"}, "redirect"),
        ({"redirect": "/\\evil.example"}, "redirect"),
        ({"redirect": "javascript:alert(1)"}, "redirect"),
        ({"redirect": "/a\r\nSet-Cookie: x"}, "redirect"),
        ({"redirect": "https://a.example@evil.example/", "allowed_origins": SITE}, "redirect"),
        ({"forms": "a b"}, "form name"),
        ({"allowed_origins": "*"}, "origin"),
        ({"allowed_origins": "https://a.example/path"}, "origin"),
        ({"max_fields": 0}, "max_fields"),
        ({"secret": "short"}, "secret"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_bad_setting_is_refused_by_name(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named) as error:
        web_form(**settings)
    assert "input_value" not in str(error.value)


def test_a_redirect_on_an_allowed_origin_is_fine() -> None:
    assert web_form(allowed_origins=SITE, redirect=f"{SITE}/thanks").settings.redirect


def test_check_tells_the_address_and_what_is_open() -> None:
    lines = " ".join(web_form(forms="contact").check().lines)
    assert "/in/form/<form>" in lines
    assert "Anybody" in lines
