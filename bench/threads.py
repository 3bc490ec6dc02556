"""How well conversations are put together, on generated mail of which the truth is known.

    python bench/threads.py                      three seeds, 3,000 conversations each
    python bench/threads.py --seeds 101 --conversations 800 --plain

Prints pair precision and recall (of all pairs of messages: said to be one conversation and are;
are one and said to be) for the hub's walk, for References alone, for Dovecot's THREAD=REFERENCES
where Dovecot is installed, and what the walk spent on it. --plain: also the walk with References
that always join, whatever the subject. Seeds 101 to 106 were used for tuning; 1 to 3, the
default, are for the figures only.
"""

from __future__ import annotations

import argparse
import imaplib
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parent))
from threads_mail import Letter, letters

Groups = Mapping[int, Hashable]


def pairs(sizes: Iterable[int]) -> int:
    """Return how many pairs groups of these sizes hold."""
    return sum(n * (n - 1) // 2 for n in sizes)


def score(found: Groups, truth: Groups) -> tuple[float, float]:
    """Return pair precision and recall; a message that was not found stands alone."""
    said = {n: found.get(n, ("alone", n)) for n in truth}
    both = pairs(Counter((said[n], truth[n]) for n in truth).values())
    return both / pairs(Counter(said.values()).values()), both / pairs(
        Counter(truth.values()).values()
    )


def by_references(mails: Iterable[Letter]) -> Groups:
    """Return the components over Message-ID, References and In-Reply-To."""
    up: dict[str, str] = {}

    def top(one: str) -> str:
        while up.setdefault(one, one) != one:
            one = up[one]
        return one

    listed = list(mails)
    for mail in listed:
        for other in mail.references:
            up[top(other)] = top(mail.message_id)
        top(mail.message_id)
    return {mail.number: top(mail.message_id) for mail in listed}


def by_walk(mails: list[Letter], folder: Path) -> tuple[Groups, float]:
    """Return what a hub makes of one mbox file a mailbox, and seconds spent on threading."""
    from sqlalchemy import text

    from crm_hub.config import add_connection, create
    from crm_hub.flow import walk_events
    from crm_hub.flow.hub import Hub
    from crm_hub.flow.inbound import sync

    create(folder / "hub", own=["clearwater.example"])
    boxes: dict[str, list[Letter]] = {}
    for mail in mails:
        boxes.setdefault(mail.mailbox, []).append(mail)
    for name, found in boxes.items():
        path = folder / f"{name}.mbox"
        path.write_bytes(b"".join(b"From x Thu Jan  1 00:00:00 2026\n" + m.raw + b"\n"
                                  for m in found))  # fmt: skip
        add_connection(folder / "hub", name, "files", {"path": str(path)})
    spent = 0.0
    real = walk_events.walk_threads

    def timed(*args: Any) -> dict[int, int]:
        nonlocal spent
        start = time.perf_counter()
        found = real(*args)
        spent += time.perf_counter() - start
        return found

    hub = Hub(folder / "hub")
    with patch.object(walk_events, "walk_threads", timed):
        for report in sync(hub):
            assert report.error is None, report.error
            assert report.counts["dead"] == 0
    found_groups: dict[int, Hashable] = {}
    query = (
        "SELECT s.draft, t.now_id FROM event_source s"
        " JOIN thread_message m ON m.event_id = s.event_id JOIN thread t ON t.id = m.thread_id"
    )
    with hub.store.read() as db:
        for draft, conversation in db.conn.execute(text(query)):
            number = re.search(r"Message (\d+)\.", draft)
            assert number is not None
            found_groups[int(number[1])] = conversation
    hub.close()
    return found_groups, spent


def by_plain_walk(mails: list[Letter], folder: Path) -> tuple[Groups, float]:
    """Return the same with References that join whatever the subject."""
    from crm_hub.timeline import evidence

    def add(keys: dict[int, None], draft: object, _about: object) -> None:
        for one in [*draft.message_ids, *draft.replies_to]:  # type: ignore[attr-defined]
            keys[evidence._number("i", one)] = None

    with patch.object(evidence, "_add_keys", add):
        return by_walk(mails, folder)


def by_dovecot(mails: list[Letter]) -> Groups:
    """Return Dovecot's THREAD=REFERENCES over one copy of each message in one mailbox."""
    from crm_hub.sdk.testing.servers.dovecot import dovecot

    once = {mail.number: mail for mail in reversed(mails)}
    listed = [once[number] for number in sorted(once)]
    with dovecot() as server:
        server.deliver("INBOX", [mail.raw for mail in listed])
        client = imaplib.IMAP4(server.host, server.port)
        client.login(server.user, server.password)
        client.select("INBOX", readonly=True)
        kind, lines = client.fetch("1:*", "(BODY[TEXT])")
        assert kind == "OK"
        number_of = {}
        for part in lines:
            if isinstance(part, tuple):
                told = re.search(rb"Message (\d+)\.", part[1])
                assert told is not None
                number_of[int(part[0].split()[0])] = int(told[1])
        kind, answer = client.thread("REFERENCES", "UTF-8", "ALL")
        assert kind == "OK"
        client.logout()
    groups: dict[int, Hashable] = {}
    for index, thread in enumerate(_top_level(answer[0].decode())):
        for sequence in re.findall(r"\d+", thread):
            groups[number_of[int(sequence)]] = index
    return groups


def _top_level(text: str) -> Iterator[str]:
    depth = start = 0
    for at, sign in enumerate(text):
        if sign == "(":
            start = at if depth == 0 else start
            depth += 1
        elif sign == ")":
            depth -= 1
            if depth == 0:
                yield text[start : at + 1]


def measure(seed: int, conversations: int, plain: bool) -> None:
    """Print one line for each way of putting conversations together."""
    mails = letters(seed, conversations)
    truth = {mail.number: mail.conversation for mail in mails}
    answers = [m for m in mails if m.is_answer]
    print(
        f"seed {seed}: {len(truth):,} messages in {len(set(truth.values())):,} conversations, "
        f"{len(mails):,} copies; {sum(m.lost for m in answers) / len(answers):.1%} of the answers "
        "lost their References",
        flush=True,
    )
    ways: list[tuple[str, Callable[[list[Letter], Path], tuple[Groups, float]]]]
    ways = [("the walk", by_walk)]
    if plain:
        ways.append(("the walk, References always join", by_plain_walk))
    for name, way in ways:
        with tempfile.TemporaryDirectory() as folder:
            found, spent = way(mails, Path(folder))
        _line(name, found, truth, f"{spent / len(mails) * 1e6:.1f} µs a copy")
    _line("References alone", by_references(mails), truth)
    try:
        _line("Dovecot THREAD=REFERENCES", by_dovecot(mails), truth)
    except ImportError as reason:
        print(f"  Dovecot: not measured ({reason})")
    except Exception as reason:
        if type(reason).__name__ != "Unobtainable":
            raise
        print(f"  Dovecot: not measured ({reason})")


def _line(name: str, found: Groups, truth: Groups, more: str = "") -> None:
    precision, recall = score(found, truth)
    print(f"  {name:<32} precision {precision:.4f}  recall {recall:.4f}  {more}", flush=True)


def main() -> None:
    """Print the figures of the seeds asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--conversations", type=int, default=3_000)
    parser.add_argument(
        "--plain", action="store_true", help="also with References that always join"
    )
    args = parser.parse_args()
    for seed in args.seeds:
        measure(seed, args.conversations, args.plain)


if __name__ == "__main__":
    main()
