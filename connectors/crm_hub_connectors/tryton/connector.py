"""Tryton as a source of parties, sales, invoices, payments and opportunities; parties are two-way.

What Tryton deletes leaves no trace, so the ids that are left are compared with those handed over
whenever their number differs. Sources: https://docs.tryton.org/8.2/server/ and, for the answers,
the server's code (trytond 8.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from crm_hub.sdk import (
    Caps,
    Change,
    Checkpoint,
    CheckpointExpired,
    CheckReport,
    ConfigError,
    Connector,
    Context,
    Manifest,
    Outcome,
    Page,
    Ref,
    Reject,
    StreamInfo,
    Window,
    Write,
)
from crm_hub_connectors.tryton.parties import Parties
from crm_hub_connectors.tryton.reader import Reader
from crm_hub_connectors.tryton.rpc import Rpc, Session
from crm_hub_connectors.tryton.settings import TrytonSettings
from crm_hub_connectors.tryton.streams import PARTIES, SPECS, Spec
from crm_hub_connectors.tryton.walk import Walk, changed_since, inside


class TrytonConnector(Connector[TrytonSettings]):
    """Reads what changed, page by page in the order of ids; writes parties, never money."""

    manifest = Manifest(
        id="tryton",
        version="1.1.0",
        title="Tryton ERP",
        settings=TrytonSettings,
        summary="Reads parties, orders, invoices, payments and opportunities of a Tryton ERP;"
        " writes parties.",
        docs=("https://docs.tryton.org/", "https://docs.tryton.org/8.2/server/"),
    )

    def __init__(self, settings: TrytonSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._session = Session()
        self._may_write = False

    def check(self) -> CheckReport:
        with self._rpc() as rpc:
            clock = rpc.server_time(self.context.now)
            offered = self._offered(rpc)
            missing = [s.module for s in SPECS.values() if s.name not in offered]
            self._must_be_readable(rpc, offered)
            company = self._company(rpc)
            parties = rpc.model("party.party", "search_count", [])
        skew_s = (clock - self.context.now()).total_seconds()
        lines = [f"Logged in as {self.settings.username}, for {company}.", f"{parties} parties."]
        if missing:
            names = ", ".join(dict.fromkeys(missing))
            lines.append(f"Not read, because these modules are not activated: {names}.")
        account = f"{company} ({self.settings.database} at {self.settings.host})"
        return CheckReport(account, tuple(lines), clock_skew_s=skew_s)

    def discover(self) -> list[StreamInfo]:
        with self._rpc() as rpc:
            offered = self._offered(rpc)
        return [
            StreamInfo(name, caps=_caps(spec), fields=_fields(spec))
            for name, spec in offered.items()
        ]

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        spec = SPECS[stream.name]
        with self._rpc() as rpc:
            now = rpc.server_time(self.context.now)
            reader = Reader(rpc, spec, self.settings.page_size, self._today(now))
            if window is not None:
                yield from self._window(reader, window)
            else:
                yield from self._walked(reader, checkpoint, now)

    def fetch(self, refs: Sequence[Ref]) -> list[tuple[str, Change]]:
        found: list[tuple[str, Change]] = []
        with self._rpc() as rpc:
            today = self._today(self.context.now())
            for name in dict.fromkeys(ref.stream for ref in refs):
                asked = [ref for ref in refs if ref.stream == name]
                numbers = [int(ref.id) for ref in asked if ref.id]
                reader = Reader(rpc, SPECS[name], self.settings.page_size, today)
                there = reader.present(numbers) if numbers else {}
                for ref in asked:
                    change = there.get(ref.id, Change(ref.id, None)) if ref.id else None
                    if change is None and name == PARTIES.name:
                        key = str(ref.hint.get("external_id", ""))
                        change = Parties(rpc, today).by_key(key)
                    if change is not None:
                        found.append((name, change))
        return found

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        with self._rpc() as rpc:
            parties = Parties(rpc, self._today(self.context.now()))
            if not self._may_write:
                parties.must_be_writable()
                self._may_write = True
            return [parties.write(one) for one in writes]

    def _today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.context.zone)).date()

    def _window(self, reader: Reader, window: Window) -> Iterator[Page]:
        changed = changed_since(reader.spec, window.since - timedelta(microseconds=1), None)
        for changes, rejects, _ids in reader.pages(changed, 0):
            found = [change for change in changes if inside(change, window)]
            if found or rejects:
                yield Page(found, None, rejects=rejects)
            if self.context.stopping():
                return

    def _walked(
        self, reader: Reader, checkpoint: Checkpoint | None, now: datetime
    ) -> Iterator[Page]:
        walk = Walk.load(checkpoint)
        walk.begin(now, first=checkpoint is None)
        changed = None
        if walk.since is not None:
            due = None if walk.day is None else (walk.day, reader.today)
            changed = changed_since(reader.spec, walk.since, due)
        # Held back by one, because the last page of a walk bears another checkpoint.
        waiting: tuple[list[Change], list[Reject]] | None = None
        for changes, rejects, ids in reader.pages(changed, walk.after):
            if waiting is not None:
                yield Page(waiting[0], walk.dump(), rejects=waiting[1])
                if self.context.stopping():
                    return
            walk.take(changes, ids)
            waiting = (changes, rejects)
        live = reader.count()
        gone = self._gone(reader, walk, live)
        going_on = waiting is not None or checkpoint is None or walk.after > 0
        walk.end(reader.today)
        size = self.settings.page_size
        if going_on or gone:
            changes, rejects = waiting or ([], [])
            # With the last page, so that a pull which is always cut short gets there as well.
            changes = [*changes, *_tombstones(walk, gone[:size])]
            yield Page(changes, walk.dump(), checkpoint is None, rejects, source_count=live)
        for start in range(size, len(gone), size):
            if self.context.stopping():
                return
            batch = _tombstones(walk, gone[start : start + size])
            yield Page(batch, walk.dump(), source_count=live)

    def _gone(self, reader: Reader, walk: Walk, live: int) -> list[int]:
        """Return the ids that were handed over and are no longer there.

        All that live were handed over, so equal numbers mean equal sets. Else all ids are listed,
        to the end, before any is called gone.
        """
        if live == len(walk.known):
            return []
        there = reader.ids()
        gone = [number for number in walk.known if number not in there]
        if len(gone) * 2 > len(walk.known):
            # Likely a lost right: the engine reads all anew and decides, with its own brake.
            raise CheckpointExpired(
                f"{reader.spec.name}: more than half of the records are no longer listed"
            )
        return gone

    # what there is

    def _offered(self, rpc: Rpc) -> dict[str, Spec]:
        """Return the streams of activated modules, or those asked for by name."""
        rows = rpc.model(
            "ir.module", "search_read", [["state", "=", "activated"]], 0, None, None, ["name"]
        )
        modules = {row["name"] for row in rows if isinstance(row, dict) and "name" in row}
        wanted = self.settings.wanted
        offered = {name: spec for name, spec in SPECS.items() if spec.module in modules}
        if missing := [name for name in wanted if name not in offered]:
            modules_needed = ", ".join(dict.fromkeys(SPECS[name].module for name in missing))
            raise ConfigError(
                f"Tryton has no {', '.join(missing)}: a module is not activated",
                remedy=f"Activate {modules_needed} in Tryton, or take it out of `streams`.",
            )
        return {name: spec for name, spec in offered.items() if not wanted or name in wanted}

    def _must_be_readable(self, rpc: Rpc, offered: dict[str, Spec]) -> None:
        may = rpc.readable([spec.model for spec in offered.values()])
        closed = [spec for spec in offered.values() if not may[spec.model]]
        if closed:
            raise ConfigError(
                f"the user {self.settings.username} may not read "
                f"{', '.join(spec.name for spec in closed)}",
                remedy="In Tryton under Administration > Users give the user the groups "
                f"{', '.join(dict.fromkeys(spec.group for spec in closed))}, or name only the "
                "streams it may read in `streams`.",
            )

    def _company(self, rpc: Rpc) -> str:
        number = self._session.context.get("company")
        if number is None:
            return "no company (set one in the user's preferences to read amounts)"
        (row,) = rpc.model("company.company", "read", [number], ["rec_name"])
        return str(row["rec_name"])

    @contextmanager
    def _rpc(self) -> Iterator[Rpc]:
        if self.context.http is None:
            raise ConfigError("tryton was started without an HTTP client")
        # The address is typed in by the admin, who may well mean a machine of the own network.
        with self.context.http(self.settings.url, allow_private=[self.settings.host]) as client:
            yield Rpc(client, self.settings, self._session)


def _tombstones(walk: Walk, numbers: list[int]) -> list[Change]:
    walk.known.remove(numbers)
    return [Change(str(number), None) for number in numbers]


def _caps(spec: Spec) -> Caps:
    if spec is not PARTIES:
        return Caps(read="delta", deletes="tombstone")
    return Caps(
        read="delta", deletes="tombstone", write=frozenset({"upsert", "delete"}),
        guard="version", idempotency="external_id",
    )  # fmt: skip


def _fields(spec: Spec) -> dict[str, str]:
    names = (*spec.fields, *spec.added)
    return {name.partition(".")[0]: _kind(name) for name in names}


def _kind(field: str) -> str:
    if field.partition(".")[0] in _LISTS:
        return "array"
    return "object" if "." in field else "string"


_LISTS = frozenset(
    (
        "contact_mechanisms", "addresses", "identifiers", "categories", "lines", "lines_to_pay",
        "payment_lines", "invoice_payments", "sales", "dues", "emails", "phones", "websites",
    )
)  # fmt: skip

connector = TrytonConnector
