"""The one mechanism of the embedded checkpointers: a log of lines for each thread and namespace, appended and replayed.

A backend says where lines lie (`Log`) and lists its logs (`LogCheckpointer`); what the lines are, when a keyframe
pays, how a fork refers to its parent and how a state is read back is the same for all of them.
"""

from __future__ import annotations

import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, NamedTuple, Self

from stepgraph.core.checkpoint import Checkpoint, Record, Source, Stored, ThreadInfo
from stepgraph.core.errors import CheckpointError
from stepgraph.persist import reading
from stepgraph.persist.codec import Codec, Unstorable
from stepgraph.persist.lines import LINK, linked, record_line
from stepgraph.persist.tip import Tip

_TIPS = 512
"""Logs whose tips are kept; the least recently used half of more is dropped, and replayed when it is needed again."""


class Tail(NamedTuple):
    """The end of a log. `own` says that nobody else has appended since its tip was saved or replayed here."""

    number: int
    records: list[bytes]
    own: bool


class Log(ABC):
    """The lines of one namespace of one thread, numbered as they came. Checkpoint lines are found by id."""

    __slots__ = ("lock", "ns", "thread", "tip", "used")

    def __init__(self, thread: str, ns: str) -> None:
        self.thread, self.ns = thread, ns
        self.lock = threading.RLock()
        self.tip: Tip | None = None
        """The newest checkpoint, when it was saved or replayed here."""
        self.used = 0

    @abstractmethod
    def append(self, line: bytes, tip: Tip, source: Log | None = None) -> None:
        """Hand the line of the checkpoint `tip` over; `source` is its parent's log when that is another thread's."""

    @abstractmethod
    def append_record(self, line: bytes, checkpoint: str, *, named: bool) -> None:
        """Hand a record's line over, which belongs to the checkpoint line before it unless it names its own."""

    @abstractmethod
    def find(self, id: str) -> int | None:
        """The number of a checkpoint's line."""

    @abstractmethod
    def newest(self) -> int | None:
        """The number of the last checkpoint's line."""

    @abstractmethod
    def tail(self) -> Tail | None:
        """The last checkpoint's line, and what came after it."""

    @abstractmethod
    def stretch(self, number: int) -> list[bytes]:
        """The lines from the nearest mark up to this one."""

    @abstractmethod
    def following(self, number: int) -> list[bytes]:
        """The records between this checkpoint's line and the next one's."""

    @abstractmethod
    def child(self, number: int, wanted: Callable[[bytes], bool]) -> int | None:
        """The number of the checkpoint's line that follows this one's, if it is `wanted`; else the first such mark."""

    @abstractmethod
    def late(self) -> dict[str, list[bytes]]:
        """By checkpoint: records that came after the line of a later one."""

    @abstractmethod
    def stretches(self, before: int | None) -> Iterator[list[bytes]]:
        """All lines in runs that begin with a mark, the newest run first; those from `before` on are left out."""


class Trouble:
    """What is wrong with writing: at all, for as long as it lasts or `once`, and with single threads.

    It is raised by the next call; what is wrong with a thread only by one for that thread, or for all of them.
    """

    __slots__ = ("_threads", "error", "exists", "once")

    def __init__(self) -> None:
        self.exists = False
        self.error: CheckpointError | None = None
        self.once = False
        self._threads: dict[str, CheckpointError] = {}

    def met(self, error: CheckpointError, *, once: bool = False) -> None:
        """Nothing can be written."""
        self.error, self.once, self.exists = error, once, True

    def met_in(self, thread: str, error: CheckpointError) -> None:
        """Something of this thread can't be stored: told once."""
        self._threads.setdefault(thread, error)
        self.exists = True

    def check(self, thread: str | None) -> None:
        """Raise what is wrong at all or with this thread; with any of them for None."""
        error = self.error
        if error is None:
            error = self._taken(thread)
        elif self.once:
            self.over()
        if error is not None:
            found = CheckpointError(*error.args)
            if error.__cause__ is not None:
                raise found from error.__cause__
            raise found  # as what came while another error was on its way, if so

    def over(self) -> None:
        """Writing works again."""
        self.error, self.once = None, False
        self._look()

    def forget(self, thread: str) -> None:
        """The thread is deleted, and with it what was wrong with it."""
        self._taken(thread)

    def _taken(self, thread: str | None) -> CheckpointError | None:
        threads = self._threads
        found = [threads.pop(each) for each in list(threads) if each == thread or thread is None]
        self._look()
        if len(found) > 1:
            return CheckpointError("\n".join(str(each) for each in found))
        return found[0] if found else None

    def _look(self) -> None:
        self.exists = False  # first, for another thread may say meanwhile that something is
        if self.error is not None or self._threads:
            self.exists = True


_OVERRIDES: Final = frozenset({"save", "load"})


def is_replaced(checkpointer: LogCheckpointer, kind: type[LogCheckpointer], own: tuple[Any, Any]) -> bool:
    """Whether somebody else's `save` or `load`, who wants to see each checkpoint, is in the place of `kind`'s own."""
    return (
        type(checkpointer) is not kind
        or not _OVERRIDES.isdisjoint(checkpointer.__dict__)
        or (kind.save, kind.load) != own
    )


class LogCheckpointer(ABC):
    """A checkpointer over logs."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._logs: dict[tuple[str, str], Any] = {}
        self._lock = threading.RLock()
        self._trouble = Trouble()
        self._turn = 0
        self._tips = 0
        _living.add(self)

    @abstractmethod
    def _open(self, thread: str, ns: str, *, create: bool) -> Log | None:
        """The log, made when it is not there and `create`."""

    @abstractmethod
    def _roots(self) -> list[str]:
        """Threads that have checkpoints at the root."""

    @abstractmethod
    def namespaces(self, thread: str) -> list[str]:
        """The namespaces that the thread has checkpoints in."""

    @abstractmethod
    def delete(self, thread: str) -> None:
        """Forget a thread with all its namespaces. Forks of it that live on other threads keep what they share."""

    @abstractmethod
    def flush(self) -> None:
        """Return when everything handed over before is durable."""

    @abstractmethod
    def close(self) -> None:
        """Flush and release files. Idempotent."""

    # ---- writing

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def save(self, thread: str, ns: str, checkpoint: Checkpoint) -> None:
        """Append a checkpoint. Its parent is the last one, an older one (a fork in place), or one of another thread."""
        log = self._logs.get((thread, ns)) or self._log(thread, ns)
        if self._trouble.exists:
            self._trouble.check(thread)
        with log.lock:
            tip = log.tip
            log.used = self._turn
            try:
                if tip is None or checkpoint.parent != tip.id or checkpoint.parent_thread is not None:
                    self._branch(log, checkpoint)
                else:
                    log.append(tip.advance(checkpoint, self._codec), tip)
            except CheckpointError:
                raise
            except Exception as error:  # whatever a value's own code raised: named with its place, then raised
                raise self._refused(log, checkpoint, error) from error

    def save_record(self, thread: str, ns: str, checkpoint_id: str, record: Record) -> None:
        """Keep what is known of a task planned from `checkpoint_id`."""
        log = self._logs.get((thread, ns)) or self._log(thread, ns)
        if self._trouble.exists:
            self._trouble.check(thread)
        with log.lock:
            tip = log.tip
            last = tip is not None and tip.id == checkpoint_id
            try:
                carrier = tip.carrier(self._codec) if tip is not None and last else None
                line = record_line(record, self._codec, None if last else checkpoint_id, carrier)
            except Exception as error:  # as in `save`
                found = self._codec.why(record.payload, "payload")
                place = f"{found.path} of the {record.kind} of task {record.task!r} (node {record.node!r})"
                raise CheckpointError(f"{where(log)}: cannot store {place}: {_sentence(found)}") from error
            log.append_record(line, checkpoint_id, named=not last)

    def refusal(self, value: Any) -> str | None:
        """Why a value can't be stored: the path to what is to blame, and how to mend it. None if it can."""
        try:
            self._codec.dumps(value)
        except Exception:  # noqa: BLE001  the one to report; `why` says what it was
            found = self._codec.why(value)
            return f"{found.path}: {_sentence(found)}" if found.path else _sentence(found)
        return None

    def _log(self, thread: str, ns: str) -> Log:
        with self._lock:
            log = self._open(thread, ns, create=True)
            assert log is not None
            return log

    def _branch(self, log: Log, checkpoint: Checkpoint) -> None:
        """Save a checkpoint whose parent is not this log's tip: a root, a fork, or the first one since a restart."""
        parent, source = checkpoint.parent, None
        if parent is None:
            tip = Tip()
            line = tip.begin(checkpoint, self._codec)
        else:
            source = self._parent_log(log, checkpoint)
            number = source.find(parent) if source is not None else None
            if source is None or number is None:
                raise CheckpointError(
                    f"{where(log)}, step {checkpoint.step}: the parent checkpoint {parent} is not stored"
                    f"{f' in thread {checkpoint.parent_thread!r}' if checkpoint.parent_thread else ''}. "
                    "It was deleted, or belongs to another store; start from a checkpoint that `history` lists."
                )
            tip = self._replayed(source, number)
            line = tip.advance(checkpoint, self._codec)
            if line.startswith(b"["):
                if source is not log:
                    line = linked(line, parent, source.thread, source.ns)
                elif number != log.newest():
                    line = linked(line, parent)
        log.append(line, tip, source if line.startswith(LINK) and source is not log else None)
        if log.tip is None:
            self._began(log)
        log.tip = tip

    def _began(self, log: Log) -> None:
        """The log gets a tip."""
        self._turn += 1
        log.used = self._turn
        self._tips += 1
        if self._tips > _TIPS:
            self._drop_tips()

    def _parent_log(self, log: Log, checkpoint: Checkpoint) -> Log | None:
        if checkpoint.parent_thread is None or checkpoint.parent_thread == log.thread:
            return log
        ns = log.ns if checkpoint.parent_ns is None else checkpoint.parent_ns
        return self._open(checkpoint.parent_thread, ns, create=False)

    def _drop_tips(self) -> None:
        if not self._lock.acquire(blocking=False):  # somebody who holds it may be waiting for this log: later, then
            return
        try:
            held = sorted((log for log in list(self._logs.values()) if log.tip is not None), key=lambda log: log.used)
            for log in held[: len(held) // 2]:
                log.tip = None
            self._tips = len(held) - len(held) // 2
        finally:
            self._lock.release()

    def _refused(self, log: Log, checkpoint: Checkpoint, error: Exception) -> CheckpointError:
        """The error of a checkpoint that cannot be encoded, with the path to what is to blame."""
        parts: dict[str, Any] = {
            **checkpoint.changes,
            "Send": checkpoint.control.sends,
            "channels": checkpoint.control.channels,
            "metadata": checkpoint.metadata,
        }
        found = error if isinstance(error, Unstorable) and error.path else None
        for key, change in parts.items():
            if found is not None:
                break
            value = getattr(change, "items", change) if type(change).__name__ == "Extend" else change
            try:
                self._codec.dumps(value)
            except Exception:  # noqa: BLE001  the one to report; `why` says what it was
                found = self._codec.why(value, key)
        if found is None:
            found = Unstorable(f"{type(error).__name__}: {error}", "Look at the cause above.", "the checkpoint")
        return CheckpointError(f"{where(log)}, step {checkpoint.step}: cannot store {found.path}: {_sentence(found)}")

    # ---- reading

    def load(self, thread: str, ns: str, checkpoint_id: str | None = None) -> Stored | None:
        """The named checkpoint, or the newest; None when there is none."""
        log = self._open(thread, ns, create=False)
        if log is None:
            return None
        with log.lock:
            return self._newest(log) if checkpoint_id is None else self._named(log, checkpoint_id)

    def _newest(self, log: Log) -> Stored | None:
        tail = log.tail()
        if tail is None:
            return None
        if tail.own and log.tip is not None:
            return self._stored(log, log.tip, tail.records, shared=True)
        return self._stored(log, self._replayed(log, tail.number), tail.records)

    def _named(self, log: Log, id: str) -> Stored | None:
        number = log.find(id)
        if number is None:
            return None
        return self._stored(log, self._replayed(log, number), log.following(number))

    def _stored(self, log: Log, tip: Tip, lines: list[bytes], *, shared: bool = False) -> Stored:
        """What a reader gets. A `shared` tip is needed further on, so everything is copied from it."""
        codec, name = self._codec.reading(tip.memo.pool), tip.id or ""
        with reading.explained(log, tip):
            values = reading.decoded(tip, codec, shared=shared)
            found = reading.records([*lines, *log.late().get(name, ())], name, codec)
            return reading.stored(log, tip.head(), values, dict(tip.seen), dict(tip.versions), found, codec)

    def history(
        self, thread: str, ns: str, *, before: str | None = None, limit: int | None = None, values: bool = True
    ) -> Iterator[Stored]:
        """Checkpoints, newest first, in time linear in their number. `values=False` leaves `values` empty.

        What did not change between two checkpoints is the same objects in both.
        """
        log = self._open(thread, ns, create=False)
        if log is None or limit == 0:
            return
        number = None
        if before is not None:
            number = log.find(before)
            if number is None:
                raise CheckpointError(f"{where(log)}: there is no checkpoint {before} to list those before it.")
        for found in reading.history(self._open, log, number, self._codec, values):
            yield found
            if limit is not None:
                limit -= 1
                if limit <= 0:
                    return

    def successor(self, thread: str, ns: str, checkpoint_id: str, sources: Collection[Source]) -> Stored | None:
        """The first checkpoint that was saved as a child of this one and has one of these sources."""
        log = self._open(thread, ns, create=False)
        if log is None:
            return None
        with log.lock:
            number = log.find(checkpoint_id)
            if number is None:
                return None
            parent = self._replayed(log, number)
            found = log.child(number, reading.child_of(parent, sources))
            return None if found is None else self._stored(log, self._replayed(log, found), log.following(found))

    def threads(self) -> list[ThreadInfo]:
        """All threads, newest first."""
        found = (next(self.history(thread, "", limit=1, values=False), None) for thread in self._roots())
        shown = [
            ThreadInfo(each.thread, each.id, each.step, each.time, each.control.next, each.metadata)
            for each in found
            if each is not None
        ]
        return sorted(shown, key=lambda each: each.time, reverse=True)

    def _guard(self) -> Any:
        """The lock to hold during a fork, so that the child gets nothing half done."""
        return self._lock

    def _forked(self) -> None:
        """In a forked child: locks that other threads of the parent held are nobody's here."""
        self._lock = threading.RLock()
        for log in self._logs.values():
            log.lock = threading.RLock()
            log.tip = None

    def _replayed(self, log: Log, number: int) -> Tip:
        return reading.replayed(self._open, log, number, self._codec)


def where(log: Log) -> str:
    """A log as error messages name it."""
    return f"Thread {log.thread!r}" + (f", namespace {log.ns!r}" if log.ns else "")


def _sentence(found: Unstorable) -> str:
    return f"{found.what}. {found.mend}"


_living: weakref.WeakSet[LogCheckpointer] = weakref.WeakSet()


def _each(act: Callable[[LogCheckpointer], None]) -> Callable[[], None]:
    def all_living() -> None:
        for checkpointer in sorted(_living, key=id):
            act(checkpointer)

    return all_living


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_each(lambda each: each._guard().acquire()),
        after_in_parent=_each(lambda each: each._guard().release()),
        after_in_child=_each(lambda each: each._forked()),
    )
