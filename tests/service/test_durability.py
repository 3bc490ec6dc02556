"""200 means durable: commits are shared, and whatever was not kept is answered 503."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from crm_hub.service.receiver import Limits, ReceiverThread
from tests.service.doors import RecordingDoor
from tests.service.raw import RawClient

HANG_GUARD_S = 30


def post(url: str, body: bytes = b"x") -> httpx.Response:
    return httpx.post(f"{url}/in/shop", content=body, timeout=HANG_GUARD_S)


def wait_until(condition: object, pool_futures: list[Future[httpx.Response]]) -> None:
    deadline = time.monotonic() + HANG_GUARD_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen"
        assert not any(f.done() and f.exception() for f in pool_futures)
        time.sleep(0.01)


def test_the_answer_waits_until_the_batch_is_durable() -> None:
    door = RecordingDoor()
    door.gate.clear()
    with ReceiverThread(door) as receiver, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(post, receiver.url)
        assert door.keeping.wait(HANG_GUARD_S)
        with pytest.raises(TimeoutError):
            answer.result(timeout=0.3)
        door.gate.set()
        assert answer.result(HANG_GUARD_S).status_code == 200
    assert len(door.kept) == 1


def test_two_hundred_posts_share_few_commits_in_one_thread() -> None:
    door = RecordingDoor()
    door.gate.clear()
    with ReceiverThread(door) as receiver, ThreadPoolExecutor(200) as pool:
        bodies = [str(n).encode() for n in range(200)]
        answers = [pool.submit(post, receiver.url, body) for body in bodies]
        wait_until(lambda: len(door.verified) == 200, answers)
        door.gate.set()
        assert {a.result(HANG_GUARD_S).status_code for a in answers} == {200}
    assert sorted(r.body for r in door.kept) == sorted(bodies)
    assert len(door.batches) <= 20
    assert len(door.threads) == 1


def test_a_batch_holds_at_most_its_size() -> None:
    door = RecordingDoor()
    door.gate.clear()
    limits = Limits(batch_size=10)
    with ReceiverThread(door, limits=limits) as receiver, ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(post, receiver.url) for _ in range(50)]
        wait_until(lambda: len(door.verified) == 50, answers)
        door.gate.set()
        assert {a.result(HANG_GUARD_S).status_code for a in answers} == {200}
    assert max(len(batch) for batch in door.batches) == 10


def test_when_keeping_fails_the_whole_batch_is_503_and_the_next_one_is_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    door = RecordingDoor()
    door.gate.clear()
    door.error = OSError("disk full while storing dana.whitfield@marlowfinch.example")
    with ReceiverThread(door) as receiver, ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(post, receiver.url) for _ in range(20)]
        wait_until(lambda: len(door.verified) == 20, answers)
        door.gate.set()
        results = [a.result(HANG_GUARD_S) for a in answers]
        assert {r.status_code for r in results} == {503}
        assert {r.headers["retry-after"] for r in results} == {"1"}
        assert door.kept == []
        door.error = None
        assert post(receiver.url).status_code == 200
    assert "OSError" in caplog.text
    assert "marlowfinch" not in caplog.text


def test_a_full_queue_is_503_at_once_and_recovers() -> None:
    door = RecordingDoor()
    door.gate.clear()
    with (
        ReceiverThread(door, limits=Limits(max_waiting=5)) as receiver,
        ThreadPoolExecutor(5) as pool,
    ):
        answers = [pool.submit(post, receiver.url) for _ in range(5)]
        wait_until(lambda: len(door.verified) == 5, answers)
        refused = post(receiver.url)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert httpx.get(f"{receiver.url}/healthz").status_code == 503
        door.gate.set()
        assert {a.result(HANG_GUARD_S).status_code for a in answers} == {200}
        assert post(receiver.url).status_code == 200
    assert len(door.kept) == 6


def test_too_many_body_bytes_in_memory_are_503_and_recover() -> None:
    door = RecordingDoor()
    door.gate.clear()
    limits = Limits(max_waiting_bytes=2_500)
    with ReceiverThread(door, limits=limits) as receiver, ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(post, receiver.url, b"x" * 1000) for _ in range(2)]
        wait_until(lambda: len(door.verified) == 2, answers)
        assert post(receiver.url, b"x" * 1000).status_code == 503
        door.gate.set()
        assert {a.result(HANG_GUARD_S).status_code for a in answers} == {200}
        assert post(receiver.url, b"x" * 2_500).status_code == 200


def test_an_inbox_that_hangs_is_503_and_taken_up_again_when_it_answers() -> None:
    door = RecordingDoor()
    door.gate.clear()
    with ReceiverThread(door, limits=Limits(keep_time_s=0.2)) as receiver:
        assert post(receiver.url).status_code == 503
        assert post(receiver.url).status_code == 503
        door.gate.set()
        deadline = time.monotonic() + HANG_GUARD_S
        while post(receiver.url).status_code != 200:
            assert time.monotonic() < deadline


def test_a_graceful_stop_finishes_what_waits_and_takes_nothing_new() -> None:
    door = RecordingDoor()
    door.gate.clear()
    receiver = ReceiverThread(door)
    with ThreadPoolExecutor(21) as pool:
        with receiver:
            answers = [pool.submit(post, receiver.url) for _ in range(20)]
            wait_until(lambda: len(door.verified) == 20, answers)
            threading.Timer(0.5, door.gate.set).start()
        assert {a.result(HANG_GUARD_S).status_code for a in answers} == {200}
    assert len(door.kept) == 20
    with pytest.raises(httpx.ConnectError):
        post(receiver.url)


def test_a_stop_does_not_wait_for_silent_connections() -> None:
    limits = replace(Limits(), stop_time_s=1, header_time_s=60)
    receiver = ReceiverThread(RecordingDoor(), limits=limits)
    with receiver, RawClient(receiver.url) as client:
        client.send(b"POST /in/shop HTTP/1.1\r\n")
        receiver.stop()
        assert client.closed()


SERVER = """
    import os, sys
    from pathlib import Path
    from crm_hub.sdk import HookReply
    from crm_hub.service.receiver import serve

    class FileDoor:
        def __init__(self, path):
            self.file = open(path, "ab", buffering=0)
        def verify(self, connection, request):
            return HookReply()
        def keep(self, batch):
            self.file.write(b"".join(r.body + b"\\n" for _, r in batch))
            os.fsync(self.file.fileno())

    serve(FileDoor(sys.argv[1]), port=0, on_start=lambda url: print(url, flush=True))
"""


def start_server(inbox: Path) -> tuple[subprocess.Popen[str], str]:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVER), str(inbox)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_every_post_answered_200_survives_a_kill(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    process, url = start_server(inbox)
    accepted: list[bytes] = []

    def send_until_dead(lane: int) -> None:
        with httpx.Client(timeout=HANG_GUARD_S) as client:
            for n in range(100_000):
                body = f"{lane}-{n}".encode()
                try:
                    if client.post(f"{url}/in/shop", content=body).status_code == 200:
                        accepted.append(body)
                except httpx.HTTPError:
                    return

    with ThreadPoolExecutor(8) as pool:
        lanes = [pool.submit(send_until_dead, lane) for lane in range(8)]
        while len(accepted) < 100:
            time.sleep(0.01)
        process.kill()
        for lane in lanes:
            lane.result(HANG_GUARD_S)
    process.communicate(timeout=HANG_GUARD_S)
    kept = set(inbox.read_bytes().split(b"\n"))
    assert len(accepted) >= 100
    assert [body for body in accepted if body not in kept] == []


def test_a_terminated_service_ends_cleanly(tmp_path: Path) -> None:
    process, url = start_server(tmp_path / "inbox")
    assert httpx.get(f"{url}/healthz").status_code == 200
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=HANG_GUARD_S)
    assert process.returncode == -signal.SIGTERM
