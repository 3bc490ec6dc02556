"""How fast a mailbox comes in: a Dovecot, the hub's full walk, and mbsync over the same mail.

    python bench/mail.py                       10,000 messages
    python bench/mail.py --sizes 2000 --profile

Ours is the whole walk in a running process: fetched, parsed, in the hub's store, people known,
on the timeline; what is committed survives a power cut. mbsync copies the mail into a Maildir, a
process a run, as it is used: with `FSync no`, which is fast and survives none, and the full pull
also as it comes, which waits for the disk at each message (`--durable` messages, as that may take
minutes). Both read the same Dovecot, one after the other; each number is the best of `--rounds`.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import platform
import pstats
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from imapclient import IMAPClient

from crm_hub.config import add_connection, create
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.sdk.testing.servers.dovecot import Dovecot, dovecot
from crm_hub.sdk.testing.servers.process import Unobtainable

WORDS = (
    "pump filter order price delivery quote invoice please send thanks meeting week site visit "
    "water pressure valve spare part contract service engineer tuesday offer attached regards"
).split()
NAMES = "Ann Bob Cleo Dana Erik Fatima Gus Hana Ivo Jun Kim Lea Max Nora Omar Pia".split()


def letter(number: int, rng: random.Random) -> bytes:
    """Return one mail of a business mailbox: 2 to 6 kB, two of three answers, a third has HTML."""
    person = number // 3 % 977  # three mails are one conversation
    name, firm = NAMES[person % 16], f"firm{person % 211}.example"
    them, us = f"{name} Person{person} <p{person}@{firm}>", "Sales <sales@clearwater.example>"
    out = number % 4 == 0
    text = "\n".join(
        " ".join(rng.choice(WORDS) for _ in range(rng.randrange(8, 16)))
        for _ in range(rng.randrange(6, 40))
    )
    minute = number // 3
    stamp = (
        f"{1 + minute // 1440 % 28:02} Feb 2026 {minute // 60 % 24:02}:{minute % 60:02}:07 +0000"
    )
    lines = [
        f"Return-Path: <p{person}@{firm}>",
        f"Received: from mx.{firm} (mx.{firm} [192.0.2.{person % 200}])",
        f"\tby mail.clearwater.example with ESMTPS id q{number}; {stamp}",
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={firm}; s=mail;",
        f"\th=from:to:subject:date; bh={'Zm9v' * 10}; b={'YmFy' * 40}",
        f"From: {us if out else them}",
        f"To: {them if out else us}",
        f"Subject: {'Re: ' if number % 3 else ''}Order {number // 3}: {WORDS[number // 3 % len(WORDS)]}",
        f"Date: {stamp}",
        f"Message-ID: <n{number}@{firm}>",
        "MIME-Version: 1.0",
    ]
    if number % 3:
        lines.append(f"In-Reply-To: <n{number - 1}@{firm}>")
        lines.append(f"References: <n{number // 3 * 3}@{firm}> <n{number - 1}@{firm}>")
        text += f"\n\nOn Mon, Feb 2, 2026, {name} wrote:\n> " + text[:400].replace("\n", "\n> ")
    if number % 3 == 1:
        page = "<html><body>" + "".join(f"<p>{t}</p>" for t in text.split("\n")) + "</body></html>"
        lines += [
            f'Content-Type: multipart/alternative; boundary="b{number}"', "", f"--b{number}",
            "Content-Type: text/plain; charset=utf-8", "", text, f"--b{number}",
            "Content-Type: text/html; charset=utf-8", "", page, f"--b{number}--", "",
        ]  # fmt: skip
    else:
        lines += ["Content-Type: text/plain; charset=utf-8", "", text, ""]
    return "\n".join(lines).encode()


class Ours:
    """A hub that stays open, with one connection."""

    def __init__(self, folder: Path, server: Dovecot, user: str, profile: bool) -> None:
        create(folder, own=["clearwater.example"])
        settings = {
            "host": server.host, "port": server.port, "tls": "none", "username": user,
            "password": "env:CRM_HUB_BENCH_MAIL",
        }  # fmt: skip
        os.environ["CRM_HUB_BENCH_MAIL"] = server.password
        add_connection(folder, "mail", "imap", settings)
        self.hub = Hub(folder)
        _ = self.hub.store, self.hub.tools
        self._profile = profile
        self.counts: dict[str, int] = {}

    def __call__(self) -> None:
        profiler = cProfile.Profile() if self._profile else None
        if profiler:
            profiler.enable()
        (report,) = sync(self.hub)
        if profiler:
            profiler.disable()
            pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(30)
            self._profile = False
        assert report.error is None, report.error
        self.counts = dict(report.counts)


class Theirs:
    """mbsync from the same server into a Maildir of its own."""

    def __init__(self, folder: Path, server: Dovecot, user: str, *, durable: bool = False) -> None:
        program = shutil.which("mbsync")
        if program is None:
            raise Unobtainable("mbsync is not installed; get it with `apt-get install isync`")
        (folder / "mail").mkdir(parents=True)
        self._config = folder / "mbsyncrc"
        self._config.write_text(
            f"{'' if durable else 'FSync no'}\n\nIMAPAccount far\nHost {server.host}\nPort {server.port}\nUser {user}\n"
            f"Pass {server.password}\nSSLType None\nAuthMechs LOGIN\n\n"
            "IMAPStore far\nAccount far\n\n"
            f"MaildirStore near\nPath {folder}/mail/\nInbox {folder}/mail/INBOX\nSubFolders Verbatim\n\n"
            "Channel all\nFar :far:\nNear :near:\nPatterns *\nSync Pull\nCreate Near\n"
            "Expunge Near\nSyncState *\n",
            "utf-8",
        )
        self._program = program

    def __call__(self) -> None:
        command = [self._program, "-q", "-c", str(self._config), "all"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-500:]


def timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def own_cpu_s(work: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds that passed, and the seconds this process computed."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - cpu


def row(name: str, ours_s: float, theirs_s: float, note: str = "") -> None:
    print(
        f"{name:<28}{ours_s:>9.3f} s{theirs_s:>9.3f} s{ours_s / theirs_s:>8.2f}   {note}",
        flush=True,
    )


def measure(size: int, rounds: int, profile: bool, durable: int) -> None:
    """Print the table for one mailbox of `size` messages, a durable copy, and 50 folders."""
    rng = random.Random(7)
    letters = [letter(number, rng) for number in range(size + 10 * rounds)]
    with (
        tempfile.TemporaryDirectory(prefix="crm-hub-bench-", dir="/tmp") as name,
        dovecot() as server,
    ):
        folder, user = Path(name), server.user
        server.deliver("INBOX", letters[:size])
        # The first opening builds Dovecot's own index; neither side is to pay for it.
        _indexed(server, user, ["INBOX"])
        ours, theirs = (
            Ours(folder / "hub", server, user, profile),
            Theirs(folder / "near", server, user),
        )
        kb = sum(map(len, letters[:size])) // size
        print(
            f"{f'{size:,} messages of {kb} bytes':<28}{'hub':>11}{'mbsync':>11}{'ratio':>8}",
            flush=True,
        )
        first, cpu = own_cpu_s(ours)
        assert ours.counts["new"] >= size, ours.counts
        note = f"{first / size * 1e6:.0f} us a message, {cpu / size * 1e6:.0f} of them our own CPU"
        row("full pull, FSync no", first, timed(theirs), note)
        steps: list[tuple[str, Callable[[int], None], str]] = [
            ("no change", lambda _: None, ""),
            ("+10", lambda n: _add(server, letters[size + 10 * n : size + 10 * n + 10]), "new"),
            ("100 flag changes", lambda n: _flag(server, user, n), ""),
            ("10 expunges", lambda n: _expunge(server, user, n), "deleted"),
        ]
        for title, change, counted in steps:
            best_ours = best_theirs = 1e9
            for n in range(rounds):
                change(n)
                best_ours = min(best_ours, timed(ours))
                if counted:
                    assert ours.counts.get(counted, 0) >= 10, (title, ours.counts)
                best_theirs = min(best_theirs, timed(theirs))
            row(title, best_ours, best_theirs)
        ours.hub.close()
    with (
        tempfile.TemporaryDirectory(prefix="crm-hub-bench-", dir="/tmp") as name,
        dovecot() as server,
    ):
        _folders(server, Path(name), letters[: min(size, 2_000)], rounds)
    with (
        tempfile.TemporaryDirectory(prefix="crm-hub-bench-", dir="/tmp") as name,
        dovecot() as server,
    ):
        _durable(server, Path(name), letters[: min(size, durable)])


def _durable(server: Dovecot, folder: Path, letters: list[bytes]) -> None:
    """Print the full pull of a mailbox beside mbsync as it comes: both keep what they have."""
    server.deliver("INBOX", letters)
    _indexed(server, server.user, ["INBOX"])
    ours = Ours(folder / "hub", server, server.user, False)
    theirs = Theirs(folder / "near", server, server.user, durable=True)
    taken, cpu = own_cpu_s(ours)
    count = len(letters)
    note = f"{taken / count * 1e6:.0f} us a message, {cpu / count * 1e6:.0f} of them our own CPU"
    row(f"full pull of {count:,}, FSync yes", taken, timed(theirs), note)
    assert ours.counts["new"] >= count
    ours.hub.close()


def _folders(server: Dovecot, folder: Path, letters: list[bytes], rounds: int) -> None:
    names = [f"Work/Customer{number}" for number in range(49)]
    for number, name in enumerate(["INBOX", *names]):
        server.deliver(name, letters[number::50])
    _indexed(server, server.user, ["INBOX", *names])
    ours = Ours(folder / "hub", server, server.user, False)
    theirs = Theirs(folder / "near", server, server.user)
    title = f"50 folders, {len(letters)} messages"
    row(title, timed(ours), timed(theirs))
    assert ours.counts["new"] >= len(letters)
    row("50 folders, no change", *(min(timed(w) for _ in range(rounds)) for w in (ours, theirs)))
    ours.hub.close()


def _user(server: Dovecot, user: str) -> IMAPClient:
    client = IMAPClient(server.host, server.port, ssl=False)
    client.login(user, server.password)
    return client


def _indexed(server: Dovecot, user: str, folders: list[str]) -> None:
    client = _user(server, user)
    for name in folders:
        client.select_folder(name)
    client.logout()


def _add(server: Dovecot, letters: list[bytes]) -> None:
    server.deliver("INBOX", letters)


def _flag(server: Dovecot, user: str, round_: int) -> None:
    client = _user(server, user)
    client.select_folder("INBOX")
    uids = client.search("ALL")[100 * round_ : 100 * round_ + 100]
    client.add_flags(uids, [b"\\Seen", b"\\Flagged"])
    client.logout()


def _expunge(server: Dovecot, user: str, round_: int) -> None:
    client = _user(server, user)
    client.select_folder("INBOX")
    client.delete_messages(client.search("ALL")[10 * round_ : 10 * round_ + 10])
    client.expunge()
    client.logout()


def main() -> None:
    """Print the table for the sizes asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000])
    parser.add_argument(
        "--rounds", type=int, default=3, help="changes of each kind; the best counts"
    )
    parser.add_argument(
        "--durable", type=int, default=2_000, help="messages for mbsync as it comes, which is slow"
    )
    parser.add_argument("--profile", action="store_true", help="say where the time goes")
    args = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    try:
        for size in args.sizes:
            measure(size, args.rounds, args.profile, args.durable)
    except Unobtainable as why:
        sys.exit(str(why))


if __name__ == "__main__":
    main()
