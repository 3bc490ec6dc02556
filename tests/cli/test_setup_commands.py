"""init, connect, disconnect, pause, check, connectors: a hub is set up, and nothing by half."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

CANARY = "canary-secret-9f4b7c02"


def test_init_makes_a_private_hub_and_says_what_comes_next(crm, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    done = crm.fine("init", "--hub", folder, "--name", "Clearwater", "--own", "a.example,b.example")
    assert "crm-hub connect" in done.out
    assert stat.S_IMODE((folder / "hub.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / "mappings").is_dir()
    assert (folder / "connectors").is_dir()


def test_init_leaves_a_hub_that_is_there_alone(crm, hub_dir: Path) -> None:
    before = (hub_dir / "hub.yaml").read_bytes()
    done = crm("init", "--json")
    assert done.status == 2
    assert done.data["remedy"]
    assert (hub_dir / "hub.yaml").read_bytes() == before


@pytest.mark.parametrize(
    "bad", [("--region", "UK"), ("--region", "XX"), ("--zone", "Mars/Base"), ("--store", "x:y")]
)
def test_init_refuses_a_wrong_value_and_writes_nothing(crm, tmp_path: Path, bad) -> None:
    done = crm("init", "--hub", tmp_path / "new", *bad)
    assert done.status == 2
    assert done.err.startswith("Error: ")
    assert not (tmp_path / "new").exists()


def test_outside_of_a_hub_a_command_says_how_to_name_one(crm) -> None:
    done = crm("status")
    assert done.status == 2
    assert "CRM_HUB_DIR" in done.err


def test_the_hub_is_found_by_option_environment_and_from_below(
    crm, hub_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (hub_dir / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(hub_dir / "deep" / "down")
    assert crm.fine("status", "--json").data["streams"] == []
    monkeypatch.chdir(tmp_path)
    assert crm.fine("status", "--json", "--hub", hub_dir).data["streams"] == []
    monkeypatch.setenv("CRM_HUB_DIR", str(hub_dir))
    assert crm.fine("status", "--json").data["streams"] == []


def test_connect_shows_what_it_found_and_what_was_guessed(crm, hub_dir: Path) -> None:
    (hub_dir / "list.csv").write_text("Name,Mail,Shoe size\nAnn Lee,ann@lee.example,39\n")
    done = crm.fine("connect", "files", "list", "--set", "path=list.csv")
    assert "Connected list (files)." in done.out
    assert "list.csv" in done.out
    assert "Shoe size" in done.out
    assert "crm-hub sync list" in done.out


def test_connect_names_every_missing_setting_at_once(crm, hub_dir: Path) -> None:
    before = (hub_dir / "hub.yaml").read_bytes()
    done = crm("connect", "meta_ads", "meta")
    assert done.status == 2
    for setting in ("app_secret", "verify_token", "access_token"):
        assert f"{setting}: " in done.err
        assert f"--set {setting}=-" in done.err
    assert (hub_dir / "hub.yaml").read_bytes() == before


def test_a_secret_is_sealed_and_stands_in_no_file_and_no_output(crm, hub_dir: Path) -> None:
    done = crm.fine("connect", "google_ads", "google", "--set", f"google_key={CANARY}", "--json")
    assert CANARY not in done.out + done.err
    assert "google_key: sealed" in (hub_dir / "hub.yaml").read_text()
    files = [path for path in hub_dir.rglob("*") if path.is_file()]
    assert len(files) >= 3
    assert not any(CANARY.encode() in path.read_bytes() for path in files)


def test_a_secret_is_read_from_stdin_from_the_environment_and_from_a_file(
    crm, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm_hub.secrets import SealedStore

    crm.fine("connect", "google_ads", "a", "--set", "google_key=-", stdin=f"{CANARY}\n")
    assert SealedStore(hub_dir).get("a", "google_key") == CANARY
    monkeypatch.setenv("GOOGLE_KEY", CANARY)
    crm.fine("connect", "google_ads", "b", "--set", "google_key=env:GOOGLE_KEY")
    (hub_dir / "key.txt").write_text(CANARY)
    crm.fine("connect", "google_ads", "c", "--set", "google_key=file:key.txt")
    text = (hub_dir / "hub.yaml").read_text()
    assert "env:GOOGLE_KEY" in text
    assert "file:key.txt" in text
    assert SealedStore(hub_dir).get("b", "google_key") is None


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("files", ["path=not-there.csv"]),
        ("files", ["path=.", "color=red"]),
        ("no_such_kind", []),
        ("google_ads", [f"google_key=env:{CANARY.upper().replace('-', '_')}"]),
        ("web_form", ["max_fields=many"]),
        ("web_form", ["secret=short"]),
    ],
)
def test_a_connection_that_cannot_work_is_not_written(crm, hub_dir: Path, kind, settings) -> None:
    before = (hub_dir / "hub.yaml").read_bytes()
    pairs = [part for one in settings for part in ("--set", one)]
    done = crm("connect", kind, "bad", *pairs, "--json")
    assert done.status == 2
    assert done.data["error"]
    assert done.data["remedy"]
    assert (hub_dir / "hub.yaml").read_bytes() == before
    assert not (hub_dir / "secrets.sealed").exists()


def test_a_failed_replacement_keeps_the_old_settings_and_secrets(crm, hub_dir: Path) -> None:
    from crm_hub.secrets import SealedStore

    meta = ["app_secret=first-secret", "verify_token=first-token", "access_token=first-access"]
    pairs = [part for one in meta for part in ("--set", one)]
    crm.fine("connect", "meta_ads", "meta", *pairs, "--no-check")
    before = (hub_dir / "hub.yaml").read_bytes()
    done = crm(
        "connect", "meta_ads", "meta", "--replace", "--set", "access_token=other-access",
        "--set", "base_url=http://127.0.0.1:9",
    )  # fmt: skip
    assert done.status in (1, 2)
    assert (hub_dir / "hub.yaml").read_bytes() == before
    assert SealedStore(hub_dir).get("meta", "access_token") == "first-access"


def test_replace_keeps_what_is_not_given_and_an_empty_value_takes_out(crm, hub_dir: Path) -> None:
    from crm_hub.config import load

    crm.fine("connect", "web_form", "form", "--set", "forms=contact", "--set", "max_fields=50")
    refused = crm("connect", "web_form", "form", "--set", "forms=quote")
    assert refused.status == 2
    assert "--replace" in refused.err
    crm.fine("connect", "web_form", "form", "--replace", "--set", "forms=")
    assert dict(load(hub_dir).connections["form"].settings) == {"max_fields": 50}


def test_a_door_is_named_with_its_address(crm, hub_dir: Path) -> None:
    done = crm.fine("connect", "web_form", "form")
    assert "http://127.0.0.1:8765/in/form" in done.out


def test_disconnect_takes_out_the_connection_and_its_secrets(crm, hub_dir: Path) -> None:
    from crm_hub.secrets import SealedStore

    crm.fine("connect", "google_ads", "google", "--set", f"google_key={CANARY}")
    crm.fine("disconnect", "google")
    assert SealedStore(hub_dir).get("google", "google_key") is None
    assert crm("disconnect", "google").status == 2


def test_a_paused_connection_is_left_out_until_it_is_resumed(crm, people_hub: Path) -> None:
    crm.fine("pause", "people")
    assert crm.fine("sync", "--json").data["connections"] == []
    assert crm.fine("status", "--json").data["streams"][0]["state"] == "paused"
    crm.fine("resume", "people")
    assert len(crm.fine("sync", "--json").data["connections"]) == 1


def test_check_reports_each_connection_and_fails_when_one_does(crm, people_hub: Path) -> None:
    found = crm.fine("check", "--json").data["connections"]
    assert [one["connection"] for one in found] == ["people"]
    assert found[0]["streams"][0]["mapped"] is True
    (people_hub / "people.csv").unlink()
    done = crm("check", "people", "--json")
    assert done.status == 1
    assert done.data["connections"][0]["error"]
    assert "people" in done.err or not done.err


def test_connectors_are_listed_shown_and_begun(crm, hub_dir: Path) -> None:
    kinds = {one["kind"] for one in crm.fine("connectors", "list", "--json").data["connectors"]}
    assert {"files", "web_form", "google_ads", "meta_ads"} <= kinds
    assert crm.fine("connectors").out == crm.fine("connectors", "list").out
    assert "Secret: kept sealed." in crm.fine("connectors", "show", "meta_ads").out
    crm.fine("connectors", "new", "acme_notes")
    assert (hub_dir / "connectors" / "acme_notes" / "connector.py").is_file()
    kinds = {one["kind"] for one in crm.fine("connectors", "list", "--json").data["connectors"]}
    assert "acme_notes" in kinds
    assert crm("connectors", "new", "acme_notes").status == 2
    assert crm("connectors", "show", "filez").status == 2
