"""What an event says about its conversation, compiled to one closure.

Comes beside events.py, which runs it on each draft; the timeline room joins what comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crm_hub.mapping.language import Event, Value
from crm_hub.mapping.steps import Locale
from crm_hub.mapping.values import Fill, compile_conditions, compile_value
from crm_hub.model.canonical import EventDraft

Converse = Callable[[dict[str, Any], list[str], EventDraft], None]


def compile_conversation(spec: Event, locale: Locale) -> Converse | None:
    """Return the closure that adds what an event says about its conversation; None: nothing.

    A provider's id counts inside its connection; message ids count where the event's key does.
    """
    told = spec.conversation
    if told is None:
        return None
    id_of = compile_value(told.id, "text", locale) if told.id is not None else None
    ids_of, replies_to = _many(told.ids, locale), _many(told.replies_to, locale)
    list_of = compile_value(told.list, "text", locale) if told.list is not None else None
    holds = compile_conditions(told.by_subject, locale)
    asks_subject = bool(told.by_subject)
    head = f"{locale.connection}|"
    scope = head if spec.scope == "connection" else ""

    def converse(payload: dict[str, Any], reasons: list[str], draft: EventDraft) -> None:
        if id_of is not None and (found := id_of(payload, reasons)) is not None:
            draft.conversation = head + found
        draft.message_ids = [scope + one for one in ids_of(payload, reasons)]
        draft.replies_to = [scope + one for one in replies_to(payload, reasons)]
        draft.by_subject = asks_subject and holds(payload)
        if list_of is not None and (found := list_of(payload, reasons)) is not None:
            draft.mailing_list, draft.by_subject = found, True

    return converse


def _many(spec: Value | None, locale: Locale) -> Fill:
    if spec is None:
        return lambda _payload, _reasons: ()
    fill = compile_value(spec, "text", locale, many=True)
    return lambda payload, reasons: fill(payload, reasons) or ()
