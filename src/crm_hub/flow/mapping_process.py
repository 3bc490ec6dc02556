"""The program of the helper process of flow/ahead.py: makes of records all that needs no store."""

from __future__ import annotations

import gc
import marshal
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from crm_hub.flow.batch import Made
from crm_hub.flow.helper import serve
from crm_hub.flow.walk_drafts import draft_of, drafts_of
from crm_hub.landing import encode
from crm_hub.mapping import SectionPlan
from crm_hub.model.canonical import Drift, EventDraft, Mapped
from crm_hub.model.records import Payload
from crm_hub.model.rules import IdentityRules

Job = tuple[bytes, Sequence[int | None]]
"""The payloads of some hundred records as a JSON list, and changed_at_us of each."""

Answer = list[tuple[str, bytes, int | None, Made | None] | None]
"""Of each record its payload as it is stored, its hash, changed_at_us, and what the walk needs."""

Packed = tuple[bytes, dict[int, tuple[Sequence[EventDraft], Sequence[Drift]]]]
"""An answer about some records on its way: by marshal what is plain, by place what is not."""

TOGETHER = 250
"""So many records are one job; with 1,000 it is no faster, and takes 7 MB more."""


def answers(opening: tuple[SectionPlan, IdentityRules]) -> Callable[[Job], Packed]:
    """Return what answers a job, as the opening says."""
    gc.set_threshold(200_000, 10, 10)
    section, rules = opening
    return lambda job: answer_of(section, rules, job)


def packed(answer: Answer) -> Packed:
    """Return an answer as it is sent.

    Marshal takes half of what pickle does, of plain values alone; both sides are one Python.
    """
    plain, said = list(answer), {}
    for place, one in enumerate(answer):
        if one is not None and (made := one[3]) is not None and (made[1] or made[2]):
            said[place] = made[1:]
            plain[place] = (*one[:3], (made[0], (), ()))
    return marshal.dumps(plain), said


def unpacked(sent: Packed) -> Answer:
    """Return the answer that was sent."""
    plain, said = sent
    answer: Answer = marshal.loads(plain)  # noqa: S302 - our own program
    for place, (events, drifts) in said.items():
        one = answer[place]
        if one is not None and one[3] is not None:
            answer[place] = (*one[:3], (one[3][0], events, drifts))
    return answer


def answer_of(section: SectionPlan, rules: IdentityRules, job: Job) -> Packed:
    """Return what becomes of some hundred records; None stands for one that fails: the asker then
    sees why for itself.

    One step for all of them, then the next: the code of a step stays at hand in the processor, and
    so do the records, which takes almost half of the time away.
    """
    raw, times = job
    return packed(_ready(section, rules, orjson.loads(raw), times))


def _ready(
    section: SectionPlan,
    rules: IdentityRules,
    payloads: Sequence[Payload],
    times: Sequence[int | None],
) -> Answer:
    encoded = [_tried(encode, payload) for payload in payloads]
    there = [number for number, one in enumerate(encoded) if one is not None]
    mapped = section.map_all(
        [encoded[number][0] for number in there], [times[number] for number in there]
    )
    made = dict(zip(there, _made(mapped, rules), strict=True))
    return [
        None if one is None else (one[1].decode(), one[2], times[number], made[number])
        for number, one in enumerate(encoded)
    ]


def _made(mapped: Sequence[Mapped | Exception], rules: IdentityRules) -> list[Made | None]:
    """Return the drafts, events and drifts of mapped records; None for one that fails."""
    found = [one for one in mapped if isinstance(one, Mapped) and one.record is not None]
    records = [one.record for one in found if one.record is not None]
    drafts = _tried(drafts_of, records, rules) or [_tried(draft_of, one, rules) for one in records]
    draft_by = dict(zip(map(id, found), drafts, strict=True))
    out: list[Made | None] = []
    for one in mapped:
        draft = draft_by.get(id(one))
        if isinstance(one, Exception) or (draft is None and one.record is not None):
            out.append(None)
        else:
            made = None if draft is None else tuple(draft)
            out.append((made, one.events or (), one.drifts or ()))
    return out


def _tried(step: Callable[..., Any], *given: Any) -> Any:
    try:
        return step(*given)
    except Exception:  # noqa: BLE001
        return None


if __name__ == "__main__":
    serve(answers)
