"""Snapshots of a thread: a stored checkpoint with the tasks that it would run next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from datetime import UTC, datetime
from typing import Any

from stepgraph.core.changed import current
from stepgraph.core.checkpoint import Checkpointer, Source, Stored, records_by_task
from stepgraph.core.child import without_ids
from stepgraph.core.combining import combine, in_order
from stepgraph.core.engine import Engine
from stepgraph.core.entry import NOBODY, amend, written
from stepgraph.core.plan import Plan
from stepgraph.core.recorded import writes_between
from stepgraph.core.recovery import take_up
from stepgraph.core.request import Request
from stepgraph.core.state import State, ready, settle
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, ROOT, START, StateSnapshot, TaskSnapshot
from stepgraph.run.streams import result_of


def snapshot(
    engine: Engine, stored: Stored, *, live: bool, after: Stored | None = None, saver: Checkpointer | None = None
) -> StateSnapshot:
    """What `get_state` shows of `stored`.

    Live, the writes of tasks that have finished already are applied and those tasks are not `next` any more; else it
    is the record of that step. `after` is the checkpoint that its tasks led to, which tells what a lone task wrote.
    With `saver`, the states of subgraphs are read from it.
    """
    plan = engine.plan
    stored = current(engine, stored)
    state = State.restored(plan, stored)
    engine.scope.checkpoint = stored.id
    engine.scope.inputs = stored.values.get(START)
    records = records_by_task(stored)
    nobody = records.pop(NOBODY, None)
    if nobody is not None and "outcome" in nobody:
        engine.state = state
        amend(engine, *written(nobody))
    tasks = sorted(ready(plan, state, engine.scope), key=_place(plan))
    for task in tasks:
        _attach(task, records, live)
    if (
        after is not None
        and engine.keeper is None
        and len(tasks) == 1
        and _ran_alone(tasks[0], after)
        and tasks[0].status != "finished"
    ):
        writes = tasks[0].writes if tasks[0].handler is not None else writes_between(plan, stored, after)
        if writes is not None:
            tasks[0].writes, tasks[0].status = writes, "finished"
    finished = [task for task in tasks if task.status == "finished"]
    values = state.values
    if live and finished:
        try:
            changes, _ = combine(plan, values, in_order(finished))
            values = {**values, **changes}
            settle(plan, values, changes)
            values = {**{key: values[key] for key in plan.places if key in values}, **values}  # in the schema's order
            values = {key: value for key, value in values.items() if value is not MISSING}
        except Exception:  # noqa: BLE001  a reducer may raise anything; the superstep still has to be committed
            finished, live = [], False
    waiting = [task for task in tasks if task.status != "finished"] if live else tasks
    around = stored.metadata.get("parents")
    parent = config_for(stored.thread, stored.ns, stored.parent, around) if stored.parent else None
    interrupts = tuple(each for task in waiting for each in task.interrupts)
    return StateSnapshot(
        plan.shown(values),
        tuple(task.name for task in waiting),
        config_for(stored.thread, stored.ns, stored.id, around),
        metadata_of(stored),
        datetime.fromtimestamp(stored.time, UTC).isoformat(),
        parent,
        tuple(_shown(task, stored, engine.request, saver) for task in tasks),
        interrupts,
    )


def _place(plan: Plan) -> Callable[[Task], tuple[int, int]]:
    """Snapshots list Sends by position, then nodes in the order in which they were added, as LangGraph does."""
    places = {name: place for place, name in enumerate(plan.nodes)}
    return lambda task: (0, task.key) if task.key >= 0 else (1, places[task.name])


def _ran_alone(task: Task, after: Stored) -> bool:
    return after.step == task.step and [n for n, version in after.seen.items() if version == after.version] == [
        task.name
    ]


def snapshots(
    engine: Engine,
    saver: Checkpointer,
    before: str | None,
    limit: int | None,
    *,
    wanted: Mapping[str, Any],
    values: bool,
    subgraphs: bool,
) -> Iterator[StateSnapshot]:
    """The thread's snapshots, newest first.

    `wanted` compares metadata, before any value is loaded; without `values` none is. Savers that compare it in ways
    of their own have a method `matching`.
    """
    thread, ns = engine.request.thread or "", engine.scope.ns_text
    inside = saver if subgraphs else None
    following: dict[str, Stored] = {}
    if wanted and (matching := getattr(saver, "matching", None)) is not None:
        listed, wanted = matching(thread, ns, wanted, before=before, limit=limit), {}
    else:
        listed = saver.history(thread, ns, before=before, limit=None if wanted else limit, values=values and not wanted)
    found = 0
    for position, stored in enumerate(listed):
        after = following.pop(stored.id, None)
        if position == 0 and before is not None and values:
            after = successor(saver, stored)
        if stored.parent is not None and stored.source in _FROM_TASKS:
            following[stored.parent] = stored
        if wanted:
            if limit is not None and found == limit:
                return
            metadata = metadata_of(stored)
            if any(metadata.get(key) != value for key, value in wanted.items()):
                continue
            found += 1
            if values:
                stored = saver.load(thread, stored.ns, stored.id) or stored
                after = after and saver.load(thread, after.ns, after.id)
        engine.scope.ns = tuple(stored.ns.split("|")) if stored.ns else ()  # some savers list those of graphs inside
        shown = snapshot(engine, stored, live=False, after=after if values else None, saver=inside)
        yield shown if values else shown._replace(values={})


def metadata_of(stored: Stored) -> dict[str, Any]:
    """What snapshots say of a checkpoint; of one with which LangGraph begins a thread where it needs an empty one,
    little."""
    if stored.step < -1:
        return {"step": stored.step}
    return {"source": stored.source, "step": stored.step, "parents": {}, **stored.metadata}


def successor(saver: Checkpointer, stored: Stored) -> Stored | None:
    """The checkpoint that the tasks of `stored` led to first."""
    if not (stored.control.next or stored.control.sends):
        return None
    find: Callable[..., Stored | None] | None = getattr(saver, "successor", None)
    if find is not None:
        return find(stored.thread, stored.ns, stored.id, _FROM_TASKS)
    found = None
    for each in saver.history(stored.thread, stored.ns, values=False):
        if each.id <= stored.id:
            break
        if each.parent == stored.id and each.source in _FROM_TASKS:
            found = each
    return None if found is None else saver.load(stored.thread, stored.ns, found.id)


_FROM_TASKS: tuple[Source, ...] = ("loop", "update")


def empty(config: Mapping[str, Any]) -> StateSnapshot:
    """What `get_state` shows of a thread without checkpoints."""
    return StateSnapshot({}, (), dict(config), None, None, None, (), ())


def config_for(
    thread: str, ns: str, checkpoint: str | None, parents: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The config that addresses a checkpoint; `parents` are the checkpoints of the graphs around it."""
    configurable: dict[str, Any] = {"thread_id": thread, "checkpoint_ns": ns}
    if checkpoint is not None:
        configurable["checkpoint_id"] = checkpoint
        if parents:
            configurable["checkpoint_map"] = {**parents, ns: checkpoint}
    return {"configurable": configurable}


def _attach(task: Task, known: dict[str, dict[str, Any]], live: bool) -> None:
    """What is known of a task. Its questions are shown until they are answered, in the record of a step always.

    A failed task stays shown as failed while its error handler, a task of its own, goes on and ends in its place.
    """
    task.records = records = known.get(task.id, {})
    take_up(task, known)
    if task.handler is not None:
        _attach(task.handler, known, live)
        task.status, task.interrupts = task.handler.status, task.handler.interrupts
        task.error = records["error"].payload
        task.writes = (*task.writes, *task.handler.writes)
        return
    if "outcome" in records:
        task.writes = tuple((key, value) for key, value in records["outcome"].payload[0])
        task.status = "finished"
    if "interrupt" in records and not (live and task.status == "finished"):
        task.interrupts = tuple(records["interrupt"].payload)
        if task.status != "finished":
            task.status = "interrupted"
    if "error" in records and not (live and task.status == "finished"):
        task.error = records["error"].payload


def _shown(task: Task, stored: Stored, request: Request, saver: Checkpointer | None) -> TaskSnapshot:
    child: Any = None
    graph = task.node.graph()
    if graph is not None:
        child = config_for(stored.thread, "|".join(task.ns), None)
        if saver is not None:
            inside = copy(request)
            inside.ns, inside.checkpoint = task.lasting_ns if graph.checkpointer is True else task.ns, None
            child = _inside(graph.plan, inside, saver, child)
    result = None
    if task.status == "finished" and task.handler is None:
        keys = ROOT if ROOT in task.node.writes else task.scope.plan.shown_keys
        result = result_of(task.writes)
        if isinstance(keys, str):
            result = result.get(keys)
        elif keys is not None:
            result = {key: value for key, value in result.items() if key in keys}
    return TaskSnapshot(task.id, task.name, task.path, task.error, task.interrupts, child, result)


def _inside(plan: Plan, request: Request, saver: Checkpointer, config: dict[str, Any]) -> StateSnapshot:
    """The state of a subgraph that a task runs."""
    engine = Engine(plan, request)
    if engine.keeper is not None:
        saver = request.checkpointer
    stored = saver.load(request.thread or "", engine.scope.ns_text)
    return empty(config) if stored is None else snapshot(engine, stored, live=True, saver=saver)


def inner_plan(plan: Plan, ns: str, *, strict: bool) -> tuple[Plan, str]:
    """The plan of the subgraph that runs in a checkpoint namespace, and where its checkpoints are.

    If no node is known to run one there (a tool may): the plan itself, or with `strict` a ValueError.
    """
    found, lasting = plan, False
    for part in ns.split("|"):
        name = part.partition(":")[0]
        if name.isdecimal():
            continue
        node = found.nodes.get(name)
        graph = None if node is None else node.graph()
        if graph is None:
            if not strict:
                return plan, ns
            names = [name for name, node in plan.nodes.items() if node.graph() is not None]
            raise ValueError(
                f"Subgraph {without_ids(ns)} not found: the nodes of graph {plan.name!r} "
                f"with a graph inside are {names}."
            )
        found, lasting = graph.plan, graph.checkpointer is True
    return found, without_ids(ns) if lasting else ns


def journey(saver: Checkpointer, thread: str, configurable: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Where each graph goes on when a checkpoint of a subgraph is named: (namespace, checkpoint).

    They are found by the namespace without task ids; the outermost graph's is "".
    """
    ns, checkpoint = configurable["checkpoint_ns"], configurable["checkpoint_id"]
    known = configurable.get("checkpoint_map")
    if not known:
        stored = saver.load(thread, ns, checkpoint)
        known = {} if stored is None else stored.metadata.get("parents") or {}
    found, graphs = {}, set()
    for each, place in {**known, ns: checkpoint}.items():
        if place not in graphs:  # else a function's caller stands there, with its graph's checkpoint
            found[without_ids(each)] = (each, place)
        graphs.add(place)
    return found
