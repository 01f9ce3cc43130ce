"""The life of one task inside a superstep: from its input to an outcome that is decided, routed and saved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stepgraph.core import events as ev
from stepgraph.core.asking import Again, Stopped, ask_after, ask_before, ask_edge, ask_error
from stepgraph.core.body import Continues, arrived, goes_on, graph_address, run_body
from stepgraph.core.caching import recall, remember
from stepgraph.core.decisions import verdict_of
from stepgraph.core.effects import Flow, Sleep
from stepgraph.core.errors import (
    Cancelled,
    GraphBubbleUp,
    GraphInterrupt,
    ParentCommand,
    Rejected,
    StreamClosed,
    Suspended,
)
from stepgraph.core.keeping import (
    decided,
    failed,
    failure,
    finished,
    interrupted,
    keep_outcome,
    keep_proposal,
    proposed,
    record,
    take_up,
)
from stepgraph.core.recovery import handler_of, kept, wait_before_retry
from stepgraph.core.routing import Beside, Follows, route
from stepgraph.core.task import Task
from stepgraph.core.types import PARENT, RETURN, START
from stepgraph.core.writes import collect

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine


def flow_of(engine: Engine, task: Task) -> Flow:
    """Run the task: [before] > body > [after] > routers > [edge] > outcome.

    Ends with `task.status` finished, interrupted or suspended; raises the body's or a router's error.
    """
    scope = task.scope
    if task.records is not None and take_up(task):
        return
    if task.handler is not None:  # it took over in an earlier process
        yield from _handled(engine, task)
        return
    try:
        yield from _decided_flow(engine, task)
    except Stopped as stop:
        trouble: BaseException | None = stop.error
    except Exception as error:
        trouble = error
        if task.node.handler is not None and _goes_to_handler(error):
            yield from _hand_over(engine, task, error)
            return
    except BaseException as error:
        trouble = error
    else:
        trouble = None
    if trouble is not None:
        yield from troubled(engine, task, trouble)
        return
    task.status = "finished"
    # A lone task's outcome is in the checkpoint that follows at once, from whose changes a snapshot of the step
    # before derives its result: a record of its own would double the bytes of every step.
    gate = None if task.name == START else scope.gate
    asked = gate is not None and engine.saving and gate.wants("step", None, scope.ns)
    if gate is not None and asked and _may_be_rerouted(task, gate):
        yield from keep_proposal(engine, task)
    if asked or (engine.saving and (len(engine.tasks) > 1 or task.caller is not None or engine.keeper is not None)):
        yield from keep_outcome(engine, task)
    if scope.emit is not None:
        finished(task)


def _may_be_rerouted(task: Task, gate: Any) -> bool:
    """Whether an edit at [step] may let its routers run again, in any process, and what they need is not kept yet."""
    if not task.node.routers or task.chosen or proposed(task):
        return False
    return not any(gate.wants(place, task.name, task.scope.ns) for place in ("after", "edge"))


def _decided_flow(engine: Engine, task: Task) -> Flow:
    """From [before] to [edge], with another attempt where a policy or a person wants one."""
    scope = task.scope
    gate = None if task.name == START else scope.gate
    ends = None if task.caller is not None else gate  # a called function has a result, and neither update nor edges
    body, routers_alone = True, False
    left = failure(task) if gate is not None and gate.wants("error", task.name, scope.ns) else None
    if left is None and (decided(task, "before") or (gate is not None and gate.wants("before", task.name, scope.ns))):
        body = yield from ask_before(engine, task)
    while True:
        try:
            if left is not None:
                raise left
            if body and not task.collected:
                if task.node.cache is not None and engine.request.cache is not None:
                    yield from recall(engine, task)
                if not task.collected:
                    yield from run_body(engine, task)
            body = True
            if not routers_alone and (
                decided(task, "after")
                or (ends is not None and not task.routed and ends.wants("after", task.name, scope.ns))
            ):
                yield from ask_after(engine, task)
            routers_alone = False
            if not task.routed:
                yield from route(engine, task)
            if ends is not None and ends.wants("edge", task.name, scope.ns):
                yield from ask_edge(engine, task)
            if task.cache_key is not None:
                yield from remember(engine, task)
            return
        except Again:
            body = True
        except (GraphBubbleUp, Cancelled):
            raise
        except Exception as error:
            delay = None if error is left else wait_before_retry(task, error)
            if delay is not None:
                yield from _wait(task, error, delay)
                routers_alone = task.collected
                continue
            if gate is None or not gate.wants("error", task.name, scope.ns) or verdict_of(error) is not None:
                raise
            body = yield from ask_error(engine, task, error, again=error is left)
            left = None


def _wait(task: Task, error: Exception, delay: float) -> Flow:
    """Between two attempts. Where a router failed, the body is over and the routers alone are tried again."""
    scope = task.scope
    scope.counts.retries += 1
    if scope.emit is not None:
        scope.emit(ev.TaskRetried(scope.ns, task.step, scope.clock(), task.id, task.name, task.attempt, error, delay))
    yield Sleep(delay)


def _goes_to_handler(error: Exception) -> bool:
    return not isinstance(error, (GraphBubbleUp, Cancelled)) and verdict_of(error) != "stop"


def _hand_over(engine: Engine, task: Task, error: Exception) -> Flow:
    """The task has failed for good, and its error handler takes over. That is recorded before the handler starts."""
    assert task.node.handler is not None
    if isinstance(error, Rejected):
        error, task.writes = Rejected(*error.args), ()
    task.handler = handler_of(task, error)
    yield from failed(engine, task, error)
    yield from record(engine, task, "handler", kept(task.node.handler, error))
    yield from _handled(engine, task)


def _handled(engine: Engine, task: Task) -> Flow:
    """Let the error handler finish the task in its place: its writes come after what the body had returned."""
    handler = task.handler
    assert handler is not None
    yield from flow_of(engine, handler)
    task.status, task.interrupts = handler.status, handler.interrupts
    task.kept = True
    if handler.status == "finished":
        task.writes = (*task.writes, *handler.writes)
        task.routes, task.routed, task.joined = handler.routes, True, handler.joins


def call_flow(engine: Engine, task: Task) -> Flow:
    """The life of a called function of the functional API; its result. A question that it asks is its caller's too."""
    yield from flow_of(engine, task)
    if task.status != "finished":
        if task.interrupts:
            raise GraphInterrupt(tuple(task.interrupts))
        raise Suspended(task.address)
    return dict(task.writes).get(RETURN)


def troubled(engine: Engine, task: Task, error: BaseException) -> Flow:
    """What an exception means for its task: a pause is recorded and swallowed, everything else is raised again.

    A Command for this graph, which one that a lean body called has sent up, finishes the task.
    """
    scope = task.scope
    match error:
        case GraphInterrupt():
            yield from interrupted(engine, task, error.args[0] if error.args else ())
        case Suspended():
            task.status = "suspended"
            if scope.emit is not None and scope.gate is None:
                scope.emit(ev.TaskInterrupted(scope.ns, task.step, scope.clock(), task.id, task.name, task.index, ()))
        case ParentCommand():
            yield from _climbing(engine, task, error)
        case GraphBubbleUp() | GeneratorExit() | StreamClosed():  # on its way to the caller: nothing has failed
            raise error
        case Continues(result=result):
            task.node, task.lean, task.alone = goes_on(task.node, result), False, False
            yield from flow_of(engine, task)
        case Follows() | Beside():
            if isinstance(error, Follows):
                task.node = error.node(task.node)
            task.lean = task.alone = False
            task.changes, task.groups, task.routed = None, None, False
            yield from flow_of(engine, task)
        case _:
            yield from failed(engine, task, error)
            raise error


def _climbing(engine: Engine, task: Task, up: ParentCommand) -> Flow:
    """A Command on its way up is addressed, once: "the parent" means another graph at each level."""
    result = arrived(task, up) if task.lean else None  # of others the body's end has asked already
    if result is None:
        if up.args[0].graph == PARENT:
            up.args = (replace(up.args[0], graph=graph_address(task.scope.ns)),)
        raise up
    try:
        writes, gotos = collect(task.node, result)
        task.writes, task.gotos, task.collected = (*task.writes, *writes), (*task.gotos, *gotos), True
        yield from route(engine, task)
    except Exception as error:
        yield from failed(engine, task, error)
        raise
    task.status = "finished"
