"""What deploy/ hands to an admin is well-formed, closed by default, and holds no password."""

from __future__ import annotations

import configparser
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICES = sorted((DEPLOY / "systemd").glob("*.service"))


def unit(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(path)
    return parser


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_service_runs_as_its_own_user_with_nothing_it_does_not_need(path: Path) -> None:
    service = unit(path)["Service"]
    assert service["ExecStart"].endswith("--hub /var/lib/crm-hub")
    assert (service["User"], service["CapabilityBoundingSet"]) == ("crm-hub", "")
    for name in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome"):
        assert service[name] == "yes"
    assert (service["ProtectSystem"], service["UMask"]) == ("strict", "0077")


def test_the_timer_starts_the_sync_and_leaves_no_overlap() -> None:
    timer = unit(DEPLOY / "systemd" / "crm-hub-sync.timer")["Timer"]
    assert "OnUnitInactiveSec" in timer
    assert (DEPLOY / "systemd" / "crm-hub-sync.service").is_file()


@pytest.mark.skipif(
    not shutil.which("systemd-analyze"),
    reason="systemd-analyze is not here; to get it: apt-get install systemd",
)
@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_systemd_itself_understands_the_service(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_text(path.read_text().replace("/opt/crm-hub/bin/crm-hub", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
    assert path.name not in done.stderr


def test_the_composition_keeps_its_password_in_a_file_and_listens_at_home() -> None:
    compose = YAML(typ="safe", pure=True).load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    assert services["receive"]["ports"] == ["127.0.0.1:8765:8765"]
    assert "POSTGRES_PASSWORD" not in services["db"]["environment"]
    for name in ("receive", "sync"):
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]


def test_the_image_does_not_run_as_root() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    final = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM")) :]
    assert "USER 10001" in final


def test_the_backup_command_copies_a_database_that_is_being_written(tmp_path: Path) -> None:
    lines = (DEPLOY / "backup.md").read_text().splitlines()
    program = next(line for line in lines if "VACUUM INTO ?" in line).split("'")[1]
    running = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    running.execute("PRAGMA journal_mode=WAL")
    running.execute("CREATE TABLE t (x)")
    running.execute("INSERT INTO t VALUES (1)")
    command = [sys.executable, "-c", program, "hub.db", "copy.db"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    copy = sqlite3.connect(tmp_path / "copy.db")
    assert copy.execute("SELECT x FROM t").fetchall() == [(1,)]
    copy.close()
    running.close()
