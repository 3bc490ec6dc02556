"""crm-hub mapping: what a mapping file says, checked before it runs."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import FAILED, hub_command, opened
from crm_hub.model.errors import ConfigError

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub
    from crm_hub.mapping import Finding, TestResult

_RULE_FILES = ("identity", "survivorship")


@click.group(epilog="\b\nExample:\n  crm-hub mapping lint hubspot")
def mapping() -> None:
    """Check mapping files: what is suspicious, and whether their golden tests hold."""


@hub_command("crm-hub mapping lint", "crm-hub mapping lint hubspot", name="lint")
@click.argument("name", required=False)
def lint_files(hub_dir: str | None, as_json: bool, name: str | None) -> int:
    """Show what is suspicious in the mappings of all connections, or of NAME alone.

    A warning means that something is lost, and the exit status is then 1; a note is worth
    knowing, such as a field of the source that nobody maps.
    """
    with opened(hub_dir) as hub:
        found = {one: _lint(hub, one) for one in hub.names([name] if name else ())}
        unused = [] if name else _unused(hub)
    if as_json:
        listed = [_finding(c, f) for c, all_of in found.items() for f in all_of]
        output.emit({"findings": listed + [_finding("", f) for f in unused]})
    else:
        for connection, findings in found.items():
            for finding in findings:
                output.say(f"{connection}: {output.plain(finding)}")
        for finding in unused:
            output.say(output.plain(finding))
        count = sum(map(len, found.values())) + len(unused)
        output.say(f"{count} findings in {len(found)} connections.")
    findings = [*unused, *(finding for each in found.values() for finding in each)]
    return FAILED if any(one.severity == "warning" for one in findings) else 0


def _lint(hub: Hub, name: str) -> list[Finding]:
    from crm_hub.mapping import lint

    streams = hub.connector(name).discover()
    shapes = {stream.shape for stream in streams}
    found = lint(hub.mapping(name), streams, hub.tools.survivorship)
    return _about(found, hub, name, shapes)


def _unused(hub: Hub) -> list[Finding]:
    """Return a warning for each file in the hub's mappings/ that nothing reads, as by its name."""
    from crm_hub.mapping import Finding
    from crm_hub.yamltext import Mark

    named = {str(one.settings.get("mapping", "")) for one in hub.config.connections.values()}
    own = {(hub.folder / path).resolve() for path in named if path}
    known = [*_RULE_FILES, *hub.registry.names()]
    found = []
    for path in sorted(hub.folder.glob("mappings/*.y*ml")):
        if path.resolve() in own or (path.suffix == ".yaml" and path.stem in known):
            continue
        near = get_close_matches(path.stem, known, n=1)
        hint = f"; did you mean {near[0]}.yaml?" if near else ""
        message = f"nothing reads this file: it is named after no connector{hint}"
        found.append(Finding("warning", Mark(str(path), 1, 1), message))
    return found


def _about(found: list[Finding], hub: Hub, name: str, shapes: set[str]) -> list[Finding]:
    """Leave out the sections of a built-in file that this connection has no stream for."""
    document = hub.mapping(name).document
    starts = sorted(
        (mark.line, str(place[1]), mark.origin)
        for place, mark in document.marks.items()
        if len(place) == 2 and place[0] == "streams"
    )

    def section(one: Finding) -> str | None:
        place = one.mark
        above = [s for line, s, origin in starts if origin == place.origin and line <= place.line]
        return above[-1] if above else None

    return [one for one in found if section(one) in (None, *shapes)]


def _finding(connection: str, one: Finding) -> dict[str, Any]:
    return {
        "connection": connection,
        "severity": one.severity,
        "file": one.mark.origin,
        "line": one.mark.line,
        "column": one.mark.column,
        "message": one.message,
    }


@hub_command("crm-hub mapping test", "crm-hub mapping test hubspot", name="test")
@click.argument("name", required=False)
def test_files(hub_dir: str | None, as_json: bool, name: str | None) -> int:
    """Run the golden tests inside the mappings of all connections, or of NAME alone."""
    from crm_hub.mapping import run_tests

    with opened(hub_dir) as hub:
        results: dict[str, TestResult] = {
            str(result.mark): result
            for one in hub.names([name] if name else ())
            for result in run_tests(hub.mapping(one))
        }
    failed = [result for result in results.values() if not result.ok]
    if as_json:
        output.emit({"tests": [_result(place, one) for place, one in results.items()]})
    else:
        for result in failed:
            output.say(f"{result.mark}: {result.section}, test {result.index + 1} fails:")
            for difference in result.differences:
                output.say(f"  {output.plain(difference)}")
        output.say(f"{len(results) - len(failed)} of {len(results)} golden tests pass.")
    return FAILED if failed else 0


def _result(place: str, one: TestResult) -> dict[str, Any]:
    differences = list(one.differences)
    return {"place": place, "section": one.section, "ok": one.ok, "differences": differences}


@hub_command("crm-hub mapping accept mappings/files.yaml", hub=False, name="accept")
@click.argument("file", type=click.Path(path_type=Path))
def accept_file(as_json: bool, file: Path) -> None:
    """Rewrite the expectations of the golden tests in FILE to what comes out now.

    Comments stay. Look at the difference before you keep it.
    """
    from crm_hub.mapping import accept

    if not file.is_file():
        raise ConfigError(
            f"there is no file {file}", remedy="Name a mapping file: crm-hub mapping accept FILE"
        )
    changed = accept(file)
    if as_json:
        return output.emit({"file": str(file), "changed": changed})
    return output.say(f"{file}: {changed} tests changed.")


for _each in (lint_files, test_files, accept_file):
    mapping.add_command(_each)

command = mapping
