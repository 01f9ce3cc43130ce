"""Which stops ask about a task again, when the superstep it is of is repeated on a branch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.approve.changes import path_of
from stepgraph.approve.requests import Cause, Request
from stepgraph.core.plan import Plan
from stepgraph.core.task import Task
from stepgraph.core.types import START, Namespace, Pause, Place
from stepgraph.debug.ledger import TaskRow
from stepgraph.debug.retro import judged
from stepgraph.debug.stops import Stop

if TYPE_CHECKING:
    from stepgraph.debug.run import Run

ANSWERED: tuple[Place, ...] = ("after", "edge")
TASK: tuple[Place, ...] = ("before", *ANSWERED)
WHOLE: tuple[Place, ...] = ("plan", "step", "committed")


def asks_later(run: Run, task: Task) -> bool:
    """Whether a stop fits what the task has answered, so that it is proposed and not taken over.

    Conditions are left to the moment when it is asked.
    """
    ns = task.scope.ns
    return bool(_holding(run, ANSWERED, path_of(ns, task.name)) or _holding(run, ("step",), path_of(ns)))


def asks_first(run: Run, task: Task, values: Mapping[str, Any], planned: Sequence[Task]) -> bool:
    """Whether a stop holds the branch before the task, so that approving it there lets its body run.

    A stop's condition is asked now; one that holds from the nth time on has to have as many tasks to count.
    """
    ns, step = task.scope.ns, task.step
    before = Pause(
        "before", ns, step, node=task.name, task=task.id, index=task.index, state=task.input, values=values,
        tasks=(task,),
    )  # fmt: skip
    whole = Pause("plan", ns, step, state=dict(values), tasks=tuple(each.info() for each in planned))
    return _holds(run, before, path_of(ns, task.name), task, len(planned)) or _holds(run, whole, path_of(ns), task, 1)


def asks_inside(run: Run, ns: Namespace, plan: Plan, nodes: Iterable[str], rows: Iterable[TaskRow]) -> bool:
    """Whether a stop would hold a superstep of these nodes in a finished subgraph; `rows` are the tasks it had.

    One that holds from the nth time on counts anew on a branch, so it is no reason to do things again.
    """
    nodes = [node for node in nodes if node != START]
    if not nodes:
        return False
    if any(stop.when is None and stop.first == 1 for stop in _holding(run, WHOLE, path_of(ns))):
        return True
    known: dict[str, list[TaskRow]] = {}
    for row in rows:
        known.setdefault(row.node, []).append(row)
    return any(
        stop.first == 1
        and (stop.when is None or node not in known or any(judged(run, stop, row, plan).holds for row in known[node]))
        for node in nodes
        for stop in _holding(run, TASK, path_of(ns, node))
    )


def _holding(run: Run, places: Iterable[Place], path: str) -> list[Stop]:
    stops = run.session._stops
    return [stop for place in places for stop in stops.at(place, path) if stop.log is None]


def _holds(run: Run, pause: Pause, path: str, task: Task, arrivals: int) -> bool:
    stops = [stop for stop in _holding(run, (pause.place,), path) if stop.first <= arrivals]
    if not stops:
        return False
    plan = task.scope.plan
    request = Request("", pause, Cause("forked"), plan, run.session._judges.of(plan), run=run)
    return any(stop.when is None or stop.when.judge(request).holds for stop in stops)
