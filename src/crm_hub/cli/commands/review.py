"""crm-hub review: who may be one person, and what you say to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened
from crm_hub.cli.commands.link import show as show_ruling
from crm_hub.cli.commands.link import told

if TYPE_CHECKING:
    from crm_hub.flow.reviewing import Question


@click.group(epilog="\b\nExample:\n  crm-hub review list")
def review() -> None:
    """Look at pairs that may be one person, and decide; an answer holds for ever."""


@hub_command("crm-hub review list", "crm-hub review list --limit 10 --json", name="list")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="At most so many.",
)
def listed(hub_dir: str | None, as_json: bool, limit: int) -> None:
    """List the open questions, the likeliest first."""
    from crm_hub.flow.reviewing import questions

    with opened(hub_dir) as hub:
        found, count = questions(hub, limit)
    if as_json:
        return output.emit({"open": count, "questions": [one._asdict() for one in found]})
    if not found:
        return output.say("No question is open.")
    output.table(
        ["number", "bits", "a", "b", "why"],
        [[q.number, f"{q.bits:+.1f}", _who(q, 0), _who(q, 1), q.reason] for q in found],
        right=["number", "bits"],
    )
    if count > len(found):
        output.say(f"{len(found)} of {count}; more with --limit.")
    return None


@hub_command("crm-hub review show 3", name="show")
@click.argument("number", type=int)
def shown(hub_dir: str | None, as_json: bool, number: int) -> None:
    """Show what speaks for and against one pair: both values, how alike, and its weight in bits.

    Each bit doubles the odds; the sum begins with the chance that any two records are one.
    """
    from crm_hub.flow.reviewing import question

    with opened(hub_dir) as hub:
        found = question(hub, number)
    if as_json:
        return output.emit(found._asdict())
    output.say(f"{_who(found, 0)}: {found.records[0]}")
    output.say(f"{_who(found, 1)}: {found.records[1]}")
    output.say(f"{found.bits:+.1f} bits: {found.reason}.")
    output.table(
        ["comparison", "a", "b", "level", "bits"],
        [_step(step) for step in found.waterfall],
        right=["bits"],
    )
    return None


@hub_command("crm-hub review accept 3", name="accept")
@click.argument("number", type=int)
@told
def accept(hub_dir: str | None, as_json: bool, number: int, who: str, reason: str) -> None:
    """Rule that the pair is one; crm-hub unlink takes it back."""
    _answer(hub_dir, as_json, number, True, who, reason)


@hub_command("crm-hub review reject 3 --reason 'two sisters'", name="reject")
@click.argument("number", type=int)
@told
def reject(hub_dir: str | None, as_json: bool, number: int, who: str, reason: str) -> None:
    """Rule that the pair is two; it is never asked about again."""
    _answer(hub_dir, as_json, number, False, who, reason)


def _answer(
    hub_dir: str | None, as_json: bool, number: int, one: bool, who: str, reason: str
) -> None:
    from crm_hub.flow.reviewing import answer

    with opened(hub_dir) as hub:
        show_ruling(answer(hub, number, one=one, who=who, reason=reason), as_json)


def _who(found: Question, side: int) -> str:
    return f"{found.ids[side]} {output.plain(found.names[side])}"


def _step(step: dict[str, Any]) -> list[Any]:
    return [step["comparison"], step["left"], step["right"], step["level"], f"{step['bits']:+.1f}"]


for _each in (listed, shown, accept, reject):
    review.add_command(_each)

command = review
