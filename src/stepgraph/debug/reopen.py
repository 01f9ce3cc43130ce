"""Taking up a thread that an earlier process left: its time line, its open questions, and where it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stepgraph.approve.requests import Cause, Request
from stepgraph.core.checkpoint import Stored, records_by_task
from stepgraph.core.state import State, ready
from stepgraph.core.task import Task
from stepgraph.core.types import START, Interrupt, Namespace, Pause
from stepgraph.debug.carry import engine_at
from stepgraph.debug.gate import Frontier
from stepgraph.debug.ledger import StepRow

if TYPE_CHECKING:
    from stepgraph.debug.run import Run


def history_of(saver: Any, thread: str) -> list[StepRow]:
    """The supersteps on the way to the thread's newest checkpoint, oldest first, across the threads it forked from."""
    found: list[StepRow] = []
    for stored in _ancestors(saver, thread):
        if stored.step >= 0:
            following = (*stored.control.next, *(node for node, _, _ in stored.control.sends))
            ran = tuple(name for name in _ran(stored) if name != START)
            found.append(StepRow(stored.step, stored.id, ran, following, stored.source, stored.time))
    steps: dict[int, StepRow] = {}
    for row in found:
        steps.setdefault(row.step, row)  # the newest checkpoint of a superstep counts: it has the amendments
    return [steps[step] for step in sorted(steps)]


def frontier_of(run: Run, stored: Stored) -> Frontier:
    """Holds every task where it comes to first; nothing runs before somebody decides."""

    def begun(ns: Namespace, inside: bool) -> bool:
        text = "|".join(ns)
        point = stored if not ns else run.saver.load(run.thread, text, None)
        if point is None:
            return False
        if inside:
            return bool(point.control.next or point.control.sends)
        return bool(point.records) or _child_begun(run, ns)

    return Frontier(begun)


def questions_of(run: Run, stored: Stored) -> list[Request]:
    """Requests for what nodes had asked with `interrupt()` and nobody answered; their bodies are not entered for it."""
    found: list[Request] = []
    for task, interrupts in _waiting(run, stored):
        for interrupt in interrupts:
            pause = Pause(
                "interrupt", task.scope.ns, task.step, node=task.name, task=task.id, index=task.index,
                state=task.input, tasks=(task,), interrupt=interrupt,
            )  # fmt: skip
            request = run.make_request(pause)
            if request is not None:
                request.take_cause(
                    Cause("the node asked before the run was left; its body is entered again to get the answer")
                )
                request.id = pause.id = run.inbox.next_id()
                found.append(request)
    return found


def _waiting(run: Run, stored: Stored) -> Iterator[tuple[Task, tuple[Interrupt, ...]]]:
    engine = engine_at(run, stored)
    records = records_by_task(stored)
    for task in ready(engine.plan, State.restored(engine.plan, stored), engine.scope):
        found = records.get(task.id, {})
        if "interrupt" in found and "outcome" not in found and task.node.child is None:
            yield task, tuple(found["interrupt"].payload)


def _child_begun(run: Run, ns: Namespace) -> bool:
    """Whether a subgraph below `ns` has checkpoints of unfinished work."""
    prefix = "|".join(ns)
    for each in run.saver.namespaces(run.thread):
        if each and each != prefix and (not prefix or each.startswith(f"{prefix}|")):
            stored = run.saver.load(run.thread, each, None)
            if stored is not None and (stored.control.next or stored.control.sends):
                return True
    return False


def _ancestors(saver: Any, thread: str) -> Iterator[Stored]:
    """From the newest checkpoint back to the first, across the threads that it was forked from."""
    wanted: str | None = None
    first = True
    home: str | None = thread
    while home is not None:
        here, home = home, None
        for stored in saver.history(here, "", values=False):
            if first or stored.id == wanted:
                first = False
                wanted = stored.parent
                yield stored
                if stored.parent_thread is not None:
                    home = stored.parent_thread
                    break


def _ran(stored: Stored) -> tuple[str, ...]:
    """The nodes of the superstep that led to a checkpoint: those whose last version is the checkpoint's own."""
    return tuple(sorted(name for name, version in stored.seen.items() if version == stored.version))
