"""Where a task goes next: static edges, commands and routers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stepgraph.core.asking import ask_edge
from stepgraph.core.body import goes_on
from stepgraph.core.effects import Call, Flow
from stepgraph.core.errors import InvalidUpdateError
from stepgraph.core.plan import Node, Router, targets_of
from stepgraph.core.task import Task
from stepgraph.core.types import END, START, Route, Send

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine


def route(engine: Engine, task: Task) -> Flow:
    """Static edges, commands and routers give the task's routes. Routers read the state with the task's own writes."""
    node = task.node
    if node.quick and not task.gotos:
        task.routes = node.successors
        return
    routes: list[Route] = [*task.gotos, *node.successors]
    if node.routers:
        reads: frozenset[str] | None = frozenset()
        for router in node.routers:
            chosen, read = yield from _choose(engine, task, router)
            reads = None if reads is None or read is None else reads | read
            routes.extend(chosen)
        task.reads = reads if task.scope.probe is not None else None
    task.routes, task.routed = tuple(routes), True


def _choose(engine: Engine, task: Task, router: Any) -> Flow:
    """One router's targets, and the keys that it read."""
    scope = task.scope
    scope.counts.routers += 1
    value: Any = router_view(engine, task, router)
    probe = scope.probe
    extra = None if router.inject is None else router.inject(task)
    read: frozenset[str] | None = None
    if probe is not None:
        value = probe.enter(task, router.name, value)
    try:
        chosen = yield Call(task, router.choose, value, router.is_async, extra, router.twin)
        while follows(chosen):
            node = goes_on(task.node, chosen)
            extra = None if node.inject is None else node.inject(task)
            chosen = yield Call(task, node.body, value, False, extra, node.twin)  # type: ignore[arg-type]  # has one
    finally:
        if probe is not None:
            read = probe.leave(task, router.name, value)
    return checked(task, router, chosen), read


def follows(chosen: Any) -> bool:
    """Whether a router's answer is a Runnable, which is asked in its place."""
    return hasattr(chosen.__class__, "ainvoke")


class Follows(Exception):  # noqa: N818  a signal of the short way, not a failure
    """A lean task's router has answered with a Runnable, which is asked in its place: no short way for that."""

    def __init__(self, router: Router, chosen: Any) -> None:
        super().__init__(router, chosen)
        self.router, self.chosen = router, chosen

    def node(self, node: Node) -> Node:
        """The node with a router that gives this answer at once."""
        known = replace(self.router, choose=lambda _: self.chosen, inject=None)
        return replace(node, routers=tuple(known if each is self.router else each for each in node.routers))


class Beside(Exception):  # noqa: N818  a signal of the short way, not a failure
    """A lean task's router can't be called on the event loop that runs: no short way for that."""


def router_view(engine: Engine, task: Task, router: Any) -> Any:
    """What a router gets: state keys with the task's own writes applied, and what else the node returned."""
    values: Any = engine.fresh_state(task)
    keys = router.reads if router.reads is not None else task.node.reads
    if task.name == START:
        keys = router.reads
    if keys is not None:
        values = {key: values[key] for key in keys if key in values}
    for key, compute in router.managed:
        values[key] = compute(task.step, task.scope.stop)
    if router.mapper is not None:
        values = router.mapper(values)
    if router.sees_more and task.returned and type(values) is dict:
        return {**task.returned, **values}
    return values


def checked(task: Task, router: Any, chosen: Any) -> list[Route]:
    """A router's answer as routes without END.

    Raises as LangGraph does for None, unmapped keys, Send to END.
    """
    try:
        targets = targets_of(router, chosen)
    except (KeyError, TypeError) as error:  # TypeError: it can't be a key
        error.add_note(
            f"Router {router.name!r} of node {task.name!r} returned {chosen!r}, which its path map "
            f"{sorted(map(repr, router.path_map or {}))} does not have."
        )
        raise
    routes: list[Route] = []
    for target in targets:
        if target == START or not isinstance(target, (str, Send)):
            raise ValueError(
                f"Branch did not return a valid destination: router {router.name!r} of node {task.name!r} "
                f"returned {chosen!r} in superstep {task.step}. Return a node's name, END, a Send, or a list of them."
            )
        if isinstance(target, Send):
            if target.node == END:
                raise InvalidUpdateError(
                    f"Cannot send a packet to the END node (router {router.name!r} of node {task.name!r})."
                )
            routes.append(target)
        elif target != END:
            routes.append(str.__str__(target))  # a member of an enum of names becomes the name
    return routes


def rerouted(task: Task, edited: Mapping[str, Any]) -> bool:
    """Whether an edit at [step] changes what the task's routers read: then they run again. A person's choice stays."""
    known = bool(task.node.routers) and not task.chosen and task.reads is not None
    return known and task.reads is not None and not task.reads.isdisjoint(edited)


def reroute(engine: Engine, task: Task, edited: Mapping[str, Any]) -> Flow:
    """The routers once more, on the state as edited; what they choose is asked about at [edge] like any choice."""
    gate = task.scope.gate
    engine.edited = edited
    try:
        yield from route(engine, task)
        if gate is not None and gate.wants("edge", task.name, task.scope.ns):
            yield from ask_edge(engine, task)
    except Exception as error:
        error.add_note(task.note())
        raise
    finally:
        engine.edited = {}
