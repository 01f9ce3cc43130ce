"""What happened in a run, folded from its events: one row a task, one row a superstep, what was printed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from stepgraph.approve.changes import path_of
from stepgraph.core.events import (
    CheckpointSaved,
    Decided,
    Event,
    Paused,
    StepFinished,
    StepStarted,
    TaskEmitted,
    TaskFailed,
    TaskFinished,
    TaskInfo,
    TaskInterrupted,
    TaskRetried,
    TaskStarted,
)
from stepgraph.core.types import START, Namespace, Route, Writes

KEEP_EVENTS = 50_000
"""Events kept before they are folded although nobody looks."""
KEEP_TEXT = 1_000_000
"""Characters of output kept; the oldest go first, and the text says so."""


@dataclass(slots=True)
class TaskRow:
    """One task: where it ran, what it read and wrote, and what people decided about it."""

    id: str
    ns: Namespace
    step: int
    node: str
    index: int = 0
    status: str = "planned"
    started: float | None = None
    ended: float | None = None
    held: float = 0.0
    """Seconds in which it waited for people; not part of its running time."""
    attempts: int = 0
    carried: bool = False
    input: Any = None
    reads: frozenset[str] | None = None
    untracked: str | None = None
    """Why `reads` is not known, where that can be told."""
    in_place: tuple[str, ...] = ()
    """Paths in its input that the body changed in place."""
    writes: Writes = ()
    routes: tuple[Route, ...] = ()
    error: BaseException | None = None
    decisions: list[str] = field(default_factory=list)
    output: list[tuple[str, str]] = field(default_factory=list)
    """(stdout, stderr or log, text) in order."""
    _held_from: float | None = None
    _unwound: bool = False
    """Whether its body was left because it asked or failed: it is entered again for that, not because of a stop."""

    @property
    def path(self) -> str:
        return path_of(self.ns, self.node)

    @property
    def address(self) -> str:
        """`path/node#k@s`."""
        return f"{self.path}#{self.index}@{self.step}" if self.index else f"{self.path}@{self.step}"

    @property
    def seconds(self) -> float | None:
        """How long it ran, without the time in which people thought."""
        if self.started is None or self.ended is None:
            return None
        return max(0.0, self.ended - self.started - self.held)


@dataclass(slots=True)
class StepRow:
    """One superstep of the outermost graph, as the time line shows it. One that took an input has no nodes."""

    step: int
    checkpoint: str | None
    nodes: tuple[str, ...]
    next: tuple[str, ...]
    source: str
    time: float = 0.0
    decisions: tuple[str, ...] = ()
    hits: tuple[str, ...] = ()


class Ledger:
    """What happened, as of now. `take` is subscribed to the hub and only keeps the event; whoever looks folds.

    So a run nobody looks at pays next to nothing. Everything may be called from any thread.
    """

    def __init__(self) -> None:
        self._book = Book()
        self._new: deque[Event] = deque()
        self._lock = RLock()

    def take(self, _: int, event: Event) -> None:
        self._new.append(event)
        if len(self._new) > KEEP_EVENTS:
            self._settled()

    def rows(self) -> list[TaskRow]:
        """Every task but START, in the order planned."""
        with self._lock:
            return [row for row in self._settled().tasks.values() if row.node != START]

    def history(self) -> tuple[StepRow, ...]:
        """The committed supersteps from step 0, the input, on."""
        with self._lock:
            steps = self._settled().steps
            return tuple(steps[step] for step in sorted(steps) if step >= 0)

    def nodes_of(self, step: int) -> tuple[str, ...]:
        """The nodes that ran in a superstep of the outermost graph."""
        with self._lock:
            row = self._settled().steps.get(step)
            return row.nodes if row is not None else ()

    def planned(self) -> tuple[int, tuple[TaskInfo, ...]]:
        """The superstep of the outermost graph that runs now, or was the last, with its tasks."""
        with self._lock:
            book = self._settled()
            return book.planned.get((), (book.step, ()))

    def untold(self) -> list[TaskRow]:
        """The outermost graph's tasks that ended since this was last asked."""
        with self._lock:
            book = self._settled()
            found, book.untold = list(book.untold.values()), {}
            return found

    def row(self, task: str) -> TaskRow | None:
        """The task with this id, if it is known."""
        with self._lock:
            return self._settled().tasks.get(task)

    def superstep(self, ns: Namespace, step: int) -> int:
        """The superstep of the outermost graph in which superstep `step` of a namespace is."""
        return step if not ns else self.planned()[0]

    def checkpoint(self, ns: Namespace) -> str | None:
        """The newest checkpoint of a namespace."""
        with self._lock:
            return self._settled().saved.get(ns)

    def text(self) -> str:
        """What nodes printed, in order."""
        with self._lock:
            return "".join(self._settled().text)

    @property
    def step(self) -> int:
        with self._lock:
            return self._settled().step

    def counts(self) -> tuple[int, int, int, int]:
        """(tasks, supersteps with tasks, bodies run again although they had ended, decisions)."""
        with self._lock:
            book = self._settled()
            tasks = sum(row.node != START for row in book.tasks.values())
            return tasks, book.supersteps, book.reruns, book.decisions

    def restore(self, row: StepRow) -> None:
        """A superstep of an earlier process."""
        with self._lock:
            self._settled().restore(row)

    def resume(self, checkpoint: str) -> None:
        """The outermost graph goes on from this checkpoint, before which it has no superstep."""
        with self._lock:
            self._settled().saved[()] = checkpoint

    def _settled(self) -> Book:
        with self._lock:
            while self._new:
                self._book.fold(self._new.popleft())
            return self._book


class Book:
    """The fold itself: plain data and one method an event."""

    def __init__(self) -> None:
        self.tasks: dict[str, TaskRow] = {}
        self.steps: dict[int, StepRow] = {}
        self.planned: dict[Namespace, tuple[int, tuple[TaskInfo, ...]]] = {}
        """What runs now: (superstep, its tasks) by namespace."""
        self.saved: dict[Namespace, str] = {}
        """The newest checkpoint of each namespace."""
        self.untold: dict[str, TaskRow] = {}
        """Tasks of the outermost graph that ended and that nobody has written down."""
        self.step = self.decisions = self.supersteps = self.reruns = 0
        self.text: list[str] = []
        self._size = 0
        self._verbs: dict[int, list[str]] = {}
        self._top = 0
        self._folds: Mapping[type, Callable[[Any], None]] = {
            StepStarted: self._step_started,
            TaskStarted: self._task_started,
            TaskEmitted: self._emitted,
            TaskRetried: self._retried,
            TaskFinished: self._finished,
            TaskFailed: self._failed,
            TaskInterrupted: self._interrupted,
            Paused: self._paused,
            Decided: self._decided,
            StepFinished: self._step_finished,
            CheckpointSaved: self._saved,
        }

    def fold(self, event: Event) -> None:
        """Take one event in; those it does not know are ignored."""
        fold = self._folds.get(type(event))
        if fold is not None:
            fold(event)

    def restore(self, row: StepRow) -> None:
        """A superstep that no event told of."""
        self.steps.setdefault(row.step, row)
        self._top = max(self._top, row.step)
        if row.step >= self.step and row.checkpoint is not None:
            self.step = row.step
            self.saved[()] = row.checkpoint

    def _row(self, event: Any) -> TaskRow:
        row = self.tasks.get(event.task)
        if row is None:
            row = self.tasks[event.task] = TaskRow(event.task, event.ns, event.step, event.node)
        return row

    def _step_started(self, event: StepStarted) -> None:
        self.planned[event.ns] = (event.step, event.tasks)
        self.supersteps += any(info.node != START for info in event.tasks)
        if not event.ns:
            self.step = event.step
        around = self.tasks.get(event.ns[-1].partition(":")[2]) if event.ns else None
        if around is not None:
            around.untracked = "it runs a graph: that one's tasks tell what they read"
        for info in event.tasks:
            if info.id not in self.tasks:
                self.tasks[info.id] = TaskRow(info.id, event.ns, event.step, info.node, info.index)

    def _task_started(self, event: TaskStarted) -> None:
        row = self._row(event)
        if row.started is None:
            row.started = event.time
        elif event.attempt == 1 and not row._unwound:
            self.reruns += 1
        row._unwound = False
        row.status, row.input, row.attempts = "running", event.input, event.attempt

    def _emitted(self, event: TaskEmitted) -> None:
        row = self._row(event)
        match event.kind:
            case "stdout" | "stderr" | "log":
                row.output.append((event.kind, event.payload))
                self._print(event.payload)
            case "reads" if isinstance(event.payload, str):
                row.untracked = event.payload
            case "reads":
                row.reads = frozenset(event.payload)
            case "in_place":
                row.in_place = tuple(event.payload)

    def _print(self, text: str) -> None:
        self.text.append(text)
        self._size += len(text)
        while self._size > KEEP_TEXT and len(self.text) > 1:
            self._size -= len(self.text.pop(0))

    def _retried(self, event: TaskRetried) -> None:
        self._row(event).attempts = event.attempt

    def _finished(self, event: TaskFinished) -> None:
        row = self._row(event)
        row.status, row.ended = "carried" if event.carried and row.started is None else "done", event.time
        row.writes, row.routes, row.carried, row.index = event.writes, event.routes, event.carried, event.index
        self._note(row)

    def _note(self, row: TaskRow) -> None:
        if not row.ns:
            self.untold[row.id] = row

    def _failed(self, event: TaskFailed) -> None:
        row = self._row(event)
        row.status, row.ended, row.error, row.index = "failed", event.time, event.error, event.index
        row._unwound = True
        self._note(row)

    def _interrupted(self, event: TaskInterrupted) -> None:
        row = self._row(event)
        row.status, row.ended, row._unwound = "interrupted", event.time, True
        self._note(row)

    def _paused(self, event: Paused) -> None:
        row = self.tasks.get(event.pause.task or "")
        if row is not None:
            row._held_from, row.status = event.time, "held"

    def _decided(self, event: Decided) -> None:
        self.decisions += 1
        row = self.tasks.get(event.task or "")
        if row is not None:
            row.decisions.append(event.verb)
            row.status = "running"
            if row._held_from is not None:
                if row.started is not None:
                    row.held += event.time - row._held_from
                row._held_from = None
        if not event.ns:
            verbs = self._verbs.setdefault(event.step, [])
            verbs.append(event.verb)
            if event.step in self.steps:
                self.steps[event.step].decisions = tuple(verbs)

    def _step_finished(self, event: StepFinished) -> None:
        if event.ns or event.source == "resume" or event.step < 0:
            return
        _, tasks = self.planned.get((), (0, ()))
        before = self.steps.get(event.step)
        nodes = tuple(info.node for info in tasks if info.node != START) if event.source == "loop" else ()
        if event.source != "loop" and before is not None:
            nodes = before.nodes
        verbs = tuple(self._verbs.get(event.step, ()))
        checkpoint = None if before is None else before.checkpoint
        source = "input" if event.source == "loop" and not nodes else event.source  # only START ran
        self.steps[event.step] = StepRow(event.step, checkpoint, nodes, event.next, source, event.time, verbs)
        self.step = event.step
        for step in [step for step in self.steps if step > event.step] if event.step < self._top else ():
            del self.steps[step]
        self._top = event.step

    def _saved(self, event: CheckpointSaved) -> None:
        self.saved[event.ns] = event.checkpoint
        if event.ns or event.step < 0:
            return
        row = self.steps.get(event.step)
        if row is None:
            row = self.steps[event.step] = StepRow(event.step, event.checkpoint, (), (), event.source, event.time)
        row.checkpoint = event.checkpoint
