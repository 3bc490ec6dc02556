"""crm-hub dedupe, as a person calls it: good tables, strange ones, and what it writes."""

from __future__ import annotations

import csv
import json
import os
import time
import tracemalloc
from pathlib import Path

import pytest

from crm_hub.cli.main import run
from crm_hub.flow import dedupe as flow

HEADER = "record_id,first_name,last_name,email,phone,company\n"
ROWS = (
    "1,Ann,Kestrel,ann.kestrel@gmx.de,,Acme GmbH\n"
    "2,Paul,Falconer,paul@falconer.example,,\n"
    "3,,Ann Kestrel,Ann.Kestrel@GMX.de,+49 151 55501000,\n"
)


def table(folder: Path, text: str | bytes, name: str = "in.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def dedupe(path: Path, *more: str) -> tuple[int, Path]:
    target = path.with_name("out.csv")
    return run(["dedupe", str(path), "-o", str(target), *more]), target


def test_every_record_gets_a_cluster_a_score_and_a_reason(tmp_path: Path) -> None:
    status, target = dedupe(table(tmp_path, HEADER + ROWS))
    assert status == 0
    found = rows(target)
    assert list(found[0]) == ["record_id", "cluster_id", "score", "why"]
    assert [r["record_id"] for r in found] == ["1", "2", "3"]
    assert [r["cluster_id"] for r in found] == ["1", "2", "1"]
    assert found[1]["why"] == "alone"
    assert found[0]["why"].startswith("same mailbox; ")
    assert found[0]["why"].endswith("(with 3)")
    assert all(0 <= float(r["score"]) <= 1 for r in found)


def test_cluster_ids_stay_when_the_rows_come_in_another_order(tmp_path: Path) -> None:
    _, target = dedupe(table(tmp_path, HEADER + ROWS))
    before = {r["record_id"]: r["cluster_id"] for r in rows(target)}
    turned = "".join(reversed(ROWS.splitlines(keepends=True)))
    _, target = dedupe(table(tmp_path, HEADER + turned))
    assert {r["record_id"]: r["cluster_id"] for r in rows(target)} == before


def test_unusual_columns_are_named_on_the_command_line(tmp_path: Path) -> None:
    text = "nr2;rufer;zuname;erreichbar\nx1;Ann;Kestrel;ann.kestrel@gmx.de\nx2;Ann;Kestrel;ann.kestrel@gmx.de\n"
    path = table(tmp_path, text)
    status, _ = dedupe(path)
    assert status == 2
    status, target = dedupe(path, "--map", "rufer=first_name", "--map", "zuname=last_name",
                            "--map", "erreichbar=email")  # fmt: skip
    assert status == 0
    assert [r["cluster_id"] for r in rows(target)] == ["x1", "x1"]


def test_the_grey_zone_is_written_with_its_waterfall(tmp_path: Path) -> None:
    people = "".join(f"{at},Ann,Falconer{at},a{at}@x{at}.example,,\n" for at in range(100, 400))
    text = HEADER + people + "1,Ann,Kestrel,,,Acme\n2,A.,Kestrel,ann2@lee.example,,Zenith\n"
    pairs = tmp_path / "pairs.csv"
    status, _ = dedupe(table(tmp_path, text), "--review", str(pairs))
    assert status == 0
    found = rows(pairs)
    assert found
    assert list(found[0]) == [
        "record_id_1", "record_id_2", "score", "bits", "reason", "waterfall",
    ]  # fmt: skip
    assert "last name: kestrel / kestrel: same last name (+" in "".join(
        r["waterfall"] for r in found
    )


def test_the_summary_can_be_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _ = dedupe(table(tmp_path, HEADER + ROWS), "--json")
    told = json.loads(capsys.readouterr().out)
    assert status == 0
    assert (told["records"], told["clusters"], told["duplicates"]) == (3, 2, 1)
    assert told["fields"]["family_name"] == ["last_name"]


def test_organizations_are_resolved_too(tmp_path: Path) -> None:
    text = (
        "record_id,company,website,city,vat_id\n"
        "1,Acme Maschinenbau GmbH,https://www.acme-bau.example/about,Riverton,\n"
        "2,ACME Maschinenbau,acme-bau.example,Riverton,DE123456789\n"
        "3,Adler Apotheke,,Lakeside,\n"
    )
    status, target = dedupe(table(tmp_path, text), "--entity", "organization")
    assert status == 0
    assert [r["cluster_id"] for r in rows(target)] == ["1", "1", "3"]


def test_without_an_id_column_the_first_unique_one_is_taken(tmp_path: Path) -> None:
    text = "group,key2,first_name,last_name\nx,k1,Ann,Kestrel\nx,k2,Paul,Falconer\n"
    status, target = dedupe(table(tmp_path, text))
    assert status == 0
    assert [r["record_id"] for r in rows(target)] == ["k1", "k2"]


def test_ragged_rows_and_repeated_ids_are_set_aside_and_the_exit_code_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        HEADER
        + ROWS
        + "4,Eva\n1,Max,Harrier,m@h.example,,\n,No,Id,n@i.example,,\n5,a,b,c,d,e,f,g\n"
    )
    status, target = dedupe(table(tmp_path, text))
    assert status == 1
    assert len(rows(target)) == 3
    aside = rows(tmp_path / "out.rejects.csv")
    assert [r["line"] for r in aside] == ["5", "6", "7", "8"]
    assert [r["reason"] for r in aside] == [
        "the row has 2 cells and the header 6",
        "its id stands in line 2 already",
        "the row has no id",
        "the row has 8 cells and the header 6",
    ]
    assert "4 rows were set aside" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    text = "record_id,first_name,last_name,email\nä1,Jürgen,Müller,a@müller.example\nä2,Jörg,Groß,b@x.example\n"
    status, target = dedupe(table(tmp_path, text.encode(encoding)))
    assert status == 0
    assert [r["record_id"] for r in rows(target)] == ["ä1", "ä2"]


def test_a_line_of_100_mb_is_set_aside_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    with path.open("w") as file:
        file.write(HEADER + "1,Ann,Kestrel,a@k.example,,\n2,")
        for _ in range(100):
            file.write("x" * 1_000_000)
        file.write(",,,,\n3,Eva,Harrier,e@h.example,,\n")
    tracemalloc.start()
    status, target = dedupe(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert status == 1
    assert [r["record_id"] for r in rows(target)] == ["1", "3"]
    assert len(rows(tmp_path / "out.rejects.csv")) == 1
    assert peak < 60_000_000


def test_formula_cells_come_out_as_text(tmp_path: Path) -> None:
    text = (
        "record_id,first_name,last_name,email\n"
        "=cmd|' /C calc'!A0,=1+1,@SUM(A1),a@k.example\n+49 1,Eva,Harrier,e@h.example\n"
    )
    status, target = dedupe(table(tmp_path, text))
    assert status == 0
    assert [r["record_id"] for r in rows(target)] == ["'=cmd|' /C calc'!A0", "+49 1"]


def test_a_table_with_empty_columns_and_cells_is_read(tmp_path: Path) -> None:
    text = "record_id,first_name,,last_name,,email\n1,Ann,,Kestrel,,\n2,,,,,\n3,,,,,a@k.example\n"
    status, target = dedupe(table(tmp_path, text))
    assert status == 0
    assert [r["cluster_id"] for r in rows(target)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04rest", "an Excel workbook"),
        (b"alpha,beta\n1,2\n", "No column says who"),
        (b"first_name,last_name\nAnn,Lee\nAnn,Lee\n", "names each record"),
        (b"record_id,email,email\n1,a@b.example,c@d.example\n", "two columns are called"),
        (b'"never closed,\n', "first line cannot be read"),
    ],
    ids=["empty", "workbook", "nothing known", "no id", "double column", "open quote"],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(
    tmp_path: Path, content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, target = dedupe(table(tmp_path, content))
    assert status == 2
    assert said in capsys.readouterr().err
    assert not target.exists()


def test_wrong_options_are_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path, HEADER + ROWS)
    for more in (["--map", "first_name"], ["--map", "nope=email"], ["--map", "email=nope"],
                 ["--id", "nope"], ["--review", str(path)]):  # fmt: skip
        assert dedupe(path, *more)[0] == 2
    assert run(["dedupe", str(tmp_path / "absent.csv"), "-o", str(tmp_path / "o.csv")]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert path.read_text() == HEADER + ROWS


def test_every_row_is_written_with_its_id_as_it_came_or_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [" 007", "7 ", "a\tb", "é"]
    text = HEADER + "".join(f"{id},Ann{at},Lee{at},,,\n" for at, id in enumerate(ids)) + ",, ,,,\n"
    status, target = dedupe(table(tmp_path, text))
    assert status == 0
    assert [r["record_id"] for r in rows(target)] == ids
    assert "1 rows are empty" in capsys.readouterr().out


def test_an_excel_table_says_its_delimiter_first(tmp_path: Path) -> None:
    text = "sep=;\r\n" + (HEADER + ROWS).replace(",", ";").replace("\n", "\r\n")
    status, target = dedupe(table(tmp_path, text))
    assert status == 0
    assert [r["cluster_id"] for r in rows(target)] == ["1", "2", "1"]


def test_cells_of_a_megabyte_take_no_quadratic_time(tmp_path: Path) -> None:
    cells = {
        "last_name": ["(" * 900_000, "x" + " " * 900_000 + "y - z"],
        "email": ["a" * 900_000, "a@" * 450_000],
        "phone": ["1 " * 450_000, "1" + " " * 900_000 + "x"],
    }
    began = time.monotonic()
    for column, values in cells.items():
        lines = "".join(f"{at},{value},A\n" for at, value in enumerate(values))
        assert dedupe(table(tmp_path, f"record_id,{column},first_name\n{lines}"))[0] == 0
    assert time.monotonic() - began < 20


def test_the_table_is_not_written_over_by_another_name_of_it(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER + ROWS)
    (tmp_path / "link.csv").symlink_to(path)
    (tmp_path / "hard.csv").hardlink_to(path)
    (tmp_path / "folder").mkdir()
    for other in ("link.csv", "hard.csv", "folder/../in.csv"):
        assert run(["dedupe", str(path), "-o", str(tmp_path / other)]) == 2
        assert path.read_text() == HEADER + ROWS


def test_places_that_hold_no_file_are_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path, HEADER + ROWS)
    os.mkfifo(tmp_path / "pipe")
    for target, said in (
        ("absent/out.csv", "there is no such folder"), (".", "it is a folder"),
        ("pipe", "it is no ordinary file"),
    ):  # fmt: skip
        assert run(["dedupe", str(path), "-o", str(tmp_path / target)]) == 2
        assert said in capsys.readouterr().err
    for source, said in (
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "read twice"),
        ("-", "twice"),
    ):
        assert run(["dedupe", str(source), "-o", str(tmp_path / "out.csv")]) == 2
        assert said in capsys.readouterr().err
    assert dedupe(path, "--region", "Atlantis")[0] == 2


def test_father_and_son_told_apart_by_a_column_of_suffixes(tmp_path: Path) -> None:
    text = (
        "record_id,full_name,suffix,phone,street,postcode\n"
        "1,Paul Kestrel,Sr.,+49 89 555010,Mill Lane 4,12345\n"
        '2,"Kestrel, Paul",Jr.,+49 89 555010,Mill Lane 4,12345\n'
        "3,Paul Kestrel,MBA,+49 89 555011,,\n"
    )
    found = flow.dedupe(table(tmp_path, text))
    assert [(p.given, p.family, p.generation) for p in found.profiles] == [
        ("paul", "kestrel", "sr"), ("paul", "kestrel", "jr"), ("paul", "kestrel", ""),
    ]  # fmt: skip
    assert not any({0, 1} <= set(group) for group in found.resolved.clusters.groups)


def test_cells_that_stand_for_nothing_join_nobody(tmp_path: Path) -> None:
    nothing = "".join(f"{at},N/A,unknown,n/a,-,NULL\n" for at in range(30))
    _, target = dedupe(table(tmp_path, HEADER + nothing))
    assert len({r["cluster_id"] for r in rows(target)}) == 30


@pytest.mark.parametrize(
    "header",
    [
        "ID,Nome,Cognome,Posta elettronica,Cellulare,Azienda",
        "Identyfikator,Imię,Nazwisko,Adres e-mail,Telefon komórkowy,Nazwa firmy",
        "Nr,Vorname,Name,E-Mail,Handynr.,Firma",
        "N°,Prénom,Nom,Adresse e-mail,Tél. portable,Société",
        "Id,Nome,Sobrenome,E-mail,Telemóvel,Empresa",
        "Id,Förnamn,Efternamn,E-postadress,Mobilnummer,Företag",
        "Id,Attendee First Name,Attendee Surname,Attendee Email,Work Phone Number,Attendee Company",
        "Person - ID,Person - First name,Person - Last name,Person - Email,Person - Phone,Company",
    ],
)
def test_columns_are_known_in_the_languages_and_exports_of_many(
    tmp_path: Path, header: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows_of_people = "1,Ann,Kestrel,ann.kestrel@gmx.de,+49 151 55501000,Acme\n2,Paul,Falconer,,,\n"
    status, _ = dedupe(table(tmp_path, f"{header}\n{rows_of_people}"), "--json")
    assert status == 0
    fields = json.loads(capsys.readouterr().out)["fields"]
    assert set(fields) == {"given_name", "family_name", "email", "phone", "company"}


def test_cells_with_several_values_and_remarks_are_read(tmp_path: Path) -> None:
    text = (
        "record_id,first_name,last_name,nickname,maiden_name,email,phone,postcode,country,birth_date\n"
        '1,Ann,Kestrel,,,"a@x.example, ann.k@gmx.de",,,,\n'
        "2,Ann,Kestrel,,,Ann <ann.k@gmx.de> / b@y.example,,,,\n"
        '3,Theodora,Lark,Dodo,Finch,,"089 555010 DW 12, 0151 55501000 (mobil)",1067,DE,3/4/1980\n'
    )
    _, target = dedupe(table(tmp_path, text))
    assert [r["cluster_id"] for r in rows(target)] == ["1", "1", "3"]
    found = flow.dedupe(tmp_path / "in.csv").profiles[2]
    assert found.phones == {"+4989555010;12", "+4915155501000"}
    assert (found.postcode, found.birth) == ("01067", "19800403")
    assert "dodo" in found.givens
    assert "finch" in found.families


def test_a_thousand_copies_of_a_row_are_one_person(tmp_path: Path) -> None:
    copies = "".join(f"{at},Ann,Kestrel,ann.kestrel@gmx.de,,\n" for at in range(1_000))
    status, target = dedupe(table(tmp_path, HEADER + copies))
    assert status == 0
    assert {r["cluster_id"] for r in rows(target)} == {"0"}
