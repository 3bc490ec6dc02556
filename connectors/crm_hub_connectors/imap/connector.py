"""The imap connector: one mailbox becomes a stream of mails and a stream of people.

`session` logs in, `folders` lists, `cycle` finds what changed, `letters` reads a message,
`people` collects who takes part, `window` reads a span of time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import ClassVar

from crm_hub.sdk import (
    Caps,
    Checkpoint,
    CheckpointExpired,
    CheckReport,
    ConfigError,
    Connector,
    Context,
    Manifest,
    NotSupported,
    Page,
    StreamInfo,
    Unavailable,
    Window,
)
from crm_hub_connectors.imap import folders as listing
from crm_hub_connectors.imap import live
from crm_hub_connectors.imap.cycle import Cycle, Options
from crm_hub_connectors.imap.folders import Seen
from crm_hub_connectors.imap.letters import Reader
from crm_hub_connectors.imap.missed import read_missed
from crm_hub_connectors.imap.people import Known, People
from crm_hub_connectors.imap.session import Keeper, Session
from crm_hub_connectors.imap.settings import ImapSettings
from crm_hub_connectors.imap.state import Mailbox
from crm_hub_connectors.imap.window import window_pages

READER_VERSION = 1
_MAIL, _PEOPLE = "mail", "correspondents"


class ImapConnector(Connector[ImapSettings]):
    """Reads the mail of one mailbox; never writes, never marks anything as read."""

    manifest = Manifest(
        id="imap",
        version="1",
        title="Mailbox (IMAP)",
        settings=ImapSettings,
        summary="mail of any IMAP server: folders, moves, deletes, people",
        docs=(
            "https://www.rfc-editor.org/rfc/rfc9051",
            "https://www.rfc-editor.org/rfc/rfc7162",
            "https://www.rfc-editor.org/rfc/rfc5819",
        ),
    )

    page_items: ClassVar[int] = 1_000
    """Changes on one page, at most."""

    def __init__(self, settings: ImapSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._keeper = Keeper(settings, context)
        self._reader = Reader(settings, context.zone)
        self._people = People(settings.people, self._reader)
        self._box: Mailbox | None = None
        self._stands: Checkpoint | None = None
        self._seen: list[Seen] = []

    def check(self) -> CheckReport:
        """Return the folders and what is read of them. Raises: AuthRefused, Unavailable."""
        with self._keeper.session() as session:
            found = listing.look(session)
            chosen = self._chosen(found)
        total = sum(one.messages for one in chosen)
        names = ", ".join(one.name for one in chosen[:8]) + (" …" if len(chosen) > 8 else "")
        left_out = [one.name for one in found if one not in chosen]
        lines = [f"{total} messages in {len(chosen)} of {len(found)} folders: {names}"]
        if left_out:
            lines.append(f"left out: {', '.join(left_out[:8])}{' …' if len(left_out) > 8 else ''}")
        unmet = [one for one in self.settings.patterns if not listing.chosen(found, (one,))]
        if unmet:
            lines.append(f"no folder fits: {', '.join(unmet)}")
        lines.append(_abilities(session))
        if self.settings.tls == "none":
            lines.append("without TLS: password and mail can be read on the way")
        return CheckReport(account=self.settings.username, lines=tuple(lines))

    def discover(self) -> list[StreamInfo]:
        """Return the mail of the account, and its people unless `people` is none."""
        mail = Caps(read="delta", deletes="tombstone", live=True)
        streams = [StreamInfo(_MAIL, caps=mail, fields=_FIELDS)]
        if self.settings.people != "none":
            caps = Caps(read="delta", deletes="tombstone")
            streams.append(StreamInfo(_PEOPLE, caps=caps, fields=_PERSON_FIELDS))
        return streams

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        """Yield what changed in the mailbox since `checkpoint`, oldest UIDs first.

        Raises: AuthRefused, ConfigError, Unavailable; CheckpointExpired when it cannot be read.
        """
        if stream.name == _PEOPLE:
            # People have no time of their own; a span of mail gives none that is not known.
            if window is None:
                yield from self._pull_people(checkpoint)
            return
        if window is not None:
            yield from self._pull_window(window)
            return
        yield from self._pull_mail(checkpoint)

    def wait(self, timeout_s: float) -> bool:
        """Return True once the inbox has news (IDLE), False after `timeout_s` without any.

        Raises: NotSupported where the server has no IDLE; AuthRefused, Unavailable.
        """
        try:
            return self._wait(timeout_s)
        except Unavailable:
            # A session that broke while nobody used it is made anew, once.
            return self._wait(timeout_s)

    def _wait(self, timeout_s: float) -> bool:
        with self._keeper.session() as session:
            if not session.can("IDLE"):
                raise NotSupported(f"{self.settings.host} cannot tell of news by itself (no IDLE)")
            return live.wait(session, self._seen, self._box, timeout_s)

    def close(self) -> None:
        """Log out."""
        self._keeper.close()
        self._box = self._stands = None

    # streams ------------------------------------------------------------------------------

    def _pull_mail(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        box = self._loaded(checkpoint)
        # Until the pull has come to its proper end, memory may be ahead of what is stored.
        self._box = None
        stands = checkpoint
        with self._keeper.session() as session:
            found = self._chosen(listing.look(session))
            gone = sorted(box.folders.keys() - {one.name for one in found})
            cycle = Cycle(session, box, self._reader, self._people, self._options())
            for page in cycle.pages(found, gone):
                stands = page.checkpoint
                yield page
                if self.context.stopping():
                    return
        self._seen, self._box, self._stands = found, box, stands

    def _loaded(self, checkpoint: Checkpoint | None) -> Mailbox:
        rules = self._rules(self.settings.visibility, self.context.zone)
        if self._box is not None and checkpoint is not None and checkpoint == self._stands:
            return self._box
        try:
            return Mailbox.load(checkpoint, rules)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            name = self.context.connection
            raise CheckpointExpired(f"{name}: the checkpoint cannot be read") from error

    def _pull_people(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        known = Known(checkpoint, self._rules(self.settings.people))
        if not self._seen or self._has_missed(known):
            with self._keeper.session() as session:
                if not self._seen:
                    self._seen = self._chosen(listing.look(session))
                read_missed(session, self._seen, self._people, known, self._reader, self.settings)
        for one in self._seen:
            covers = self._people.covers.get(one.name, [one.validity, 0, one.next_uid - 1])
            known.reached(one.name, covers[0], covers[2])
        yield from known.pages(self._people)
        self._people.forget()

    def _has_missed(self, known: Known) -> bool:
        for one in self._seen:
            covers = self._people.covers.get(one.name)
            validity, upto = (one.validity, one.next_uid - 1) if covers is None else covers[:2]
            if known.read_upto(one.name, validity) < upto:
                return True
        return False

    def _pull_window(self, window: Window) -> Iterator[Page]:
        with self._keeper.session() as session:
            found = [one for one in self._chosen(listing.look(session)) if one.is_open]
            options = self._options()
            for page in window_pages(session, found, self._reader, window, options):
                yield page
                if self.context.stopping():
                    return

    # helpers ------------------------------------------------------------------------------

    def _chosen(self, found: list[Seen]) -> list[Seen]:
        chosen = listing.chosen(found, self.settings.patterns)
        if not chosen:
            names = ", ".join(one.name for one in found[:20])
            raise ConfigError(
                f"{self.context.connection}: no folder fits `folders`; nothing was read or deleted",
                remedy=f"There are: {names}." if names else "The server lists no folder at all.",
            )
        return chosen

    def _options(self) -> Options:
        context = self.context
        return Options(self.page_items, self.settings.since, context.stopping, context.log)

    def _rules(self, *more: str) -> str:
        """Return a hash of all settings that decide what is read; another one: read anew."""
        settings = self.settings
        parts = (
            READER_VERSION, settings.never_log, sorted(settings.us.addresses),
            sorted(settings.us.domains), str(settings.since), settings.patterns, more,
        )  # fmt: skip
        return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _abilities(session: Session) -> str:
    if session.qresync:
        return "the server tells changes and deletes by itself (QRESYNC)"
    if session.condstore:
        return "the server tells changes (CONDSTORE); deletes are found by comparing"
    return "changes are found by comparing; a later change of flags is not seen"


_FIELDS = {
    name: kind
    for kind, names in {
        "string": "message_id original_message_id in_reply_to thread_id provider_thread_id date "
        "received_at occurred_at subject subject_key text reply_text snippet body_hash direction "
        "state list_id visibility encrypted limit",
        "array": "references to cc bcc reply_to attachments labels locations",
        "boolean": "automated truncated",
        "object": "from bounce invitation",
    }.items()
    for name in names.split()
}
_PERSON_FIELDS = {"address": "string", "name": "string"}

connector = ImapConnector
