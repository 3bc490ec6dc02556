"""The program of the helper process: maps records and makes their drafts, for flow/ahead.py.

It reads jobs from stdin and writes answers to stdout, one pickle each. It holds nothing: when the
process that asked is gone, stdin ends and so does it.
"""

from __future__ import annotations

import gc
import pickle
import signal
import sys
from collections.abc import Sequence
from typing import Any

import orjson

from crm_hub.flow.walk_drafts import draft_of
from crm_hub.mapping import SectionPlan
from crm_hub.model.canonical import Drift, EventDraft
from crm_hub.model.rules import IdentityRules

Job = Sequence[tuple[str, int | None]]
"""(payload as JSON, changed_at_us) of each record."""

Made = tuple[tuple[Any, ...] | None, list[EventDraft], list[Drift]]
"""A record's draft as a plain tuple (None: it is no entity), its events and its drifts."""

READY = "ready"


def main() -> None:
    """Answer jobs until stdin ends."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)  # sent to all at once; whoever asked decides
    gc.set_threshold(200_000, 10, 10)
    jobs, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # no stray print gets in between
    try:
        section, rules = pickle.load(jobs)  # noqa: S301 - from the process that started this one
        answer: Any = READY
        while True:
            pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
            answer = [_made(section, rules, *one) for one in pickle.load(jobs)]  # noqa: S301
    except (EOFError, BrokenPipeError):
        return


def _made(
    section: SectionPlan, rules: IdentityRules, text: str, changed_at_us: int | None
) -> Made | None:
    """Return what becomes of a record; None where it fails: the asker then sees why for itself."""
    try:
        found = section.map(orjson.loads(text), changed_at_us)
        draft = None if found.record is None else tuple(draft_of(found.record, rules))
    except Exception:  # noqa: BLE001
        return None
    return draft, found.events, found.drifts


if __name__ == "__main__":
    main()
