"""What happens while a pull is under way: another client at work, and lines that break."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count

import pytest
from crm_hub_connectors.imap.tests.chaos import Fault, chaos
from crm_hub_connectors.imap.tests.mailbox import Mailbox, mail
from crm_hub_connectors.imap.tests.test_imap_random import User
from crm_hub_connectors.imap.wire import Wire

from crm_hub.sdk import Unavailable

INTERLEAVINGS, MAILBOXES = 200, 10
CUTS = 50
WHOLE = 80_000
"""Bytes of the server in a whole pull of that mailbox, a little less."""


class Busy(User):
    """Delivers, flags, moves and expunges, and is never asked to stand still."""

    def act(self) -> None:
        self.rng.choice([self.deliver, self.deliver, self.flag, self.move, self.expunge])()


@pytest.mark.parametrize("seed", range(MAILBOXES))
def test_another_client_at_work_between_any_two_commands_hides_nothing(
    either: Mailbox, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(1_000 + seed)
    either.page_items = 3
    user = Busy(either, rng)
    run, busy, acts = Wire.run, [False], count()

    def interrupted(wire: Wire, command: bytes) -> Iterator[list[bytes]]:
        if busy[0] and rng.random() < 0.3:
            busy[0] = False  # what the user does is no command of ours
            user.act()
            next(acts)
            busy[0] = True
        return run(wire, command)

    monkeypatch.setattr(Wire, "run", interrupted)
    try:
        for _ in range(INTERLEAVINGS // MAILBOXES):
            user.act()
            busy[0] = True
            either.pull()
            busy[0] = False
            either.pull()
            assert either.subjects() == user.truth(with_drafts=False)
    finally:
        user.client.logout()
    assert next(acts) > INTERLEAVINGS // MAILBOXES, "nothing happened during the pulls"


def test_a_line_cut_after_any_number_of_bytes_loses_and_doubles_nothing(box: Mailbox) -> None:
    box.deliver("INBOX", *(mail(n) for n in range(40)))
    box.deliver("Work", *(mail(n, body="x" * 3_000) for n in range(40, 60)))
    box.pull()
    assert len(box.records) == 60
    broken = 0
    with chaos(box.server.port) as proxy:
        for number in range(CUTS):
            hub = Mailbox(box.server, box.user, {"port": proxy.port}, page_items=7)
            after = WHOLE * number // CUTS + number % 7
            # The connector itself tries once more, so the line breaks twice.
            proxy.faults[:] = [Fault(after, "reset" if number % 3 == 0 else "cut")] * 2
            for _ in range(3):
                try:
                    hub.pull()
                    break
                except Unavailable:
                    broken += 1
                    hub.restart()
            assert hub.records == box.records, f"after {after} bytes"
            assert hub.pull() == []
            hub.close()
            proxy.faults.clear()
    assert broken > CUTS * 3 // 4
