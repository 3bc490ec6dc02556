"""What a lead of the Graph API becomes, and the bookkeeping of reading a form's leads.

Pure; `connector` does the calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from crm_hub.model.records import Change, Checkpoint
from crm_hub.model.values import clean_json
from crm_hub.sdk import RecordError
from crm_hub_connectors.meta_ads.settings import OBJECT_ID

BASE_FIELDS = "id,created_time,form_id,field_data,platform,is_organic"
AD_FIELDS = "ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name"

# Meta's clocks and replicas settle within this time; leads younger than it are asked for again.
OVERLAP_S = 60
_DUMMY = "<test lead: dummy data"
_CONTACT_FIELDS = frozenset(
    (
        "full_name", "first_name", "last_name", "email", "work_email", "phone_number",
        "work_phone_number", "company_name", "job_title", "street_address", "city", "state",
        "province", "post_code", "zip_code", "country", "date_of_birth",
    )
)  # fmt: skip


def change_of(lead: Any) -> Change:
    """Return one lead as a change; answers with several values stay lists.

    Raises: RecordError when it has no id or no time with a zone.
    """
    lead_id = lead.get("id") if isinstance(lead, dict) else None
    if not isinstance(lead_id, str) or not OBJECT_ID.fullmatch(lead_id):
        raise RecordError("a lead came without an id", remedy="Try again; tell Meta if it stays.")
    payload = clean_json({**lead, "questions": questions(lead)})
    return Change(lead_id, payload, changed_at=_created_at(lead_id, lead.get("created_time")))


def _created_at(lead_id: str, text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RecordError(
            f"lead {lead_id} has no readable created_time with a zone",
            remedy="Try again; tell Meta if it stays.",
        )
    return moment


def answers(lead: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return (field name, values) of a lead's answers, whatever is malformed left out."""
    found = []
    for item in lead.get("field_data") or []:
        name = item.get("name") if isinstance(item, dict) else None
        values = item.get("values") if isinstance(item, dict) else None
        if isinstance(name, str) and isinstance(values, list):
            found.append((name, [str(value) for value in values if value not in (None, "")]))
    return found


def questions(lead: dict[str, Any]) -> list[str]:
    """Return each answer beyond the contact details as `question: answer, answer`."""
    return [
        f"{name.replace('_', ' ').strip()}: {', '.join(values)}"
        for name, values in answers(lead)
        if values and name not in _CONTACT_FIELDS
    ]


def is_test(change: Change) -> bool:
    """Return whether Meta's lead ads testing tool made this lead."""
    values = [value for _, values in answers(change.payload or {}) for value in values]
    return any(value.startswith(_DUMMY) for value in values)


@dataclass(slots=True)
class FormWalk:
    """How far the leads of one form have been read.

    high: seconds since 1970 of the youngest lead. seen: the leads within the overlap before it.
    after: the page cursor of a walk under way, "" at its end.
    """

    form_id: str
    high: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    after: str = ""
    since: int = 0

    @classmethod
    def load(cls, form_id: str, checkpoint: Checkpoint | None) -> FormWalk:
        state = (checkpoint or {}).get(form_id, {})
        high = int(state.get("high", 0))
        since = int(state.get("since", max(high - OVERLAP_S - 1, 0)))
        return cls(form_id, high, dict(state.get("seen", {})), str(state.get("after", "")), since)

    def dump(self) -> dict[str, Any]:
        state: dict[str, Any] = {"high": self.high, "seen": self.seen}
        if self.after:
            state |= {"after": self.after, "since": self.since}
        return state

    def take(self, changes: list[Change], after: str) -> list[Change]:
        """Return the changes not read before, and move on to the page behind `after`."""
        new = [change for change in changes if change.id not in self.seen]
        for change in new:
            self.seen[change.id] = int(change.changed_at.timestamp()) if change.changed_at else 0
        self.high = max([self.high, *self.seen.values()])
        edge = self.high - OVERLAP_S
        self.seen = {lead_id: at for lead_id, at in self.seen.items() if at >= edge}
        self.after = after
        return new


def window_filter(since: datetime, until: datetime) -> tuple[int, int]:
    """Return the bounds of strict comparison that hold every second of [since, until)."""
    last = until + timedelta(seconds=1) if until.microsecond else until
    return int(since.timestamp()) - 1, int(last.timestamp())
