"""The files connector: a file or a folder becomes streams, one for each file.

`sources` finds the files, `plans` tells what they are, a reader by kind yields their objects,
and `paging` makes pages and checkpoints of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from crm_hub.sdk import (
    Caps,
    Change,
    Checkpoint,
    CheckReport,
    ConfigError,
    Connector,
    Context,
    Manifest,
    NotSupported,
    Outcome,
    Page,
    Ref,
    Reject,
    StreamInfo,
    Unavailable,
    Window,
    Write,
)
from crm_hub.sdk.formats.items import Item
from crm_hub.sdk.formats.mail_people import OwnText
from crm_hub.sdk.guess import field_types
from crm_hub_connectors.files.paging import (
    Progress,
    Read,
    pages,
    rules_hash,
    start_of,
    window_pages,
)
from crm_hub_connectors.files.plans import (
    Plan,
    json_plan,
    table_plan,
    table_rows,
)
from crm_hub_connectors.files.readers import MAIL, correspondents, reader
from crm_hub_connectors.files.sources import TABLE_OUT, VDIR, VDIR_ICS, Found, Source, find_sources
from crm_hub_connectors.files.tabular import table_items
from crm_hub_connectors.files.written import Written, opened

Format = Literal[
    "auto", "mbox", "maildir", "eml", "ics", "vcf", "vdir", "vdir-ics", "jsonl", "csv", "csv-out",
    "tsv", "xlsx"
]  # fmt: skip
_TABLES = ("csv", "tsv", "xlsx")
_SHAPES = {
    "ics": "calendar",
    "vcf": "contacts",
    VDIR: "cards",
    VDIR_ICS: "entries",
    TABLE_OUT: "table_out",
    **dict.fromkeys(MAIL, "mail"),
}
_TITLES = {
    "mbox": "mailbox",
    "maildir": "Maildir",
    "eml": "folder of messages",
    "ics": "calendar",
    "vcf": "address book",
    VDIR: "address book, a file for each card",
    VDIR_ICS: "calendar, a file for each entry",
    TABLE_OUT: "table that the hub writes",
}
_CORRESPONDENTS = " (correspondents)"
_SAMPLE = 20
_COLUMNS = 500  # of a table are kept in its checkpoint
_NOTHING: dict[str, Any] = {"entity": "person", "fields": {}}


class FilesSettings(BaseModel):
    """What a connection of kind `files` can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    path: str = Field(
        title="File or folder",
        description="What to read; a relative path starts at the hub's folder.",
        min_length=1,
    )
    format: Format = Field(
        "auto",
        title="Format",
        description="Kind of the files; auto tells it by the name and the first bytes. vdir: a "
        "folder with one vCard in each file, vdir-ics: with one calendar entry, which can be "
        "written to as well. csv-out: a table that the hub writes.",
    )
    mapping: str = Field(
        "",
        title="Mapping file",
        description="A mapping file of your own for tables that the hub does not know; "
        "each is read by the section named as its file without the suffix.",
    )
    own: OwnText = Field(
        "",
        title="Own addresses and domains",
        description="E-mail addresses or domains of the company itself, separated by commas; "
        "they tell sent from received mail.",
    )
    people: Literal["senders", "none"] = Field(
        "senders",
        title="People from mailboxes",
        description="senders: whoever wrote to us or was written to becomes a person; "
        "none: mail gives timeline events only.",
    )


class FilesConnector(Connector[FilesSettings]):
    """Reads mailboxes, calendars, address books, tables, JSON; writes cards and a table."""

    manifest = Manifest(
        id="files",
        version="1",
        title="Files and folders",
        settings=FilesSettings,
        summary="mbox, Maildir, eml, iCalendar, vCard, CSV, Excel, JSON lines",
        docs=(
            "https://www.rfc-editor.org/rfc/rfc4155",
            "https://www.rfc-editor.org/rfc/rfc5545",
            "https://www.rfc-editor.org/rfc/rfc6350",
            "https://www.rfc-editor.org/rfc/rfc4180",
        ),
    )

    page_items: ClassVar[int] = 1_000
    """Changes on one page, at most."""

    def __init__(self, settings: FilesSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._known: dict[str, Source] = {}

    def check(self) -> CheckReport:
        """Return a line for each stream and for each thing left out. Raises: ConfigError."""
        found = self._found()
        lines = [self._line(source) for source in found.sources]
        if not found.sources:
            lines.append("nothing to read here yet")
        return CheckReport(account=self._root().name, lines=(*lines, *found.skipped))

    def discover(self) -> list[StreamInfo]:
        """Return a stream for each source, sorted by name; mailboxes give a second one."""
        streams = []
        for source in self._found().sources:
            streams.append(self._info(source))
            if source.kind in MAIL and self.settings.people == "senders":
                streams.append(StreamInfo(source.name + _CORRESPONDENTS, "correspondents", _caps()))
        return sorted(streams, key=lambda s: s.name)

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        """Yield the pages of one file; none at all when it is as the checkpoint left it.

        Raises: ConfigError when the stream's file is gone, Unavailable when it goes meanwhile.
        """
        source = self._source(stream.name)
        if (written := self._opened(source)) is not None:
            yield from self._until_stopped(written.pages(checkpoint, window))
            return
        read = self._reader(source, stream.name)
        try:
            if window is not None:
                yield from self._until_stopped(window_pages(read, window, self.page_items))
                return
            progress = start_of(source, checkpoint, self._rules(source, stream.name))
            if progress is not None:
                notes = self._moved_columns(source, progress, checkpoint)
                made = pages(source, progress, read, self.context.now(), self.page_items, notes)
                yield from self._until_stopped(made)
        except OSError as error:
            raise Unavailable(
                f"{self.context.connection}: {stream.name} cannot be read: {error.strerror}",
                remedy="Put the file back or let the hub read it; the checkpoint stands.",
            ) from error

    def fetch(self, refs: Sequence[Ref]) -> list[tuple[str, Change]]:
        """Return records of what can be written to. Raises: NotSupported for all else."""
        found = [(ref.stream, self._written(ref.stream).fetch(ref)) for ref in refs]
        return [(stream, change) for stream, change in found if change is not None]

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        """Write cards or rows. Raises: NotSupported, ConfigError, Unavailable."""
        outcomes: list[Outcome] = []
        for stream, batch in groupby(writes, lambda one: one.stream):
            outcomes += self._written(stream).push(list(batch))
        return outcomes

    def _written(self, stream: str) -> Written:
        written = self._opened(self._source(stream))
        if written is None:
            raise NotSupported(f"{stream} is only read; formats vdir and csv-out can be written")
        return written

    def _opened(self, source: Source) -> Written | None:
        return opened(source, self.context, self.page_items)

    def _until_stopped(self, made: Iterator[Page]) -> Iterator[Page]:
        for page in made:
            yield page
            if self.context.stopping():
                return

    def _root(self) -> Path:
        return (self.context.base_dir / Path(self.settings.path).expanduser()).absolute()

    def _found(self) -> Found:
        found = find_sources(self._root(), self.settings.format)
        self._known = {source.name: source for source in found.sources}
        return found

    def _source(self, name: str) -> Source:
        """Return a source as it was found last; a folder is not gone through for each of many."""
        wanted = name.removesuffix(_CORRESPONDENTS)
        source = self._known.get(wanted)
        if source is None or not source.path.exists():
            self._found()
            source = self._known.get(wanted)
        if source is not None:
            return source
        raise ConfigError(
            f"{self.context.connection}: {name} is no longer there",
            remedy="Put the file back, or correct `path`; what was read from it is kept.",
        )

    def _plan(self, source: Source) -> Plan | Reject:
        mapped = bool(self.settings.mapping)
        try:
            if source.kind in _TABLES:
                return table_plan(source, mapped)
            if source.kind == "jsonl":
                return json_plan(source, mapped)
        except OSError as error:
            reason = f"the file cannot be opened ({error.strerror})"
            return Reject("file", source.name, reason, "Let the hub read it, then sync again.")
        return Plan(_SHAPES[source.kind], f"{source.name}: {_TITLES[source.kind]}")

    def _line(self, source: Source) -> str:
        plan = self._plan(source)
        if isinstance(plan, Reject):
            return f"{source.name}: cannot be read: {plan.reason}. {plan.remedy}"
        return plan.line

    def _info(self, source: Source) -> StreamInfo:
        if (written := self._opened(source)) is not None:
            return written.info(source.name)
        plan = self._plan(source)
        if isinstance(plan, Reject):
            # Pulled like any other, it sets the file aside with reason and remedy.
            return StreamInfo(source.name, caps=_caps(), section=_NOTHING)
        fields = plan.fields
        if not fields:
            first = islice(self._reader(source, source.name)(0), _SAMPLE)
            fields = field_types(i.payload for i in first if isinstance(i, Item))
        return StreamInfo(source.name, plan.shape, _caps(), fields, plan.guess, plan.section)

    def _moved_columns(
        self, source: Source, progress: Progress, checkpoint: Checkpoint | None
    ) -> tuple[str, ...]:
        """Keep the columns of a table, and say which it had at the last read and has no more."""
        plan = self._plan(source) if source.kind in _TABLES else None
        if not isinstance(plan, Plan) or plan.head is None:
            return ()
        progress.columns = plan.head.columns[:_COLUMNS]
        known = (checkpoint or {}).get("columns") or ()
        gone = [one for one in known if one not in plan.head.columns]
        if not gone:
            return ()
        new = [one for one in plan.head.columns if one not in known]
        return (
            f"{source.name}: columns that are no longer there, and whose values are taken out: "
            f"{', '.join(gone)}; new: {', '.join(new) or 'none'}. If one was renamed, call it as "
            f"before or map it; crm-hub check {self.context.connection} says how it is read now",
        )

    def _rules(self, source: Source, stream: str) -> str:
        now = self.context.now()
        # A calendar's repeated events are laid out around today, so each day reads it anew.
        day = now.date().isoformat() if source.kind == "ics" else ""
        own = self.settings.own if source.kind in MAIL else ""
        return rules_hash(stream, source.kind, self.context.zone, own, day)

    def _reader(self, source: Source, stream: str) -> Read:
        zone, own = self.context.zone, self.settings.own
        if source.kind in _TABLES:
            return partial(self._read_table, source, ZoneInfo(zone))
        if stream != source.name:
            return correspondents(source, own, zone)
        return reader(source, own=own, zone=zone, now=self.context.now())

    def _read_table(self, source: Source, zone: ZoneInfo, start: int) -> Iterator[Item | Reject]:
        plan = self._plan(source)
        if isinstance(plan, Reject):
            yield plan
        elif plan.head is not None:
            yield from table_items(table_rows(source), plan.head, plan.keys, zone, start)


def _caps() -> Caps:
    return Caps(read="full", deletes="reconcile")


connector = FilesConnector
