"""An export that is not what it was: what is lost is said, in the sync and in the status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

HEAD = "Kundennr;Vorname;Nachname;E-Mail\n"
ROWS = "1;Jo;Groß;jo@kunde.example\n2;An;Öz;an@kunde.example\n"


class Export:
    """A hub with one table in it."""

    def __init__(self, crm: Any, folder: Path) -> None:
        self.crm, self.path = crm, folder / "kunden.csv"

    def sync(self, text: str) -> str:
        self.path.write_text(text, "utf-8")
        return str(self.crm.fine("sync", "kunden").out)

    def status(self) -> dict[str, Any]:
        (row,) = self.crm.fine("status", "--json").data["streams"]
        return dict(row)


@pytest.fixture
def export(crm, hub_dir: Path) -> Export:
    made = Export(crm, hub_dir)
    made.path.write_text(HEAD + ROWS, "utf-8")
    crm.fine("connect", "files", "kunden", "--set", "path=kunden.csv")
    crm.fine("sync")
    return made


def test_a_renamed_column_is_named_once(export: Export) -> None:
    told = export.sync("Kundennr;Vorname;Zuname;E-Mail\n" + ROWS)
    assert "columns that are no longer there, and whose values are taken out: Nachname" in told
    assert "new: Zuname" in told
    assert "no longer there" not in export.sync("Kundennr;Vorname;Zuname;E-Mail\n" + ROWS + "3;B\n")


def test_a_table_that_nothing_maps_any_more_is_not_complete(export: Export) -> None:
    told = export.sync("a;b\n1;2\n")
    assert "no column of a person or a company recognised among a, b" in told
    assert export.status()["state"] == "incomplete"
    export.sync("a;b\n1;3\n")
    (letter,) = export.crm.fine("dead", "list", "--json").data["dead"]
    assert "no mapping reads it any more; what was read is kept" in letter["reason"]
    assert letter["tries"] == 1
    export.sync(HEAD + ROWS)
    assert export.status()["state"] == "ok"


def test_an_export_that_was_cut_off_is_set_aside_and_what_was_read_is_kept(export: Export) -> None:
    export.sync("")
    row = export.status()
    assert (row["hub_count"], row["dead"], row["state"]) == (2, 1, "incomplete")
    (letter,) = export.crm.fine("dead", "list", "--json").data["dead"]
    assert letter["reason"].startswith("the table is empty")
    export.sync(HEAD + ROWS)
    assert export.status()["state"] == "ok"


def test_two_rows_of_one_id_are_told_until_each_has_its_own(export: Export) -> None:
    told = export.sync(HEAD + ROWS + "1;Uwe;Neu;uwe@kunde.example\n")
    assert "1 × id: several records have the same, and the last one counts, such as 1" in told
    row = export.status()
    assert (row["source_count"], row["hub_count"], row["state"]) == (2, 2, "ok")
    assert row["problems"] == ["1 × id: several records have the same, and the last one counts"]
    export.sync(HEAD + ROWS + "3;Uwe;Neu;uwe@kunde.example\n")
    row = export.status()
    assert (row["source_count"], row["hub_count"], row["problems"]) == (3, 3, [])


def test_two_rows_of_one_id_are_told_beside_a_bad_row_too(export: Export) -> None:
    told = export.sync(HEAD + ROWS + "1;Uwe;Neu;uwe@kunde.example\n4;a;b;c;d;e;f\n")
    assert "several records have the same" in told


def test_the_same_row_twice_is_nothing_to_tell(export: Export) -> None:
    assert "several records" not in export.sync(HEAD + ROWS + ROWS)


def test_a_file_that_may_not_be_opened_is_not_taken_for_an_empty_one(
    crm, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (hub_dir / "kunden.csv").write_text(HEAD + ROWS, "utf-8")
    monkeypatch.setattr("os.access", lambda *_args, **_options: False)  # whom root is not
    done = crm("connect", "files", "kunden", "--set", "path=kunden.csv")
    assert done.status == 2
    assert "kunden.csv' cannot be opened: Permission denied" in done.err


def test_lint_knows_the_columns_that_a_role_takes(export: Export) -> None:
    export.sync("Kundennr;Vorname;Nachname;E-Mail;Schuhgröße\n1;Jo;Groß;jo@kunde.example;44\n")
    told = export.crm.fine("mapping", "lint", "kunden").out
    assert "nobody maps the field 'Schuhgröße'" in told
    assert "nobody maps the field 'Nachname'" not in told
    assert "shows no field 'family_name'" not in told
