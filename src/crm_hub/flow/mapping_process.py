"""The program of the helper process: makes of records all that needs no store, for flow/ahead.py.

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

from crm_hub.flow.batch import Made
from crm_hub.flow.walk_drafts import draft_of
from crm_hub.landing import encode
from crm_hub.mapping import SectionPlan
from crm_hub.model.records import Payload
from crm_hub.model.rules import IdentityRules

Job = tuple[bytes, Sequence[int | None]]
"""The payloads of a page as one JSON list, and changed_at_us of each."""

Answer = list[tuple[str, bytes, Made | None] | None]
"""Of each record its payload as it is stored, its hash, and what the walk needs."""

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
            raw, times = pickle.load(jobs)  # noqa: S301
            records = zip(orjson.loads(raw), times, strict=True)
            answer = [_ready(section, rules, *one) for one in records]
    except (EOFError, BrokenPipeError):
        return


def _ready(
    section: SectionPlan, rules: IdentityRules, payload: Payload, changed_at_us: int | None
) -> tuple[str, bytes, Made | None] | None:
    """Return what becomes of a record; None where it fails: the asker then sees why for itself."""
    try:
        payload, raw, digest = encode(payload)
    except Exception:  # noqa: BLE001
        return None
    text = raw.decode()
    try:
        found = section.map(payload, changed_at_us)
        draft = None if found.record is None else tuple(draft_of(found.record, rules))
    except Exception:  # noqa: BLE001
        return text, digest, None
    return text, digest, (draft, found.events, found.drifts)


if __name__ == "__main__":
    main()
