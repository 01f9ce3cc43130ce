"""Stops looked at backwards: where in the recorded history each would have held the run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stepgraph.approve.requests import Cause, Request
from stepgraph.core.combining import preview
from stepgraph.core.plan import Plan
from stepgraph.core.types import Pause
from stepgraph.debug.conditions import Verdict
from stepgraph.debug.ledger import StepRow, TaskRow
from stepgraph.debug.places import matches
from stepgraph.debug.stops import Stop, Stops

if TYPE_CHECKING:
    from stepgraph.debug.run import Run


class Marks:
    """Remembers what it found out, per run and superstep, until stops are added or removed."""

    def __init__(self, stops: Stops) -> None:
        self._stops = stops
        self._known: dict[tuple[str, str, int], bool] = {}

    def of(self, run: Run) -> tuple[StepRow, ...]:
        """The run's history with `hits` filled in. Stops that hold at `error` and `interrupt` leave no marks."""
        history = run.ledger.history()
        stops = [stop for stop in self._stops if stop.place not in ("error", "interrupt")]
        if not stops:
            return history
        rows: dict[int, list[TaskRow]] = {}
        for task in run.ledger.rows():
            if not task.ns and task.status in ("done", "carried", "held"):
                rows.setdefault(task.step, []).append(task)
        return tuple(
            replace(row, hits=tuple(stop.id for stop in stops if self._hit(run, stop, row, rows.get(row.step, []))))
            for row in history
        )

    def _hit(self, run: Run, stop: Stop, row: StepRow, tasks: list[TaskRow]) -> bool:
        key = (run.id, stop.id, row.step)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = row.step > 0 and _would_hold(run, stop, tasks)
        return found


def _would_hold(run: Run, stop: Stop, tasks: list[TaskRow]) -> bool:
    if stop.place in ("plan", "step", "committed"):
        return stop.pattern in ("", "**") and stop.when is None
    fitting = (task for task in tasks if matches(stop.pattern, task.path))
    return any(judged(run, stop, task, run.graph.plan).holds for task in fitting)


def judged(run: Run, stop: Stop, task: TaskRow, plan: Plan) -> Verdict:
    """Whether the stop's condition holds for what the task had read and answered."""
    return Verdict(True) if stop.when is None else stop.when.judge(_request(run, stop, task, plan))


def _request(run: Run, stop: Stop, task: TaskRow, plan: Plan) -> Request:
    """The question that would have been asked; nothing is decided by it. `plan` is that of the task's graph."""
    values = task.input if isinstance(task.input, dict) else {}
    pause = Pause(
        stop.place, task.ns, task.step, node=task.node, task=task.id, index=task.index, state=task.input, values=values,
        routes=task.routes,
    )  # fmt: skip
    if stop.place in ("after", "edge"):
        pause.writes = task.writes
        pause.result = _result(plan, values, task)
    return Request("", pause, Cause("looking back"), plan, run.session._judges.of(plan), run=run)


def _result(plan: Any, values: Any, task: TaskRow) -> dict[str, Any]:
    try:
        return preview(plan, values, task.writes)
    except Exception:  # noqa: BLE001  a reducer that raises now raised then too, and was told
        return {}
