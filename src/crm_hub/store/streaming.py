"""A write transaction whose rows go to the server while its writer goes on.

For PostgreSQL, where half of a long read is waiting for the server. What is written goes to a
thread, in order; what is asked meanwhile goes to a second connection, which sees what is committed:
the same answer, as long as this transaction has written none of what is asked for. docs/adr/0033.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import chain
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Table

from crm_hub.store.behind import Behind
from crm_hub.store.db import Db, Row


class Streaming(Db):
    """beside: a connection on which nobody writes.

    A statement that fails is raised by the next question that waits for it, or by the commit;
    nothing is sent after it.
    """

    def __init__(self, conn: Connection, beside: Connection, behind: Behind) -> None:
        super().__init__(conn, later=True)
        self._beside, self._behind = beside, behind
        self._lock = Lock()  # of what waits: the thread takes it
        self._written: set[Table] = set()
        self._changed: set[Table] = set()  # written otherwise than by new rows
        self._is_followed = True
        self._is_ending = False
        self._failed: BaseException | None = None

    # asking -----------------------------------------------------------------------------------

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

    def reach(self, table: Table) -> None:
        """Let what was inserted into this table be found by every later question."""
        if table in self._written:
            self._changed.add(table)

    # writing ----------------------------------------------------------------------------------

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows known to be new; what has not been sent yet when more comes goes with it."""
        if not rows:
            return
        self._written.add(table)
        with self._lock:
            is_waiting = table in self._waiting
            super().insert(table, rows)
        if not is_waiting:
            self._start(lambda conn: self._add_all(conn, table, self._popped(table)))

    def _tell(self, table: Table, work: Callable[[Connection], Any]) -> None:
        self._written.add(table)
        self._changed.add(table)
        if before := self._popped(table):  # rows that come after the change are sent after it
            self._start(lambda conn: self._add_all(conn, table, before))
        self._start(work)

    def _popped(self, table: Table) -> list[Sequence[Row]]:
        with self._lock:
            return self._waiting.pop(table, [])

    def _add_all(self, conn: Connection, table: Table, given: list[Sequence[Row]]) -> None:
        if given:
            self._add(conn, table, list(chain.from_iterable(given)))

    def _start(self, work: Callable[[Connection], Any]) -> None:
        if self._is_ending:
            work(self._conn)
        else:
            self._behind.start(lambda: self._do(work))

    def _do(self, work: Callable[[Connection], Any]) -> None:
        if self._failed is None:
            try:
                work(self._conn)
            except BaseException as error:
                self._failed = error
                raise

    def finish(self) -> None:
        """Store which ids were taken; the transaction then commits. For the thread to call."""
        self._is_ending = True
        if self._failed is not None:
            raise self._failed
        super().finish()
