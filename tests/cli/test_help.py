"""Help, names and the reference page: what a person reads before running anything."""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from crm_hub.cli.main import COMMANDS, cli
from crm_hub.cli.reference import reference

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "cli.md"


def all_commands() -> Iterator[tuple[str, ...]]:
    root = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        yield (name,)
        if isinstance(command, click.Group):
            yield from ((name, sub) for sub in command.commands)


@pytest.mark.parametrize("names", list(all_commands()), ids=" ".join)
def test_the_help_of_every_command_shows_a_runnable_example(crm, names) -> None:
    shown = crm.fine(*names, "--help").out
    example = re.search(r"Examples?:\n((?:    .*\n?)+)", shown)
    assert example is not None
    assert all(line.startswith("    crm-hub ") for line in example[1].splitlines())


@pytest.mark.parametrize("names", list(all_commands()), ids=" ".join)
def test_the_examples_name_commands_and_options_that_exist(names) -> None:
    root = click.Context(cli, info_name="crm-hub")
    command: click.Command = cli
    for name in names:
        assert isinstance(command, click.Group)
        found = command.get_command(root, name)
        assert found is not None
        command = found
    for line in re.findall(r"crm-hub (.+)", command.epilog or ""):
        assert line.split()[: len(names)] == list(names) or isinstance(command, click.Group)
        known = {option for one in command.params for option in one.opts}
        assert set(re.findall(r"(--[a-z-]+)", line)) <= known


def test_every_line_of_the_command_list_is_the_command_s_own_promise() -> None:
    root = click.Context(cli)
    for name, line in COMMANDS.items():
        command = cli.get_command(root, name)
        assert command is not None
        assert len(line) <= 70
        assert command.help


def test_the_reference_page_says_what_the_commands_say() -> None:
    made = reference()
    if os.environ.get("CRM_HUB_ACCEPT") == "1":
        PAGE.write_text(made, "utf-8")
    found = PAGE.read_text("utf-8")
    difference = "\n".join(difflib.unified_diff(found.splitlines(), made.splitlines(), lineterm=""))
    assert found == made, f"run again with CRM_HUB_ACCEPT=1 to accept:\n{difference}"


def test_help_imports_no_command_and_no_heavy_library() -> None:
    code = (
        "import sys; from crm_hub.cli.main import run; run(['--help']);"
        "heavy = {'sqlalchemy', 'pydantic', 'rich', 'httpx', 'starlette', 'ruamel', 'alembic'};"
        "loaded = {m for m in sys.modules if m.split('.')[0] in heavy or '.commands.' in m};"
        "sys.exit(sorted(loaded)[:5] and str(sorted(loaded)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "timeline" in done.stdout


# What the code, its messages and its pages tell a person to type.
MENTION = re.compile(r"crm-hub ([a-z]+)(?: (list|show|retry|lint|accept|test|new)\b)?")
PROSE = {"again", "itself", "command", "has", "in", "is"}


def mentions() -> Iterator[tuple[str, str, str]]:
    places = [
        *ROOT.glob("src/**/*.py"),
        *ROOT.glob("connectors/**/*.py"),
        *ROOT.glob("docs/**/*.md"),
    ]
    for path in [*places, *ROOT.glob("deploy/**/*"), *ROOT.glob("mappings/*.yaml")]:
        if path.is_file() and "__pycache__" not in path.parts:
            for name, sub in MENTION.findall(path.read_text("utf-8")):
                if name not in PROSE:
                    yield str(path.relative_to(ROOT)), name, sub


def test_every_command_that_a_message_or_page_names_exists() -> None:
    known = set(all_commands())
    found = list(mentions())
    assert len(found) > 50
    wrong = [one for one in found if (one[1],) not in known]
    wrong += [(place, name, sub) for place, name, sub in found if sub and (name, sub) not in known]
    assert wrong == []


def test_an_unknown_command_names_the_nearest_one(crm) -> None:
    done = crm("timelin")
    assert (done.status, done.out) == (2, "")
    assert "Did you mean timeline?" in done.err


def test_the_version_is_the_package_s(crm) -> None:
    from crm_hub import __version__

    assert crm.fine("--version").out == f"crm-hub {__version__}\n"
