"""The short way of a task that nobody looks at: no listener, no gate, no record, a sync or no router.

It gives the same writes and routes as `flow_of`; a test runs random graphs both ways. The driver calls `conclude`
right after the body, in the task's own context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core.body import Continues, continues
from stepgraph.core.combining import combine
from stepgraph.core.effects import Bodies, Flow, Together
from stepgraph.core.errors import Cancelled
from stepgraph.core.flow import troubled
from stepgraph.core.plan import Plan, Router
from stepgraph.core.routing import Follows, checked, follows
from stepgraph.core.shelf import TaskShelf
from stepgraph.core.state import settle
from stepgraph.core.task import Task
from stepgraph.core.types import END, START, Route
from stepgraph.core.writes import collect

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine


def short_way(tasks: Sequence[Task]) -> Callable[[Engine, Sequence[Task]], Flow] | None:
    """The short way that all of these parallel tasks can take, if there is one."""
    lean = nests = True
    for task in tasks:
        node = task.node
        lean, nests = lean and node.lean, nests and node.nests
        if not (lean or nests) or task.records is not None or task.timeout is not None:
            return None
    return lean_flows if lean else nested_flows


def lean_flows(engine: Engine, tasks: Sequence[Task]) -> Flow:
    """The whole life of parallel ones."""
    for task in tasks:
        task.lean = True
    shelf = _shelf(engine)
    first: BaseException | None = None
    try:
        yield Bodies(tasks, shelf)
    except Cancelled as stopped:
        first = stopped
    finally:
        if shelf is not None:
            shelf.close()
    troubles = [(task, task.error) for task in tasks if task.error is not None]
    # A failure comes before the siblings that were cancelled because of it.
    for task, error in sorted(troubles, key=lambda each: isinstance(each[1], Cancelled)):
        task.error = None
        try:
            yield from troubled(engine, task, error)
        except GeneratorExit:
            raise
        except BaseException as raised:  # what the others leave is recorded first
            first = first or raised
        else:
            if task.status == "finished" and shelf is not None and not task.kept:
                shelf.keep(task)
    if first is not None:
        raise first


def nested_flows(engine: Engine, tasks: Sequence[Task]) -> Flow:
    """The same for parallel tasks that are graphs."""
    shelf = _shelf(engine)
    try:
        yield Together(tasks, [_nested(engine, task, shelf) for task in tasks], False)
    finally:
        if shelf is not None:
            shelf.close()
    for task in tasks:
        if task.error is not None and task.status == "finished":  # its outcome can't be stored
            yield from troubled(engine, task, task.error)


def _nested(engine: Engine, task: Task, shelf: TaskShelf | None) -> Flow:
    task.lean, task.attempt = True, 1
    try:
        conclude(task, (yield from engine.run_child(task)))
    except BaseException as error:
        yield from troubled(engine, task, error)
    if shelf is not None and task.status == "finished":
        shelf.keep(task)


def _shelf(engine: Engine) -> TaskShelf | None:
    if not engine.saving or engine.checkpoint is None:
        return None
    request, scope = engine.request, engine.scope
    return TaskShelf(request.checkpointer, request.thread or "", scope.ns_text, engine.checkpoint, engine.state.step)


def conclude(task: Task, result: Any) -> None:
    """Take a body's result apart, work out what it makes of the state, and route. Raises as `flow_of` does."""
    node = task.node
    if type(result) is dict and node.writes.issuperset(result):
        if task.alone:
            # Each update is its value: what the task makes of the state is what it returned.
            task.changes = result.copy()
        else:
            task.writes += tuple(result.items())  # after what the body wrote before it returned
    else:
        if result is not None and continues(node, result):
            raise Continues(result)
        writes, gotos = collect(node, result)
        task.writes += writes
        task.gotos += gotos
        if node.routers:
            task.returns(result)
    task.collected = True
    if node.routers:
        _take_routes(task)
    elif task.gotos:
        task.routes, task.routed = (*task.gotos, *node.successors), True
    else:
        task.routes = node.successors
    task.status = "finished"


def _take_routes(task: Task) -> None:
    """Commands, static edges, and what the routers choose on the state with this task's own writes."""
    node, scope = task.node, task.scope
    plan: Plan = scope.plan
    if task.changes is None:
        task.changes, task.groups = combine(plan, scope.values, (task,))
    view = scope.values | task.changes
    if plan.settling:
        settle(plan, view, task.changes.copy())
    task.routed = True
    if len(node.routers) == 1 and not (task.gotos or node.successors):
        task.routes = tuple(_choice(task, node.routers[0], view))
        return
    routes: list[Route] = [*task.gotos, *node.successors]
    for router in node.routers:
        routes.extend(_choice(task, router, view))
    task.routes = tuple(routes)


def _choice(task: Task, router: Router, view: dict[str, Any]) -> Sequence[Route]:
    """What one router chooses, without END."""
    value: Any = view
    if not router.all_keys:
        value = {key: view[key] for key in router.reads or () if key in view}
        for key, compute in router.managed:
            value[key] = compute(task.step, task.scope.stop)
    if router.mapper is not None:
        value = router.mapper(value)
    if router.sees_more and task.returned and type(value) is dict:
        value = {**task.returned, **value}
    chosen = router.choose(value) if router.inject is None else router.choose(value, **router.inject(task))
    if type(chosen) is str:
        target = chosen if router.path_map is None else router.path_map.get(chosen)
        if target == END:
            return ()
        node = task.scope.plan.nodes.get(target)  # type: ignore[arg-type]  # None is none of them
        if node is not None and target != START:
            return node.alone  # the shared tuple: nothing new to make or to keep
    if follows(chosen):
        raise Follows(router, chosen)
    return checked(task, router, chosen)
