"""One attempt at a task's body, or at the graph in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepgraph.core import events as ev
from stepgraph.core import registry
from stepgraph.core.child import without_ids
from stepgraph.core.effects import Flow, Within
from stepgraph.core.errors import ParentCommand
from stepgraph.core.keeping import started
from stepgraph.core.plan import Node
from stepgraph.core.task import Task
from stepgraph.core.types import Command, Namespace
from stepgraph.core.writes import collect

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine


def run_body(engine: Engine, task: Task) -> Flow:
    """One attempt: call the body, or run the child graph, and take its result apart."""
    node, scope = task.node, task.scope
    if scope.emit is not None:
        started(task)
    task.attempt += 1
    task.asked = task.calls = task.tasks_called = 0
    task.status = "running"
    if task.attempt > 1:
        task.writes = task.gotos = ()
    try:
        limits = task.timeout or node.timeout
        if limits is not None:
            result = yield Within(_attempt(engine, task), task, limits)
        elif node.passes:
            result = task.input
        elif node.child is None and scope.probe is None:
            result = yield task
            if continues(node, result):
                result = yield from _continued(task, result)
        else:
            result = yield from _attempt(engine, task)
    except ParentCommand as up:
        result = arrived(task, up)
        if result is None:
            raise
    else:
        if scope.emit is not None and ev.TaskReturned not in scope.unheard:
            now = scope.clock()
            scope.emit(ev.TaskReturned(scope.ns, task.step, now, task.id, task.name, task.index, result))
    writes, gotos = collect(node, result)
    task.gotos += gotos
    if node.stamp is not None:
        writes = node.stamp(writes)
    task.writes += writes  # after what the body wrote before it returned
    if node.routers:
        task.returns(result)
    task.collected = True


def _attempt(engine: Engine, task: Task) -> Flow:
    if task.node.child is not None:
        return (yield from engine.run_child(task))
    result = (yield task) if task.scope.probe is None else (yield from _probed(task))
    return (yield from _continued(task, result)) if continues(task.node, result) else result


def continues(node: Node, result: Any) -> bool:
    """Whether a body returned a Runnable (or graph), which runs on the same input and gives the update."""
    if type(result) is dict or node.writer is not None or node.child is not None:
        return False
    return hasattr(result.__class__, "ainvoke")


class Continues(Exception):  # noqa: N818  a signal of the short way, not a failure
    """A lean task's body has returned what runs on the same input in its place: no short way for that."""

    def __init__(self, result: Any) -> None:
        super().__init__(result)
        self.result = result


def _continued(task: Task, result: Any) -> Flow:
    """Run what the body returned, and what that returns in turn."""
    node = task.node
    try:
        while continues(node, result):
            task.node = goes_on(node, result)
            result = yield task
    finally:
        task.node = node
    return result


def goes_on(node: Node, result: Any) -> Node:
    """The node with what it returned as its body."""
    found: Node = registry.adapters.load("returned")(node, result)
    return found


def _probed(task: Task) -> Flow:
    """The body with a debugger looking on."""
    probe = task.scope.probe
    assert probe is not None
    given = task.input
    task.input = probe.enter(task, None, given)
    try:
        return (yield task)
    finally:
        task.reads = probe.leave(task, None, task.input)
        task.input = given


def arrived(task: Task, up: ParentCommand) -> Command[Any] | None:
    """A Command that a graph inside the task's body sent up is the task's own result, if it is for this graph.

    It names the graph by namespace, with task ids or without, or by the node's name.
    """
    command: Command[Any] = up.args[0]
    own = graph_address(task.ns)
    if command.graph in (own, without_ids(own), task.name):
        scope = task.scope
        if scope.emit is not None and _is_overheard(task):
            said = (scope.ns, task.step, scope.clock(), task.id, task.name, "arrived", "a Command from a graph inside")
            scope.emit(ev.TaskEmitted(*said))  # streams of messages do not show what it brings
        return Command(update=command.update, goto=command.goto, resume=command.resume)
    return None


def _is_overheard(task: Task) -> bool:
    """Whether somebody listens to messages, of this graph or of one around it."""
    around: Task | None = task
    while around is not None:
        request = around.scope.request
        if "messages" in request.overheard:
            return True
        around = request.parent
    return False


def graph_address(ns: Namespace) -> str:
    """A namespace as text, without the numbers that tell several calls by one body apart."""
    return "|".join(part for part in ns if not part.isdigit())
