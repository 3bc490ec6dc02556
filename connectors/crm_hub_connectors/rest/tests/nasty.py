"""Answers no API should give, and what reads them: one answer, given again for every page."""

from __future__ import annotations

import itertools
import json
import zlib
from typing import Any

import httpx
from crm_hub_connectors.rest.tests.apis import Answerer, connector

CURSOR = {"records": "items", "paging": "cursor", "next": "next", "changed_at": "at",
          "since_param": "since"}  # fmt: skip


def pull(answer: Answerer, **settings: Any) -> tuple[int, int]:
    """Read everything twice, as sync does; return how many changes and rejects came."""
    one = connector(answer, **settings)
    changes = rejects = 0
    (stream,) = one.discover()
    for _ in range(2):
        checkpoint = None
        for page in one.pull(stream, checkpoint):
            changes += len(page.changes)
            rejects += len(page.rejects)
            checkpoint = page.checkpoint or checkpoint
            json.dumps(checkpoint)
    return changes, rejects


def _same(raw: bytes, headers: dict[str, str] | None = None) -> Answerer:
    return lambda _: httpx.Response(200, content=raw, headers=headers)


def by_cursor(raw: bytes) -> tuple[int, int]:
    """Read `raw` as every page of a list paged by cursor."""
    return pull(_same(raw), **CURSOR)


def as_list(raw: bytes) -> tuple[int, int]:
    """Read `raw` as a bare list in one answer."""
    return pull(_same(raw), changed_at="at")


def by_page(raw: bytes) -> tuple[int, int]:
    """Read `raw` as every page of a list paged by number."""
    return pull(_same(raw), records="items", paging="page")


def by_link(raw: bytes) -> tuple[int, int]:
    """Read a bare list whose Link header is `raw`."""
    header = {"link": raw.decode("latin-1").replace("\n", " ").replace("\r", " ")}
    return pull(_same(b'[{"id": 1}]', header), paging="link")


def by_growing_cursor(raw: bytes) -> tuple[int, int]:
    """Read a list that is never over: `raw` as items, and a new cursor each time."""
    numbers = itertools.count(1)
    return pull(
        lambda _: httpx.Response(200, content=b'{"items": %s, "next": %d}' % (raw, next(numbers))),
        **CURSOR,
    )


_DEEP = b"[" * 100_000 + b"]" * 100_000
_LONG_ID = json.dumps({"items": [{"id": "x" * 10_000_000}]}).encode()
_GZIP = zlib.compress(b" " * 200_000_000, 9)

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"   \n",
    "null": b"null",
    "a number": b"42",
    "a text": b'"items"',
    "an HTML page": b"<!DOCTYPE html><html><body>Log in</body></html>",
    "truncated JSON": b'{"items": [{"id": 1}, {"id"',
    "two documents": b'{"items": []}{"items": []}',
    "a byte order mark": b'\xef\xbb\xbf{"items": [{"id": "1"}]}',
    "UTF-16": '{"items": [{"id": "1"}]}'.encode("utf-16"),
    "Latin-1": '{"items": [{"id": "1", "name": "Jürgen"}]}'.encode("latin-1"),
    "NUL bytes": b"\x00" * 1_000,
    "a NUL in a text": b'{"items": [{"id": "1", "name": "a\\u0000b"}]}',
    "a lone surrogate as id": b'{"items": [{"id": "\\ud800"}]}',
    "NaN and Infinity": b'{"items": [{"id": "1", "a": NaN, "b": -Infinity}]}',
    "a number as time beyond all": b'{"items": [{"id": "1", "at": 1e308}]}',
    "a huge integer as time": b'{"items": [{"id": "1", "at": ' + b"9" * 4_000 + b"}]}",
    "a huge text as time": b'{"items": [{"id": "1", "at": "' + b"9" * 900_000 + b'"}]}',
    "a huge integer as id": b'{"items": [{"id": ' + b"9" * 400 + b"}]}",
    "ids of every wrong kind": b'{"items": [{"id": null}, {"id": ""}, {"id": " "}, {"id": true},'
    b' {"id": 1.5}, {"id": []}, {"id": {}}, {}, 7, null, "x", [[]]]}',
    "an id of 10 MB": _LONG_ID,
    "records that are an object": b'{"items": {"1": {"id": "1"}}}',
    "records that are null": b'{"items": null}',
    "records elsewhere": b'{"data": {"items": [{"id": "1"}]}}',
    "a thousand times the same id": json.dumps({"items": [{"id": "1"}] * 1_000}).encode(),
    "a cursor that never moves": b'{"items": [{"id": "1"}], "next": "a"}',
    "a cursor that is an object": b'{"items": [{"id": "1"}], "next": {"a": 1}}',
    "a cursor that is true": b'{"items": [{"id": "1"}], "next": true}',
    "a cursor of 1 MB": b'{"items": [{"id": "1"}], "next": "' + b"c" * 1_000_000 + b'"}',
    "a key written twice": b'{"items": [{"id": "1"}], "items": [{"id": "2"}]}',
    "deep nesting": b'{"items": ' + _DEEP + b"}",
    "a deep record": b'{"items": [{"id": "1", "a": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}]}",
    "two million empty objects": b'{"items": [' + b"{}," * 2_000_000 + b"{}]}",
    "three million numbers": b'{"items": [{"id": "1", "a": [' + b"1," * 3_000_000 + b"1]}]}",
    "three million texts": b'{"items": [' + b'"a",' * 3_000_000 + b'"a"]}',
    "as many texts as are taken": b'{"items": [{"id": "1", "a": ['
    + b'"abcdefghijklmnopqrst",' * 190_000 + b'"a"]}]}',
    "as many objects as are taken": b'{"items": [' + b'{"id":1,"a":"b"},' * 70_000 + b"{}]}",
    "as many bytes as are taken": b'{"items": [{"id": "1", "a": "' + b"x" * 11_900_000 + b'"}]}',
    "a record of 30 MB": b'{"items": [{"id": "1", "a": "' + b"x" * 30_000_000 + b'"}]}',
    "ten thousand keys": json.dumps({"items": [{"id": 1, **{f"k{n}": n for n in range(10_000)}}]})
    .encode(),
    "keys with dots and blanks": b'{"items": [{"id": "1", "": 1, "a.b": 2, "[x]": 3, " ": 4}]}',
}  # fmt: skip

LISTS: dict[str, bytes] = {
    "an empty list": b"[]",
    "a list of lists": b"[[1], [2]]",
    "a list of nothing": b"[null, null, null]",
    "an object": b'{"id": "1"}',
}

LINKS: dict[str, bytes] = {
    "no address": b'<>; rel="next"',
    "itself": b'<?page=1>; rel="next"',
    "another host": b'<https://elsewhere.example/list?page=2>; rel="next"',
    "another port": b'<https://api.acme.example:444/list>; rel="next"',
    "no longer encrypted": b'<http://api.acme.example/list>; rel="next"',
    "a host in the path": b'<//elsewhere.example/list>; rel="next"',
    "a user in front": b'<https://api.acme.example@elsewhere.example/list>; rel="next"',
    "another scheme": b'<file:///etc/passwd>; rel="next"',
    "a broken address": b'<https://[::1/list>; rel="next"',
    "control characters": b'<https://api.acme.example/\x01list>; rel="next"',
    "brackets without end": b"<" * 30_000,
    "quotes without end": b'<a>; rel="' + b"next " * 6_000,
    "semicolons without end": b"<a>" + b"; " * 15_000,
    "commas without end": b"," * 30_000,
}

ENDLESS: dict[str, bytes] = {"endless empty pages": b"[]", "the same page for ever": b'[{"id": 1}]'}
