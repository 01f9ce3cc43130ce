"""Tasks that ran before a run was begun here: those of an earlier process, and of the run that it was forked from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepgraph.core.types import ROOT, START, TaskSnapshot
from stepgraph.debug.audit import audit
from stepgraph.debug.ledger import TaskRow
from stepgraph.debug.times import times_of, with_times

if TYPE_CHECKING:
    from stepgraph.debug.run import Run


def rows_of(run: Run) -> list[TaskRow]:
    """Every task of the run's way, oldest first. Of earlier processes only the outermost graph's tasks are told.

    When those ran, and what they read, is known where a debugger watched them.
    """
    own = run.ledger.rows()
    before: list[TaskRow] = []
    if run.parent is not None:
        origin, step = run.parent
        before = _until(rows_of(origin), step)
    if run.reopened:
        times = times_of(run)
        before += [with_times(row, times) for row in _stored(run, {row.id for row in own})]
        own = [with_times(row, times) for row in own]
    return [*before, *own]


def _until(rows: list[TaskRow], step: int) -> list[TaskRow]:
    """The tasks of the supersteps up to `step` of the outermost graph, and those inside them."""
    outer = {row.id: row for row in rows if not row.ns}
    kept = {task for task, row in outer.items() if row.step <= step}
    return [row for row in rows if (row.ns[0].partition(":")[2] if row.ns else row.id) in kept]


def _stored(run: Run, known: set[str]) -> list[TaskRow]:
    verbs: dict[str, list[str]] = {}
    for decided in audit(run):
        verbs.setdefault(decided["id"] or "", []).append(decided["verb"])
    found: list[TaskRow] = []
    for snapshot in run.graph.get_state_history(thread=run.thread):
        step = (snapshot.metadata or {})["step"] + 1
        counts: dict[str, int] = {}
        rows = []
        for task in snapshot.tasks:
            index = counts[task.name] = counts.get(task.name, -1) + 1
            if task.name != START and task.id not in known and (task.result is not None or task.error is not None):
                rows.append(_row(task, step, index, verbs.get(task.id, [])))
        found = [*rows, *found]
    return found


def _row(task: TaskSnapshot, step: int, index: int, decisions: list[str]) -> TaskRow:
    writes = task.result if isinstance(task.result, dict) else {ROOT: task.result}
    row = TaskRow(task.id, (), step, task.name, index, decisions=decisions, carried=True)
    row.untracked = "it ran in an earlier process"
    if task.result is None:
        row.status = "failed"
    else:
        row.status, row.writes = "done", tuple(writes.items())
    return row
