"""Group commit: what is handed over is written together by a thread of its own, at most 20 ms later.

Small things are handed over as they are and become lines only then, many in a row (`persist/recent.py`).

One statement holds many rows, because each is one trip out of the interpreter lock: coming back takes up to 5 ms while
another thread computes in pure Python, and a statement a row would never keep up.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from stepgraph.core.errors import CheckpointError
from stepgraph.persist.blocks import Lines, Plan, continued, planned
from stepgraph.persist.file import BITS, LAST, File, explained
from stepgraph.persist.lines import is_mark, is_record
from stepgraph.persist.log import where

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from stepgraph.persist.log import Trouble
    from stepgraph.persist.sqlite_log import SqliteLog

logger = logging.getLogger("stepgraph.persist")

DELAY: Final = 0.005
"""Seconds that things gather, from the first one on. Then the commit may have to wait 5 ms for the interpreter lock."""
_RETRY: Final = 0.5
"""Seconds after a failed write."""


class Committer:
    """Takes lines over and writes them. After a failed write they are kept, and `trouble` says what is wrong.

    `settle` makes lines of what a log has waiting. It is asked to for each log that was `noted`.
    """

    def __init__(
        self,
        file: File,
        trouble: Trouble,
        settle: Callable[[SqliteLog], None],
        logs: dict[tuple[str, str], Any],
    ) -> None:
        self.file = file
        self.trouble = trouble
        self.settle = settle
        self.logs = logs
        """The logs at hand."""
        self.noted: deque[SqliteLog] = deque()
        self.waiting: deque[Lines] = deque()
        self._settling = threading.RLock()
        self._armed = False
        self._writing = False
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, lines: Any) -> None:
        """Hand lines over: a tuple of the fields of `Lines` (a plain one is made in a third of the time)."""
        self.waiting.append(lines)
        if not self._armed:
            self._arm()

    def note(self, log: SqliteLog) -> None:
        """Something waits in the log, which is noted once until it is settled."""
        self.noted.append(log)
        if not self._armed:
            self._arm()

    def _arm(self) -> None:
        self._armed = True
        self._first = time.monotonic()
        if self._thread is None:
            self._start()
        self._wake.set()

    def settle_all(self) -> None:
        """Make lines of all that waits. The caller holds no log's lock, for this takes one after another."""
        with self._settling:  # who finds nothing noted has waited for what another thread is at
            while self.noted:
                log = self.noted.popleft()
                log.noted = False
                try:
                    self.settle(log)
                except CheckpointError as error:  # what other logs have is not to blame
                    self.trouble.met_in(log.thread, error)
                except BaseException:
                    self.noted.append(log)
                    raise

    @contextmanager
    def still(self) -> Iterator[bool]:
        """Whether nobody makes lines of what waits, for the length of the block."""
        taken = self._settling.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._settling.release()

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

    def flush(self, thread: str | None) -> None:
        """`write` all that was handed over, and raise what went wrong before with this thread; with any for None.

        The caller holds no log's lock.
        """
        self.settle_all()
        self.write()
        self.trouble.check(thread)

    def close(self) -> None:
        """Write what waits and end the thread. Raises CheckpointError when lines cannot be written and are lost."""
        self._closing.set()
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        try:
            self.settle_all()
            self.write()
            self.trouble.check(None)
        except CheckpointError as error:
            lost = self._lines_waiting()
            self.waiting.clear()
            if lost:
                raise CheckpointError(f"{error} {lost} checkpoints and records are lost by closing.") from error
            raise

    def forked(self) -> None:
        """In a forked child: what waits is the parent's to write."""
        self.__init__(self.file, self.trouble, self.settle, self.logs)  # type: ignore[misc]  # new locks and no thread, as if just made

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
                self.settle_all()
                self.write()
            except Exception as error:  # noqa: BLE001  whatever it is, this thread must go on
                if self.trouble.error is None:
                    logger.error("%s (%d checkpoints and records wait)", error, self._lines_waiting())
                    if isinstance(error, CheckpointError):
                        self.trouble.met(error)
                    else:
                        self.trouble.met(CheckpointError(f"{type(error).__name__}: {error}"), once=True)
                if self.waiting:
                    self._armed = True
                    self._wake.set()

    def _lines_waiting(self) -> int:
        return sum(len(lines[1]) for lines in self.waiting.copy())

    def _commit(self, batch: list[Lines]) -> None:
        """Write them; those that are left in it when this fails are not written."""
        try:
            self._commit_all(batch)
        except sqlite3.DataError as error:  # too large: writing again won't help, and other threads are not to blame
            logs = dict.fromkeys(lines[0] for lines in batch)
            if len(logs) > 1:
                for log in logs:
                    self._commit([lines for lines in batch if lines[0] is log])
                    batch[:] = [lines for lines in batch if lines[0] is not log]  # written: never again
            else:
                self._refuse(batch[0][0], explained(error, self.file.path, "write"))

    def _refuse(self, log: SqliteLog, error: CheckpointError) -> None:
        """What was to be written of this log can't be: drop it and what follows from it, and tell its thread."""
        self._end(log)
        self.trouble.met_in(log.thread, CheckpointError(f"{where(log)}: {error}"))

    def _end(self, log: SqliteLog) -> None:
        """Nothing more is taken from this log: what goes on with the thread gets another, which reads the file."""
        log.gone, log.tip = True, None
        if self.logs.get((log.thread, log.ns)) is log:
            del self.logs[log.thread, log.ns]

    def _commit_all(self, batch: list[Lines]) -> None:
        by_log: dict[SqliteLog, list[Lines]] = {}
        known = True
        for lines in batch:
            log = lines[0]
            if log.gone and not log.dropped:  # a run that goes on is told when it saves next
                continue
            group = by_log.get(log)
            if group is None:
                group = by_log[log] = []
                known = known and log.end > 0
            group.append(lines)
            known = known and lines[5] is None
        if not known or not self._commit_quickly(by_log):
            self._commit_carefully(by_log)

    def _commit_quickly(self, by_log: dict[SqliteLog, list[Lines]]) -> bool:
        """In one statement, when nobody else has written to these logs since; else False."""
        plans = [planned(log.number, log.end, log.base, lines) for log, lines in by_log.items()]
        try:
            self.file.insert([row for plan in plans for row in plan.rows])
        except sqlite3.IntegrityError:
            return False
        for log, plan in zip(by_log, plans, strict=True):
            log.end, log.base = plan.end, plan.base
        return True

    def _commit_carefully(self, by_log: dict[SqliteLog, list[Lines]]) -> None:
        """In a transaction that first looks how far each log is."""
        plans: list[tuple[SqliteLog, int, Plan]] = []
        deleted: list[SqliteLog] = []
        with self.file.transaction() as connection:
            for log, number, end, base in _positions(connection, by_log):
                lines = by_log[log]
                if number == 0 or log.number not in (0, number):
                    deleted.append(log)
                    continue
                fresh = log.number == 0 and end == 1
                if not fresh and (number, end) != (log.number, log.end):
                    lines = continued([Lines(*each) for each in lines])
                    if log.end and all(is_record(line) for each in lines for line in each[1]):
                        log.tip = None  # others have written since: what it tells need not be the last checkpoint
                plan = planned(number, end, base, lines)
                plans.append((log, number, plan))
                _note_forks(connection, plan, lines)
            self.file.insert([row for _, _, plan in plans for row in plan.rows])
        for log, number, plan in plans:
            log.number, log.end, log.base = number, plan.end, plan.base
        for log in deleted:
            self._end(log)
            error = CheckpointError(
                f"Thread {log.thread!r} was deleted by another process while a run was writing to it: "
                "what the run has saved since is dropped. Start it again."
            )
            self.trouble.met_in(log.thread, error)


def _positions(
    connection: sqlite3.Connection, logs: Collection[SqliteLog]
) -> Iterator[tuple[SqliteLog, int, int, int]]:
    """Each log with its number, the numbers of its next line and of its last mark; all 0 for one that is deleted."""
    unknown = [log for log in logs if not log.number]
    first = _made(connection, unknown) if unknown else None
    for log in logs:
        if log.number or first is None:
            yield log, *_position(connection, log)
        else:
            yield log, first, 1, 0
            first += 1


def _made(connection: sqlite3.Connection, logs: list[SqliteLog]) -> int | None:
    """Make rows for logs in one statement a hundred; gives the number of the first of them, unless some were there."""
    last, made = 0, 0
    for place in range(0, len(logs), _AT_ONCE):
        piece = logs[place : place + _AT_ONCE]
        done = connection.execute(_making(len(piece)), [each for log in piece for each in (log.thread, log.ns)])
        made += done.rowcount
        last = done.lastrowid or 0
    return last - len(logs) + 1 if made == len(logs) else None  # in a transaction nobody takes a number in between


@cache
def _making(logs: int) -> str:
    return f"INSERT OR IGNORE INTO log (thread, ns) VALUES {','.join(['(?,?)'] * logs)}"


_AT_ONCE: Final = 128


def _position(connection: sqlite3.Connection, log: SqliteLog) -> tuple[int, int, int]:
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


def _note_forks(connection: sqlite3.Connection, plan: Plan, groups: Iterable[Lines]) -> None:
    """Which logs other threads' lines continue from, so that deleting those leaves the lines readable."""
    sources = [each[5] for each in groups if is_mark(each[1][0])]
    keys = [row[0] for row in plan.rows if is_mark(row[4])]
    for key, source in zip(keys, sources, strict=True):
        if source is not None:
            connection.execute("INSERT OR IGNORE INTO fork (parent, key) VALUES (?, ?)", (source.number, key))
