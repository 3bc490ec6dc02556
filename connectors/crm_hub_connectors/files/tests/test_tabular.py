"""Rows of tables: encodings, delimiters, headers, ragged rows, ids, workbooks."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from crm_hub_connectors.files.sheets import sheet_names, sheet_rows
from crm_hub_connectors.files.tabular import (
    Head,
    column_names,
    find_head,
    split_head,
    table_items,
)
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.sdk import Reject
from crm_hub.sdk.formats.delimited import delimiter_of, encoding_of, text_rows
from crm_hub.sdk.formats.items import Item
from crm_hub.sdk.guess import RowKeys

NEW_YORK = ZoneInfo("America/New_York")


def read(
    path: Path, keys: RowKeys | None = None, start: int = 0
) -> tuple[list[Item], list[Reject]]:
    head, rows = split_head(text_rows(path))
    assert isinstance(head, Head), head
    found = list(table_items(rows, head, keys or RowKeys(), NEW_YORK, start))
    return (
        [i for i in found if isinstance(i, Item)],
        [r for r in found if isinstance(r, Reject)],
    )


def table(tmp_path: Path, content: bytes | str) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def payloads(path: Path) -> list[dict[str, str]]:
    return [item.payload for item in read(path)[0]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_the_encoding_is_told_by_the_content(tmp_path: Path, encoding: str) -> None:
    text = "id,Name,Ort\n1,Jürgen Groß,Köln\n"
    path = table(tmp_path, text.encode(encoding))
    assert payloads(path) == [{"id": "1", "Name": "Jürgen Groß", "Ort": "Köln"}]


def test_a_utf_8_character_cut_by_the_sample_does_not_change_the_encoding() -> None:
    assert encoding_of(("a" * 9 + "é").encode()[:-1]) == "utf-8"


def test_bytes_of_another_encoding_inside_utf_8_are_read_as_windows_text(tmp_path: Path) -> None:
    raw = b"id,Name\n" + "1,Jürgen\n".encode() + "2,José\n".encode("cp1252")
    assert [p["Name"] for p in payloads(table(tmp_path, raw))] == ["Jürgen", "José"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_sniffed(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "Name", "Price"], ["1", "Ann, Lee; x", "1,50"], ["2", "Ben", "2,50"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    first, second = payloads(table(tmp_path, out.getvalue()))
    assert first == {"id": "1", "Name": "Ann, Lee; x", "Price": "1,50"}
    assert second["Price"] == "2,50"


def test_a_sep_line_names_the_delimiter_and_is_no_row(tmp_path: Path) -> None:
    assert delimiter_of("sep=|\na|b") == "|"
    assert payloads(table(tmp_path, "sep=;\nid;Name\n1;Ann\n")) == [{"id": "1", "Name": "Ann"}]


def test_cells_keep_newlines_formulas_and_blanks_and_lose_nothing(tmp_path: Path) -> None:
    text = 'id,Note,More\n1,"two\nlines",=SUM(A1)\n2, padded ,\n'
    assert payloads(table(tmp_path, text)) == [
        {"id": "1", "Note": "two\nlines", "More": "=SUM(A1)"},
        {"id": "2", "Note": " padded "},
    ]


def test_a_short_row_lacks_its_last_cells_and_a_long_one_is_set_aside(tmp_path: Path) -> None:
    items, rejects = read(table(tmp_path, "id,Name,City\n1,Ann\n2,Ben,Rye,x\n3,Cid,Ely,,\n"))
    assert [i.payload for i in items] == [
        {"id": "1", "Name": "Ann"},
        {"id": "3", "Name": "Cid", "City": "Ely"},
    ]
    (reject,) = rejects
    assert reject.place == "line 3"
    assert "4 cells and the header 3" in reject.reason
    assert reject.remedy
    assert "Rye" in reject.excerpt


def test_columns_without_a_name_are_named_by_place_when_rows_fill_them(tmp_path: Path) -> None:
    text = "id,Name\n" + "".join(f"{i},Ann,x{i}\n" for i in range(9))
    assert payloads(table(tmp_path, text))[0] == {"id": "0", "Name": "Ann", "column 3": "x0"}


def test_repeated_and_blank_headers_get_names_of_their_own() -> None:
    assert column_names(["Email", "", "Email", "Email (2)", " a\nb "]) == (
        "Email", "column 2", "Email (2)", "Email (2) (2)", "a b",
    )  # fmt: skip


@given(st.lists(st.text(max_size=12), max_size=40))
def test_column_names_are_unique_and_never_blank(cells: list[str]) -> None:
    names = column_names(cells)
    assert len(set(names)) == len(cells)
    assert all(names)


def test_an_unclosed_quote_costs_one_line(tmp_path: Path) -> None:
    text = 'id,Name\n1,"Ann\n2,Ben\n3,Cid\n'
    items, rejects = read(table(tmp_path, text))
    assert [i.payload["id"] for i in items] == ["2", "3"]
    assert [r.place for r in rejects] == ["line 2"]


def test_an_unclosed_quote_that_a_later_one_closes_costs_one_line(tmp_path: Path) -> None:
    items, rejects = read(table(tmp_path, 'id,Name\n1,"Ann\n2,"Ben"\n3,Cid\n'))
    assert [i.payload["id"] for i in items] == ["2", "3"]
    assert [r.place for r in rejects] == ["line 2"]


def test_stray_quotes_inside_a_line_are_kept_when_the_row_stays_as_wide(tmp_path: Path) -> None:
    items, rejects = read(table(tmp_path, 'id,Name\n1,"Ann" "Lee"\n2,5" pipe\n'))
    assert [i.payload["Name"] for i in items] == ['Ann "Lee"', '5" pipe']
    assert not rejects


def test_a_line_over_1_mb_is_set_aside_and_the_next_one_is_read(tmp_path: Path) -> None:
    items, rejects = read(table(tmp_path, "id,Name\n1," + "x" * 1_100_000 + "\n2,Ben\n"))
    assert [i.payload["id"] for i in items] == ["2"]
    assert "1 MB" in rejects[0].reason
    assert len(rejects[0].excerpt) <= 2_000


def test_title_lines_above_the_header_and_a_footer_below_are_no_rows(tmp_path: Path) -> None:
    text = (
        "Customer list\nJanuary,2026\n\nid,Name,City,Phone\n1,Ann,Rye,5\n2,Ben,Ely,6\n"
        "\nCustomer list\nConfidential\n"
    )
    assert [p["id"] for p in payloads(table(tmp_path, text))] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("\n\n , \n", "empty"),
        ("1,Ann,ann@x.example\n2,Ben,ben@x.example\n", "no header"),
        ("2026-01-02,17,3\n2026-01-03,18,4\n", "no header"),
        ("17,18,x\n1,2,y\n", "no header"),
    ],
)
def test_a_table_without_a_header_is_refused_with_a_remedy(
    tmp_path: Path, text: str, reason: str
) -> None:
    head, _ = split_head(text_rows(table(tmp_path, text)))
    assert isinstance(head, Reject)
    assert reason in head.reason
    assert head.remedy


def test_an_id_column_names_the_row_and_a_hash_where_it_is_blank(tmp_path: Path) -> None:
    path = table(tmp_path, "id,Name\n7,Ann\n,Ben\n,Ben\n,Cid\n")
    ids = [i.id for i in read(path, RowKeys("id"))[0]]
    assert ids[0] == "7"
    assert all(i.startswith("h:") for i in ids[1:])
    assert ids[1] == ids[2] != ids[3]


def test_a_shared_address_names_two_rows_apart_and_alike_each_time(tmp_path: Path) -> None:
    path = table(tmp_path, "Email,Name\na@x.example,Ann\nA@x.example,Ben\n")
    keys = RowKeys("Email", shared=True)
    assert [i.id for i in read(path, keys)[0]] == ["a@x.example", "a@x.example#2"]
    assert [i.id for i in read(path, keys, start=1)[0]] == ["a@x.example#2"]


def test_reading_goes_on_after_any_offset(tmp_path: Path) -> None:
    text = "id,Name\n" + "".join(f"{i},Ann{',' * (i % 3)}{'x' * (i % 2)}\n" for i in range(12))
    path = table(tmp_path, text)
    items, _ = read(path, RowKeys("id"))
    for at, item in enumerate(items):
        rest, _ = read(path, RowKeys("id"), start=item.offset)
        assert rest == items[at + 1 :]


def test_a_time_of_change_is_aware_and_other_forms_stay_unknown(tmp_path: Path) -> None:
    text = "id,At\n1,2026-03-10 08:00\n2,2026-03-10T08:00:00Z\n3,3/10/2026 8:00 AM\n"
    moments = [i.changed_at for i in read(table(tmp_path, text), RowKeys("id", "At"))[0]]
    assert moments == [
        datetime(2026, 3, 10, 8, tzinfo=NEW_YORK),
        datetime(2026, 3, 10, 8, tzinfo=UTC),
        None,
    ]


@given(
    st.lists(
        st.lists(st.text('ab,;"\n\r\té 0', max_size=5), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_a_csv_writer_writes_is_read_back(rows: list[list[str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(["first name", "city", "note"])
    writer.writerows(rows)
    path = Path(_folder.name, "t.csv")
    path.write_bytes(out.getvalue().encode())
    read_back = [r for r in text_rows(path) if not isinstance(r, Reject)][1:]
    assert [cells for _, cells in read_back] == rows


class _Folder:
    """One folder for all examples: a fixture would be made once a test, not once an example."""

    def __init__(self) -> None:
        import tempfile

        self._kept = tempfile.TemporaryDirectory()
        self.name = self._kept.name


_folder = _Folder()


def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "People"
    sheet.append(["id", "Name", "Born", "Seen", "Won", "Share", "Free", "At"])
    sheet.append(
        [1, "Ann", date(1990, 2, 3), datetime(2026, 3, 1, 9, 30), True, 0.25, None, time(8)]
    )
    other = book.create_sheet("More")
    other.append(["Email"])
    book.create_chartsheet("Chart")
    path = tmp_path / "book.xlsx"
    book.save(path)
    return path


def test_a_sheets_cells_are_text_with_iso_dates_and_whole_numbers(tmp_path: Path) -> None:
    path = workbook(tmp_path)
    assert sheet_names(path) == ["People", "More"]
    _, row = sheet_rows(path, "People")
    assert row == (
        2, ["1", "Ann", "1990-02-03", "2026-03-01 09:30:00", "true", "0.25", "", "08:00:00"],
    )  # fmt: skip


def test_a_file_that_is_no_workbook_is_named_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(b"PK\x03\x04 not really")
    assert "save it again" in str(sheet_names(path))
    (reject,) = sheet_rows(path, "People")
    assert isinstance(reject, Reject)
    assert reject.remedy


def test_a_workbook_that_would_not_fit_into_memory_is_refused() -> None:
    from crm_hub_connectors.files.tests.nasty_tables import WORKBOOKS

    for name, why in {
        "a far corner": "cells",
        "a far corner with prefixes": "cells",
        "201 MB of blanks": "unpacks",
        "one long string in many cells": "text",
    }.items():
        path = Path(_folder.name, "nasty.xlsx")
        path.write_bytes(WORKBOOKS[name])
        assert why in str(sheet_names(path)), name


def test_the_widest_header_of_few_rows_is_found() -> None:
    head = find_head([(1, ["Report"]), (3, ["id", "Name"])])
    assert head == Head(3, ("id", "Name"))
