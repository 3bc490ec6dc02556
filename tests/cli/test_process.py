"""The command as a process: exit statuses, what goes to which stream, signals, bugs."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

GUARD_S = 60
MANY = 25_000


def start(*arguments: object, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "crm_hub.cli.main", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: object, cwd: Path, **environment: str) -> tuple[int, str, str]:
    process = start(*arguments, cwd=cwd, **environment)
    out, err = process.communicate(timeout=GUARD_S)
    return process.returncode, out, err


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + GUARD_S
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def big_hub(crm, hub_dir: Path) -> Path:
    """A hub whose one file takes a few seconds to read."""
    lines = (f'{{"email": "p{n}@many.example", "name": "Person {n}"}}\n' for n in range(MANY))
    (hub_dir / "many.jsonl").write_text("".join(lines))
    crm.fine("connect", "files", "many", "--set", "path=many.jsonl")
    return hub_dir


def test_with_json_stdout_is_one_document_and_the_rest_goes_to_stderr(people_hub: Path) -> None:
    (people_hub / "people.csv").unlink()
    status, out, err = run("sync", "--json", "--debug", cwd=people_hub)
    assert status == 1
    assert json.loads(out)["connections"][0]["error"]
    assert "people" in err
    assert "Traceback" not in err


def test_a_signal_ends_the_run_after_the_page_and_the_next_run_completes_it(big_hub: Path) -> None:
    process = start("sync", cwd=big_hub)
    wait_for(big_hub / "run" / "many.lock")
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=GUARD_S)
    assert process.returncode == 130, err
    assert "Stopping after this page" in err
    assert "many" in out
    status, out, err = run("sync", "--json", cwd=big_hub)
    assert (status, err.count("Error")) == (0, 0)
    second = json.loads(out)["connections"][0]
    assert second["pulled"] <= MANY
    _, out, _ = run("status", "--json", cwd=big_hub)
    row = json.loads(out)["streams"][0]
    assert (row["hub_count"], row["state"]) == (MANY, "ok")


def test_a_closed_pipe_is_no_error(people_hub: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "crm_hub.cli.main", "people"],
        cwd=people_hub,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=GUARD_S,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_output_that_finds_no_room_is_told_and_is_no_bug(people_hub: Path, more) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "crm_hub", "people", *more],
            cwd=people_hub,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "could not be written (No space left on device)" in done.stderr
    assert "Traceback" not in done.stderr
    assert "itself failed" not in done.stderr
    assert not (people_hub / "run" / "errors.log").exists()


def test_a_hub_in_a_public_folder_still_keeps_its_database_to_itself(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert run("init", cwd=tmp_path)[0] == 0
    assert run("status", cwd=tmp_path)[0] == 0
    for name in ("hub.db", "hub.yaml", "hub.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_name_that_the_terminal_cannot_show_stops_nothing(crm, hub_dir: Path) -> None:
    (hub_dir / "one.csv").write_text("Name,E-mail\nЖанна 山田,j@zhanna.example\n", "utf-8")
    crm.fine("connect", "files", "one", "--set", "path=one.csv")
    crm.fine("sync")
    status, out, err = run("people", cwd=hub_dir, PYTHONIOENCODING="ascii")
    assert (status, err) == (0, "")
    assert "j@zhanna.example" in out


def test_a_bug_shows_one_line_and_keeps_its_traceback_in_the_log(
    crm, people_hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm_hub.flow import status as status_flow
    from crm_hub.observe import hide

    hide(["canary-4711"])

    def broken(_hub: object) -> None:
        raise ZeroDivisionError("with canary-4711 in it")

    monkeypatch.setattr(status_flow, "status", broken)
    done = crm("status", "--json")
    assert done.status == 1
    assert "ZeroDivisionError" in done.data["error"]
    assert len(done.err.splitlines()) == 2
    log = people_hub / "run" / "errors.log"
    assert str(log) in done.err
    assert "in broken" in log.read_text()
    assert "canary-4711" not in log.read_text() + done.err + done.out
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    with pytest.raises(ZeroDivisionError):
        crm("status", "--debug")


def test_a_bug_without_a_hub_is_logged_too(crm, monkeypatch: pytest.MonkeyPatch) -> None:
    from crm_hub import registry

    def broken(_self: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(registry.Registry, "list", broken)
    done = crm("connectors", "list")
    assert done.status == 1
    log = Path(done.err.partition("is in ")[2].splitlines()[0])
    assert "ZeroDivisionError" in log.read_text()
    log.unlink()


def test_a_run_reads_what_is_new_takes_up_changed_settings_and_ends_on_a_signal(
    people_hub: Path,
) -> None:
    process = start("run", "--every", "1", "--json", cwd=people_hub)
    assert process.stdout is not None
    more = (people_hub / "people.csv").read_text() + "4,Cy,Dell,cy@dell.example,,Troy,2026-02-04\n"
    (people_hub / "people.csv").write_text(more)
    first = json.loads(process.stdout.readline())
    assert (first["connection"], first["new"]) == ("people", 1)
    (people_hub / "more.jsonl").write_text('{"email": "eve@new.example", "name": "Eve New"}\n')
    status, _, err = run("connect", "files", "more", "--set", "path=more.jsonl", cwd=people_hub)
    assert status == 0, err
    second = json.loads(process.stdout.readline())
    assert (second["connection"], second["new"]) == ("more", 1)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=GUARD_S)
    assert process.returncode == 0, err
    assert "settings have changed" in err
    assert "Stopped" in err
    assert "Traceback" not in err
