"""What a person decides between supersteps, where nothing runs: at [plan] and [committed]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core.asking import ask
from stepgraph.core.combining import combine
from stepgraph.core.decisions import rejected, superstep, update_from
from stepgraph.core.effects import Flow
from stepgraph.core.errors import Suspended
from stepgraph.core.recorded import records_of
from stepgraph.core.state import arrange, ready
from stepgraph.core.task import Task
from stepgraph.core.together import split
from stepgraph.core.types import Decision, Pause, Route

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine


def boundary(engine: Engine, place: Any, tasks: Sequence[Task], *, again: bool = False) -> Flow:
    """Ask at [plan] or [committed]: whole superstep, nothing running."""
    state = engine.state
    step = state.step if place == "plan" else state.step - 1
    following = tasks if place == "plan" else ready(engine.plan, state, engine.scope)
    pause = Pause(
        place, engine.scope.ns, step, state=dict(state.values), tasks=tuple(task.info() for task in following),
        again=again,
    )  # fmt: skip
    decision: Decision = yield from ask(engine, pause)
    match decision.verb:
        case "edit":
            yield from _update(engine, update_from(engine, decision.value, pause))
        case "redirect":
            yield from _redirect(engine, decision.value)
        case "reject":
            raise rejected(decision, superstep(engine.scope.ns, step))
        case "suspend":
            raise Suspended(f"Suspended at {place} of superstep {step}.")
    if decision.verb in ("edit", "redirect") and place == "plan":
        engine.tasks = ()


def _update(engine: Engine, writes: Sequence[tuple[str, Any]]) -> Flow:
    """A person's update between supersteps: what runs next stays."""
    state = engine.state
    task = Task(engine.plan.nodes[engine.plan.entry], engine.scope, state.step, -1, None)
    task.writes = tuple(writes)
    changes, groups = combine(engine.plan, state.values, [task])
    before = {key: state.values[key] for key in changes if key in state.values}
    state.values.update(changes)
    arrange(engine.plan, state)
    engine.wrote(changes)
    yield from _amended(engine, records_of(engine.plan, before, changes, groups), tuple(changes))


def _redirect(engine: Engine, targets: Sequence[Route]) -> Flow:
    """Other next tasks, chosen by a person between supersteps."""
    engine.state.next, engine.state.sends = split(targets)
    yield from _amended(engine, {}, ())


def _amended(engine: Engine, changes: Mapping[str, Any], keys: tuple[str, ...]) -> Flow:
    engine.state.version += 1
    engine.state.ran = ()
    if engine.saving:
        yield from engine.save("update", changes, engine.state.step - 1)
    engine.show("update", keys)
