"""`update_state`: writes values as if a node had returned them, with its edges, as a checkpoint of its own."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stepgraph.core.changed import current, unknown_graph
from stepgraph.core.checkpoint import REMOVED, Stored
from stepgraph.core.combining import combine, in_order
from stepgraph.core.decisions import unpacked
from stepgraph.core.effects import Flow, Flush, Load
from stepgraph.core.engine import Engine
from stepgraph.core.entry import amended_values, is_blank, restore, tracked_values, write_input
from stepgraph.core.errors import InvalidUpdateError
from stepgraph.core.keeping import keep_outcome
from stepgraph.core.plan import Barrier
from stepgraph.core.recorded import records_of, told, without
from stepgraph.core.routing import route
from stepgraph.core.state import LAST, advance, led_by, ready, roused
from stepgraph.core.task import Task
from stepgraph.core.types import END, START, StateUpdate
from stepgraph.core.writes import collect
from stepgraph.graph.inferred import inferred, last_to_run

INPUT, COPY = "__input__", "__copy__"


def update_flow(engine: Engine, supersteps: Sequence[Sequence[StateUpdate]]) -> Flow:
    """Apply the updates one superstep after the other; returns the id of the last checkpoint."""
    request, scope = engine.request, engine.scope
    stored = yield Load(request.checkpointer, request.thread or "", scope.ns_text, request.checkpoint)
    if stored is not None:
        stored = current(engine, stored)
        restore(engine, stored)
        if stored.metadata.get("parents"):
            request.metadata = {**request.metadata, "parents": stored.metadata["parents"]}
    else:
        engine.state.step = 0  # an edit is never the input, whose step is -1
    if engine.keeper is None:
        engine.amended = {**engine.amended, **unknown_graph(engine.plan, stored)}
    keeps = True
    if stored is not None and request.checkpoint is not None:
        newest = yield Load(request.checkpointer, request.thread or "", scope.ns_text, None)
        keeps = newest.id == stored.id  # else the thread has gone on from there, and its tasks have their own outcomes
    for updates in supersteps:
        yield from _superstep(engine, [StateUpdate(*update) for update in updates], stored, keeps)
        engine.pending, keeps = {}, True
    yield Flush(request.checkpointer, engine.thread)
    return engine.checkpoint


def _superstep(engine: Engine, updates: Sequence[StateUpdate], stored: Stored | None, keeps: bool) -> Flow:
    first = updates[0]
    if first.as_node == END and first.values is None:
        _alone(updates, "Cannot apply multiple updates when clearing state")
        yield from _clear(engine)
    elif first.as_node == INPUT:
        _alone(updates, "Cannot apply multiple updates when updating as input")
        yield from _input(engine, first.values)
    elif first.as_node == COPY:
        _alone(updates, "Cannot copy checkpoint with multiple updates")
        yield from _copy(engine, first.values, stored)
    else:
        yield from _as_nodes(engine, updates, keeps)


def _alone(updates: Sequence[StateUpdate], error: str) -> None:
    if len(updates) > 1:
        raise InvalidUpdateError(f"{error}: give {updates[0].as_node!r} a superstep of its own.")


def _clear(engine: Engine) -> Flow:
    """Drop the tasks that wait; deferred nodes are next if nothing else is. What a finished one wrote, and where it
    went, stays."""
    state, plan = engine.state, engine.plan
    if engine.checkpoint is None:
        yield from engine.save("update", {}, state.step)
        state.step += 1
        return
    tasks = in_order(ready(plan, state, engine.scope))
    finished = []
    for task in tasks:
        task.routes, task.routed, task.joined = (), True, ()
        outcome = engine.pending.get(task.id, {}).get("outcome")
        if outcome is not None:
            writes, routes, joins = outcome.payload
            task.writes = tuple((key, value) for key, value in writes)
            task.routes, task.joined = unpacked(routes), tuple(joins)
            finished.append(task)
    if engine.keeper is None:
        led = {task.name for task in tasks if task.key < 0}
        last = {START} & led or led or (yield from last_to_run(engine))
        state.barriers[LAST] = frozenset(last)
    yield from _commit(engine, tasks, finished)
    state.seen |= dict.fromkeys((task.name for task in tasks if task.key < 0), state.version)


def _input(engine: Engine, values: Any) -> Flow:
    """New input beside what waits already."""
    state, plan = engine.state, engine.plan
    if values is None:
        raise InvalidUpdateError(f"Received no input writes for {START}: give `values`, as to invoke().")
    if plan.intake is not None:
        yield from write_input(engine, values, (), edited=True)
        return
    if engine.checkpoint is None:
        state.step = -1
    state.next = tuple(sorted({START, *state.next}))
    state.version += 1
    state.ran = ()
    engine.scope.inputs = values
    task = Task(plan.nodes[START], engine.scope, state.step, -1, values)
    task.edited = True
    yield from engine.save("input", {START: without(plan.untracked, values)}, state.step, [task])
    state.step += 1


def _copy(engine: Engine, updates: Any, stored: Stored | None) -> Flow:
    """A sibling of the checkpoint: the same state, under the same parent; then updates of it, if there are any."""
    if stored is None:
        raise InvalidUpdateError("Cannot copy a non-existent checkpoint: the thread has none.")
    following = _copied(updates) if isinstance(updates, list) else []
    state = engine.state
    changes = {} if is_blank(stored) else tracked_values(engine)
    if engine.plan.fleeting and changes:
        changes.update((key, REMOVED) for key in engine.plan.channels if key not in state.values)
    if engine.plan.entry in state.next:
        changes[START] = without(engine.plan.untracked, engine.scope.inputs)
    if engine.keeper is None:
        state.barriers[LAST] = yield from last_to_run(engine)
    if engine.checkpoint == stored.id:
        engine.checkpoint = stored.parent
        state.ran = tuple(name for name, version in stored.seen.items() if version == stored.version)
    yield from engine.save("fork", changes, state.step)
    state.step += 1
    if following:
        yield from _as_nodes(engine, following, True)


def _copied(updates: Sequence[Any]) -> list[StateUpdate]:
    """The (values, as_node) of a copy, those of one node together."""
    groups: dict[Any, list[StateUpdate]] = defaultdict(list)
    for each in updates:
        if isinstance(each, StateUpdate):
            each = (each.values, each.as_node)
        if not isinstance(each, Sequence) or isinstance(each, str):
            raise InvalidUpdateError(
                f"Invalid update item: {each!r} when copying checkpoint. Give (values, as_node) pairs."
            )
        values, name = each[:2]
        groups[name].append(StateUpdate(values, name))
    return [update for group in groups.values() for update in group]


def _as_nodes(engine: Engine, updates: Sequence[StateUpdate], keeps: bool) -> Flow:
    """Each update as if its node had returned it, in the order given."""
    plan, state = engine.plan, engine.state
    for update in updates:
        if update.as_node is None and len(updates) > 1:
            raise InvalidUpdateError("as_node is required when applying multiple updates to one superstep.")
    planned: dict[str, deque[Task]] = defaultdict(deque)
    if engine.checkpoint is not None:
        for task in ready(plan, state, engine.scope):
            planned[task.name].append(task)
    tasks = []
    for place, update in enumerate(updates):
        name = update.as_node or (yield from inferred(engine))
        if name not in plan.nodes:
            raise InvalidUpdateError(f"Node {name} does not exist; graph {plan.name!r} has {sorted(plan.nodes)}.")
        tasks.append((yield from _as_node(engine, name, update, planned[name], place)))
    turns = _turns(engine, tasks)
    if engine.keeper is None:
        state.barriers[LAST] = yield from last_to_run(engine)
    yield from _commit(engine, tasks, tasks if keeps else (), turns)


class _Turns(NamedTuple):
    """Who keeps a turn through an edit: nodes behind complete AND-joins, and deferred nodes about to run."""

    joined: Mapping[str, Barrier]
    deferred: frozenset[str]


_NO_TURNS = _Turns({}, frozenset())


def _turns(engine: Engine, tasks: Sequence[Task]) -> _Turns:
    plan, state = engine.plan, engine.state
    joined = {key: barrier for key, barrier in plan.barriers.items() if _complete(engine, key)}
    led = {route for task in tasks for route in task.routes if isinstance(route, str)}
    deferred = plan.deferred.intersection(state.next) - (led - {barrier.node for barrier in joined.values()})
    return _Turns(joined, deferred)


def _complete(engine: Engine, key: str) -> bool:
    return len(engine.state.barriers.get(key, ())) == len(engine.plan.barriers[key].sources)


def _as_node(engine: Engine, name: str, update: StateUpdate, planned: deque[Task], place: int) -> Flow:
    """A task of that node, the planned one if there is one, whose body had returned the values; its routers run."""
    node = engine.plan.nodes[name]
    stands_for = planned.popleft() if planned and update.task_id is None else None
    key = -1 if stands_for is None else stands_for.key
    task = Task(node, engine.scope, engine.state.step, key, engine.state.values)
    if engine.keeper is not None:
        engine.keeper.edited(task, place, stands_for is not None)
    if update.task_id is not None:
        task._id = update.task_id
    elif stands_for is None and engine.keeper is None:
        task.kept = True  # it is none of the tasks that history shows
    task.edited = True
    task.returns(update.values)
    task.writes, task.gotos = collect(node, update.values if node.edited is None else node.edited(update.values))
    if node.stamp is not None:
        task.writes = node.stamp(task.writes)
    yield from route(engine, task)
    return task


def _commit(
    engine: Engine,
    tasks: Sequence[Task],
    finished: Sequence[Task],
    turns: _Turns = _NO_TURNS,
) -> Flow:
    """Apply the tasks' writes and routes, and save that; history shows what the finished ones wrote."""
    state, plan = engine.state, engine.plan
    changes, groups = combine(plan, state.values, tasks)
    before = {key: state.values[key] for key in changes if key in state.values}
    recorded = records_of(plan, before, changes, groups)
    alone = len(tasks) == 1 and len(state.next) + len(state.sends) < 2
    told_all = alone and engine.keeper is None and not plan.subscribers and told(plan, recorded, groups)
    if engine.checkpoint is not None and not told_all:
        for task in finished:
            if _tells(engine, task):
                yield from keep_outcome(engine, task)
    seen, joins, blank = dict(state.seen), [task.joined for task in tasks], state.version == 0
    waiting = set(state.next)
    for task in tasks:  # who has come to a full join does not come again
        task.joined = tuple(key for key in task.joins if key not in turns.joined)
    advance(plan, state, tasks, changes, ends=bool(tasks))
    for task, joined in zip(tasks, joins, strict=True):
        task.joined = joined
    if plan.fleeting:
        recorded = records_of(plan, before, changes, groups)  # also what ended with the superstep
    state.seen = seen  # an edit is no run
    if plan.subscribers:
        waiting = roused(plan, state, waiting.difference(task.name for task in tasks if not task.edited))
        state.next = tuple(sorted(waiting | led_by(plan, state, changes)))
    if blank and not any(_wrote(task) for task in tasks):
        state.version = 0
    # Nor is what was dropped, or wrote nothing. Nodes over channels run again on what they have not seen.
    state.ran = () if plan.subscribers else tuple(task.name for task in finished if _wrote(task))
    for key, barrier in turns.joined.items():
        state.barriers[key] = frozenset(barrier.sources)
        if barrier.node not in plan.deferred:
            state.next = tuple(sorted({*state.next, barrier.node}))
    if turns.deferred:
        state.next = tuple(sorted({*state.next, *turns.deferred}))
    if engine.amended:
        recorded.update(amended_values(engine))
        engine.amended, engine.commanded = {}, ((), ())
    yield from engine.save("update", recorded, state.step - 1, tasks)


def _tells(engine: Engine, task: Task) -> bool:
    """Whether history is to show what the edit wrote: not in place of what the task itself had returned."""
    own = engine.keeper is None and "outcome" in engine.pending.get(task.id, {})
    return _wrote(task) and not own and not task.kept


def _wrote(task: Task) -> bool:
    return bool(task.writes or task.routes or task.joins)
