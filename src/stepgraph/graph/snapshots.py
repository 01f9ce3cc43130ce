"""Snapshots of a thread: a stored checkpoint with the tasks that it would run next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from stepgraph.core.checkpoint import Stored, records_by_task
from stepgraph.core.engine import Engine
from stepgraph.core.entry import NOBODY
from stepgraph.core.state import State, combine, in_order, ready
from stepgraph.core.task import Task
from stepgraph.core.types import START, StateSnapshot, TaskSnapshot
from stepgraph.run.streams import result_of


def snapshot(engine: Engine, stored: Stored, *, live: bool) -> StateSnapshot:
    """What `get_state` shows of `stored`.

    Live, the writes of tasks that have finished already are applied and those tasks are not `next` any more; else it
    is the record of that step.
    """
    plan = engine.plan
    state = State.restored(plan, stored)
    engine.scope.checkpoint = stored.id
    engine.scope.inputs = stored.values.get(START)
    tasks = ready(plan, state, engine.scope)
    records = records_by_task(stored)
    records.pop(NOBODY, None)
    for task in tasks:
        _attach(task, records.get(task.id, {}))
    finished = [task for task in tasks if task.status == "finished"]
    values = state.values
    if live and finished:
        changes, _ = combine(plan, values, in_order(finished))
        values = {**values, **changes}
    waiting = [task for task in tasks if task.status != "finished"] if live else tasks
    parent = config_for(stored.thread, stored.ns, stored.parent) if stored.parent else None
    interrupts = tuple(each for task in waiting for each in task.interrupts)
    return StateSnapshot(
        plan.output(values) if isinstance(plan.output_keys, str) else {k: v for k, v in values.items() if k != START},
        tuple(task.name for task in waiting),
        config_for(stored.thread, stored.ns, stored.id),
        {"source": stored.source, "step": stored.step, "parents": {}, **stored.metadata},
        datetime.fromtimestamp(stored.time, UTC).isoformat(),
        parent,
        tuple(_shown(task, stored) for task in tasks),
        interrupts,
    )


def empty(config: dict[str, Any]) -> StateSnapshot:
    """What `get_state` shows of a thread without checkpoints."""
    return StateSnapshot({}, (), config, None, None, None, (), ())


def config_for(thread: str, ns: str, checkpoint: str | None) -> dict[str, Any]:
    """The config that addresses a checkpoint."""
    configurable: dict[str, Any] = {"thread_id": thread, "checkpoint_ns": ns}
    if checkpoint is not None:
        configurable["checkpoint_id"] = checkpoint
    return {"configurable": configurable}


def _attach(task: Task, records: dict[str, Any]) -> None:
    if "outcome" in records:
        task.writes = tuple((key, value) for key, value in records["outcome"].payload[0])
        task.status = "finished"
        return
    if "interrupt" in records:
        task.interrupts = tuple(records["interrupt"].payload)
        task.status = "interrupted"
    if "error" in records:
        task.error = records["error"].payload


def _shown(task: Task, stored: Stored) -> TaskSnapshot:
    child = None
    if task.node.child is not None:
        child = config_for(stored.thread, "|".join(task.ns), None)
    result = result_of(task.writes) if task.status == "finished" else None
    return TaskSnapshot(task.id, task.name, task.path, task.error, task.interrupts, child, result)
