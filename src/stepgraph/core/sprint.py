"""Supersteps of one lean task each: the same rules, with all that needs a second task or a gate left out.

A listener that wants no more than the ends of tasks hears of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core import events as ev
from stepgraph.core.checkpoint import Checkpoint
from stepgraph.core.effects import Flow, Save
from stepgraph.core.keeping import finished, unfit
from stepgraph.core.lean import conclude
from stepgraph.core.state import advance_alone, arrange, brief, combine, view
from stepgraph.core.task import Task

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine

DETAILS: frozenset[type] = frozenset((ev.StepStarted, ev.TaskStarted, ev.StepFinished, ev.CheckpointSaved))
"""The events that there are none of in a sprint."""
TRAIL = 40
"""How many supersteps before the recursion limit are remembered."""
NOT_YET: Any = None
"""In place of a checkpoint that is filled in before the effect is yielded."""


def begin(engine: Engine) -> None:
    """Take in new input where nothing is stored and nobody looks on: what `open_thread` does, in a few lines.

    The superstep of a START that only passes the input on is over with that.
    """
    plan, state, scope, given = engine.plan, engine.state, engine.scope, engine.request.input
    start = plan.nodes[plan.entry]
    engine.begun, scope.engine = True, engine
    scope.stop = engine.request.recursion_limit
    scope.values, scope.inputs = state.values, given
    if start.passes and plan.plain and type(given) is dict and start.writes.issuperset(given):
        state.values.update(given)
        if not engine.awaited.isdisjoint(given):  # type: ignore[union-attr]  # no run has written before its input
            engine.awaited = None
        if len(plan.places) > 1:
            arrange(plan, state)
        else:
            state.growing = False
        state.step, state.version, state.ran, state.next = 1, 2, start.alone, start.successors
    else:
        state.step, state.version, state.next = 0, 1, start.alone


def sprint(engine: Engine) -> Flow:
    """Supersteps until one is not of that kind, or nothing is left to run."""
    state, scope, plan, saving = engine.state, engine.scope, engine.plan, engine.saving
    nodes, values, root = plan.nodes, state.values, scope.root
    limit = engine.request.recursion_limit
    stop = scope.stop - (TRAIL if limit >= 2 * TRAIL else limit // 2)
    plain, listened, awaited = plan.plain, scope.emit is not None, engine.awaited
    if saving:
        light = engine.request.durability == "async"
        request = engine.request
        handing = Save(request.checkpointer, engine.thread, scope.ns_text, NOT_YET)
        new_id, clock, metadata = getattr(request.new_id, "direct", request.new_id), scope.clock, request.metadata
    while len(state.next) == 1 and not state.sends and state.step <= stop and not root.halted:
        node = nodes[state.next[0]]
        if not node.lean:
            return
        given = values.copy() if node.reads is None else view(node, values, state.step, scope)
        task = Task(node, scope, state.step, -1, given)
        task.lean = True
        task.alone = plain
        if listened:
            task.attempt = 1
        try:
            if node.passes:
                conclude(task, given)
            else:
                yield task
        except BaseException as error:
            yield from engine.fail_alone(task, error)
        changes, groups = task.changes, task.groups
        if listened and task.lean and not node.passes:
            task.writes = task.writes or tuple((changes or {}).items())
            finished(task)
        if changes is None or (groups is None and not plain):
            if scope.called:
                yield from engine.join()
            try:
                changes, groups = combine(plan, values, (task,))
            except Exception as error:
                engine.tasks = (task,)
                yield from unfit(engine, task, error)
                raise
        if awaited is not None and not awaited.isdisjoint(changes):
            awaited = engine.awaited = None
        if not saving:
            advance_alone(plan, state, task, changes)
            continue
        recorded = None
        if light and not engine.amended:
            recorded = changes if plain else brief(plan, values, changes, groups)
        if recorded is not None:
            advance_alone(plan, state, task, changes)
            following: Sequence[str] = state.next
            known = nodes[following[0]].control if len(following) == 1 and not state.sends else None
            control = state.control(plan) if known is None else known
            parent, own_id = engine.checkpoint, new_id()  # as `next_checkpoint`, in line
            engine.checkpoint = scope.checkpoint = own_id
            handing.checkpoint = Checkpoint(
                own_id, parent, state.step - 1, "loop", clock(), state.version, recorded, control, state.ran, metadata
            )
            yield handing
        else:
            engine.tasks = (task,)
            before = {key: values[key] for key in changes if key in values}
            task.writes = task.writes or tuple(changes.items())
            advance_alone(plan, state, task, changes)
            yield from engine.save_step(before, changes, groups or {}, None)
