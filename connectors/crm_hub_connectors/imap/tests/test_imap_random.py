"""A mailbox that is used at random, and a hub that is killed at random, agree in the end."""

from __future__ import annotations

import random
from collections import defaultdict
from contextlib import suppress

import pytest
from crm_hub_connectors.imap.tests.mailbox import Mailbox, mail
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

FOLDERS = ["INBOX", "Sent", "Work", "Work/Pumps", "All Mail"]


class User:
    """Does what users do, and remembers nothing: the truth is asked of the server."""

    def __init__(self, box: Mailbox, rng: random.Random) -> None:
        self.box, self.rng = box, rng
        self.next = 0
        for folder in FOLDERS:
            box.deliver(folder)
        self.client: IMAPClient = box.user_session()

    def act(self) -> None:
        actions = [self.deliver] * 4 + [self.move] * 3 + [self.copy] * 2 + [self.expunge] * 3
        self.rng.choice([*actions, self.flag, self.draft, self.renumber, self.rename])()

    def deliver(self) -> None:
        count = self.rng.randrange(1, 8)
        folder = self.rng.choice(FOLDERS[:4])
        self.box.deliver(folder, *(mail(self.next + n) for n in range(count)))
        self.next += count

    def _some(self, most: int = 3) -> tuple[str, list[int]]:
        names = [name for _, _, name in self.client.list_folders()]
        folder = self.rng.choice(names)
        try:
            self.client.select_folder(folder)
        except IMAPClientError:
            return folder, []  # a folder that only holds others
        uids = self.client.search("ALL")
        return folder, self.rng.sample(uids, min(len(uids), self.rng.randrange(1, most + 1)))

    def move(self) -> None:
        _, uids = self._some()
        if uids:
            self.client.copy(uids, self._target())
            self.client.delete_messages(uids)
            self.client.expunge()

    def copy(self) -> None:
        _, uids = self._some()
        if uids:
            self.client.copy(uids, self._target())

    def _target(self) -> str:
        names = [
            name for flags, _, name in self.client.list_folders() if b"\\Noselect" not in flags
        ]
        return self.rng.choice(names)

    def expunge(self) -> None:
        _, uids = self._some(4)
        if uids:
            self.client.delete_messages(uids)
            self.client.expunge()

    def flag(self) -> None:
        _, uids = self._some()
        if uids:
            self.client.add_flags(uids, [b"\\Seen", b"Later"])

    def draft(self) -> None:
        _, uids = self._some(1)
        if uids:
            change = self.rng.choice([self.client.add_flags, self.client.remove_flags])
            change(uids, [b"\\Draft"])

    def renumber(self) -> None:
        self.client.logout()
        self.box.close()
        self.box.server.renumber(self.rng.choice(FOLDERS[:2]), self.box.user)
        self.client = self.box.user_session()

    def rename(self) -> None:
        names = [name for _, _, name in self.client.list_folders()]
        one, other = "Work/Pumps", "Work/Valves"
        if one not in names:
            one, other = other, one
        if one in names and other not in names:
            self.client.select_folder("INBOX")
            # A folder that was only just made by writing files may not be listed yet.
            with suppress(IMAPClientError):
                self.client.rename_folder(one, other)

    def truth(self, with_drafts: bool) -> dict[str, list[str]]:
        """Return subject → places as the server has it."""
        found: dict[str, set[str]] = defaultdict(set)
        for flags, _, name in self.client.list_folders():
            if b"\\Noselect" in flags:
                continue
            self.client.select_folder(name, readonly=True)
            uids = self.client.search("ALL" if with_drafts else "UNDRAFT")
            if uids:
                for one in self.client.fetch(uids, ["ENVELOPE"]).values():
                    found[one[b"ENVELOPE"].subject.decode()].add(name)
        return {k: sorted((v - {"All Mail"}) or v) for k, v in found.items()}


@pytest.mark.parametrize("seed", range(5))
def test_what_the_hub_holds_is_what_the_server_holds(either: Mailbox, seed: int) -> None:
    rng = random.Random(seed)
    either.page_items = 4
    user = User(either, rng)
    if not _has_condstore(either):
        # Such a server tells of a changed flag to nobody who does not ask for all of them.
        user.draft = user.flag  # type: ignore[method-assign]
    try:
        _live(either, user, rng)
    finally:
        user.client.logout()


def _live(box: Mailbox, user: User, rng: random.Random) -> None:
    for _ in range(14):
        for _ in range(rng.randrange(1, 5)):
            user.act()
        fate = rng.random()
        if fate < 0.4:
            box.pull(pages=rng.randrange(1, 3))  # killed after a page or two
            if rng.random() < 0.5:
                box.restart()
        elif fate < 0.9:
            box.pull()
            assert box.subjects() == user.truth(with_drafts=False)
            assert not box.counts or box.counts[-1] == len(box.records)
    box.pull()
    assert box.subjects() == user.truth(with_drafts=False)
    assert box.pull() == []


def _has_condstore(box: Mailbox) -> bool:
    with box.user_session() as client:
        return bool(client.has_capability("CONDSTORE"))
