"""Where a task would go with other writes: its routers asked again, without running the node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from stepgraph.approve.checks import UNTOLD, Routed
from stepgraph.core.combining import preview
from stepgraph.core.plan import Plan
from stepgraph.core.routing import checked, rerouted, router_view
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, Pause, Route, Writes


def routes_of(plan: Plan, pause: Pause, values: Mapping[str, Any], writes: Writes) -> Routed:
    """The routes that `writes` would lead to; none are told if a router is async or raises."""
    task: Task = pause.tasks[0]
    return _routes(plan, task, pause.routes, {**values, **preview(plan, values, writes)})


def step_routes_of(plan: Plan, pause: Pause, values: Mapping[str, Any], edits: Writes) -> Routed:
    """All routes of a superstep in which these values are edited."""
    edited = dict(edits)
    found: list[Route] = []
    for task in pause.tasks:
        routed = Routed(tuple(task.routes))
        if rerouted(task, edited):
            fresh = {**values, **preview(plan, values, task.writes), **edited}
            routed = _routes(plan, task, task.gotos, {key: each for key, each in fresh.items() if each is not MISSING})
        if routed.routes is None:
            return routed
        found.extend(routed.routes)
    return Routed(tuple(found))


def _routes(plan: Plan, task: Task, gotos: Sequence[Route], fresh: Mapping[str, Any]) -> Routed:
    node = task.node
    engine: Any = SimpleNamespace(plan=plan, fresh_state=lambda _: dict(fresh))
    found: list[Route] = [*gotos, *node.successors]
    for router in node.routers:
        if router.is_async:
            return UNTOLD
        extra = {} if router.inject is None else router.inject(task)
        try:
            found.extend(checked(task, router, router.choose(router_view(engine, task, router), **extra)))
        except Exception as error:  # noqa: BLE001  a router is the user's code and may raise anything
            return Routed(None, f"{router.name} raised {type(error).__name__}: {error}")
    return Routed(tuple(found))
