"""Hostile form posts: each case is a content type, a blank line, and a body."""

from __future__ import annotations

from crm_hub_connectors.web_form.tests.posts import post, web_form

JSON = b"application/json"
FORM = b"application/x-www-form-urlencoded"
PARTS = b"multipart/form-data; boundary=x"
_HEAD = b'Content-Disposition: form-data; name="a"\r\n\r\n'


def read(raw: bytes) -> None:
    """Verify and parse one case as the receiver and the inbox do."""
    content_type, _, body = raw.partition(b"\n\n")
    connector = web_form()
    request = post(body, content_type.decode("latin-1"))
    connector.verify_hook(request)
    connector.parse_hook(request)


def _part(head: bytes, text: bytes = b"v") -> bytes:
    return b"--x\r\n" + head + text + b"\r\n--x--\r\n"


BODIES: dict[str, tuple[bytes, bytes]] = {
    "empty json": (JSON, b""),
    "cut json": (JSON, b'{"a": "b'),
    "json list": (JSON, b"[1, 2]"),
    "json null": (JSON, b"null"),
    "json depth 100k": (JSON, b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "json list depth 100k": (JSON, b"[" * 100_000 + b"]" * 100_000),
    "json depth 30": (JSON, b'{"a":' * 30 + b"1" + b"}" * 30),
    "json 300k keys": (JSON, b"{" + b",".join(b'"k%d":1' % n for n in range(60_000)) + b"}"),
    "json nested lists": (JSON, b'{"a":[' + b"[]," * 250_000 + b"[]]}"),
    "json nan": (JSON, b'{"a": NaN}'),
    "json infinity": (JSON, b'{"a": 1e999}'),
    "json huge integer": (JSON, b'{"a": ' + b"9" * 500_000 + b"}"),
    "json lone surrogate": (JSON, b'{"a": "\\ud800"}'),
    "json nul": (JSON, b'{"a": "\\u0000", "\\u0000": 1}'),
    "json duplicate keys": (JSON, b'{"email": "a@b.example", "email": "c@d.example"}'),
    "json latin-1": (JSON, b'{"a": "\xeb"}'),
    "json utf-16": (JSON, '{"a": 1}'.encode("utf-16")),
    "json bom": (JSON, b'\xef\xbb\xbf{"a": 1}'),
    "json long key": (JSON, b'{"' + b"k" * 900_000 + b'": 1}'),
    "json fields list of rubbish": (JSON, b'{"fields": [1, {"name": 2}, null]}'),
    "json fields text": (JSON, b'{"fields": "x", "submission_id": {"a": 1}}'),
    "json bracket names": (JSON, b'{"' + b"[a]" * 60 + b'": 1, "[[[[]]]]": 2}'),
    "form 1 MB of ampersands": (FORM, b"&" * 1_000_000),
    "form 200k fields": (FORM, b"a=1&" * 200_000),
    "form bad percent": (FORM, b"a=%zz&%=%&=="),
    "form bad utf-8": (FORM, b"a=%ff%fe"),
    "form raw bytes": (FORM, b"a=\xff\xfe\x00"),
    "form no equals": (FORM, b"x" * 1_000_000),
    "form of percent signs": (FORM, b"a=" + b"%41" * 300_000),
    "form unknown charset": (FORM + b"; charset=x-evil", b"a=1"),
    "form codec that is none": (FORM + b"; charset=zlib", b"a=1"),
    "form escape codec": (FORM + b"; charset=unicode_escape", b"a=\\x41"),
    "form punycode": (FORM + b"; charset=punycode", b"a=" + b"z" * 100_000),
    "form charset of blanks": (FORM + b'; charset="\x01\x02"', b"a=1"),
    "multipart without boundary": (b"multipart/form-data", b"--x--"),
    "multipart empty": (PARTS, b""),
    "multipart no end": (PARTS, b"--x\r\n" + _HEAD + b"v\r\n"),
    "multipart only delimiters": (PARTS, b"--x\r\n" * 200_000),
    "multipart part without name": (PARTS, _part(b"Content-Type: text/plain\r\n\r\n")),
    "multipart part without header": (PARTS, _part(b"")),
    "multipart header bomb": (PARTS, _part(b"A: b\r\n" * 140_000 + b"\r\n")),
    "multipart long header": (PARTS, _part(b"A: " + b"b" * 900_000 + b"\r\n\r\n")),
    "multipart quotes": (
        PARTS,
        _part(b'Content-Disposition: form-data; name="' + b'\\"' * 400_000),
    ),
    "multipart blanks": (PARTS, _part(b"Content-Disposition: " + b"; " * 400_000 + b"\r\n\r\n")),
    "multipart bad utf-8": (PARTS, _part(_HEAD, b"\xff\xfe")),
    "multipart nested": (PARTS, _part(b"Content-Type: multipart/mixed; boundary=y\r\n" + _HEAD)),
    "multipart odd boundary": (b'multipart/form-data; boundary="a\xe9"', b"--a"),
    "multipart long boundary": (b"multipart/form-data; boundary=" + b"x" * 5_000, b""),
    "multipart file path": (PARTS, _part(_HEAD[:-4] + b'; filename="../../etc/x"\r\n\r\n')),
    "xml": (b"application/xml", b"<a/>"),
    "no content type": (b"", b"a=1"),
    "content type of semicolons": (b";" * 5_000, b"a=1"),
    "content type rfc 2231": (FORM + b"; charset*=utf-8''x%ff; charset*1=y", b"a=1"),
}
CASES = {name: kind + b"\n\n" + body for name, (kind, body) in BODIES.items()}
