"""What is asked about a superstep as a whole, once its tasks are done and before anything is applied: [step]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core.asking import ask
from stepgraph.core.combining import combine, combine_fitting
from stepgraph.core.decisions import choose, rejected, superstep
from stepgraph.core.effects import Flow
from stepgraph.core.errors import Suspended
from stepgraph.core.keeping import keep_outcome
from stepgraph.core.routing import reroute, rerouted
from stepgraph.core.task import Task
from stepgraph.core.types import Decision, Pause, Route, Send

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine

Combined = tuple[dict[str, Any], dict[str, list[Any]], Mapping[str, Any] | None]
"""Changes and updates as `combine` makes them, and the values that a person put in their place."""


def ask_step(engine: Engine, tasks: Sequence[Task], changes: dict[str, Any], groups: dict[str, list[Any]]) -> Flow:
    """Ask about the combined update; returns it as decided. Skipping drops the marked tasks' updates."""
    pause = _pause(engine, tasks, changes)
    decision: Decision = yield from ask(engine, pause)
    overwrite: Mapping[str, Any] | None = None
    match decision.verb:
        case "edit":
            overwrite = decision.value
            yield from _reroute(engine, tasks, decision.value)
        case "skip":
            _drop(tasks, decision.value)
            changes, groups = combine(engine.plan, engine.state.values, tasks)
        case "redirect":
            _redirect(tasks, decision.value)
        case "reject":
            raise rejected(decision, superstep(pause.ns, pause.step))
        case "suspend":
            raise Suspended(f"Suspended at step {pause.step}.")
    return changes, groups, overwrite


def mend_step(engine: Engine, tasks: Sequence[Task], error: Exception) -> Flow:
    """Ask about updates that can't be put together; returns them as mended, None if the failure stands.

    An edit gives each key in question its value, a skip leaves out updates. A gate is asked that wants [step], or
    [error] of a node that wrote such a key; every task's outcome is kept before.
    """
    changes, groups, unfit = combine_fitting(engine.plan, engine.state.values, tasks)
    if not _wanted(engine, [task for task in tasks if any(key in unfit for key, _ in task.writes)]):
        return None
    if engine.saving:
        for task in tasks:
            if not (task.kept or task.carried):
                yield from keep_outcome(engine, task)
    pause = _pause(engine, tasks, changes)
    pause.error, pause.unfit = error, unfit
    decision: Decision = yield from ask(engine, pause)
    match decision.verb:
        case "edit" if unfit.keys() <= decision.value.keys():
            yield from _reroute(engine, tasks, decision.value)
            return changes, groups, decision.value
        case "skip":
            _drop(tasks, decision.value)
            changes, groups, unfit = combine_fitting(engine.plan, engine.state.values, tasks)
            return None if unfit else (changes, groups, None)
        case "suspend":
            raise Suspended(f"Suspended at step {pause.step}.")
    return None


def split(targets: Sequence[Route] | Route) -> tuple[tuple[str, ...], tuple[Send, ...]]:
    """Routes as node names (sorted) and Sends."""
    routes = (targets,) if isinstance(targets, (str, Send)) else tuple(targets)
    names = sorted({route for route in routes if isinstance(route, str) and route != "__end__"})
    return tuple(names), tuple(route for route in routes if isinstance(route, Send))


def _pause(engine: Engine, tasks: Sequence[Task], changes: Mapping[str, Any]) -> Pause:
    return Pause(
        "step",
        engine.scope.ns,
        engine.state.step,
        state=dict(engine.state.values),
        writes=tuple((key, value) for task in tasks for key, value in task.writes),
        result=dict(changes),
        routes=tuple(route for task in tasks for route in task.routes),
        tasks=tuple(tasks),
    )


def _wanted(engine: Engine, writers: Sequence[Task]) -> bool:
    gate, ns = engine.scope.gate, engine.scope.ns
    assert gate is not None
    return gate.wants("step", None, ns) or any(gate.wants("error", task.name, ns) for task in writers)


def _reroute(engine: Engine, tasks: Sequence[Task], edited: Mapping[str, Any]) -> Flow:
    for task in tasks:
        if rerouted(task, edited):
            yield from reroute(engine, task, edited)


def _drop(tasks: Sequence[Task], named: Sequence[str] | None) -> None:
    """Take the updates of the tasks with these names or ids away; of all when none is named."""
    marked = set(named or [task.id for task in tasks])
    for task in tasks:
        if task.id in marked or task.name in marked:
            task.writes = ()


def _redirect(tasks: Sequence[Task], targets: Sequence[Route] | Route) -> None:
    names, sends = split(targets)
    for task in tasks:
        choose(task, ())
    tasks[0].routes = (*names, *sends)
