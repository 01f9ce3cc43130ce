"""What was handed over lately and is not encoded yet: small plain things, which become lines many in a row.

That takes less than a third of the time, and none of the thread that runs the graph while its nodes wait. What may
change has been copied when it was handed over. Anything else is encoded at once, after what the log has waiting.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from stepgraph.core.checkpoint import Checkpoint, Extend, Record, Removed, Row, Shelf, Steps, of_row
from stepgraph.core.errors import CheckpointError
from stepgraph.core.types import MISSING
from stepgraph.persist.changes import LONG
from stepgraph.persist.codec import ATOMS, TEXT, Codec, line_of, write
from stepgraph.persist.lines import is_mark, owned
from stepgraph.persist.log import Log, LogCheckpointer, where
from stepgraph.persist.outcomes import outcome_lines
from stepgraph.persist.rows import KEPT, Kept, begin, follow
from stepgraph.persist.tip import Tip

_BATCH: Final = 64
"""How many things wait in a log at most: more are no faster, for by then they have left the processor's cache."""
_FEW: Final = 16
"""Containers in a container that may wait."""
_MANY: Final = 256
"""Simple values in a container that may wait."""
_DEPTH: Final = 6
_NAMES: Final = frozenset({str, int, bool})
"""What the path of a task consists of, but for that of a function called by a task."""


class RecentLog(Log):
    """A log that things wait in. `latest` is the id of the checkpoint that was handed over last, once that is known."""

    __slots__ = ("dropped", "gone", "latest", "metadata", "noted", "recent", "said", "shelf")

    atoms = ATOMS

    def __init__(self, thread: str, ns: str) -> None:
        super().__init__(thread, ns)
        self.latest: str | None = None
        self.recent: list[Row | Kept] = []
        self.gone = False
        """Whether nothing is to be kept here: its thread was deleted, or it was `dropped`."""
        self.dropped = False
        """Whether it is no longer at hand because nothing waited, though its thread is there."""
        self.noted = False
        """Whether it is known that something waits."""
        self.shelf: Shelf | None = None
        """Where outcomes of the running superstep lie."""
        self.metadata: Mapping[str, Any] | None = None
        """What the last checkpoint says of its run: the caller's object."""
        self.said: Mapping[str, Any] | None = None
        """A copy of it, when it is small and plain."""

    def meet(self, metadata: Mapping[str, Any]) -> None:
        """Another run begins to write."""
        self.metadata = metadata
        copy = own(dict(metadata))
        if copy is MISSING:
            self.said = None
        elif copy != self.said or write(copy) != write(self.said):  # 1 is no True
            self.said = copy

    def forget(self) -> None:
        """What waits is somebody else's to write."""
        self.latest = self.metadata = self.said = None
        self.recent.clear()
        self.noted, self.shelf = False, None

    @abstractmethod
    def start(self, rows: Sequence[Row]) -> bool:
        """Let the first checkpoints of a new thread wait. False, and nothing has happened, if it has some by now."""

    @abstractmethod
    def take(self, row: Row) -> bool:
        """Let a superstep wait that follows the latest; true if it can't. Raises what is wrong with writing."""

    @abstractmethod
    def append_all(self, lines: list[bytes], ids: list[str | None], owner: str | None) -> None:
        """Hand over consecutive lines, of which only the first may be a mark; `owner` is what that follows tacitly."""


class RecentCheckpointer(LogCheckpointer):
    """A checkpointer over such logs."""

    @abstractmethod
    def _note(self, log: Any) -> None:
        """Something waits in the log now: have it settled soon."""

    @abstractmethod
    def _settle_all(self) -> None:
        """Make lines of all that waits. The caller holds no log's lock."""

    def save(self, thread: str, ns: str, checkpoint: Checkpoint) -> None:
        """Append a checkpoint. Its parent is the last one, an older one (a fork in place), or one of another thread."""
        log: Any = self._logs.get((thread, ns)) or self._log(thread, ns)
        if self._trouble.exists:
            self._trouble.check(thread)
        metadata, control = checkpoint.metadata, checkpoint.control
        if metadata is not log.metadata:
            log.meet(metadata)
        if checkpoint.parent_thread is not None:
            self._settle_all()
        elif metadata == (said := log.said) and not (control.sends or control.channels) and _keep(checkpoint.changes):
            with log.lock:
                if log.gone and not self._at_hand(log):
                    return self.save(thread, ns, checkpoint)
                if checkpoint.parent == log.latest:
                    if log.latest is None:
                        self._began(log)
                    log.recent.append(_row(checkpoint, said))
                    log.latest = checkpoint.id
                    log.used = self._turn
                    if not log.noted:
                        log.noted = True
                        self._note(log)
                    elif len(log.recent) >= _BATCH:
                        settle(log, self._codec, self._saved)
                    return None
        with log.lock:
            if log.gone and not self._at_hand(log):
                return self.save(thread, ns, checkpoint)
            if log.recent:
                settle(log, self._codec, self._saved)
            super().save(thread, ns, checkpoint)
            log.latest = checkpoint.id
        return None

    def own(self, changes: dict[str, Any]) -> tuple[dict[str, Any] | None, int]:
        """The changes, which get values of their own, and what they count for; None if one of them may not wait."""
        return (changes, 1) if _keep(changes) else (None, 0)

    def stepped(self, steps: Steps, _weight: int) -> None:
        """More waits there now than it was told of."""
        log: Any = steps
        if not log.used:
            self._began(log)
        if len(log.recent) >= _BATCH:
            settle(log, self._codec, self._saved)

    def _at_hand(self, log: Any) -> bool:
        """Take a log up again that was dropped just before its lock was taken.

        False if there is another by now, or is to be one because the thread was deleted.
        """
        place = log.thread, log.ns
        if log.dropped:
            log.dropped = log.gone = self._logs.setdefault(place, log) is not log
        elif self._logs.get(place) is log:
            del self._logs[place]
        return not log.gone

    def save_record(self, thread: str, ns: str, checkpoint_id: str, record: Record) -> None:
        """Keep what is known of a task planned from `checkpoint_id`. Small outcomes wait like small checkpoints."""
        log: Any = self._logs.get((thread, ns)) or self._log(thread, ns)
        if self._trouble.exists:
            self._trouble.check(thread)
        line = _line(record) if record.kind == "outcome" and checkpoint_id == log.latest else None
        with log.lock:
            if log.gone and not self._at_hand(log):
                return self.save_record(thread, ns, checkpoint_id, record)
            if line is not None and checkpoint_id == log.latest:
                log.recent.append((checkpoint_id, line))
                if not log.noted:
                    log.noted = True
                    self._note(log)
                elif len(log.recent) >= _BATCH:
                    settle(log, self._codec, self._saved)
                return None
            if log.recent:
                settle(log, self._codec, self._saved)
            super().save_record(thread, ns, checkpoint_id, record)
        return None

    def shelve(self, shelf: Shelf) -> bool:
        """Outcomes will be taken from this shelf."""
        log: Any = self._logs.get((shelf.thread, shelf.ns))
        if log is None or shelf.checkpoint != log.latest:
            return False
        log.shelf = shelf
        return True

    def lies(self, shelf: Shelf) -> None:
        """Something lies on the shelf: take it soon."""
        log: Any = self._logs.get((shelf.thread, shelf.ns)) or self._log(shelf.thread, shelf.ns)
        with log.lock:
            if not log.noted:
                log.noted = True
                self._note(log)

    def unshelve(self, shelf: Shelf) -> None:
        """Take the rest."""
        log: Any = self._logs.get((shelf.thread, shelf.ns)) or self._log(shelf.thread, shelf.ns)
        with log.lock:
            try:
                if log.shelf is shelf:  # else another run has begun on the thread
                    settle(log, self._codec, self._saved)
                    log.shelf = None
            finally:
                if log.shelf is shelf:
                    log.shelf = None
                shelf.record_each(shelf.take())

    def _saved(self, log: RecentLog, checkpoint: Checkpoint) -> None:
        super().save(log.thread, log.ns, checkpoint)

    def _forked(self) -> None:
        for log in self._logs.values():
            log.forget()
        super()._forked()


Otherwise = Callable[[Any, Checkpoint], None]


def settle(log: Any, codec: Codec, otherwise: Otherwise | None) -> None:
    """Make lines of what waits in a log. `otherwise` saves a checkpoint where the one before it has to be read first.

    Raises CheckpointError when something cannot be stored; it is dropped then, with all that waits behind it.
    """
    with log.lock:
        if log.gone:
            log.forget()
        if log.recent:
            try:
                _settle(log, log.recent, codec, otherwise)
            except BaseException as error:
                log.tip = log.latest = None  # the tip may be ahead of the lines: it is read again
                if not isinstance(error, Exception):
                    raise
                log.recent.clear()
                if isinstance(error, CheckpointError):
                    raise
                raise CheckpointError(f"{where(log)}: cannot store a step: {type(error).__name__}: {error}") from error
        if log.shelf is not None:
            _gather(log, log.shelf)


def _gather(log: Any, shelf: Shelf) -> None:
    """Make lines of the outcomes on a shelf, with the values as they are now."""
    shelf.silent = False
    tasks = shelf.take()
    if not tasks:
        return
    behind = log.tip is not None and log.tip.id == shelf.checkpoint
    try:
        lines = outcome_lines(shelf.origin, shelf.outcomes(tasks), None if behind else shelf.checkpoint)
    except Exception:  # noqa: BLE001  a node that still runs may have changed a value meanwhile; each tells its own below
        lines = None
    if lines is None:
        shelf.record_each(tasks)
    elif behind:
        log.append_all(lines, [None] * len(lines), shelf.checkpoint)
    else:
        for line in lines:
            log.append_record(line, shelf.checkpoint, named=True)


def _settle(log: Any, waiting: list[Any], codec: Codec, otherwise: Otherwise | None) -> None:
    tip: Tip | None = log.tip
    chunk = Chunk(log, None if tip is None else tip.id)
    try:
        while True:
            place = chunk.count
            if tip is not None:
                place = follow(tip, waiting, place, chunk.lines, chunk.ids)
            if place == len(waiting):
                return
            each = waiting[place]
            if len(each) == KEPT:  # its checkpoint is not known any more as the last one
                chunk.close()
                checkpoint, line = each
                log.append_record(owned(line, checkpoint), checkpoint, named=True)
                chunk.begin(place + 1, None if tip is None else tip.id)
            elif each[1] is None:
                tip, line = begin(each, codec)
                log.tip = tip
                chunk.add(line, each)
            elif tip is not None and each[1] == tip.id:
                chunk.add(tip.advance(of_row(each), codec), each)
                tip.metadata_seen = each[9]
            elif otherwise is None:
                raise CheckpointError(f"{where(log)}, step {each[2]}: the checkpointer was dropped too early.")
            else:
                chunk.close()
                otherwise(log, of_row(each))
                tip = log.tip
                chunk.begin(place + 1, each[0])
    finally:
        chunk.close()
        del waiting[: chunk.begun]


class Chunk:
    """Lines to hand over together, one for each thing that waited."""

    __slots__ = ("begun", "ids", "lines", "log", "owner")

    def __init__(self, log: Any, owner: str | None) -> None:
        self.log = log
        self.begin(0, owner)

    @property
    def count(self) -> int:
        """How many things are lines."""
        return self.begun + len(self.lines)

    def begin(self, place: int, owner: str | None) -> None:
        """The next line is that of what waits at this place, and follows `owner`."""
        self.begun, self.owner = place, owner
        self.lines: list[bytes] = []
        self.ids: list[str | None] = []

    def add(self, line: bytes, row: Row) -> None:
        """Add the line of a checkpoint; a mark begins another chunk."""
        if is_mark(line):
            self.close()
            self.owner = row[1]
        self.ids.append(row[0])
        self.lines.append(line)

    def close(self) -> None:
        """Hand over what there is."""
        lines = self.lines
        if lines:
            self.log.append_all(lines, self.ids[: len(lines)], self.owner)
            self.begin(self.begun + len(lines), None)


def _row(checkpoint: Checkpoint, said: Any) -> Row:
    changes: Any = checkpoint.changes
    return (
        checkpoint.id, checkpoint.parent, checkpoint.step, checkpoint.source, checkpoint.time, checkpoint.version,
        changes, checkpoint.control.next, checkpoint.ran, said,
    )  # fmt: skip


def _keep(changes: Any) -> bool:
    """Give changes values of their own; False, with some of them changed, if one is no small plain value."""
    if ATOMS.issuperset(map(type, changes.values())):
        return True
    for key, value in changes.items():
        kind = type(value)
        if kind in ATOMS or kind is Removed:
            continue
        copy = own([*value.items] if kind is Extend else value)
        if copy is MISSING:
            return False
        changes[key] = Extend(copy) if kind is Extend else copy
    return True


def _line(record: Record) -> bytes | None:
    """The line of an outcome; None if one of its values is no small plain one."""
    writes, routes, joins = record.payload
    told: list[Any] = []
    for key, value in writes:
        if type(value) not in ATOMS and own(value) is MISSING:
            return None
        told += (key, value)
    if not TEXT.issuperset(map(type, routes)) or not _NAMES.issuperset(map(type, record.path)):
        return None
    return line_of(["outcome", record.task, record.node, record.path, [told, routes, joins]])


def own(value: Any, depth: int = 0) -> Any:
    """A copy of a value that JSON keeps exactly, if that is small; else MISSING."""
    kind = type(value)
    if kind is list:
        places: Any = enumerate(value)
    elif kind is dict and TEXT.issuperset(map(type, value)) and "~" not in value:
        places = value.items()
    else:
        return value if kind in ATOMS else MISSING
    if len(value) > _MANY:
        return MISSING
    copy = value.copy()
    for place, each in places:
        kind = type(each)
        if kind is str:
            if len(each) >= LONG:
                return MISSING
        elif kind not in ATOMS:
            inner = MISSING if len(value) > _FEW or depth > _DEPTH else own(each, depth + 1)
            if inner is MISSING:
                return MISSING
            copy[place] = inner
    return copy
