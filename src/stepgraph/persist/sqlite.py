"""A checkpointer in one SQLite file: the embedded default.

    checkpointer = SqliteCheckpointer("runs.db")
    graph = builder.compile(checkpointer=checkpointer)

`save` never waits for the disk: a thread of its own commits what was handed over, at most 20 ms later, and `flush`
waits for it. The file is in WAL mode, so other processes read while one writes, and whatever was committed survives a
killed process. Several threads and processes may use one file; two that go on with the same thread at once get two
branches of it.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from stepgraph.core.checkpoint import Source, Steps, Stored
from stepgraph.core.errors import CheckpointError
from stepgraph.core.types import MISSING
from stepgraph.persist.codec import Codec
from stepgraph.persist.commit import Committer
from stepgraph.persist.fast import accelerate
from stepgraph.persist.file import BITS, LAST, File
from stepgraph.persist.log import Log, is_replaced
from stepgraph.persist.pool import PoolCodec
from stepgraph.persist.recent import RecentCheckpointer, own, settle
from stepgraph.persist.sqlite_log import SqliteLog

logger = logging.getLogger("stepgraph.persist")

_LOGS = 1024
"""Logs kept at hand; of more, those are dropped that nothing waits for."""


class SqliteCheckpointer(RecentCheckpointer):
    """Threads in the SQLite file `path`, which is made when it is not there; `":memory:"` for none.

    Reading makes objects of classes whose module is loaded already, or lies in or below one of `allowed_modules`.
    Raises CheckpointError when the file cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str], *, allowed_modules: Iterable[str] = ()) -> None:
        super().__init__(PoolCodec(allowed_modules=allowed_modules))
        accelerate()
        self.path = os.fspath(path)
        self._file = File(self.path)
        self._committer = Committer(self._file, self._trouble, _settling(weakref.ref(self), self._codec), self._logs)
        self._finish = weakref.finalize(self, _finished, self._committer)

    def __repr__(self) -> str:
        return f"SqliteCheckpointer({self.path!r})"

    def _note(self, log: SqliteLog) -> None:
        self._committer.note(log)

    def _settle_all(self) -> None:
        self._committer.settle_all()

    def flush(self) -> None:
        """Return when everything handed over before is durable."""
        self._committer.flush(None)

    def flush_thread(self, thread: str) -> None:
        """The same on behalf of a run of this thread: what is wrong with other threads is left for theirs to hear."""
        if getattr(self.flush, "__func__", None) is _FLUSH:
            self._committer.flush(thread)
        else:  # somebody's own, who wants to see each
            self.flush()

    def close(self) -> None:
        """Flush and release the file. Idempotent. Raises CheckpointError when not everything can be written."""
        if self._finish.detach() is None:
            return
        try:
            self._committer.close()
        finally:
            self._trouble.met(CheckpointError(f"{self.path!r} is closed. Open a new SqliteCheckpointer."))
            self._file.close()

    def load(self, thread: str, ns: str, checkpoint_id: str | None = None) -> Stored | None:
        """The named checkpoint, or the newest; None when there is none."""
        if (thread, ns) in self._logs:
            self.flush_thread(thread)
        else:  # nothing waits for it: each graph inside a task is looked for before it first runs
            self._trouble.check(thread)
        with self._still_there(thread, ns):
            found = super().load(thread, ns, checkpoint_id)
            if found is None and self._outlived(thread, ns):
                found = super().load(thread, ns, checkpoint_id)
            return found

    def lacks(self, thread: str, ns: str) -> bool:
        """Whether nothing is stored there, where that can be told without waiting; else False."""
        if (thread, ns) in self._logs or not self._file.lock.acquire(blocking=False):
            return False
        try:
            return not self._file.rows("SELECT 1 FROM log WHERE thread = ? AND ns = ?", (thread, ns))
        except CheckpointError:  # `load` tells
            return False
        finally:
            self._file.lock.release()

    def steps(self, thread: str, ns: str, latest: str | None, metadata: Mapping[str, Any]) -> tuple[Steps, Any] | None:
        """Where supersteps that follow `latest` can wait as rows, and their metadata; of None, those of a new thread.

        None if nowhere.
        """
        if self._trouble.exists or is_replaced(self, SqliteCheckpointer, _OWN):
            return None
        log: Any = self._logs.get((thread, ns))
        if log is None:
            plain = not metadata or own(dict(metadata)) is not MISSING
            if latest is not None or not (plain and self.lacks(thread, ns)):
                return None
            log = self._log(thread, ns)
        elif latest is None or log.latest != latest:
            return None
        if metadata is not log.metadata:
            log.meet(metadata)
        said = log.said  # of this moment: another run may be met meanwhile
        return (log, said) if metadata == said else None

    def history(
        self, thread: str, ns: str, *, before: str | None = None, limit: int | None = None, values: bool = True
    ) -> Iterator[Stored]:
        """Checkpoints, newest first, in time linear in their number. `values=False` leaves `values` empty.

        What did not change between two checkpoints is the same objects in both.
        """
        self.flush_thread(thread)
        self._outlived(thread, ns)
        with self._still_there(thread, ns):
            yield from super().history(thread, ns, before=before, limit=limit, values=values)

    def successor(self, thread: str, ns: str, checkpoint_id: str, sources: Collection[Source]) -> Stored | None:
        """The first checkpoint that was saved as a child of this one and has one of these sources."""
        self.flush_thread(thread)
        self._outlived(thread, ns)
        with self._still_there(thread, ns):
            return super().successor(thread, ns, checkpoint_id, sources)

    def namespaces(self, thread: str) -> list[str]:
        """The namespaces that the thread has checkpoints in."""
        self.flush_thread(thread)
        return [ns for (ns,) in self._file.rows("SELECT ns FROM log WHERE thread = ? ORDER BY number", (thread,))]

    def _roots(self) -> list[str]:
        self.flush_thread("")  # what is wrong with one thread is no reason not to list the others
        return [thread for (thread,) in self._file.rows("SELECT thread FROM log WHERE ns = ''")]

    def _open(self, thread: str, ns: str, *, create: bool) -> Log | None:
        log: Log | None = self._logs.get((thread, ns))
        if log is not None:
            return log
        made = SqliteLog(self._committer, thread, ns)
        if not create and not made.found():
            return None
        with self._lock:
            if len(self._logs) >= _LOGS:
                self._forget()
            found: Log = self._logs.setdefault((thread, ns), made)
            return found

    @contextmanager
    def _still_there(self, thread: str, ns: str) -> Iterator[None]:
        """Turns whatever reading raises while the thread is being deleted into an error that says so."""
        log: Any = self._logs.get((thread, ns))
        try:
            yield
        except Exception as error:
            query = "SELECT 1 FROM log WHERE thread = ? AND ns = ?"
            if self._trouble.error is not None or (
                self._file.rows(query, (thread, ns)) and (log is None or log.stands())
            ):
                raise
            raise CheckpointError(f"Thread {thread!r} was deleted while it was read.") from error

    def _outlived(self, thread: str, ns: str) -> bool:
        """Whether another process has deleted what the log at hand is of, which is let go then."""
        log: Any = self._logs.get((thread, ns))
        if log is None or log.stands():
            return False
        with self._lock:
            if self._logs.get((thread, ns)) is log:
                del self._logs[thread, ns]
        log.gone = True
        return True

    def _forget(self) -> None:
        """Drop the logs at hand that nothing waits for; they are found in the file again."""
        with self._committer.still() as is_still:
            if not is_still:  # what another thread makes lines of is not known to be busy: later, then
                return
            busy = {lines[0] for lines in self._committer.waiting.copy()}
            busy.update(self._committer.noted.copy())
            held = sorted((log for log in list(self._logs.values()) if log not in busy), key=lambda log: log.used)
            for log in held[: len(held) // 2]:
                if log.lock.acquire(blocking=False):
                    try:
                        log.dropped = log.gone = not (log.recent or log.noted or log.shelf)
                        if log.dropped:
                            del self._logs[log.thread, log.ns]
                    finally:
                        log.lock.release()

    def delete(self, thread: str) -> None:
        """Forget a thread with all its namespaces. Forks of it that live on other threads keep what they share."""
        self.flush_thread("")
        with self._lock, self._file.lock, self._file.translated("write"), self._file.transaction() as connection:
            rows = connection.execute("SELECT number FROM log WHERE thread = ?", (thread,)).fetchall()
            numbers = {number for (number,) in rows}
            for number in numbers:
                for (key,) in connection.execute("SELECT key FROM fork WHERE parent = ?", (number,)).fetchall():
                    if key >> BITS not in numbers:
                        self._detach(connection, key)
            for number in numbers:
                connection.execute("DELETE FROM block WHERE key BETWEEN ? AND ?", _range(number))
                connection.execute(
                    "DELETE FROM fork WHERE parent = ? OR key BETWEEN ? AND ?", (number, *_range(number))
                )
            connection.execute("DELETE FROM log WHERE thread = ?", (thread,))
            logs = [self._logs.pop(key) for key in list(self._logs) if key[0] == thread]
            for log in logs:
                log.tip, log.gone = None, True
        for log in logs:  # who writes to one holds its lock first
            with log.lock:
                log.forget()
        self._trouble.forget(thread)

    def _detach(self, connection: sqlite3.Connection, key: int) -> None:
        """Replace a link into a thread that is deleted by a keyframe."""
        found = connection.execute("SELECT thread, ns FROM log WHERE number = ?", (key >> BITS,)).fetchone()
        log = self._open(*found, create=True)
        assert log is not None
        line = self._replayed(log, key & LAST).keyframe(shapes=True)
        (data,) = connection.execute("SELECT data FROM block WHERE key = ?", (key,)).fetchone()
        rest = data.partition(b"\n")
        connection.execute("UPDATE block SET data = ? WHERE key = ?", (line + rest[1] + rest[2], key))

    def _guard(self) -> Any:
        return self._file.lock

    def _forked(self) -> None:
        """In a forked child: the parent writes what waits; this process gets a connection and a thread of its own."""
        self._file.forked()
        self._committer.forked()
        super()._forked()
        if self.path != ":memory:":
            self._logs.clear()


_OWN = SqliteCheckpointer.save, SqliteCheckpointer.load
_FLUSH = SqliteCheckpointer.flush


def _settling(weakly: weakref.ref[SqliteCheckpointer], codec: Codec) -> Callable[[SqliteLog], None]:
    """What makes lines of what waits in a log, also when the checkpointer has been dropped."""

    def settling(log: SqliteLog) -> None:
        checkpointer = weakly()
        settle(log, codec, None if checkpointer is None else checkpointer._saved)

    return settling


def _finished(committer: Committer) -> None:
    """When the checkpointer is dropped, or the interpreter ends."""
    try:
        committer.close()
        committer.file.close()
    except CheckpointError as error:
        logger.error("%s", error)


def _range(number: int) -> tuple[int, int]:
    return number << BITS, number << BITS | LAST


def from_url(url: str) -> SqliteCheckpointer:
    """`sqlite:///runs.db`, `sqlite:////abs/runs.db`, or `sqlite://:memory:` as in SQLAlchemy."""
    path = unquote(url.removeprefix("sqlite://"))
    if path in (":memory:", "/:memory:"):
        return SqliteCheckpointer(":memory:")
    if not path.startswith("/") or len(path) < 2:
        raise CheckpointError(
            f"Checkpointer URL {url!r}: name a file after three slashes, e.g. 'sqlite:///runs.db' for one in the "
            "working directory, 'sqlite:////data/runs.db' from the root, or 'sqlite://:memory:' for none."
        )
    return SqliteCheckpointer(path[1:])
