"""What the code imports is what pyproject.toml asks for, and every pin is plain."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {"crm_hub", "crm_hub_connectors"}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()  # type: ignore[index]


def declared(*extras: str) -> set[str]:
    wanted = list(PROJECT["dependencies"])
    for extra in extras:
        wanted += PROJECT["optional-dependencies"][extra]
    return {plain(requirement) for requirement in wanted}


def imports(file: Path) -> set[str]:
    """The top-level packages that the file imports, wherever in the code."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names) - OWN


def undeclared(files: list[Path], known: set[str]) -> dict[str, set[str]]:
    distributions = packages_distributions()
    missing: dict[str, set[str]] = {}
    for file in files:
        for package in imports(file):
            names = {plain(name) for name in distributions.get(package, [package])}
            if not names & known:
                missing.setdefault(package, set()).add(str(file.relative_to(ROOT)))
    return missing


def code() -> list[Path]:
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "connectors/crm_hub_connectors").rglob("*.py")]
    return [f for f in files if not {"tests", "fixtures"} & set(f.parts)]


def test_every_package_that_the_hub_imports_is_declared() -> None:
    extras = ("google", "postgres", "test")  # sdk.testing and PostgreSQL are imported lazily
    known = declared(*extras) | {"pydantic-core"}  # pydantic pins the one it belongs to
    assert undeclared(code(), known) == {}


def test_every_package_that_the_tests_import_is_declared() -> None:
    tests = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "connectors").rglob("tests/*.py")]
    local = {"tests", "conftest", "connectors"}
    known = declared("google", "postgres", "test") | local
    assert undeclared([f for f in tests if "_template" not in f.parts], known) == {}


def test_every_pin_is_a_plain_version() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.+]*", pin)] == []
    assert declared("google", "postgres", "test", "check") <= {plain(pin) for pin in pins}
