"""Writes to parties, the only records of Tryton that the hub ever changes.

Each write is read, held against its guard, sent with Tryton's own `_timestamp` check, and read
back. A new party bears the write's key as an identifier without a type, so that it is found again
before one is made.
Source: trytond 8.2, trytond/model/modelsql.py (`__check_timestamp`), modules/party/party.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from crm_hub.sdk import Change, ConfigError, Outcome, Unavailable, Write
from crm_hub_connectors.tryton.codec import decoded
from crm_hub_connectors.tryton.kinds import stamp, stamps_of
from crm_hub_connectors.tryton.mechanisms import Unwritable, commands
from crm_hub_connectors.tryton.rpc import Moved, Refused, Rpc
from crm_hub_connectors.tryton.shape import change_of
from crm_hub_connectors.tryton.streams import MECHANISMS, PARTIES

WRITABLE = ("name", "active", "kind", *MECHANISMS)
"""What may be written of a party; `kind` only of a new one. Nothing that is money, ever."""

_CHILDREN = {
    "contact_mechanisms": "party.contact_mechanism",
    "addresses": "party.address",
    "identifiers": "party.identifier",
}
_PARTY = "party.party"
_MODELS = (_PARTY, "party.contact_mechanism", "party.identifier")
_KINDS = ("person", "organization")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
"""A mapping writes words, not booleans: {enum: {"true": active, "false": inactive}}."""
_ARCHIVED = "the party is archived, and Tryton lets nobody rename it until it is active again"
_LEAST_NAMED = 3
"""A shorter value may stand in any sentence."""


class Parties:
    """Writes parties, one at a time."""

    def __init__(self, rpc: Rpc, today: date) -> None:
        self._rpc = rpc
        self._today = today

    def must_be_writable(self) -> None:
        """Raise ConfigError unless the user may change and create parties."""
        for right in ("write", "create"):
            closed = [m for m, may in self._rpc.rights(_MODELS, right).items() if not may]
            if closed:
                raise ConfigError(
                    f"the user may not {right} {', '.join(closed)}",
                    remedy="In Tryton under Administration > Models > Access give a group of this"
                    " user that right; or set `direction: pull` for this connection.",
                )

    def write(self, one: Write) -> Outcome:
        """Return what became of a write. Raises: AuthRefused, ConfigError, Throttled, Unavailable.

        After Unavailable nobody knows whether it was made.
        """
        try:
            if problems := _problems(one):
                return Outcome("rejected", one.id, reasons=problems)
            if one.id is None:
                return self._create(one)
            return self._update(one, int(one.id)) if one.id.isdecimal() else Outcome("gone", one.id)
        except Refused as refusal:
            return Outcome("rejected", one.id, reasons=_reasons(one, str(refusal)))

    def by_key(self, key: str) -> Change | None:
        """Return the party that was made with this key, None when there is none."""
        found = self._bearers(key)
        return self._change(self._row(found[0])) if found else None

    # one write

    def _create(self, one: Write) -> Outcome:
        if found := self._bearers(one.idempotency_key):
            return self._made("duplicate", found[0], one.fields)
        kind = str(one.fields.get("kind") or _KINDS[0])
        values = _scalars(one.fields)
        for path in MECHANISMS:
            if made := commands(path, one.fields.get(path), ()):
                values.setdefault("contact_mechanisms", []).extend(made)
        code = stamp(kind, one.idempotency_key)
        values["identifiers"] = [["create", [{"code": code}]]]
        (number,) = self._rpc.write(_PARTY, "create", [values], stamps={})
        first, *later = self._bearers(one.idempotency_key) or [number]
        if number not in later:
            return self._made("applied", number, one.fields)
        # A try before this one, of which no answer came, had only been slow.
        self._rpc.write(_PARTY, "delete", [number], stamps={})
        return self._made("duplicate", first, one.fields)

    def _update(self, one: Write, number: int) -> Outcome:
        row = self._row(number)
        if row is None:
            return Outcome("gone", one.id)
        now = self._change(row)
        if one.guard is not None and now.version != one.guard:
            return Outcome("conflict", one.id, now.version, now.payload)
        if row.get("replaced_by"):
            reason = "this party was merged into another in Tryton; the hub leaves it as it is"
            return Outcome("rejected", one.id, now.version, reasons={"replaced_by": reason})
        try:
            if one.operation == "delete":
                self._rpc.write(_PARTY, "delete", [number], stamps=_stamps(row))
                return Outcome("applied", one.id)
            values = _changes(one.fields, row)
            if "name" in values and not row["active"]:
                if not values.get("active"):
                    return Outcome("rejected", one.id, now.version, reasons={"name": _ARCHIVED})
                self._rpc.write(_PARTY, "write", [number], {"active": True}, stamps=_stamps(row))
                row = self._row(number) or row
                values.pop("active")
            if values:
                self._rpc.write(_PARTY, "write", [number], values, stamps=_stamps(row))
        except Moved:
            return self._moved(one, number)
        return self._made("applied", number, one.fields)

    def _moved(self, one: Write, number: int) -> Outcome:
        row = self._row(number)
        if row is None:
            return Outcome("gone", one.id)
        now = self._change(row)
        return Outcome("conflict", one.id, now.version, now.payload)

    def _made(self, result: Any, number: int, fields: Mapping[str, Any]) -> Outcome:
        """Return the outcome, with the version where what was written still stands there.

        Somebody may have changed it since: their version is not ours to give.
        """
        row = self._row(number)
        if row is None:
            return Outcome("gone", str(number))
        stands = not _changes(fields, row)
        return Outcome(result, str(number), self._change(row).version if stands else None)

    # reading

    def _row(self, number: int) -> dict[str, Any] | None:
        found = self._rpc.model(
            PARTIES.model, "search_read", [["id", "=", number]], 0, 1, None, list(PARTIES.fields)
        )
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise Unavailable("Tryton answered a party without a record")
        return found[0] if found else None

    def _change(self, row: dict[str, Any] | None) -> Change:
        try:
            return change_of(PARTIES, row, self._today)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Unavailable("Tryton answered a party that cannot be read") from None

    def _bearers(self, key: str) -> list[int]:
        """Return the parties that bear this key, the oldest first."""
        found = self._rpc.model(
            "party.identifier", "search_read", [["code", "in", stamps_of(key)]], 0, None, None,
            ["party"],
        )  # fmt: skip
        return sorted({row["party"] for row in found})


def _problems(one: Write) -> dict[str, str]:
    """Return path → why, of what must not be written."""
    if one.stream != PARTIES.name:
        return {one.stream: "of Tryton the hub writes parties only; amounts and documents never"}
    if one.operation not in ("upsert", "delete"):
        return {PARTIES.name: "parties are not merged from outside"}
    found = {
        p: "the hub never writes this field of Tryton" for p in one.fields if p not in WRITABLE
    }
    for path, value in one.fields.items():
        if reason := _misfit(path, value):
            found.setdefault(path, reason)
    if one.id is None and "active" not in found and _scalars(one.fields).get("active") is False:
        found["active"] = (
            "a party is not made archived; leave it out: never_when: {status: inactive}"
        )
    if one.id is not None and "kind" in one.fields:
        found["kind"] = "it is told by categories, numbers and names, and cannot be written"
    return found


def _misfit(path: str, value: Any) -> str:
    if path == "name" and not isinstance(value, str | None):
        return "must be a text"
    if path == "active" and str(value).lower() not in _FLAGS:
        return "must be true or false"
    if path == "kind" and value not in (None, *_KINDS):
        return f"must be one of {', '.join(_KINDS)}"
    if path in MECHANISMS:
        try:
            commands(path, value, ())
        except Unwritable as error:
            return str(error)
    return ""


def _scalars(fields: Mapping[str, Any]) -> dict[str, Any]:
    found = {"name": fields["name"]} if "name" in fields else {}
    if "active" in fields:
        found["active"] = _FLAGS[str(fields["active"]).lower()]
    return found


def _changes(fields: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Tryton has to be told so that a party holds `fields`; empty when it does."""
    values = {path: v for path, v in _scalars(fields).items() if v != row.get(path)}
    there = decoded(row["contact_mechanisms."])
    for path in MECHANISMS:
        if path in fields and (made := commands(path, fields[path], there)):
            values.setdefault("contact_mechanisms", []).extend(made)
    return values


def _stamps(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the `_timestamp` of a party and all that belongs to it, as Tryton checks them."""
    found = {f"party.party,{row['id']}": row["_timestamp"]}
    for name, model in _CHILDREN.items():
        found |= {f"{model},{child['id']}": child["_timestamp"] for child in row[f"{name}."]}
    return found


def _reasons(one: Write, said: str) -> dict[str, str]:
    """Return path → why. The field is the one whose value Tryton repeats, else all of them.

    The party's name stands in most messages, whatever they are about.
    """
    texts = {path: _texts(value) for path, value in one.fields.items()}
    found = [path for path, values in texts.items() if any(v in said for v in values)]
    named = [path for path in found if path != "name"] or found
    for value in sorted({v for values in texts.values() for v in values}, key=len, reverse=True):
        said = said.replace(value, "…")
    return dict.fromkeys(named or list(one.fields) or [PARTIES.name], f"Tryton refused it: {said}")


def _texts(value: Any) -> list[str]:
    found = value if isinstance(value, list) else [value]
    return [one for one in found if isinstance(one, str) and len(one) >= _LEAST_NAMED]
