"""The words of a mail: HTML reduced to text, quotes and signature off, subject keys.

Pure functions in time linear in the text. What comes out is plain text for showing and
searching; whoever shows it in a page escapes it like any other text.
"""

from __future__ import annotations

import html
import re

MAX_TEXT = 100_000
SNIPPET = 200

_REPLY_MARKS = (
    "re|aw|sv|vs|antw|antwort|odp|rif|res|rép|ynt|回复|回覆|答复|答覆|"
    "fwd?|wg|vb|doorst|tr|rv|enc|i|pd|vl|轉寄|转发"
)
_PREFIX = re.compile(
    rf"\s*(?:\[[^\[\]]{{1,40}}\]\s*)?({_REPLY_MARKS})(?:\s?\[\d+\]|\s?\(\d+\))?\s*[:：]", re.I
)
_FORWARD_MARKS = frozenset("fw fwd wg vb doorst tr rv enc i pd vl 轉寄 转发".split())
_LIST_TAG = re.compile(r"\s*\[[^\[\]]{1,40}\]\s*(?=\S)")

_HIDDEN = tuple(
    (re.compile(rf"<{tag}\b[^<>]*>", re.I), re.compile(rf"</{tag}\s*>", re.I))
    for tag in ("style", "script", "title", "template")
)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/blockquote|/table|hr)\b[^<>]*>", re.I)
_CELL = re.compile(r"</t[dh]\b[^<>]*>", re.I)
_TAG = re.compile(r"<[/!?a-zA-Z][^<>]*>")
_BLANKS = re.compile(r"[ \t\f\v\xa0]+")
_MANY_LINES = re.compile(r"\n{3,}")

_ATTRIBUTION = re.compile(
    r"(?:on|am|le|el|op|il|em|den|på|w dniu|dnia|dne)\b.{4,300}"
    r"(?:wrote|schrieb.{0,80}|a écrit|escribió|schreef.{0,80}|ha scritto|escreveu|skrev.{0,80}"
    r"|napisał(?:\(a\))?|napsal(?:\(a\))?)\s*:\s*\Z",
    re.I,
)
_ATTRIBUTION_START = re.compile(r"(?:on|am|le|el|op|il|em|den|på|w dniu|dnia|dne)\s", re.I)
_ORIGINAL = re.compile(
    r"-{2,}\s*(?:original message|original appointment|ursprüngliche nachricht|message d'origine"
    r"|mensaje original|oorspronkelijk bericht|messaggio originale|mensagem original"
    r"|original-nachricht)\s*-{2,}",
    re.I,
)
_FROM_LINE = re.compile(r"\*?(?:from|von|de|van|da|från|fra)\s?:\*?\s", re.I)
_SENT_LINE = re.compile(
    r"\*?(?:sent|date|gesendet|datum|envoyé|enviado(?: el)?|fecha|verzonden|inviato|data|skickat)"
    r"\s?:\*?\s",
    re.I,
)


# The beginnings of lines that may part the writer's words from what was there before.
_TELLING = re.compile(
    r"[ \t]*(?:>|--|__|\*|(?:on|am|le|el|op|il|em|den|på|w dniu|dnia|dne)\s"
    r"|(?:from|von|de|van|da|från|fra)\s?:)",
    re.I,
)


# The characters it can begin with: most lines end the question there. İ and ı are an i to it.
_TELLING_STARTS = frozenset(" \t>-_*oaleidpwfvOALEIDPWFVİı")


def subject_key(subject: str) -> str:
    """Return the subject without reply and forward marks, blanks collapsed, lower case."""
    text = subject
    for _ in range(20):
        match = _PREFIX.match(text)
        if not match:
            break
        text = text[match.end() :]
    text = _LIST_TAG.sub("", text, count=1) if _LIST_TAG.match(text) else text
    return " ".join(text.split()).lower()


def subject_mark(subject: str) -> str:
    """Return "reply" or "forward" for the first mark of a subject, "" when it has none."""
    return next(iter(subject_marks(subject, 1)), "")


def subject_marks(subject: str, most: int = 20) -> list[str]:
    """Return "reply" or "forward" for each mark of a subject, the outermost first."""
    found: list[str] = []
    at = 0
    while len(found) < most and (match := _PREFIX.match(subject, at)):
        found.append("forward" if match[1].lower() in _FORWARD_MARKS else "reply")
        at = match.end()
    return found


def without_mark(subject: str) -> str:
    """Return the subject without its outermost reply or forward mark."""
    match = _PREFIX.match(subject)
    return subject[match.end() :].lstrip() if match else subject


def html_to_text(source: str) -> str:
    """Return the readable text of an HTML body; scripts, styles and comments are gone."""
    text = _without(source, re.compile("<!--"), re.compile("-->"))
    for opening, closing in _HIDDEN:
        text = _without(text, opening, closing)
    text = " ".join(text.split("\n"))
    text = _CELL.sub(" ", _BREAK.sub("\n", text))
    text = html.unescape(_TAG.sub("", text))
    lines = [_BLANKS.sub(" ", line).strip() for line in text.split("\n")]
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip()


def _without(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Return text without the stretches between the two marks; an unclosed one stays."""
    out: list[str] = []
    at = 0
    while start := opening.search(text, at):
        stop = closing.search(text, start.end())
        if stop is None:
            break
        out.append(text[at : start.start()])
        at = stop.end()
    return "".join([*out, text[at:]]) if out or at else text


def reply_text(text: str) -> str:
    """Return what the writer added: no quoted lines, no copied header block, no signature.

    Conservative: answers written between quoted lines stay, and a mail that would come out
    empty (a bare forward) is given whole.
    """
    return "\n".join(_kept(text.split("\n"), signed=False)).strip() or text.strip()


def own_lines(text: str) -> list[str]:
    """Return the lines the writer added, signature included: no quoted ones, no copied header."""
    return _kept(text.split("\n"), signed=True)


def _kept(lines: list[str], *, signed: bool) -> list[str]:
    telling = [
        index
        for index, line in enumerate(lines)
        if line[:1] in _TELLING_STARTS and _TELLING.match(line)
    ]
    if not telling:
        return lines
    # From the last quoted line on no answer between quoted lines can follow.
    quoted_after = max((i for i in telling if lines[i].startswith(">")), default=0)
    kept: list[str] = []
    start = 0
    for index in telling:
        line = lines[index]
        if index < start:
            continue
        head = line[:400].strip()
        if not signed and _is_delimiter(line, head, len(lines) - index):
            kept += lines[start:index]
            start = len(lines)
            break
        quoted = head.startswith(">")
        if not quoted and not (head and _begins_quote(lines, index, head)):
            continue
        kept += lines[start:index]
        start = index + 1
        if not quoted:
            if index >= quoted_after:
                start = len(lines)
                break
            # An attribution is a line; other beginnings have a second one.
            start += not _ATTRIBUTION.match(head)
    kept += lines[start:]
    return kept


def _is_delimiter(line: str, head: str, left: int) -> bool:
    """Whether a line parts a signature off; left: how many lines there are from it on."""
    return line in ("-- ", "--\r", "-- \r") or (head == "--" and left <= 15)


def _begins_quote(lines: list[str], index: int, head: str) -> bool:
    if head[0] in "-*_" and (_ORIGINAL.match(head) or _outlook_block(lines, index, head)):
        return True
    if _FROM_LINE.match(head):
        return any(_SENT_LINE.match(line[:80].strip()) for line in lines[index + 1 : index + 4])
    if not _ATTRIBUTION_START.match(head):
        return False
    if _ATTRIBUTION.match(head):
        return True
    # Long attributions are wrapped once by the sender's program.
    following = lines[index + 1][:200].strip() if index + 1 < len(lines) else ""
    return following.endswith(":") and bool(_ATTRIBUTION.match(f"{head} {following}"))


def _outlook_block(lines: list[str], index: int, head: str) -> bool:
    if not head.startswith("_____"):
        return False
    return any(_FROM_LINE.match(line[:80].strip()) for line in lines[index + 1 : index + 3])


def snippet(text: str) -> str:
    """Return the first words of a text on one line, at most 200 characters."""
    line = " ".join(text[: SNIPPET * 5].split())
    return line if len(line) <= SNIPPET else line[: SNIPPET - 1].rstrip() + "…"
