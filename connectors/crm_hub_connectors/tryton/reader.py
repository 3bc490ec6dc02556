"""One stream's calls: pages of records, how many there are, and their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from crm_hub.sdk import Change, Reject, Unavailable
from crm_hub_connectors.tryton.codec import Malformed
from crm_hub_connectors.tryton.known import Known
from crm_hub_connectors.tryton.rpc import FaultError, Rpc
from crm_hub_connectors.tryton.shape import change_of
from crm_hub_connectors.tryton.streams import PARTIES, Spec

_IDS_AT_ONCE = 10_000
_ORDER = [["id", "ASC"]]
_BAD_ROW = (ValueError, KeyError, TypeError, ArithmeticError, AttributeError)


class Reader:
    """What is asked of Tryton for one stream; `today` decides what is overdue."""

    def __init__(self, rpc: Rpc, spec: Spec, page_size: int, today: date) -> None:
        self.spec = spec
        self.today = today
        self._rpc = rpc
        self._size = page_size
        self._domain = [*spec.domain, *_without_own(rpc, spec)]

    def pages(
        self, changed: list[Any] | None, after: int
    ) -> Iterator[tuple[list[Change], list[Reject], list[int]]]:
        """Yield (changes, what could not be read, all ids), in the order of ids after `after`."""
        fields = list(self.spec.fields)
        while True:
            domain = [*self._domain, ["id", ">", after], *([changed] if changed else [])]
            try:
                rows = self._listed("search_read", domain, self._size, fields)
            except FaultError:
                rows = self._one_by_one(domain, fields)
            if not rows:
                return
            changes, rejects = self._read(rows)
            ids = [_number(row) for row in rows]
            yield changes, rejects, ids
            after = max(ids)
            if len(rows) < self._size:
                return

    def present(self, numbers: Sequence[int]) -> dict[str, Change]:
        """Return id → change of those of `numbers` that are there. Raises: Unavailable."""
        domain = [*self._domain, ["id", "in", list(numbers)]]
        rows = self._listed("search_read", domain, len(numbers), list(self.spec.fields))
        changes, rejects = self._read(rows)
        if rejects:
            raise Unavailable(f"{rejects[0].place}: {rejects[0].reason}")
        return {change.id: change for change in changes}

    def count(self) -> int:
        """Return how many live records there are."""
        found = self._rpc.model(self.spec.model, "search_count", self._domain)
        if type(found) is not int:
            raise Unavailable("Tryton answered a count without a number")
        return found

    def ids(self) -> Known:
        """Return the ids of all live records."""
        there, after = Known(), 0
        while True:
            domain = [*self._domain, ["id", ">", after]]
            found = self._listed("search", domain, _IDS_AT_ONCE)
            numbers = [number for number in found if type(number) is int]
            there.add(numbers)
            if len(found) < _IDS_AT_ONCE or not numbers:
                return there
            after = max(numbers)

    def _listed(self, method: str, domain: list[Any], limit: int, *rest: Any) -> list[Any]:
        found = self._rpc.model(self.spec.model, method, domain, 0, limit, _ORDER, *rest)
        if not isinstance(found, list):
            raise Unavailable(f"Tryton answered {method} without a list")
        return found

    def _one_by_one(self, domain: list[Any], fields: list[str]) -> list[Any]:
        """Return a page whose records are read singly, because one of them breaks the whole."""
        rows: list[Any] = []
        for number in self._listed("search", domain, self._size):
            try:
                rows += self._rpc.model(self.spec.model, "read", [number], fields)
            except FaultError:
                rows.append({"id": number, "broken": True})
        if rows and all(isinstance(row, dict) and row.get("broken") for row in rows):
            # Not one record but Tryton itself.
            raise FaultError(f"Tryton cannot read any of {len(rows)} {self.spec.name}")
        return rows

    def _read(self, rows: Sequence[Any]) -> tuple[list[Change], list[Reject]]:
        changes: list[Change] = []
        rejects: list[Reject] = []
        for row in rows:
            try:
                if row.get("broken"):
                    raise Malformed("Tryton itself breaks when it reads this record")
                changes.append(change_of(self.spec, row, self.today))
            except _BAD_ROW as error:
                rejects.append(self._reject(row, error))
        return changes, rejects

    def _reject(self, row: Any, error: Exception) -> Reject:
        number = row.get("id") if isinstance(row, dict) else ""
        why = (
            str(error) if isinstance(error, ValueError) else f"a field is not as expected: {error}"
        )
        return Reject(
            str(number), f"{self.spec.model} {number}", why,
            "Open the record in Tryton and save it; then sync again.",
        )  # fmt: skip


def _without_own(rpc: Rpc, spec: Spec) -> list[Any]:
    """Return the clause that leaves out the firm itself and its employees, who are parties too."""
    if spec is not PARTIES:
        return []
    own = {
        row["party"]
        for model in ("company.company", "company.employee")
        for row in rpc.model(model, "search_read", [], 0, None, None, ["party"])
    }
    return [["id", "not in", sorted(own)]]


def _number(row: Any) -> int:
    number = row.get("id") if isinstance(row, dict) else None
    if type(number) is not int:
        raise Unavailable("Tryton listed a record without its id")
    return number
