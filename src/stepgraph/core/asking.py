"""Asking persons about a task, at the places before, after, edge and error."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from stepgraph.core.combining import preview
from stepgraph.core.decisions import as_record, as_writes, choose, from_record, packed, replace_body, verdict
from stepgraph.core.effects import Ask, Flow, Flush
from stepgraph.core.errors import Suspended
from stepgraph.core.keeping import decided, keep_proposal, proposed, record
from stepgraph.core.task import Task
from stepgraph.core.types import Decision, Pause, Place
from stepgraph.core.writes import collect

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine


def ask(engine: Engine, pause: Pause) -> Flow:
    """Ask the gate. What is pending is durable before anybody sees the question."""
    if engine.saving:
        yield Flush(engine.request.checkpointer, engine.thread)
    decision: Decision = yield Ask(engine.scope, pause)
    if pause.place not in ("before", "plan", "committed") and decision.verb not in ("approve", "rerun"):
        for task in pause.tasks:
            task.cache_key = None  # what a person changed is not what the node makes of its input
    return decision


def ask_before(engine: Engine, task: Task) -> Flow:
    """[before]: whether the body runs after all."""
    edited = task.records.get("input") if task.records else None
    if edited is not None:
        task.input = edited.payload
        return True
    if task.collected:
        return True
    pause = _pause(engine, task, "before")
    pause.can_edit = task.node.child is None or not engine.replaying
    decision: Decision = yield from ask(engine, pause)
    match decision.verb:
        case "edit":
            task.input = decision.value
            yield from record(engine, task, "input", decision.value)
        case "respond" | "skip" | "redirect":
            yield from _instead(engine, task, decision)
            return False
        case "reject":
            raise verdict(task, decision)
        case "suspend":
            raise Suspended(task.address)
    return True


def _instead(engine: Engine, task: Task, decision: Decision) -> Flow:
    """What a person decided in place of the body (an update, none, or where to go), recorded first."""
    yield from record(engine, task, "decision", as_record(decision, "before"))
    replace_body(task, decision)


def ask_after(engine: Engine, task: Task) -> Flow:
    """[after]: the proposal is saved first, so that no process ever has to make it again."""
    earlier = task.records.pop("decision") if task.records and decided(task, "after") else None
    if earlier is None:
        if engine.saving and not proposed(task):
            yield from keep_proposal(engine, task)
        pause = _pause(engine, task, "after")
        pause.writes, pause.routes = task.writes, task.gotos
        try:
            pause.result = preview(engine.plan, engine.state.values, task.writes)
        except Exception as error:  # a reducer refuses the proposal: a person may still mend it
            pause.error = error
        decision: Decision = yield from ask(engine, pause)
        if engine.saving and decision.verb not in ("suspend", "reject"):
            kept = as_record(decision, "after")
            if task.routed:  # by a decision in place of the body, whose record this one replaces
                kept["routes"] = packed(task.routes)
            yield from record(engine, task, "decision", kept)
    else:
        decision = from_record(earlier.payload)
    match decision.verb:
        case "edit":
            task.writes = as_writes(task, decision.value)
        case "respond":
            task.writes, task.gotos = collect(task.node, decision.value)
        case "skip":
            task.writes, task.gotos = (), ()
        case "redirect":
            choose(task, decision.value)
        case "reject":
            yield from _rejected(engine, task, decision)
        case "suspend":
            raise Suspended(task.address)


def _rejected(engine: Engine, task: Task, decision: Decision) -> Flow:
    task.writes, task.gotos, task.collected = (), (), False
    if decision.then == "retry":
        yield from record(engine, task, "proposal", None)
        task.reason = decision.reason or "no reason given"
        task.records = None
        task.scope.counts.asked += 1
        raise Again
    raise verdict(task, decision)


def ask_edge(engine: Engine, task: Task) -> Flow:
    """[edge]: one question after all routers; a redirect replaces every route of the task."""
    gate = task.scope.gate
    if engine.saving and not proposed(task) and gate is not None and not gate.wants("after", task.name, task.scope.ns):
        yield from keep_proposal(engine, task)
    pause = _pause(engine, task, "edge")
    pause.routes = task.routes
    pause.alternatives = engine.plan.alternatives(task.node)
    pause.state = engine.fresh_state(task)
    pause.writes = task.writes
    pause.result = {key: pause.state[key] for key, _ in task.writes if key in pause.state}
    pause.reads = task.reads
    pause.router = task.node.routers[0].name if task.node.routers else None
    decision: Decision = yield from ask(engine, pause)
    match decision.verb:
        case "edit" | "redirect" | "skip":
            joins = task.joined  # those filled stay
            choose(task, () if decision.verb == "skip" else decision.value)
            task.joined = joins
        case "reject":
            raise verdict(task, decision)
        case "suspend":
            raise Suspended(task.address)


def ask_error(engine: Engine, task: Task, error: Exception, *, again: bool) -> Flow:
    """[error]: whether the body runs again. Siblings go on meanwhile.

    Where a router failed, `rerun` runs the routers alone: the body is over. `approve`, which no person can choose here,
    is a gate's way to say that nobody is asked after all.
    """
    if task.collected and not proposed(task):
        yield from keep_proposal(engine, task)
    pause = _pause(engine, task, "error")
    pause.error, pause.writes, pause.again = error, task.writes, again
    pause.alternatives = engine.plan.alternatives(task.node)
    with suppress(Exception):  # a reducer refuses what the body returned, and that may be the failure
        pause.result = preview(engine.plan, engine.state.values, task.writes)
    decision: Decision = yield from ask(engine, pause)
    if decision.verb == "approve":
        raise error
    if decision.verb == "rerun" and task.collected:
        return False
    task.writes, task.gotos, task.routes, task.routed, task.collected, task.chosen = (), (), (), False, False, False
    task.records = None
    task.failures = 0
    match decision.verb:
        case "rerun":
            task.scope.counts.asked += 1
            return True
        case "edit":
            task.scope.counts.asked += 1
            yield from record(engine, task, "proposal", None)
            task.input = decision.value
            yield from record(engine, task, "input", decision.value)
            return True
        case "respond" | "skip" | "redirect":
            yield from _instead(engine, task, decision)
            return False
        case "suspend":
            raise Suspended(task.address)
        case _:
            if decision.then != "route":
                raise Stopped(error) from error
            raise error


def _pause(engine: Engine, task: Task, place: Place) -> Pause:
    return Pause(
        place,
        task.scope.ns,
        task.step,
        node=task.name,
        task=task.id,
        index=task.index,
        state=task.input,
        values=engine.state.values,
        tasks=(task,),
        reads=task.reads,
    )


class Again(Exception):  # noqa: N818  a signal inside this module, not a failure
    """Run the body once more."""


class Stopped(Exception):  # noqa: N818  a signal inside this module
    """A person let a failure stand: no error handler takes over."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error
