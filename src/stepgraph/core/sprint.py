"""Supersteps of one lean task each: the same rules, with all that needs a second task or a gate left out.

A listener that wants no more than the ends of tasks hears of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core import events as ev
from stepgraph.core.changed import kept
from stepgraph.core.checkpoint import Checkpoint, Row, Steps
from stepgraph.core.child import parents_of
from stepgraph.core.combining import combine
from stepgraph.core.effects import Flow, Save
from stepgraph.core.entry import is_new
from stepgraph.core.keeping import finished, unfit
from stepgraph.core.lean import conclude
from stepgraph.core.recorded import brief, without
from stepgraph.core.state import advance_alone, arrange, view
from stepgraph.core.task import Task
from stepgraph.core.types import START

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine

DETAILS: frozenset[type] = frozenset((ev.StepStarted, ev.TaskStarted, ev.StepFinished, ev.CheckpointSaved))
"""The events that there are none of in a sprint."""
TRAIL = 40
"""At most so many supersteps before the recursion limit are remembered."""
MOST = 64
"""So many supersteps wait in a checkpointer before it is told."""
NOT_YET: Any = None
"""In place of a checkpoint that is filled in before the effect is yielded."""


def trail(limit: int) -> int:
    """How many of a run's last supersteps are remembered: enough for a circle that was gone round twice."""
    return min(TRAIL, max(limit // 2, min(limit, 12)))


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


def begin_stored(engine: Engine) -> bool:
    """`begin` on a new thread of a checkpointer in which supersteps wait. Else false, and nothing has happened.

    Called like `begin`: for a dict, in a plan without an intake.
    """
    plan, request, scope, given = engine.plan, engine.request, engine.scope, engine.request.input
    saver: Any = request.checkpointer
    if not hasattr(type(saver), "steps") or request.checkpoint is not None or request.durability != "async":
        return False
    own, weight = saver.own({START: without(plan.untracked, given), **(plan.kept or kept(plan))})
    if own is None:
        return False
    metadata = request.metadata
    if request.parent is not None:
        if not is_new(engine):
            return False
        metadata = {**metadata, "parents": parents_of(request.parent)}
    found = saver.steps(engine.thread, scope.ns_text, None, metadata)
    if found is None:
        return False
    steps, said = found
    start, now, new_id = plan.nodes[plan.entry], scope.clock(), request.new_id
    first = last = new_id()
    rows: list[Row] = [(first, None, -1, "input", now, 1, own, start.alone, (), said)]
    if start.passes and plan.plain and start.writes.issuperset(given):  # as `begin` looks too
        last, weight = new_id(), weight + 1
        rows.append((last, first, 0, "loop", now, 2, own[START].copy(), start.successors, start.alone, said))
    if not steps.start(rows):
        return False
    request.metadata = metadata
    begin(engine)
    engine.checkpoint = scope.checkpoint = last
    engine.steps = found
    saver.stepped(steps, weight)
    return True


def sprint(engine: Engine) -> Flow:
    """Supersteps until one is not of that kind, or nothing is left to run."""
    state, scope, plan, saving = engine.state, engine.scope, engine.plan, engine.saving
    nodes, values, root = plan.nodes, state.values, scope.root
    limit = engine.request.recursion_limit
    stop = scope.stop - (TRAIL if limit >= 2 * TRAIL else trail(limit))
    plain, listened, awaited = plan.plain, scope.emit is not None, engine.awaited
    steps: Steps | None = None
    weight = 0
    if saving:
        request = engine.request
        saver, clock, metadata = request.checkpointer, scope.clock, request.metadata
        new_id = getattr(request.new_id, "direct", request.new_id)
        light = request.durability == "async"
        handing = Save(saver, engine.thread, scope.ns_text, NOT_YET)
        if light and hasattr(type(saver), "steps"):
            found, engine.steps = engine.steps, None
            if found is None:
                found = saver.steps(engine.thread, scope.ns_text, engine.checkpoint, metadata)
            if found is not None:
                steps, said = found
                take, atoms = steps.take, steps.atoms
    try:
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
            if recorded is None:
                engine.tasks = (task,)
                before = {key: values[key] for key in changes if key in values}
                task.writes = task.writes or tuple(changes.items())
                advance_alone(plan, state, task, changes)
                yield from engine.save_step(before, changes, groups or {}, None)
                continue
            advance_alone(plan, state, task, changes)
            parent, step = engine.checkpoint, state.step - 1
            if steps is not None and steps.latest == parent and not (steps.gone or state.sends):
                own, more = (recorded, 1) if atoms.issuperset(map(type, recorded.values())) else saver.own(recorded)
                if own is not None and not take(
                    (own_id := new_id(), parent, step, "loop", clock(), state.version, own, state.next, state.ran, said)
                ):
                    engine.checkpoint = scope.checkpoint = steps.latest = own_id
                    weight += more
                    if weight > MOST:
                        saver.stepped(steps, weight)
                        weight = 0
                    continue
            following: Sequence[str] = state.next
            known = nodes[following[0]].control if len(following) == 1 and not state.sends else None
            control = state.control(plan) if known is None else known
            engine.checkpoint = scope.checkpoint = own_id = new_id()
            handing.checkpoint = Checkpoint(  # as `next_checkpoint`, in line
                own_id, parent, step, "loop", clock(), state.version, recorded, control, state.ran, metadata
            )
            yield handing
    finally:
        if weight:
            saver.stepped(steps, weight)
