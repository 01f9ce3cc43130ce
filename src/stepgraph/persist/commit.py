"""Group commit: lines are taken over at once and written together by a thread of its own, at most 20 ms later.

One statement holds many rows, because each is one trip out of the interpreter lock: coming back takes up to 5 ms while
another thread computes in pure Python, and a statement a row would never keep up.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from stepgraph.core.errors import CheckpointError
from stepgraph.persist.blocks import Line, Plan, continued, planned
from stepgraph.persist.file import BITS, LAST, File, explained
from stepgraph.persist.lines import is_mark

if TYPE_CHECKING:
    from stepgraph.persist.log import Trouble
    from stepgraph.persist.sqlite import SqliteLog

logger = logging.getLogger("stepgraph.persist")

DELAY: Final = 0.005
"""Seconds that lines gather, from the first one on. Then the commit may have to wait 5 ms for the interpreter lock."""
_RETRY: Final = 0.5
"""Seconds after a failed write."""


class Committer:
    """Takes lines over and writes them. After a failed write they are kept, and `trouble` says what is wrong."""

    def __init__(self, file: File, trouble: Trouble) -> None:
        self.file = file
        self.trouble = trouble
        self.waiting: deque[Line] = deque()
        self._armed = False
        self._writing = False
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, line: Any) -> None:
        """Hand a line over: a tuple of the fields of `Line` (a plain one is made in a third of the time)."""
        self.waiting.append(line)
        if not self._armed:
            self._armed = True
            self._first = time.monotonic()
            if self._thread is None:
                self._start()
            self._wake.set()

    def write(self) -> None:
        """Write what was handed over before, in this thread. Raises CheckpointError; what failed is kept then.

        Returns only when a write that another thread is at is over too.
        """
        if not self.waiting and not self._writing:
            return
        with self.file.lock:
            waiting = self.waiting
            if not waiting:
                return
            self._writing = True  # before the lines are taken off, so that who finds none left sees this
            batch = [waiting.popleft() for _ in range(len(waiting))]
            try:
                self._commit(batch)
            except BaseException as error:
                waiting.extendleft(reversed(batch))
                if isinstance(error, sqlite3.Error):
                    raise explained(error, self.file.path, "write") from error
                raise
            finally:
                self._writing = False
            if not self.trouble.once:
                self.trouble.over()

    def flush(self) -> None:
        """`write`, and raise what went wrong before."""
        self.write()
        self.trouble.check()

    def close(self) -> None:
        """Write what waits and end the thread. Raises CheckpointError when lines cannot be written and are lost."""
        self._closing.set()
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        try:
            self.write()
        except CheckpointError as error:
            lost = len(self.waiting)
            self.waiting.clear()
            if lost:
                raise CheckpointError(f"{error} {lost} checkpoints and records are lost by closing.") from error
            raise

    def forked(self) -> None:
        """In a forked child: what waits is the parent's to write."""
        self.__init__(self.file, self.trouble)  # type: ignore[misc]  # new locks and no thread, as if just made

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="stepgraph-commit", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            pause = DELAY - (time.monotonic() - self._first) if self.trouble.error is None else _RETRY
            if self._closing.wait(max(0.0, pause)):
                return
            self._armed = False
            try:
                self.write()
            except CheckpointError as error:
                if self.trouble.error is None:
                    logger.error("%s (%d checkpoints and records wait)", error, len(self.waiting))
                    self.trouble.error = error
                if self.waiting:
                    self._armed = True
                    self._wake.set()

    def _commit(self, batch: list[Line]) -> None:
        by_log: dict[SqliteLog, list[Line]] = {}
        known = True
        for line in batch:
            log = line[0]
            lines = by_log.get(log)
            if lines is None:
                lines = by_log[log] = []
                known = known and log.end > 0
            lines.append(line)
            known = known and line[5] is None
        if not known or not self._commit_quickly(by_log):
            self._commit_carefully(by_log)

    def _commit_quickly(self, by_log: dict[SqliteLog, list[Line]]) -> bool:
        """In one statement, when nobody else has written to these logs since; else False."""
        plans = [planned(log.number, log.end, log.base, lines) for log, lines in by_log.items()]
        try:
            self.file.insert([row for plan in plans for row in plan.rows])
        except sqlite3.IntegrityError:
            return False
        for log, plan in zip(by_log, plans, strict=True):
            log.end, log.base = plan.end, plan.base
        return True

    def _commit_carefully(self, by_log: dict[SqliteLog, list[Line]]) -> None:
        """In a transaction that first looks how far each log is."""
        plans: list[tuple[SqliteLog, int, Plan]] = []
        deleted: list[SqliteLog] = []
        with self.file.transaction() as connection:
            for log, lines in by_log.items():
                number, end, base = _position(connection, log)
                if number == 0:
                    deleted.append(log)
                    continue
                follows = number == log.number and end == log.end
                named = [Line(*line) for line in lines]
                if not follows:
                    named = continued(named)
                plan = planned(number, end, base, named)
                plans.append((log, number, plan))
                _note_forks(connection, plan, named)
            self.file.insert([row for _, _, plan in plans for row in plan.rows])
        for log, number, plan in plans:
            log.number, log.end, log.base = number, plan.end, plan.base
        if deleted:
            self.trouble.once = True
            self.trouble.error = CheckpointError(
                f"Thread {deleted[0].thread!r} was deleted by another process while a run was writing to it: "
                "what the run has saved since is dropped. Start it again on a new thread."
            )


def _position(connection: sqlite3.Connection, log: SqliteLog) -> tuple[int, int, int]:
    """A log's number, the number of its next line and of its last mark; 0 for all when it was there and is deleted."""
    if not log.number:
        made = connection.execute("INSERT OR IGNORE INTO log (thread, ns) VALUES (?, ?)", (log.thread, log.ns))
        if made.rowcount == 1:
            assert made.lastrowid is not None
            return made.lastrowid, 1, 0
    found = connection.execute("SELECT number FROM log WHERE thread = ? AND ns = ?", (log.thread, log.ns)).fetchone()
    if found is None:
        return 0, 0, 0
    number: int = found[0]
    last = connection.execute(
        "SELECT key, base, data FROM block WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT 1",
        (number << BITS, number << BITS | LAST),
    ).fetchone()
    return (number, 1, 0) if last is None else (number, after(last[0], last[2]), last[1])


def after(key: int, data: bytes) -> int:
    """The number of the line that follows a block."""
    return (key & LAST) + data.count(b"\n") + 1


def _note_forks(connection: sqlite3.Connection, plan: Plan, lines: list[Line]) -> None:
    """Which logs other threads' lines continue from, so that deleting those leaves the lines readable."""
    sources = [line.source for line in lines if is_mark(line.data)]
    keys = [row[0] for row in plan.rows if is_mark(row[4])]
    for key, source in zip(keys, sources, strict=True):
        if source is not None:
            connection.execute("INSERT OR IGNORE INTO fork (parent, key) VALUES (?, ?)", (source.number, key))
