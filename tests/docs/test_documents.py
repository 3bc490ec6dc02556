"""What the documents say can be done, can be done: commands run, links lead somewhere.

A fence says how it is tested: `sh run` is run here, `sh ci` names scripts of the checkout that CI
runs itself, plain `sh` is for the reader (it needs an account, or a terminal to type a secret).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from crm_hub.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md")]
    + [
        p
        for top in ("docs", "deploy", "connectors", "examples")
        for p in (ROOT / top).rglob("*.md")
    ]
)
FENCE = re.compile(r"^ *```(.*)\n((?:.*\n)*?) *```$", re.MULTILINE)
LINK = re.compile(r"\[[^\]\n]*(?:\n[^\]\n]*)?\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`|^ {4,}(\S.*)$", re.MULTILINE)
CALL = re.compile(r"\bcrm-hub[ \n]+([a-z][a-z_-]*)")
SCRIPT = re.compile(r"scripts/[a-z]+")
DOCUMENT_PORT = "8765"


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path, kind: str) -> list[str]:
    return [body for info, body in FENCE.findall(path.read_text("utf-8")) if info.strip() == kind]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like a checkout, with nothing in it that a command could spoil."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return tmp_path


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if blocks(p, "sh run")], ids=name)
def test_the_commands_of_a_page_run_from_top_to_bottom(path: Path, checkout: Path) -> None:
    script = "set -e\n" + "".join(blocks(path, "sh run")).replace(DOCUMENT_PORT, free_port())
    if "curl " in script and not shutil.which("curl"):
        pytest.skip("curl is not installed; as root: apt-get install curl")
    env = {k: v for k, v in os.environ.items() if not k.startswith("CRM_HUB_")}
    env["PATH"] = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["sh", "-c", script], cwd=checkout, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if blocks(p, "sh ci")], ids=name)
def test_the_scripts_of_a_page_are_there_to_be_run(path: Path) -> None:
    for script in SCRIPT.findall("".join(blocks(path, "sh ci"))):
        assert os.access(ROOT / script, os.X_OK), f"{script} cannot be run"
    pytest.skip(f"{name(path)}: its scripts set up .venv and run these tests; CI runs them itself")


def test_a_fence_of_shell_says_how_it_is_tested() -> None:
    infos = {info.strip() for p in DOCUMENTS for info, _ in FENCE.findall(p.read_text("utf-8"))}
    assert {i for i in infos if i.startswith("sh")} <= {"sh", "sh run", "sh ci"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_relative_link_leads_to_a_file(path: Path) -> None:
    text = FENCE.sub("", path.read_text("utf-8"))
    targets = [t.partition("#")[0] for t in LINK.findall(text) if not re.match(r"[a-z]+:|#", t)]
    assert [t for t in targets if not (path.parent / t).exists()] == []


def test_every_page_of_the_docs_stands_on_a_shelf() -> None:
    shelves = (ROOT / "docs" / "README.md").read_text("utf-8")
    records = (ROOT / "docs" / "adr" / "README.md").read_text("utf-8")
    pages = {p.relative_to(ROOT / "docs") for p in (ROOT / "docs").rglob("*.md")}
    missing = [
        str(p)
        for p in pages
        if p.name != "README.md" and p.name not in (records if p.parent.name == "adr" else shelves)
    ]
    assert missing == []


# tests/cli/test_help.py asks the same of docs/, deploy/ and the code.
@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")), ids=name)
def test_every_command_on_a_front_page_is_one_of_the_hub(path: Path) -> None:
    text = path.read_text("utf-8")
    said = [body for _, body in FENCE.findall(text)]
    said += [a or b for a, b in CODE.findall(FENCE.sub("", text))]
    assert [c for one in said for c in CALL.findall(one) if c not in COMMANDS] == []


def test_the_commands_of_the_first_version_are_those_of_the_table() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    line = next(one for one in text.splitlines() if one.startswith("- **Commands**"))
    told = set(re.findall(r"`(?:crm-hub )?([a-z]+)`", line))
    assert told == set(COMMANDS)
