"""A checkpointer in this process's memory: a value that is changed later does not change history."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from stepgraph.core.checkpoint import NUMBERS, Checkpoint, Record, Row, Shelf, Steps, of_row
from stepgraph.core.errors import CheckpointError
from stepgraph.persist.blobs import Blob, BlobCodec, pickled, unpickled
from stepgraph.persist.codec import BLOB
from stepgraph.persist.lines import is_record, split_id
from stepgraph.persist.log import Log, LogCheckpointer, Tail, is_replaced
from stepgraph.persist.tip import Tip
from stepgraph.persist.waiting import BYTES, Outcomes, copied, keep_pickled, own_outcome, taken_up


class MemoryCheckpointer(LogCheckpointer):
    """Threads in memory, gone with the process.

    Values are kept encoded, and come back as objects of the reader's own.
    """

    in_memory = True
    """Loading waits for nothing, and no other process can read it."""

    def __init__(self) -> None:
        self._blobs = BlobCodec()
        super().__init__(self._blobs)
        self._waiting = 0
        """Checkpoints of all threads that are not encoded yet."""

    def save(self, thread: str, ns: str, checkpoint: Checkpoint) -> None:
        """Append a checkpoint. One with small values only is copied, and encoded when there are many or one is read."""
        log: Any = self._logs.get((thread, ns)) or self._begun(thread, ns)
        metadata = checkpoint.metadata
        if log.metadata is None:
            log.meet(metadata)
        control, said = checkpoint.control, log.said  # of this moment: another run may be met meanwhile
        if (
            checkpoint.parent == log.latest
            and metadata is log.metadata
            and metadata == said
            and checkpoint.parent_thread is None
        ):
            simple = NUMBERS.issuperset(map(type, checkpoint.changes.values()))
            weight = 1 if simple and not (control.sends or control.channels) else log.waits(checkpoint)
        else:
            weight = 0
        if weight:
            checkpoint.metadata = said
            log.recent.append(checkpoint)  # no lock: whoever settles meanwhile takes what came first
            log.latest = checkpoint.id
            log.weight += weight
            self._heavier(weight)
            return
        self._settle(log)
        super().save(thread, ns, checkpoint)
        log.latest = log.encoded = checkpoint.id
        log.meet(metadata)

    def steps(self, thread: str, ns: str, latest: str | None, metadata: Mapping[str, Any]) -> tuple[Steps, Any] | None:
        """Where supersteps that follow `latest` can wait as rows, and their metadata; of None, those of a new thread.

        None if nowhere.
        """
        if is_replaced(self, MemoryCheckpointer, _OWN):
            return None
        log: Any = self._logs.get((thread, ns))
        if log is None:
            if latest is not None:
                return None
            log = self._begun(thread, ns)
        if log.latest != latest or (latest is None and (log.recent or log.last is not None)):
            return None
        if log.metadata is None:
            log.meet(metadata)
        said = log.said  # of this moment: another run may be met meanwhile
        if metadata is not log.metadata or said is None or metadata != said:
            return None
        return log, said

    def own(self, changes: Mapping[str, Any]) -> tuple[dict[str, Any] | None, int]:
        """A copy of changes that may wait, and how many small ones it counts for; None if they may not."""
        return copied(changes)

    def stepped(self, steps: Steps, weight: int) -> None:
        """So much waits there now besides what it was told of."""
        log: Any = steps
        if not log.gone:
            log.weight += weight
            self._heavier(weight)

    def _heavier(self, weight: int) -> None:
        self._waiting += weight
        if self._waiting > _WAITING:
            for each in list(self._logs.values()):
                with suppress(Exception):  # which its own thread hears of
                    self._settle(each)
            # Threads count at once without a lock, so the sum may be off: it begins anew.
            self._waiting = sum(each.weight for each in list(self._logs.values()))

    def save_record(self, thread: str, ns: str, checkpoint_id: str, record: Record) -> None:
        """Keep what is known of a task planned from `checkpoint_id`. Small outcomes wait like small checkpoints."""
        log: Any = self._logs.get((thread, ns))
        if log is not None and checkpoint_id == log.latest and record.kind == "outcome":
            own = own_outcome(record)
            if own is not None:
                with log.lock:
                    self._wait(log, own, 1 + len(own.payload) // BYTES)
                return
        self._settle(log)
        super().save_record(thread, ns, checkpoint_id, record)

    def _settle(self, log: Any) -> None:
        """Encode the checkpoints that were kept as they are. What can't be, and all that follows it, waits on."""
        if log is None:
            return
        if log.shelf is not None:
            with log.lock:
                if log.shelf is not None:
                    self._gather(log, log.shelf)
        if not (log.recent or log.weight):
            return
        with log.lock:
            waiting = [log.recent.popleft() for _ in range(len(log.recent))]
            self._waiting -= log.weight
            log.weight = 0
            waiting.reverse()
            try:
                while waiting:
                    each = waiting[-1]
                    if type(each) is tuple:
                        waiting[-1] = each = of_row(each)
                    if type(each) is Checkpoint:
                        super().save(log.thread, log.ns, taken_up(each))
                        log.encoded = each.id
                    elif type(each) is Outcomes:
                        waiting[-1:] = reversed(list(each.records()))
                        continue
                    else:
                        if type(each.payload) is bytes:
                            each = each._replace(payload=unpickled(each.payload))
                        super().save_record(log.thread, log.ns, log.encoded, each)
                    waiting.pop()
            finally:
                if waiting:
                    log.recent.extendleft(waiting)
                    if type(waiting[-1]) is Checkpoint:
                        log.tip = None  # it may have been advanced in part

    def shelve(self, shelf: Shelf) -> bool:
        """Outcomes will be taken from this shelf."""
        log: Any = self._logs.get((shelf.thread, shelf.ns))
        if log is None or shelf.checkpoint != log.latest:
            return False
        log.shelf, shelf.silent = shelf, True
        return True

    def unshelve(self, shelf: Shelf) -> None:
        """Take the rest."""
        log: Any = self._logs.get((shelf.thread, shelf.ns)) or self._begun(shelf.thread, shelf.ns)
        with log.lock:
            self._gather(log, shelf)
            if log.shelf is shelf:
                log.shelf = None

    def _gather(self, log: Any, shelf: Shelf) -> None:
        """Take what lies on a shelf: copied in one go, and encoded when it is read."""
        tasks = shelf.take()
        if not tasks:
            return
        if shelf.checkpoint == log.latest:
            try:
                data = pickled(shelf.outcomes(tasks))
            except Exception:  # noqa: BLE001  a node that still runs may have changed a value meanwhile
                data = None
            if data is not None:
                self._wait(log, Outcomes(shelf.origin, data), max(len(tasks), len(data) // BYTES))
                return
        shelf.record_each(tasks)

    def _wait(self, log: Any, kept: Any, weight: int) -> None:
        """Let something wait unencoded; `weight` is as many small checkpoints as it is worth."""
        log.recent.append(kept)
        log.weight += weight
        self._waiting += weight

    def _open(self, thread: str, ns: str, *, create: bool) -> Log | None:
        log = self._logs.get((thread, ns))
        if log is None and create:
            log = self._begun(thread, ns)
        self._settle(log)
        return log

    def _begun(self, thread: str, ns: str) -> MemoryLog:
        log: MemoryLog = self._logs.setdefault((thread, ns), MemoryLog(thread, ns, self._blobs))
        return log

    def _roots(self) -> list[str]:
        return [thread for thread, ns in list(self._logs) if not ns]

    def namespaces(self, thread: str) -> list[str]:
        """The namespaces that the thread has checkpoints in."""
        return [
            ns
            for (name, ns), log in list(self._logs.items())
            if name == thread and (log.recent or log.newest() is not None)
        ]

    def delete(self, thread: str) -> None:
        """Forget a thread with all its namespaces. Forks of it that live on other threads keep what they share."""
        with self._lock:
            for (name, _), log in list(self._logs.items()):
                if name != thread and isinstance(log, MemoryLog) and thread in log.parents:
                    self._detach(log, thread)
            for key in [key for key in self._logs if key[0] == thread]:
                gone = self._logs.pop(key)
                self._waiting -= gone.weight
                gone.gone = True  # a run that goes on is told by `save`

    def _detach(self, log: MemoryLog, thread: str) -> None:
        """Replace the links into `thread` by keyframes."""
        with log.lock:
            for number in log.parents.pop(thread):
                log.lines[number] = line = self._replayed(log, number).keyframe(shapes=True)
                log.hold(line)

    def flush(self) -> None:
        """Nothing to wait for."""

    def close(self) -> None:
        """Nothing to release: the threads stay readable."""


_OWN = MemoryCheckpointer.save, MemoryCheckpointer.load


class MemoryLog(Log):
    """Lines in a list; ids as arrays of counters, one for each prefix."""

    __slots__ = (
        "blobs",
        "codec",
        "encoded",
        "gone",
        "ids",
        "last",
        "late_lines",
        "latest",
        "lines",
        "marks",
        "metadata",
        "parents",
        "recent",
        "said",
        "shelf",
        "skipped",
        "skipping",
        "weight",
    )

    atoms = NUMBERS

    def __init__(self, thread: str, ns: str, codec: BlobCodec) -> None:
        super().__init__(thread, ns)
        self.codec = codec
        self.lines: list[bytes] = []
        self.blobs: dict[int, Blob] = {}
        """What the lines have the numbers of."""
        self.marks = array("Q")
        self.ids: dict[str, tuple[array[int], array[int]]] = {}
        """Prefix -> counters, and the numbers of their lines."""
        self.last: int | None = None
        self.metadata: Mapping[str, Any] | None = None
        """What the last checkpoint says of its run: the caller's object."""
        self.said: Mapping[str, Any] | None = None
        """A copy of it, when it is small and plain."""
        self.latest: str | None = None
        """The id of the checkpoint saved last."""
        self.encoded = ""
        """The id of the checkpoint encoded last."""
        self.recent: deque[Checkpoint | Row | Record | Outcomes] = deque()
        """What was saved since, with values of its own: checkpoints, and after each the outcomes of its tasks."""
        self.skipped = self.skipping = 0
        """How many checkpoints are still to be encoded at once, and how many were to be."""
        self.weight = 0
        """What `recent` counts of those that may wait."""
        self.gone = False
        """Whether its thread was deleted: nothing is kept here any more."""
        self.shelf: Shelf | None = None
        """Where outcomes of the running superstep lie."""
        self.late_lines: dict[str, list[bytes]] = {}
        self.parents: dict[str, list[int]] = {}
        """Other thread -> the links into it."""

    def start(self, rows: Sequence[Row]) -> bool:
        """Let the first checkpoints of a new thread wait. False, and nothing has happened, if it has some by now."""
        with self.lock:
            if self.gone or self.latest is not None or self.recent or self.last is not None:
                return False
            self.recent.extend(rows)
            self.latest = rows[-1][0]
        return True

    @property
    def take(self) -> Callable[[Row], None]:
        """Lets a superstep wait that follows the latest."""
        return self.recent.append

    def meet(self, metadata: Mapping[str, Any]) -> None:
        """Another run begins to write."""
        self.metadata = metadata
        self.said = copied(metadata)[0]
        if self.said is None:
            data = pickled(dict(metadata))
            self.said = None if data is None else unpickled(data)

    def waits(self, checkpoint: Checkpoint) -> int:
        """What the checkpoint, which gets values of its own, counts of those that may wait; 0 if it can't.

        After one that can't, some are not tried: twice as many each time.
        """
        control = checkpoint.control
        if not (control.sends or control.channels):
            own, weight = copied(checkpoint.changes)
            if own is not None:
                checkpoint.changes = own
                return weight
        if self.skipped:
            self.skipped -= 1
            return 0
        tip = self.tip
        again = tip is not None and any(map(tip.memo.comes_again, checkpoint.changes.values()))
        size = -1 if again else keep_pickled(checkpoint)
        if size < 0:
            self.skipped = self.skipping = min(_LONGEST, 2 * self.skipping + 1)
            return 0
        self.skipping = 0
        return 1 + size // BYTES

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
        counters, numbers = found
        place = len(counters)
        if place and counters[-1] > counter:  # of two runs at once, the one that made its id first saves it last
            place = bisect_left(counters, counter)
        counters.insert(place, counter)
        numbers.insert(place, number)
        self.lines.append(line)
        self.hold(line)

    def hold(self, line: bytes) -> None:
        """Keep the blobs that a line names."""
        if _BLOB in line:
            self.codec.hold(line, self.blobs)

    def append_record(self, line: bytes, checkpoint: str, *, named: bool) -> None:
        """Keep the line of a record."""
        self.hold(line)
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

    def child(self, number: int, wanted: Callable[[bytes], bool]) -> int | None:
        """The number of the checkpoint's line that follows this one's, if it is `wanted`; else the first such mark."""
        following = number + 1 + len(self.following(number))
        if following < len(self.lines) and wanted(self.lines[following]):
            return following
        later = self.marks[bisect_right(self.marks, following) :]
        return next((mark for mark in later if wanted(self.lines[mark])), None)

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


_LONGEST = 64
"""So many checkpoints at most are encoded at once, after one that was too big, before the next is tried."""
_WAITING = 32_768
"""Checkpoints of all threads that may wait unencoded: each takes some 450 bytes, a line some tens."""
_PREFIX = 24
"""Characters that the ids of a run have in common; of an id of another form nothing is said by its beginning."""
_BLOB = BLOB.encode()
_NOTHING: tuple[array[int], array[int]] = (array("q"), array("Q"))


def from_url(url: str) -> MemoryCheckpointer:
    """`memory://`: a new, empty one."""
    if url != "memory://":
        raise CheckpointError(f"Checkpointer URL {url!r}: memory has no name or path. Write 'memory://'.")
    return MemoryCheckpointer()
