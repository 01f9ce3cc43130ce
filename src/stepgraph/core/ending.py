"""How a run ends: what it returns and tells, at its end, at a pause, at the recursion limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core import events as ev
from stepgraph.core.combining import combine, in_order
from stepgraph.core.errors import GraphDrained, GraphRecursionError
from stepgraph.core.state import names_of, ready
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, Interrupt

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine


def result(engine: Engine, status: str, asked: bool) -> Any:
    """What the run returns: None where it wrote no output key, as LangGraph shows no values then.

    A question comes with the values as they are.
    """
    plan, values, keys = engine.plan, engine.state.values, engine.request.output_keys
    if status == "interrupted":
        applied = _shown_at_pause(engine)
        if applied is not values and not engine.shown.isdisjoint(written_by(engine.tasks)):
            return plan.output(applied, keys)
        if asked:
            shown = plan.output(values, keys)
            return shown if isinstance(shown, dict) else {}
    if engine.awaited is not None:
        return None
    return engine.output if plan.fleeting else plan.output(values, keys)


def ended(
    engine: Engine, status: str, interrupts: tuple[Interrupt, ...], error: BaseException | None
) -> ev.RunFinished:
    """The event of its end."""
    scope, shown = engine.scope, engine.state.values
    if status == "interrupted":
        shown = _shown_at_pause(engine)
    return ev.RunFinished(
        scope.ns, engine.state.step, scope.clock(), status, interrupts, error, _planned(engine, error),
        None if shown is engine.state.values else engine.plan.whole(shown), _side(engine, status),
    )  # fmt: skip


def _side(engine: Engine, status: str) -> str | None:
    """Where the run paused, if it was between two supersteps."""
    statuses = {task.status for task in engine.tasks} if status == "interrupted" else set()
    return "before" if statuses == {"planned"} else "after" if statuses == {"finished"} else None


def _planned(engine: Engine, error: BaseException | None) -> tuple[ev.TaskInfo, ...]:
    """What would run next, if the run ended between two supersteps."""
    if error is not None and not isinstance(error, (GraphRecursionError, GraphDrained)):
        return ()
    tasks = engine.tasks
    if all(task.status == "finished" for task in tasks):
        tasks = ready(engine.plan, engine.state, engine.scope)
    return tuple(task.info() for task in tasks if task.status == "planned")


def _shown_at_pause(engine: Engine) -> dict[str, Any]:
    """The values with the writes of finished tasks applied, as a caller sees them at a pause.

    And those that tasks which ask had sent before, as messages that were pushed.
    """
    writing = [task for task in engine.tasks if _has_written(task)]
    if not writing or all(task.status == "finished" for task in engine.tasks):
        return engine.state.values
    changes, _ = combine(engine.plan, engine.state.values, in_order(writing))
    if not changes:
        return engine.state.values
    shown = {**engine.state.values, **changes}
    shown = {**{key: shown[key] for key in engine.plan.places if key in shown}, **shown}  # in the schema's order
    return {key: value for key, value in shown.items() if value is not MISSING} if engine.plan.consuming else shown


def out_of_steps(engine: Engine) -> GraphRecursionError:
    """What to raise at the recursion limit."""
    limit = engine.request.recursion_limit
    names = dict.fromkeys((*names_of(engine.state.sends), *engine.state.next))
    nodes = ", ".join(repr(name) for name in tuple(names)[:5])
    following = f"wanted to run {nodes}" if nodes else "came to its end only"
    circle = _circle([*engine.trail, tuple(names)])
    return GraphRecursionError(
        f"Recursion limit of {limit} reached without hitting a stop condition. "
        f"Graph {engine.plan.name!r} {following} in superstep {engine.state.step}. {circle}"
        'You can increase the limit by setting the `recursion_limit` config key: {"recursion_limit": N}.\n'
        "For troubleshooting see the error code GRAPH_RECURSION_LIMIT."
    )


def _circle(trail: Sequence[tuple[str, ...]]) -> str:
    """The shortest circle that the last supersteps went round twice, as a sentence; nothing without one."""
    steps = [" + ".join(sorted(set(names))) for names in trail]
    for length in range(1, len(steps) // 2 + 1):
        last = steps[-length:]
        if last == steps[-2 * length : -length]:
            return f"Its last supersteps go round in a circle: {' -> '.join([*last, last[0]])}. "
    return ""


def visible(engine: Engine, tasks: Sequence[Task], changes: Mapping[str, Any]) -> set[str]:
    """The keys of which a superstep left a new value to be read."""
    plan = engine.plan
    told = written_by(tasks) if plan.fleeting else changes.keys()
    finished = {key for key in plan.finishing if key in changes}
    return plan.readable(engine.state.values, {*(key for key in told if key in changes), *finished})


def written_by(tasks: Sequence[Task]) -> set[str]:
    """The keys that finished tasks write, and those that ask had sent."""
    return {key for task in tasks if _has_written(task) for key, _ in task.writes}


def _has_written(task: Task) -> bool:
    return task.status == "finished" or (task.status == "interrupted" and bool(task.writes))
