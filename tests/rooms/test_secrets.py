"""Secrets: sealed at rest, looked up in use, shown nowhere."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path
from typing import Literal

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, field_validator

from crm_hub import disk, observe
from crm_hub.model.errors import ConfigError
from crm_hub.secrets import (
    KEY_VARIABLE,
    SealedStore,
    resolve_settings,
    reveal,
    seal_settings,
    secret_fields,
)

CANARY = 'canary-7f3a/+ä"secret'


class Settings(BaseModel):
    host: str
    password: SecretStr
    token: SecretStr | None = None
    mode: Literal["read", "write"] = "read"
    page_size: int = 100

    @field_validator("token")
    @classmethod
    def _short(cls, value: SecretStr | None) -> SecretStr | None:
        if value and len(value.get_secret_value()) > 100:
            raise ValueError(f"{value.get_secret_value()} is too long")
        return value


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SealedStore:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setattr(observe, "_known_secrets", set())
    store = SealedStore(tmp_path)
    assert store.create_key()
    return store


def sealed_file(store: SealedStore) -> Path:
    return store.folder / "secrets.sealed"


def key_file(store: SealedStore) -> Path:
    return store.folder / "hub.key"


def test_a_sealed_secret_comes_back_and_is_nowhere_in_clear(store: SealedStore) -> None:
    store.put("mail", "password", CANARY)
    assert SealedStore(store.folder).get("mail", "password") == CANARY
    assert "canary" not in sealed_file(store).read_text()
    for path in (sealed_file(store), key_file(store)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@settings(deadline=None)
@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_any_text_can_be_sealed(
    tmp_path_factory: pytest.TempPathFactory, secret: str, connection: str, field: str
) -> None:
    store = SealedStore(tmp_path_factory.mktemp("hub"))
    store.create_key()
    store.put(connection, field, secret)
    assert store.get(connection, field) == secret
    observe._known_secrets.clear()


def test_what_was_never_sealed_is_none(store: SealedStore) -> None:
    assert store.get("mail", "password") is None


def test_deleting_forgets_one_secret_or_all_of_a_connection(store: SealedStore) -> None:
    for connection, field in (("a", "x"), ("a", "y"), ("b", "x")):
        store.put(connection, field, "secret")
    store.delete("a", "x")
    assert (store.get("a", "x"), store.get("a", "y")) == (None, "secret")
    store.delete("a")
    store.delete("nobody")
    assert (store.get("a", "y"), store.get("b", "x")) == (None, "secret")


def test_a_key_is_made_once_and_never_replaced(store: SealedStore) -> None:
    before = key_file(store).read_bytes()
    assert not store.create_key()
    assert key_file(store).read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_can_read_is_refused_with_the_remedy(
    store: SealedStore, mode: int
) -> None:
    store.put("mail", "password", CANARY)
    key_file(store).chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        store.get("mail", "password")


def test_a_missing_key_says_that_a_new_one_is_no_help(store: SealedStore) -> None:
    store.put("mail", "password", CANARY)
    key_file(store).unlink()
    with pytest.raises(ConfigError, match="Restore it from the backup"):
        store.get("mail", "password")


def test_a_wrong_key_is_told_and_nothing_is_lost(store: SealedStore) -> None:
    store.put("mail", "password", CANARY)
    before = sealed_file(store).read_bytes()
    key_file(store).write_bytes(Fernet.generate_key())
    with pytest.raises(ConfigError, match="cannot be opened with this hub's key"):
        store.get("mail", "password")
    assert sealed_file(store).read_bytes() == before


@pytest.mark.parametrize("key", ["", "short", "ä" * 44])
def test_a_key_that_is_no_key_is_told(store: SealedStore, key: str) -> None:
    key_file(store).write_text(key)
    with pytest.raises(ConfigError, match=r"not a Fernet key"):
        store.put("mail", "password", CANARY)


def test_the_environment_key_wins_over_the_file(
    store: SealedStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "credential").write_bytes(Fernet.generate_key() + b"\n")
    monkeypatch.setenv(KEY_VARIABLE, "file:credential")
    store.put("mail", "password", CANARY)
    key_file(store).unlink()
    assert store.get("mail", "password") == CANARY
    assert not store.create_key()


def test_a_token_moved_to_another_setting_is_refused(store: SealedStore) -> None:
    store.put("mail", "password", CANARY)
    content = json.loads(sealed_file(store).read_text())
    content["secrets"]["evil"] = {"password": content["secrets"]["mail"]["password"]}
    sealed_file(store).write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="cannot be opened"):
        store.get("evil", "password")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"secrets": []}', b'{"secrets": {"a": 1}}', b"\xff"]
)
def test_a_damaged_store_is_told_and_left_alone(store: SealedStore, content: bytes) -> None:
    sealed_file(store).write_bytes(content)
    for call in (lambda: store.get("a", "b"), lambda: store.put("a", "b", "secret")):
        with pytest.raises(ConfigError, match="damaged"):
            call()
    assert sealed_file(store).read_bytes() == content


def test_rotating_changes_the_key_and_every_token_and_keeps_every_secret(
    store: SealedStore,
) -> None:
    store.put("a", "x", "one-secret")
    store.put("b", "y", "two-secret")
    key, tokens = key_file(store).read_bytes(), sealed_file(store).read_bytes()
    assert store.rotate() == 2
    assert (store.get("a", "x"), store.get("b", "y")) == ("one-secret", "two-secret")
    assert key not in key_file(store).read_bytes()
    assert sealed_file(store).read_bytes() != tokens


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_rotation_stopped_at_any_write_leaves_every_secret_readable(
    store: SealedStore, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    store.put("a", "x", "one-secret")
    writes, write = 0, disk.write_private

    def stops(path: Path, content: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes == nth:
            raise KeyboardInterrupt
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr("crm_hub.secrets.sealed.write_private", stops)
        with pytest.raises(KeyboardInterrupt):
            store.rotate()
    assert store.get("a", "x") == "one-secret"
    assert store.rotate() == 1
    assert store.get("a", "x") == "one-secret"


def test_secret_settings_are_found_by_their_type() -> None:
    assert secret_fields(Settings) == {"password", "token"}


def test_new_settings_are_sealed_and_resolve_again(store: SealedStore) -> None:
    given = {"host": "mail.example", "password": CANARY, "page_size": 5}
    written = seal_settings(Settings, "mail", given, store)
    assert written == {"host": "mail.example", "password": "sealed", "page_size": 5}
    settings = resolve_settings(Settings, "mail", written, store)
    assert settings.password.get_secret_value() == CANARY


def test_references_stay_references_and_are_looked_up(
    store: SealedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", CANARY)
    (store.folder / "token").write_text("token-from-file\n")
    given = {"host": "h", "password": "env:MAIL_PASSWORD", "token": "file:token"}
    assert seal_settings(Settings, "mail", given, store) == given
    assert not sealed_file(store).exists()
    settings = resolve_settings(Settings, "mail", given, store)
    assert settings.password.get_secret_value() == CANARY
    assert settings.token is not None
    assert settings.token.get_secret_value() == "token-from-file"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"password": "env:NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE, which is not set"),
        ({"password": "file:nowhere"}, "cannot be read"),
        ({"password": "file:."}, "cannot be read"),
        ({"password": "file:a\x00b"}, "cannot be read"),
        ({"password": "file:empty"}, "holds no usable text"),
        ({"password": "file:binary"}, "holds no usable text"),
        ({"password": "file:huge"}, "holds no usable text"),
        ({"password": "sealed"}, "no such secret is kept"),
        ({"password": CANARY}, "clear text"),
        ({}, "password is required"),
        ({"password": ""}, "password is required"),
        ({"pasword": CANARY}, "Did you mean 'password'"),
        ({"password": "env:OK", "mode": CANARY}, "mode should be 'read' or 'write'"),
        ({"password": "env:OK", "page_size": CANARY}, "page_size should be a valid integer"),
        ({"password": "env:OK", "token": "env:LONG"}, "token is not a usable secret"),
    ],
)
def test_a_bad_setting_is_named_and_never_repeated(
    store: SealedStore,
    monkeypatch: pytest.MonkeyPatch,
    values: dict[str, object],
    says: str,
) -> None:
    monkeypatch.setenv("OK", "fine-secret")
    monkeypatch.setenv("LONG", CANARY * 20)
    (store.folder / "empty").write_text("\n")
    (store.folder / "binary").write_bytes(b"\xff\xfe")
    (store.folder / "huge").write_text("x" * 200_000)
    with pytest.raises(ConfigError) as error:
        resolve_settings(Settings, "mail", {"host": "h", **values}, store, kind="imap")
    assert says in str(error.value)
    assert error.value.remedy
    assert "canary" not in str(error.value)
    assert "canary" not in repr(error.value)


def test_the_message_shows_the_command_that_sets_it(store: SealedStore) -> None:
    with pytest.raises(ConfigError) as error:
        resolve_settings(Settings, "office", {"host": "h"}, store, kind="imap")
    remedy = "Set it with: crm-hub connect imap office --replace --set password=-"
    assert error.value.remedy == remedy
    with pytest.raises(ConfigError) as error:
        seal_settings(Settings, "office", {"password": "x"}, store, kind="imap")
    assert error.value.remedy == "Set it with: crm-hub connect imap office --set host=VALUE"


def test_a_secret_in_clear_text_is_refused_with_the_command_that_seals_it(
    store: SealedStore,
) -> None:
    with pytest.raises(ConfigError, match="in clear text") as error:
        resolve_settings(Settings, "office", {"host": "h", "password": CANARY}, store, kind="imap")
    assert "crm-hub connect imap office --replace --set password=-" in error.value.remedy
    assert "canary" not in str(error.value)


def test_nothing_is_sealed_unless_all_settings_are_valid(store: SealedStore) -> None:
    with pytest.raises(ConfigError, match="mode"):
        seal_settings(Settings, "m", {"host": "h", "password": CANARY, "mode": "x"}, store)
    assert not sealed_file(store).exists()


@pytest.mark.parametrize("way", ["sealed", "reference"])
def test_no_log_line_shows_a_secret_that_was_looked_up(
    store: SealedStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    way: str,
) -> None:
    if way == "sealed":
        store.put("mail", "password", CANARY)
        observe._known_secrets.clear()
        store.get("mail", "password")
    else:
        monkeypatch.setenv("SECRET", CANARY)
        reveal("env:SECRET", store.folder, "password")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        observe.configure()
        log = observe.logger("test")
        log.warning("plain %s", CANARY)
        log.warning("json %s", json.dumps({"p": CANARY}))
        log.warning("url %s", "canary-7f3a%2F%2B%C3%A4%22secret")
    finally:
        root.handlers[:], root.level = handlers, level
    out = capsys.readouterr().err
    assert out.count("***") == 3
    assert "canary" not in out
