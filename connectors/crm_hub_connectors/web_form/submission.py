"""From the fields of one form post to the payload of one submission.

`fields` stays as the visitor's browser sent it. Beside it stand the same answers under
folded names, so that "E-Mail", "email" and "form[email]" are one word to the mapping.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import orjson

from crm_hub.model.values import clean_json
from crm_hub.sdk import HookRequest
from crm_hub_connectors.web_form.body import Form

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BRACKETS = re.compile(r"\[([^\[\]]+)\]")
_OTHER = re.compile(r"[^a-z0-9]+")

_SUBMISSION_IDS = ("submission_id", "_id", "entry_id")
_PAGES = ("page_url", "page_uri", "landing_page")
_REFERRERS = ("referrer", "referer")
_TRACKING = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "gclid",
    "fbclid",
    "msclkid",
)
# They differ between two clicks on the same button, so they say nothing about sameness.
_VOLATILE = re.compile(
    r"(?i)(^_|csrf|nonce|captcha|turnstile|timestamp|^token$|submission_?id$|entry_?id$)"
)


def payload_of(form_name: str, form: Form, request: HookRequest) -> dict[str, Any]:
    """Return the payload of one submission; what is not known is left out."""
    answers = _answers(form.fields)
    given = {**_answers(form.envelope), **answers}
    page = _first(given, _PAGES) or request.headers.get("referer", "")
    payload: dict[str, Any] = {
        "id": item_id(form_name, form, request),
        "form": form_name,
        "submission_id": submission_id(form),
        "submitted_at": request.received_at.isoformat(),
        "content_key": content_key(form_name, form.fields),
        "page_url": _without_query(page),
        "referrer": _without_query(_first(given, _REFERRERS)),
        **_tracking(given, request, page),
        "user_agent": request.headers.get("user-agent", "")[:300],
        "fields": clean_json(form.fields),
        "answers": clean_json(answers),
        "files": form.files,
    }
    return {name: value for name, value in payload.items() if value}


def item_id(form_name: str, form: Form, request: HookRequest) -> str:
    """Return the source id: the form's own submission id, else a digest of this very post."""
    own = submission_id(form)
    if own:
        return f"{form_name}/{own}" if len(own) <= 100 else f"{form_name}/{_digest(own.encode())}"
    moment = request.received_at.isoformat().encode()
    return f"{form_name}/{_digest(moment, request.body)}"


def submission_id(form: Form) -> str:
    """Return the id that the form itself gave to the submission, or an empty text."""
    for source in (form.fields, form.envelope):
        for name in _SUBMISSION_IDS:
            value = source.get(name)
            if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
                return str(value).strip()
    return ""


def content_key(form_name: str, fields: dict[str, Any]) -> str:
    """Return a digest that is equal for two sends of the same answers to the same form."""
    told = {
        name: value.strip() if isinstance(value, str) else value
        for name, value in clean_json(fields).items()
        if not _VOLATILE.search(name)
    }
    return _digest(form_name.encode(), orjson.dumps(told, option=orjson.OPT_SORT_KEYS))


def fold(name: str) -> str:
    """Return a field name in lower-case ASCII words: `form[E-Mail]` → `e_mail`."""
    inner = _BRACKETS.findall(name)
    words = _CAMEL.sub("_", inner[-1] if inner else name)
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return _OTHER.sub("_", plain.lower()).strip("_")


def _answers(fields: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return name → value with folded names; nested objects become `name_first`."""
    out: dict[str, Any] = {}
    for name, value in fields.items():
        folded = "_".join(part for part in (prefix, fold(name)) if part)
        if isinstance(value, dict):
            out.update(_answers(value, folded))
        elif folded and value not in (None, "", []):
            known = out.get(folded)
            out[folded] = value if known is None else [*_as_list(known), *_as_list(value)]
    return out


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _first(answers: dict[str, Any], names: tuple[str, ...]) -> str:
    texts = (answers.get(name) for name in names)
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _tracking(given: dict[str, Any], request: HookRequest, page: str) -> dict[str, str]:
    sources = (given, request.query, _query(page))
    found = {name: next((s[name] for s in sources if s.get(name)), "") for name in _TRACKING}
    return {name: str(value)[:500] for name, value in found.items() if value}


def _query(url: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(urlsplit(url).query, errors="replace"))
    except ValueError:
        return {}


def _without_query(url: str) -> str:
    # A query string often carries what a visitor typed elsewhere; the page is enough.
    try:
        scheme, host, path, _, _ = urlsplit(url.strip())
    except ValueError:
        return ""
    if scheme not in ("http", "https") or "@" in host:
        return ""
    return urlunsplit((scheme, host, path, "", ""))[:1000]


def _digest(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
