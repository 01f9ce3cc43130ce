"""Where a task would go with other writes: its routers asked again, without running the node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from stepgraph.core.plan import Plan
from stepgraph.core.routing import checked, rerouted, router_view
from stepgraph.core.state import preview
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, Pause, Route, Writes


def routes_of(plan: Plan, pause: Pause, values: Mapping[str, Any], writes: Writes) -> Sequence[Route] | None:
    """The routes that `writes` would lead to; None if a router is async or raises, so that it can't be told."""
    task: Task = pause.tasks[0]
    return _routes(plan, task, pause.routes, {**values, **preview(plan, values, writes)})


def step_routes_of(plan: Plan, pause: Pause, values: Mapping[str, Any], edits: Writes) -> Sequence[Route] | None:
    """All routes of a superstep in which these values are edited; None if it can't be told."""
    edited = dict(edits)
    found: list[Route] = []
    for task in pause.tasks:
        routes: Sequence[Route] | None = task.routes
        if rerouted(task, edited):
            fresh = {**values, **preview(plan, values, task.writes), **edited}
            routes = _routes(plan, task, task.gotos, {key: each for key, each in fresh.items() if each is not MISSING})
        if routes is None:
            return None
        found.extend(routes)
    return found


def _routes(plan: Plan, task: Task, gotos: Sequence[Route], fresh: Mapping[str, Any]) -> Sequence[Route] | None:
    node = task.node
    engine: Any = SimpleNamespace(plan=plan, fresh_state=lambda _: dict(fresh))
    found: list[Route] = [*gotos, *node.successors]
    for router in node.routers:
        if router.is_async:
            return None
        extra = {} if router.inject is None else router.inject(task)
        try:
            found.extend(checked(task, router, router.choose(router_view(engine, task, router), **extra)))
        except Exception:  # noqa: BLE001  a router is the user's code; what it raises shows when it really runs
            return None
    return found
