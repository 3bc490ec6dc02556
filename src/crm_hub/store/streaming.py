"""A write transaction whose rows go to the server while its writer goes on.

For PostgreSQL, where half of a long read is waiting for the server. What is written goes to a
thread, in order; what is asked meanwhile goes to a second connection, which sees what is committed:
the same answer, as long as this transaction has written none of what is asked for. docs/adr/0033.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Connection, Table

from crm_hub.store.behind import Behind
from crm_hub.store.db import Db


class Streaming(Db):
    """beside: a connection on which nobody writes.

    A statement that fails is raised by the next question that waits for it, or by the commit;
    nothing is sent after it.
    """

    def __init__(self, conn: Connection, beside: Connection, behind: Behind) -> None:
        super().__init__(conn)
        self._beside, self._behind = beside, behind
        self._written: set[Table] = set()
        self._changed: set[Table] = set()  # written otherwise than by new rows
        self._is_followed = True
        self._is_ending = False
        self._failed: BaseException | None = None

    @property
    def conn(self) -> Connection:
        """The connection, for statements of any kind; all that was written has reached it.

        What these write is not followed, so that every later question goes the same way.
        """
        self._is_followed = False
        return self._reached()

    def _asking(self, tables: Collection[Any], *, stored: bool = False) -> Connection:
        hidden = self._changed if stored else self._written
        if self._is_followed and hidden.isdisjoint(tables):
            return self._beside
        return self._reached()

    def _reached(self) -> Connection:
        if not self._is_ending:
            self._behind.wait()
        return self._conn

    def _tell(
        self, table: Table, work: Callable[[Connection], Any], *, is_new: bool = False
    ) -> None:
        self._written.add(table)
        if not is_new:
            self._changed.add(table)
        if self._is_ending:
            work(self._conn)
        else:
            self._behind.start(lambda: self._send_one(work))

    def _send_one(self, work: Callable[[Connection], Any]) -> None:
        if self._failed is None:
            try:
                work(self._conn)
            except BaseException as error:
                self._failed = error
                raise

    def reach(self, table: Table) -> None:
        """Let what was inserted into this table be found by every later question."""
        if table in self._written:
            self._changed.add(table)

    def finish(self) -> None:
        """Store which ids were taken; the transaction then commits. For the thread to call."""
        self._is_ending = True
        if self._failed is not None:
            raise self._failed
        super().finish()
