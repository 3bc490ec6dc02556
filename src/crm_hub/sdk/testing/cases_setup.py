"""Cases 1 to 4 and 17: the settings form, credentials, discovery, keys, secrets."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from crm_hub.model.errors import AuthRefused, ConfigError, HubError, Unavailable
from crm_hub.sdk.testing import fault_server as faults
from crm_hub.sdk.testing.bench import NOW, Bench, bench, must, need_reading, told
from crm_hub.sdk.testing.harness import WRONG, Exempt, Harness, MiniHub

_SECRET_NAME = re.compile(r"(?i)(password|passwd|secret|token|api_?key|private_key)$")
_HANG_S = 60.0


def settings_form(harness: Harness) -> list[str]:
    """1: the settings have titles and descriptions, and secrets are write-only."""
    manifest = harness.connector.manifest
    must(manifest.id, "the manifest has no id")
    must(manifest.version, "the manifest has no version")
    must(manifest.title, "the manifest has no title")
    schema = manifest.settings.model_json_schema()
    json.dumps(schema)
    for name, info in manifest.settings.model_fields.items():
        shown = schema["properties"].get(info.alias or name, {})
        must(info.title, f"setting {name} has no title")
        must(info.description, f"setting {name} has no description")
        if _SECRET_NAME.search(name):
            is_hidden = shown.get("writeOnly") or any(
                choice.get("writeOnly") for choice in shown.get("anyOf", [])
            )
            must(is_hidden, f"setting {name} looks like a secret but is not a SecretStr")
    return []


def credentials(harness: Harness) -> list[str]:
    """2: a bad credential is AuthRefused, a dead host Unavailable, in time."""
    notes = []
    with bench(harness, harness.page_size) as b:
        connector = b.connect()
        connector.check()
        started = time.monotonic()
        try:
            bad = b.source.bad_settings()
        except Exempt as exempt:
            notes.append(f"bad credential: {exempt}")
        else:
            _raises(AuthRefused, b.connect(bad).check, "check() with a bad credential")
        try:
            dead = b.source.dead_settings()
        except Exempt as exempt:
            notes.append(f"dead host: {exempt}")
        else:
            expected = Unavailable if b.source.server else (Unavailable, ConfigError)
            _raises(expected, lambda: b.connect(dead).check(), "check() on a dead host")
        took_s = time.monotonic() - started
        must(took_s < _HANG_S, f"both took {took_s:.0f} s")
    if len(notes) == 2:
        raise Exempt("; ".join(notes))
    return notes


def _raises(
    expected: type[Exception] | tuple[type[Exception], ...], call: Callable[[], Any], what: str
) -> None:
    try:
        call()
    except expected:
        return
    except Exception as exc:
        raise AssertionError(f"{what} raised {type(exc).__name__}: {exc}") from exc
    raise AssertionError(f"{what} raised nothing")


def discovery(harness: Harness) -> list[str]:
    """3: discover gives the same streams each time."""
    with bench(harness, harness.page_size) as b:
        connector = b.connect()
        first = connector.discover()
        must(first, "discover() found no stream")
        for again in (connector.discover(), b.connect().discover(), b.connect().discover()):
            must(again == first, "discover() gave two different answers for the same source")
        names = [stream.name for stream in first]
        must(len(set(names)) == len(names), f"two streams share a name: {names}")
    return []


def keys(harness: Harness) -> list[str]:
    """4: every record has a key, and each key comes once in a pull of a quiet source."""
    with bench(harness, harness.page_size * 3 + 1) as b:
        need_reading(b)
        seen: set[str] = set()
        for page in b.connect().pull(b.stream, None):
            for change in page.changes:
                must(isinstance(change.id, str), f"a key is a {type(change.id).__name__}")
                must(str(change.id).strip(), "a record has an empty key")
                must(change.id not in seen, f"key {change.id!r} came twice in one pull")
                seen.add(change.id)
        must(seen == set(b.source.ids()), "the keys are not those of the source's records")
    return []


def secrets(harness: Harness) -> list[str]:
    """17: a canary secret appears in no log, error, repr or recording."""
    fields = harness.connector.manifest.settings.model_fields.values()
    if not any("SecretStr" in str(info.annotation) for info in fields):
        raise Exempt("its settings hold no secret")
    with bench(harness, harness.page_size * 2) as b:
        for where, text in _everything_said(b):
            must(harness.secret not in text, f"the secret shows in {where}")
            must(WRONG not in text, f"the refused secret shows in {where}")
    return []


def _everything_said(b: Bench) -> Iterator[tuple[str, str]]:
    connector = b.connect()
    settings = connector.settings
    yield "the settings' repr", f"{settings!r} {settings} {settings.model_dump_json()}"
    yield "the connector's repr", f"{connector!r} {connector}"
    yield "what check() reports", repr(connector.check())
    yield "what discover() gives", repr(connector.discover())
    if b.stream.caps.read != "none":
        hub = MiniHub()
        hub.pull(connector, b.stream)
        yield "a page", json.dumps([list(hub.records.values()), hub.checkpoint], default=str)
    for where, call in _troubles(b):
        try:
            call()
        except HubError as error:
            yield f"the error {where}", told(error)
        except Exception as error:  # noqa: BLE001 - whatever is raised, it must not show the secret
            yield f"the error {where}", told(error)
        if b.source.server:
            b.source.server.calm()
    yield "the log", b.said()


def _troubles(b: Bench) -> Iterator[tuple[str, Callable[[], object]]]:
    try:
        bad = b.source.bad_settings()
    except Exempt:
        pass
    else:
        yield "of a bad credential", lambda: b.connect(bad).check()
        if b.stream.caps.webhooks:
            post = b.source.hook(NOW, b.harness.secret)
            yield "of a refused webhook", lambda: b.connect(bad).verify_hook(post)
    if b.source.server is None:
        return
    server = b.source.server
    for name, fault in {
        "of a page that repeats the credential (500)": faults.echo_credential(500),
        "of a page that repeats the credential (403)": faults.echo_credential(403),
        "of a page that repeats the credential (400)": faults.echo_credential(400),
        "of a page that repeats the credential (200)": faults.echo_credential(200),
        "of an HTML page": faults.html_page(),
        "of a reset": faults.reset_before_headers(),
        "of a redirect": faults.redirect("http://elsewhere.example/?token=" + b.harness.secret),
    }.items():
        server.always(fault)
        yield f"{name}, in check()", lambda: b.connect().check()
        if b.stream.caps.read != "none":
            server.always(fault)
            yield f"{name}, in pull()", lambda: list(b.connect().pull(b.stream, None))
