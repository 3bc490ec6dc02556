"""Nasty tables, workbooks and JSON, made on the spot, and the readers that meet them."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from crm_hub_connectors.files.connector import FilesConnector, FilesSettings

from crm_hub.sdk import Change, Context, Reject

HEADER = b"id,First Name,Email\n"


def _csv(*lines: bytes) -> bytes:
    return HEADER + b"\n".join(lines) + b"\n"


TABLES: dict[str, bytes] = {
    "empty file": b"",
    "blank lines only": b"\n\n\n   \n",
    "byte order mark only": b"\xef\xbb\xbf",
    "header only": HEADER,
    "no header": b"1,Ann,ann@x.example\n2,Ben,ben@x.example\n",
    "one column": b"Email\nann@x.example\nben@x.example\n",
    "ragged rows": _csv(b"1,Ann", b"2", b"3,Cid,c@x.example,extra", b"4,Dora,d@x.example,,,,"),
    "quote never closed": _csv(b'1,"Ann,a@x.example', b"2,Ben,b@x.example", b"3,Cid,c@x.example"),
    "quote closed much later": _csv(b'1,"Ann', b'2,Ben,"b@x.example', b"3,Cid,c@x.example"),
    "text after a quote": _csv(b'1,"Ann" Lee,a@x.example', b'2,"a"b"c,d"e,x@x.example'),
    "only quotes": b'"' * 50_000,
    "quotes on every line": HEADER + b'1,"\n' * 20_000,
    "quotes in pairs": HEADER + b'""""""\n' * 20_000,
    "newline in a cell": _csv(b'1,"Ann\nLee",a@x.example'),
    "carriage returns alone": b"id,First Name,Email\r1,Ann,a@x.example\r2,Ben,b@x.example\r",
    "mixed line ends": b"id,First Name,Email\r\n1,Ann,a@x.example\n2,Ben,b@x.example\r3,C,c@x.example",
    "NULs": _csv(b"1,A\x00nn,a@x.example", b"\x00\x00\x00"),
    "NULs alone": b"\x00" * 100_000,
    "random bytes": bytes((i * 7919 + i // 251) % 256 for i in range(200_000)),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 200,
    "UTF-16 without mark": "id,First Name,Email\n1,Jürgen,j@x.example\n".encode("utf-16-le"),
    "UTF-16 cut in half": "id,First Name,Email\n1,Jürgen,j@x.example\n".encode("utf-16")[:-1],
    "UTF-32": "id,First Name,Email\n1,Ann,a@x.example\n".encode("utf-32"),
    "Windows text": "id;First Name;Email\n1;Jürgen;j@x.example\n".encode("cp1252"),
    "two encodings glued": _csv("1,Jürgen,j@x.example".encode(), "2,José,k@x.example".encode("cp1252")),
    "UTF-7 and escapes": b"id,First Name,Email\n1,+AOk-,\\ud800@x.example\n",
    "lone surrogates": "id,First Name,Email\n1,\ud800,a@x.example\n".encode("utf-8", "surrogatepass"),
    "header of blanks": b",,,\n1,Ann,a@x.example,x\n",
    "same header thrice": b"Email,Email,Email\na@x.example,b@x.example,c@x.example\n",
    "5,001 columns": b",".join(b"c%d" % i for i in range(5_001)) + b"\n" + b"x," * 5_000 + b"x\n",
    "half a million columns": b"a," * 499_000 + b"a\n",
    "header of a million letters": b"a" * 999_000 + b",Email\nx,a@x.example\n",
    "100,000 blank rows": HEADER + b",,\n" * 100_000,
    "30,000 bad rows": HEADER + b"1,2,3,4,5\n" * 30_000,
    "wide cells": HEADER + (b"1," + b"x" * 200_000 + b",a@x.example\n") * 20,
    "formulas": _csv(b"1,=SUM(A1:A9),a@x.example", b"2,@cmd|' /C calc'!A0,b@x.example"),
    "sep line": b"sep=;\nid;First Name;Email\n1;Ann;a@x.example\n",
    "sep line of nothing": b"sep=\nid,Email\n1,a@x.example\n",
    "delimiters everywhere": b",;\t|" * 30_000,
    "dates nobody can tell": b"Name,Birthday\nAnn,01/02/2003\nBen,99/99/9999\n",
    "huge numbers": b"id,Name\n" + b"9" * 5_000 + b",Ann\n1e999,Ben\n",
    "ids that are long": b"id,Name\n" + b"x" * 100_000 + b",Ann\n",
}  # fmt: skip

BIG: dict[str, Callable[[], Iterator[bytes]]] = {
    "a line of 100 MB": lambda: _repeat(HEADER, b"x" * 1_000_000, 100),
    "a quoted cell of 100 MB": lambda: _repeat(HEADER + b'1,"', b"y" * 1_000_000, 100),
    "an open quote over 20 MB of lines": lambda: _repeat(
        HEADER + b'1,"x\n', (b"2," + b"b" * 200 + b",c\n") * 1_000, 100
    ),
}  # fmt: skip


def _repeat(start: bytes, block: bytes, times: int) -> Iterator[bytes]:
    yield start
    for _ in range(times):
        yield block


def _read(name: str, blocks: Iterator[bytes]) -> Iterator[Change | Reject]:
    with tempfile.TemporaryDirectory() as folder:
        with Path(folder, name).open("wb") as stream:
            stream.writelines(blocks)
        connector = FilesConnector(FilesSettings(path="."), Context("t", Path(folder)))
        assert connector.check().lines
        for info in connector.discover():
            for page in connector.pull(info, None):
                yield from page.changes
                yield from page.rejects


def read_table(raw: bytes) -> Iterator[Change | Reject]:
    """Read one case of TABLES, or the one of BIG that `raw` names."""
    made = BIG.get(raw.decode("latin-1")) if len(raw) < 100 else None
    return _read("table.csv", made() if made else iter([raw]))


def read_workbook(raw: bytes) -> Iterator[Change | Reject]:
    return _read("book.xlsx", iter([raw]))


def read_json(raw: bytes) -> Iterator[Change | Reject]:
    return _read("records.json", iter([raw]))


def read_json_lines(raw: bytes) -> Iterator[Change | Reject]:
    return _read("records.jsonl", iter([raw]))


JSON: dict[str, bytes] = {
    "empty": b"",
    "a word": b"hello",
    "cut in half": b'[{"id": 1}, {"id"',
    "an array of numbers": b"[1,2,3]",
    "null": b"null",
    "nested 100,000 deep": b"[" * 100_000,
    "objects nested 100,000 deep": b'{"a":' * 100_000,
    "a million empty lists": b"[" + b"[]," * 1_000_000 + b"[]]",
    "a document of 9 MB": b'[{"id":"' + b"x" * 9_000_000 + b'"}]',
    "a line of 9 MB": b'{"id":"' + b"x" * 9_000_000 + b'"}\n{"id":"2"}\n',
    "NaN and infinity": b'{"id": NaN}\n{"id": Infinity}\n{"id": "3"}\n',
    "integers without end": b'{"id": ' + b"9" * 4_000 + b"}\n",
    "lone surrogates": b'{"id": "\\ud800", "email": "a@x.example"}\n',
    "the same key often": b"{" + b'"id":1,' * 50_000 + b'"id":2}\n',
    "a key of 900 kB": b'{"' + b"k" * 900_000 + b'": 1}\n',
    "50,000 keys": json.dumps({f"k{i}": i for i in range(50_000)}).encode(),
    "NULs": b"\x00" * 100_000,
    "no UTF-8": '{"id": "J\xfcrgen"}\n'.encode("latin-1"),
    "UTF-16": '{"id": "1"}\n'.encode("utf-16"),
    "100,000 bad lines": b"{\n" * 100_000,
    "odd ids": b'{"id": {}}\n{"id": true}\n{"id": ""}\n{"id": null}\n{"id": []}\n{"id": 1.5}\n',
    "odd times": b'{"id":"1","updatedAt":"0000-00-00"}\n{"id":"2","updatedAt":{}}\n'
    b'{"id":"3","updatedAt":"9999-12-31T23:59:59-23:59"}\n',
}  # fmt: skip


def _zip(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, raw in parts.items():
            book.writestr(name, raw)
    return out.getvalue()


_NS = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_REL = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PKG = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'


def workbook(sheet: bytes, strings: bytes = b"") -> bytes:
    """Return an .xlsx whose one sheet has this XML inside its sheetData."""
    return _zip(
        {
            "[Content_Types].xml": b"<Types/>",
            "_rels/.rels": _PKG + b'<Relationship Id="r1" Type="' + _REL
            + b'/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": b"<workbook " + _NS + b' xmlns:r="' + _REL
            + b'"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": _PKG + b'<Relationship Id="rId1" Type="' + _REL
            + b'/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="' + _REL
            + b'/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
            "xl/sharedStrings.xml": b"<sst " + _NS + b">" + strings + b"</sst>",
            "xl/worksheets/sheet1.xml": b"<worksheet " + _NS + b"><sheetData>" + sheet
            + b"</sheetData></worksheet>",
        }
    )  # fmt: skip


_ROW = b'<row r="1"><c r="A1" t="inlineStr"><is><t>Email</t></is></c></row>'
WORKBOOKS: dict[str, bytes] = {
    "empty": b"",
    "no zip": b"hello",
    "a zip of nothing": _zip({}),
    "a zip of something else": _zip({"readme": b"hello"}),
    "cut in half": workbook(_ROW)[:-100],
    "an honest small one": workbook(_ROW),
    "no rows": workbook(b""),
    "a far corner": workbook(_ROW + b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
    "a far corner with prefixes": workbook(_ROW + b"<x:c  r='XFD1048576'><v>1</v></x:c>"),
    "a cell beyond the sheet": workbook(b'<row r="9999999"><c r="ZZZ9999999"><v>1</v></c></row>'),
    "201 MB of blanks": workbook(_ROW + b" " * 201_000_000),
    "one long string in many cells": workbook(
        b"".join(b'<c r="A%d" t="s"><v>0</v></c>' % i for i in range(1, 9_000)),
        b"<si><t>" + b"x" * 1_000_000 + b"</t></si>",
    ),
    "tags never closed": workbook(b"<c" * 500_000),
    "XML that is none": workbook(b"<<<>>>&&&"),
    "entities": workbook(b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + _ROW),
}
