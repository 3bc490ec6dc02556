"""The attachments of a message that is too big to be fetched whole, out of its BODYSTRUCTURE.

Asked for big messages alone: servers take ten times as long for it as for a header, and what
they say of malformed mail cannot be trusted. So whatever cannot be read here is None, and the
part that was fetched speaks for itself.
Source: RFC 9051 section 7.5.2.
"""

from __future__ import annotations

import re
from typing import Any

from crm_hub.sdk.formats.mail_headers import parameters
from crm_hub.sdk.formats.mime import is_shown_text

MAX_BYTES = 200_000
MAX_DEPTH = 12
MAX_ATTACHMENTS = 200

_START = re.compile(rb"\bBODYSTRUCTURE (?=\()")
_TOKEN = re.compile(rb'([()])|"((?:[^"\\]|\\.)*)"|([^\s()"]+)')
_ESCAPED = re.compile(rb"\\(.)")
_DISPOSED = {"text": 9, "message": 11}
_OPAQUE = ("message/delivery-status",)


def attachments_of(line: bytes) -> list[dict[str, Any]] | None:
    """Return the attachments that a FETCH answer with a BODYSTRUCTURE names, None for none read.

    Shape: as `parse_message` gives them; a size is near to a hundredth, as the encoded one is told.
    """
    start = _START.search(line)
    if start is None or len(line) > MAX_BYTES:
        return None
    tree = _tree(line[start.end() :])
    if tree is None:
        return None
    found: list[dict[str, Any]] = []
    stack: list[tuple[list[Any], str]] = [(tree, "")]
    while stack and len(found) < MAX_ATTACHMENTS:
        part, number = stack.pop()
        children = []
        for item in part:
            if not isinstance(item, list):
                break
            children.append(item)
        if children:
            above = f"{number}." if number else ""
            stack += [(c, f"{above}{i}") for i, c in reversed(list(enumerate(children, 1)))]
        elif one := _attachment(part, number or "1"):
            found.append(one)
    return found


def _tree(text: bytes) -> list[Any] | None:
    """Return the parenthesised list at the start as lists of texts; None when it does not end."""
    stack: list[list[Any]] = []
    for mark, quoted, atom in _TOKEN.findall(text):
        if mark == b"(":
            fresh: list[Any] = []
            if stack:
                stack[-1].append(fresh)
            stack.append(fresh)
            if len(stack) > MAX_DEPTH * 3:
                return None
        elif mark == b")":
            done = stack.pop()
            if not stack:
                return done
        else:
            nothing = not quoted and atom.upper() in (b"NIL", b"")
            word = (
                "" if nothing else _ESCAPED.sub(rb"\1", quoted or atom).decode("utf-8", "replace")
            )
            stack[-1].append(word)
    return None


def _attachment(part: list[Any], number: str) -> dict[str, Any] | None:
    """Return a leaf as an attachment; None for text that is shown, and for what nobody can read."""
    if len(part) < 7 or not all(isinstance(part[i], str) for i in (0, 1, 5, 6)):
        return None
    kind = f"{part[0]}/{part[1]}".lower()
    place = _DISPOSED.get(part[0].lower() if kind != "message/rfc822" else "message", 8)
    if part[0].lower() == "message" and kind != "message/rfc822":
        place = 8
    disposed = part[place] if len(part) > place and isinstance(part[place], list) else []
    disposition = disposed[0].lower() if disposed and isinstance(disposed[0], str) else ""
    name = _named(disposed[1] if len(disposed) > 1 else None).get("filename", "")
    name = (name or _named(part[2]).get("name", ""))[:300]
    shown = is_shown_text(kind) and disposition != "attachment" and not name
    if shown or kind in _OPAQUE or (kind == "text/calendar" and not name):
        return None
    size = int(part[6]) if part[6].isascii() and part[6].isdigit() else None
    if size is not None and part[5].lower() == "base64":
        size = (size - size // 39) * 3 // 4  # 76 letters a line, and its end
    return {"filename": name, "content_type": kind[:200], "size": size, "part": number}


def _named(pairs: Any) -> dict[str, str]:
    if not isinstance(pairs, list):
        return {}
    words = [word for word in pairs if isinstance(word, str)]
    quoted = (w.replace("\\", "\\\\").replace('"', '\\"') for w in words[1::2])
    text = "".join(f'; {k}="{v}"' for k, v in zip(words[0::2], quoted, strict=False))
    return parameters("x" + text)[1]
