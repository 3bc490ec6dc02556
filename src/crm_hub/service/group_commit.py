"""Group commit: requests that wait at the same moment are made durable by one call.

One commit for each request holds a disk at a few hundred a second; a commit for all
that came in meanwhile costs the same and carries hundreds. Nobody is told "kept"
before the commit that holds the request has returned.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from crm_hub.observe import logger
from crm_hub.sdk.contract import HookRequest
from crm_hub.service.limits import Limits

Item = tuple[str, HookRequest]
_Waiter = tuple[Item, "asyncio.Future[bool]"]
_log = logger("receiver")


class GroupCommit:
    """Collects requests and hands them to `keep` in batches, one batch at a time.

    `keep` runs in a thread of its own, always the same one, so it may own a database
    connection that is bound to its thread.
    """

    def __init__(self, keep: Callable[[Sequence[Item]], None], limits: Limits) -> None:
        self._keep = keep
        self._limits = limits
        self._waiting: deque[_Waiter] = deque()
        self._in_hand = 0
        self._wake = asyncio.Event()
        self._open = False
        self._stalled = False
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="crm-hub-inbox")

    @property
    def ready(self) -> bool:
        """Whether a request that arrives now can be kept."""
        full = len(self._waiting) + self._in_hand >= self._limits.max_waiting
        return self._open and not self._stalled and not full

    def start(self) -> None:
        """Begin to take requests; call it inside the running event loop."""
        self._open = True
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Take no more requests, finish those that wait, and return."""
        self._open = False
        self._wake.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=self._limits.stop_time_s)
            self._task.cancel()
        self._refuse_waiting()
        self._thread.shutdown(wait=False)

    async def kept(self, item: Item) -> bool:
        """Return True once `item` is durable; False when it is not and must be sent again."""
        if not self.ready:
            return False
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        self._wake.set()
        return await answer

    async def _run(self) -> None:
        while self._open or self._waiting:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                if self._open and len(self._waiting) < self._limits.batch_size:
                    await asyncio.sleep(self._limits.gather_s)
                await self._commit(self._next_batch())

    def _next_batch(self) -> list[_Waiter]:
        size = min(len(self._waiting), self._limits.batch_size)
        return [self._waiting.popleft() for _ in range(size)]

    async def _commit(self, batch: list[_Waiter]) -> None:
        items = [item for item, _ in batch]
        self._in_hand = len(items)
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._keep, items)
        done, _ = await asyncio.wait({work}, timeout=self._limits.keep_time_s)
        if not done:
            await self._sit_out(work, batch)
        error = work.exception()
        if error is not None:
            _log.error("%d requests were not kept and answered 503: %s", len(batch), _where(error))
        self._in_hand = 0
        _answer(batch, error is None)

    async def _sit_out(self, work: asyncio.Future[None], batch: list[_Waiter]) -> None:
        # The commit may still succeed; the senders were told to come again, and a second
        # copy of a request is harmless where a silent loss is not.
        _log.error(
            "the inbox has not answered for %g s; requests get 503", self._limits.keep_time_s
        )
        self._stalled = True
        _answer(batch, False)
        self._refuse_waiting()
        await asyncio.wait({work})
        self._stalled = False

    def _refuse_waiting(self) -> None:
        _answer(list(self._waiting), False)
        self._waiting.clear()


def _answer(batch: list[_Waiter], kept: bool) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_result(kept)


def _where(error: BaseException) -> str:
    # Kind and place only: the text of an error can repeat what was being stored.
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
