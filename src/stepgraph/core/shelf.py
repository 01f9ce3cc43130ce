"""Where the outcomes of a superstep's tasks wait for the checkpointer, which takes them together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from stepgraph.core.checkpoint import Outcome, Record, id_of, path_of
from stepgraph.core.keeping import outcome_of
from stepgraph.core.task import Task, id_base


class TaskShelf:
    """Outcomes of tasks of one superstep, planned from `checkpoint`: what `core.checkpoint.Shelf` says.

    A checkpointer that can't take them from here gets a record as soon as a task is over.
    """

    __slots__ = ("_lying", "checkpoint", "checkpointer", "gathered", "ns", "origin", "silent", "thread")

    def __init__(self, checkpointer: Any, thread: str, ns: str, checkpoint: str, step: int) -> None:
        self.checkpointer = checkpointer
        self.thread = thread
        self.ns = ns
        self.checkpoint = checkpoint
        self.origin = TaskOrigin(checkpoint, ns, step)
        self.silent = False
        self._lying: deque[Task] = deque()
        shelve = getattr(checkpointer, "shelve", None)
        self.gathered = shelve is not None and shelve(self)
        """Whether the checkpointer takes them together."""

    def keep(self, task: Task) -> None:
        """The task has just been concluded. For drivers; in any thread."""
        if not self.gathered:
            self.record(task)
            return
        self._lying.append(task)
        if not self.silent:
            self.silent = True
            self.checkpointer.lies(self)
        if not self.gathered:  # closed just now, by a stream that nobody reads on
            self.checkpointer.unshelve(self)

    def record(self, task: Task) -> None:
        """Hand a record of the task's outcome over."""
        # A third of the time of calling the class, for each of a thousand tasks.
        record = tuple.__new__(Record, (task.id, "outcome", outcome_of(task), task.node.name, task.path))
        self.checkpointer.save_record(self.thread, self.ns, self.checkpoint, record)

    def take(self) -> list[Task]:
        """What lies here, which is the caller's from now on."""
        lying, taken = self._lying, []
        while lying:
            taken.append(lying.popleft())
        return taken

    def outcomes(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Their outcomes, with the very values that they wrote."""
        return [(task.node.name, task.key, *outcome_of(task)) for task in tasks]

    def record_each(self, tasks: Sequence[Task]) -> None:
        """Hand their outcomes over one by one; a task whose outcome can't be stored has failed."""
        for task in tasks:
            try:
                self.record(task)
            except Exception as error:  # noqa: BLE001  raised in the task's name when all are handed over
                task.error = error

    def close(self) -> None:
        """The superstep's bodies are over."""
        if self.gathered:
            self.gathered = False
            self.checkpointer.unshelve(self)


class TaskOrigin(NamedTuple):
    """What tells the tasks of a superstep from any others."""

    checkpoint: str
    ns: str
    step: int

    def base(self, name: str, sent: bool) -> tuple[str, int]:
        """What the ids of a node's tasks have in common."""
        return id_base(self.checkpoint, self.ns, self.step, name, sent)

    def records(self, outcomes: Sequence[Outcome]) -> Iterator[Record]:
        """The same as if they had been handed over one by one."""
        bases: dict[tuple[str, bool], tuple[str, int]] = {}
        for name, key, *payload in outcomes:
            kind = name, key >= 0
            base = bases.get(kind)
            if base is None:
                base = bases[kind] = self.base(*kind)
            yield Record(id_of(base, key), "outcome", tuple(payload), name, path_of(name, key))
