"""A checkpointer in this process's memory: a value that is changed later does not change history."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

from stepgraph.core.checkpoint import Checkpoint, Extend, Record
from stepgraph.core.errors import CheckpointError
from stepgraph.core.types import Writes
from stepgraph.persist.lines import is_record, split_id
from stepgraph.persist.log import Log, LogCheckpointer, Tail
from stepgraph.persist.tip import Tip


class MemoryCheckpointer(LogCheckpointer):
    """Threads in memory, gone with the process.

    Values are kept encoded, and come back as objects of the reader's own.
    """

    in_memory = True
    """Loading waits for nothing, and no other process can read it."""

    def __init__(self) -> None:
        super().__init__(private=True)
        self._waiting = 0
        """Checkpoints of all threads that are not encoded yet."""

    def save(self, thread: str, ns: str, checkpoint: Checkpoint) -> None:
        """Append a checkpoint. With simple values only it is kept as it is until there are many, or somebody reads."""
        log: Any = self._logs.get((thread, ns))
        if log is not None and checkpoint.parent == log.latest and checkpoint.metadata is log.metadata:
            for value in checkpoint.changes.values():
                kind = type(value)
                if kind not in _FROZEN and not (kind is Extend and _FROZEN.issuperset(map(type, value.items))):
                    break
            else:
                control = checkpoint.control
                if not (control.sends or control.channels or checkpoint.parent_thread) and log.flat == log.metadata:
                    with log.lock:
                        checkpoint.metadata = log.flat
                        log.recent.append(checkpoint)
                        log.latest = checkpoint.id
                    self._waiting += 1
                    if self._waiting > _WAITING:
                        for each in list(self._logs.values()):
                            self._settle(each)
                    return
        self._settle(log)
        super().save(thread, ns, checkpoint)
        log = self._logs[thread, ns]
        log.latest, log.metadata = checkpoint.id, checkpoint.metadata
        flat = _FROZEN.issuperset(map(type, checkpoint.metadata.values()))
        log.flat = dict(checkpoint.metadata) if flat else None

    def save_record(self, thread: str, ns: str, checkpoint_id: str, record: Record) -> None:
        """Keep what is known of a task planned from `checkpoint_id`. Small outcomes wait like simple checkpoints."""
        log: Any = self._logs.get((thread, ns))
        if log is not None and checkpoint_id == log.latest and record.kind == "outcome":
            writes, routes, joins = record.payload
            own = _copied(writes)
            if own is not None and _FROZEN.issuperset(map(type, routes)):
                kept = Record(record.task, "outcome", (own, routes, joins), record.node, record.path)
                with log.lock:
                    log.recent.append((checkpoint_id, kept))
                    self._waiting += 1
                return
        self._settle(log)
        super().save_record(thread, ns, checkpoint_id, record)

    def _settle(self, log: Any) -> None:
        """Encode the checkpoints that were kept as they are."""
        if log is None or not log.recent:
            return
        with log.lock:
            recent, log.recent = log.recent, []
            self._waiting -= len(recent)
            for each in recent:
                if type(each) is Checkpoint:
                    super().save(log.thread, log.ns, each)
                else:
                    super().save_record(log.thread, log.ns, *each)

    def _open(self, thread: str, ns: str, *, create: bool) -> Log | None:
        log = self._logs.get((thread, ns))
        if log is None and create:
            log = self._logs[thread, ns] = MemoryLog(thread, ns)
        self._settle(log)
        return log

    def _roots(self) -> list[str]:
        return [thread for thread, ns in list(self._logs) if not ns]

    def namespaces(self, thread: str) -> list[str]:
        """The namespaces that the thread has checkpoints in."""
        return [ns for (name, ns), log in list(self._logs.items()) if name == thread and log.newest() is not None]

    def delete(self, thread: str) -> None:
        """Forget a thread with all its namespaces. Forks of it that live on other threads keep what they share."""
        with self._lock:
            for (name, _), log in list(self._logs.items()):
                if name != thread and isinstance(log, MemoryLog) and thread in log.parents:
                    self._detach(log, thread)
            for key in [key for key in self._logs if key[0] == thread]:
                self._waiting -= len(self._logs.pop(key).recent)

    def _detach(self, log: MemoryLog, thread: str) -> None:
        """Replace the links into `thread` by keyframes."""
        with log.lock:
            for number in log.parents.pop(thread):
                log.lines[number] = self._replayed(log, number).keyframe(shapes=True)

    def flush(self) -> None:
        """Nothing to wait for."""

    def close(self) -> None:
        """Nothing to release: the threads stay readable."""


class MemoryLog(Log):
    """Lines in a list; ids as arrays of counters, one for each prefix."""

    __slots__ = ("flat", "ids", "last", "late_lines", "latest", "lines", "marks", "metadata", "parents", "recent")

    def __init__(self, thread: str, ns: str) -> None:
        super().__init__(thread, ns)
        self.lines: list[bytes] = []
        self.marks = array("Q")
        self.ids: dict[str, tuple[array[int], array[int]]] = {}
        """Prefix -> counters, and the numbers of their lines."""
        self.last: int | None = None
        self.metadata: Mapping[str, Any] = {}
        """What the last encoded checkpoint says of its run: the caller's object."""
        self.flat: Mapping[str, Any] | None = None
        """A copy of it, when nothing in it can be changed."""
        self.latest = ""
        """The id of the checkpoint saved last."""
        self.recent: list[Checkpoint | tuple[str, Record]] = []
        """The newest checkpoints and outcomes, where nobody can change their values: not encoded yet."""
        self.late_lines: dict[str, list[bytes]] = {}
        self.parents: dict[str, list[int]] = {}
        """Other thread -> the links into it."""

    def append(self, line: bytes, tip: Tip, source: Log | None = None) -> None:
        """Keep the line of a checkpoint."""
        number = self.last = len(self.lines)
        if line.startswith(b"{"):
            self.marks.append(number)
            if source is not None:
                self.parents.setdefault(source.thread, []).append(number)
        prefix, counter = tip.prefix, tip.counter
        if len(prefix) != _PREFIX:
            prefix, counter = split_id(tip.id or "")
        found = self.ids.get(prefix)
        if found is None:
            found = self.ids[prefix] = (array("q"), array("Q"))
        found[0].append(counter)
        found[1].append(number)
        self.lines.append(line)

    def append_record(self, line: bytes, checkpoint: str, *, named: bool) -> None:
        """Keep the line of a record."""
        if named:
            self.late_lines.setdefault(checkpoint, []).append(line)
        else:
            self.lines.append(line)

    def find(self, id: str) -> int | None:
        """The number of a checkpoint's line."""
        prefix, counter = split_id(id)
        counters, numbers = self.ids.get(prefix, _NOTHING)
        place = bisect_left(counters, counter)
        if place == len(counters) or counters[place] != counter:
            if counter not in counters:  # counters of one run may come out of order when its graphs run side by side
                return None
            place = counters.index(counter)
        return numbers[place]

    def newest(self) -> int | None:
        """The number of the last checkpoint's line."""
        return self.last

    def tail(self) -> Tail | None:
        """The last checkpoint's line, and what came after it."""
        return None if self.last is None else Tail(self.last, self.following(self.last), own=True)

    def stretch(self, number: int) -> list[bytes]:
        """The lines from the nearest mark up to this one."""
        return self.lines[self.marks[bisect_right(self.marks, number) - 1] : number + 1]

    def following(self, number: int) -> list[bytes]:
        """The records between this checkpoint's line and the next one's."""
        end = number + 1
        while end < len(self.lines) and is_record(self.lines[end]):
            end += 1
        return self.lines[number + 1 : end]

    def late(self) -> dict[str, list[bytes]]:
        """By checkpoint: records that came after the line of a later one."""
        return self.late_lines

    def stretches(self, before: int | None) -> Iterator[list[bytes]]:
        """All lines in runs that begin with a mark, the newest run first; those from `before` on are left out."""
        with self.lock:
            end = len(self.lines) if before is None else before
            marks = self.marks[: bisect_left(self.marks, end)]
        for mark in reversed(marks):
            yield self.lines[mark:end]
            end = mark


def _copied(writes: Writes) -> Writes | None:
    """The writes with lists of a reader's own, or None if a value holds more than a few simple ones."""
    for _, value in writes:
        if type(value) not in _FROZEN:
            break
    else:
        return writes
    own: list[tuple[str, Any]] = []
    for key, value in writes:
        kind = type(value)
        if kind is list and len(value) <= _FEW and _FROZEN.issuperset(map(type, value)):
            own.append((key, value.copy()))
        elif kind in _FROZEN:
            own.append((key, value))
        else:
            return None
    return tuple(own)


_FEW = 16
_FROZEN = frozenset({int, float, str, bool, bytes, complex, type(None)})
_WAITING = 32_768
"""Checkpoints of all threads that may wait unencoded: each takes some 450 bytes, a line some tens."""
_PREFIX = 24
"""Characters that the ids of a run have in common; of an id of another form nothing is said by its beginning."""
_NOTHING: tuple[array[int], array[int]] = (array("q"), array("Q"))


def from_url(url: str) -> MemoryCheckpointer:
    """`memory://`: a new, empty one."""
    if url != "memory://":
        raise CheckpointError(f"Checkpointer URL {url!r}: memory has no name or path. Write 'memory://'.")
    return MemoryCheckpointer()
