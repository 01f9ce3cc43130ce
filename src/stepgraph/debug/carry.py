"""What tasks of a forked superstep had done already, taken over under the task ids of the new thread."""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import TYPE_CHECKING, Any

from stepgraph.core.checkpoint import Checkpoint, Record, Stored, records_by_task
from stepgraph.core.engine import Engine
from stepgraph.core.flow import packed
from stepgraph.core.recovery import handler_of, restored
from stepgraph.core.request import Request
from stepgraph.core.state import State, ready
from stepgraph.core.task import Task
from stepgraph.core.types import START, Interrupt
from stepgraph.debug.ledger import TaskRow
from stepgraph.run.ids import RunIds

if TYPE_CHECKING:
    from stepgraph.debug.run import Run


def engine_at(run: Run, stored: Stored, checkpoint: str | None = None) -> Engine:
    """An engine that is never run: it knows the ids of the tasks planned from a checkpoint."""
    config = {"configurable": {"thread_id": run.thread}}
    engine = run.graph.engine(None, config, reading=True)
    engine.scope.checkpoint = checkpoint or stored.id
    engine.scope.inputs = stored.values.get(START)
    return engine


def carry(saver: Any, old: Engine, stored: Stored, new: Engine, checkpoint: str, seen: Mapping[str, TaskRow]) -> None:
    """Copy the records of the tasks planned from `stored`, and the checkpoints of subgraphs that they had begun.

    A proposal is carried without the decision on it, so that it is asked about again; an outcome that nobody was asked
    about stays the outcome. That of a lone task is in no record but in `seen`, if this process saw the task end.
    """
    records = records_by_task(stored)
    before = ready(old.plan, State.restored(old.plan, stored), old.scope)
    after = ready(new.plan, State.restored(new.plan, stored), new.scope)
    for mine, its in zip(before, after, strict=True):
        found = dict(records.get(mine.id, {}))
        if not found and mine.id in seen and seen[mine.id].status == "done":
            found["outcome"] = _outcome(mine, seen[mine.id])
        pairs = [(its, found)]
        if "handler" in found and mine.node.handler is not None:
            error = restored(found["handler"].payload)
            handler = handler_of(mine, error)
            pairs.append((handler_of(its, error), dict(records.get(handler.id, {}))))
        for new_task, kept in pairs:
            for record in _kept(kept):
                payload = _questions(new_task, record) if record.kind == "interrupt" else record.payload
                copied = record._replace(task=new_task.id, payload=payload)
                saver.save_record(new.request.thread or "", new.scope.ns_text, checkpoint, copied)
        if mine.node.child is not None and "outcome" not in found and "proposal" not in found:
            _carry_child(saver, mine, its, seen)


def _kept(found: dict[str, Record]) -> list[Record]:
    if "handler" in found:
        return [found[kind] for kind in ("input", "proposal", "error", "handler") if kind in found]
    if "proposal" in found:
        return [found[kind] for kind in ("input", "proposal") if kind in found]
    if "outcome" in found:
        return [found["outcome"]]
    return [found[kind] for kind in ("input", "interrupt", "resume") if kind in found]


def _questions(task: Task, record: Record) -> tuple[Interrupt, ...]:
    """Interrupts are named after the task that asks."""
    return tuple(Interrupt(each.value, task.interrupt_id(slot)) for slot, each in enumerate(record.payload))


def _outcome(task: Task, row: TaskRow) -> Record:
    joins = () if "redirect" in row.decisions else task.node.joins
    return Record(task.id, "outcome", (row.writes, packed(row.routes), joins), task.name, task.path)


def _carry_child(saver: Any, old: Task, new: Task, seen: Mapping[str, TaskRow]) -> None:
    """The newest checkpoint of a subgraph that was in the middle of its work, as the root of one in the new thread."""
    plan = old.node.child
    assert plan is not None
    thread = old.scope.thread or ""
    stored = saver.load(thread, "|".join(old.ns), None)
    if stored is None or not (stored.control.next or stored.control.sends):
        return
    identifier = RunIds()()
    saver.save(
        new.scope.thread or "",
        "|".join(new.ns),
        Checkpoint(
            identifier, stored.id, stored.step, "fork", time(), stored.version + 1, {}, stored.control, (),
            dict(stored.metadata), parent_thread=thread, parent_ns=stored.ns,
        ),
    )  # fmt: skip
    inner = (_inner(old, plan, stored.id, stored), _inner(new, plan, identifier, stored))
    carry(saver, inner[0], stored, inner[1], identifier, seen)


def _inner(task: Task, plan: Any, checkpoint: str, stored: Stored) -> Engine:
    """An engine for the subgraph of a task, to know its tasks' ids."""
    outer = task.scope.request
    request = Request(None, outer.config, outer.clock, outer.new_id, thread=outer.thread, ns=task.ns)
    engine = Engine(plan, request)
    engine.scope.checkpoint = checkpoint
    engine.scope.inputs = stored.values.get(START)
    return engine
