"""The demo's second half: an edit in one system arrives in another, after a look at the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_hub.cli import output, reports
from crm_hub.cli.commands import explain
from crm_hub.cli.commands.preview import show as show_line

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub
    from crm_hub.flow.inbound import SyncReport


def tell(hub: Hub) -> list[SyncReport]:
    """Fill the two books, correct a card in one, and show it arrive in the other."""
    from crm_hub.flow import demo_books as books
    from crm_hub.flow.demo import DANA
    from crm_hub.flow.reading import explain_fields

    new = books.connect_books(hub)
    names = " and ".join(books.BOOKS)
    output.say(f"\nAnd back: the address books {names} (folders of cards) are kept equal")
    done = _read(hub)
    for name in new:
        done.append(_write(hub, name, rows=0))
    if books.correct(hub.folder):
        path = books.card(hub.folder, "office").relative_to(hub.folder)
        output.say(f"Somebody corrects {path}:")
        output.say(f"  TITLE:{books.OLD_TITLE} becomes TITLE:{books.NEW_TITLE}")
        done += _read(hub)
        done.append(_write(hub, "vans", rows=3))
        done += _read(hub)
    there = books.card(hub.folder, "vans")
    output.say(f"{there.relative_to(hub.folder)} says TITLE:{books.title(there)}")
    output.say("Whoever is called there reads on it:")
    for line in books.brief(there):
        output.say(f"  {line}")
    output.say(f"\nWhy it says so (crm-hub explain {DANA} title)")
    explain.show(explain_fields(hub, DANA, "title"), hub.config.company.zone)
    return done


def _read(hub: Hub) -> list[SyncReport]:
    from crm_hub.flow.demo_books import BOOKS
    from crm_hub.flow.inbound import sync

    done = list(sync(hub, BOOKS))
    failed = [report for report in done if report.error]
    if failed:
        reports.show(failed)
    return done


def _write(hub: Hub, name: str, rows: int) -> SyncReport:
    """Look at what would be written to a book, then do exactly that."""
    from crm_hub.flow.preview import apply, preview, save_plan

    plan = preview(hub, name)
    counts = ", ".join(f"{n:,} {kind}" for kind, n in plan.counts.items() if n and kind != "skip")
    output.say(f"{name}: {counts or 'nothing to write'} (crm-hub preview {name}, crm-hub apply)")
    for line in plan.lines[:rows]:
        show_line(line)
    report = apply(hub, save_plan(hub, plan))
    if report.error:
        reports.show([report], reports.WRITE_COUNTS)
    return report
