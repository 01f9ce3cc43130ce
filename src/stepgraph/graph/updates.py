"""`update_state`: writes values as if a node had returned them, with its edges, as a checkpoint of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepgraph.core.checkpoint import Stored
from stepgraph.core.effects import Flow, Flush, Load
from stepgraph.core.engine import Engine
from stepgraph.core.entry import restore, take_input
from stepgraph.core.errors import InvalidUpdateError
from stepgraph.core.flow import keep_outcome, route
from stepgraph.core.state import advance, combine, in_order, records_of, told
from stepgraph.core.task import Task
from stepgraph.core.types import END, START, StateUpdate
from stepgraph.core.writes import collect

INPUT, COPY = "__input__", "__copy__"


def update_flow(engine: Engine, supersteps: Sequence[Sequence[StateUpdate]]) -> Flow:
    """Apply the updates one superstep after the other; returns the id of the last checkpoint."""
    request, scope = engine.request, engine.scope
    stored = yield Load(request.checkpointer, request.thread or "", scope.ns_text, request.checkpoint)
    if stored is not None:
        restore(engine, stored)
    else:
        engine.state.step = 0  # an edit is never the input, whose step is -1
    for updates in supersteps:
        yield from _superstep(engine, updates, stored)
    yield Flush(request.checkpointer)
    return engine.checkpoint


def _copy(engine: Engine, stored: Stored | None) -> Flow:
    """A sibling of the newest checkpoint: the same state, under the same parent."""
    state, untracked = engine.state, engine.plan.untracked
    changes = {key: value for key, value in state.values.items() if key not in untracked}
    if stored is not None and engine.checkpoint == stored.id:
        engine.checkpoint = stored.parent
        state.ran = tuple(name for name, version in stored.seen.items() if version == stored.version)
    yield from engine.save("fork", changes, state.step)


def _superstep(engine: Engine, updates: Sequence[StateUpdate], stored: Stored | None) -> Flow:
    state, plan = engine.state, engine.plan
    first = updates[0]
    if first.as_node == COPY:
        yield from _copy(engine, stored)
        state.step += 1
        return
    if first.as_node == END and first.values is None:
        state.next, state.sends, state.waiting, state.ran = (), (), frozenset(), ()
        state.version += 1
        yield from engine.save("update", {}, state.step)
        state.step += 1
        return
    if first.as_node == INPUT:
        engine.request.input = first.values
        state.step = state.step if engine.checkpoint is not None else -1
        yield from take_input(engine)
        return
    tasks = []
    for update in updates:
        name = update.as_node or _inferred(engine, engine.checkpoint is None)
        if name not in plan.nodes:
            raise InvalidUpdateError(f"Node {name} does not exist; graph {plan.name!r} has {sorted(plan.nodes)}.")
        tasks.append((yield from _as_node(engine, name, update.values)))
    ordered = in_order(tasks)
    changes, groups = combine(plan, state.values, ordered)
    before = {key: state.values[key] for key in changes if key in state.values}
    recorded = records_of(plan, before, changes, groups)
    if engine.checkpoint is not None and (len(tasks) > 1 or not told(plan, recorded, groups)):
        for task in tasks:
            yield from keep_outcome(engine, task)
    advance(plan, state, ordered, changes)
    yield from engine.save("update", recorded, state.step - 1)


def _as_node(engine: Engine, name: str, values: Any) -> Flow:
    """A task of that node as if its body had returned `values`; its routers run."""
    node = engine.plan.nodes[name]
    task = Task(node, engine.scope, engine.state.step, -1, engine.state.values)
    task.writes, task.gotos = collect(node, values)
    yield from route(engine, task)
    return task


def _inferred(engine: Engine, fresh: bool) -> str:
    """The node that ran last, if only one did."""
    plan, state = engine.plan, engine.state
    others = [name for name in plan.nodes if name != START]
    if len(others) == 1:
        return others[0]
    seen = {name: version for name, version in state.seen.items() if name in plan.nodes}
    if not seen:
        if fresh or state.version <= 1:
            return START
        raise _ambiguous(engine)
    last = max(seen.values())
    found = [name for name, version in seen.items() if version == last]
    if len(found) != 1:
        raise _ambiguous(engine)
    return found[0]


def _ambiguous(engine: Engine) -> InvalidUpdateError:
    names = sorted(name for name in engine.plan.nodes if name != START)
    return InvalidUpdateError(f"Ambiguous update, specify as_node: the update could come from any of {names}.")
