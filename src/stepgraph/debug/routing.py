"""Where a task would go with other writes: its routers asked again, without running the node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from stepgraph.core.flow import checked, router_view
from stepgraph.core.plan import Plan
from stepgraph.core.state import preview
from stepgraph.core.task import Task
from stepgraph.core.types import Pause, Route, Writes


def routes_of(plan: Plan, pause: Pause, values: Mapping[str, Any], writes: Writes) -> Sequence[Route] | None:
    """The routes that `writes` would lead to; None if a router is async or raises, so that it can't be told."""
    task: Task = pause.tasks[0]
    node = task.node
    engine: Any = SimpleNamespace(plan=plan, fresh_state=lambda _: {**values, **preview(plan, values, writes)})
    found: list[Route] = [*pause.routes, *node.successors]
    for router in node.routers:
        if router.is_async:
            return None
        extra = {} if router.inject is None else router.inject(task)
        try:
            found.extend(checked(task, router, router.choose(router_view(engine, task, router), **extra)))
        except Exception:  # noqa: BLE001  a router is the user's code; what it raises shows when it really runs
            return None
    return found
