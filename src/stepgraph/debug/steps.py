"""Steps as data: the current superstep with its matrix of writes, and every task of a run as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepgraph.debug.ledger import Ledger, TaskRow
from stepgraph.debug.tables import pandas_for

if TYPE_CHECKING:
    import pandas

COLUMNS = ("step", "node", "path", "status", "started", "seconds", "reads", "writes", "decision")


@dataclass(frozen=True, slots=True)
class Step:
    """One superstep of the outermost graph with its tasks; those of subgraphs are in `inner`."""

    number: int
    tasks: tuple[TaskRow, ...]
    inner: tuple[TaskRow, ...]
    next: tuple[str, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(row.node for row in self.tasks)

    @property
    def writes(self) -> dict[str, dict[str, Any]]:
        """The matrix: key -> {task address: what it wants to write}. Two entries under a plain key are a conflict."""
        found: dict[str, dict[str, Any]] = {}
        for row in self.tasks:
            for key, value in row.writes:
                found.setdefault(key, {})[row.address] = value
        return found

    def __repr__(self) -> str:
        shown = ", ".join(f"{row.node} ({row.status})" for row in self.tasks)
        return f"<Step {self.number}: {shown or 'nothing runs'}>"


def current(ledger: Ledger) -> Step:
    """The superstep that runs, is held, or was the last."""
    number, infos = ledger.planned()
    ids = {info.id for info in infos}
    rows = ledger.rows()
    committed = {row.step: row for row in ledger.history()}
    following = committed[number].next if number in committed else ()
    inner = tuple(row for row in rows if row.ns and row.ns[0].partition(":")[2] in ids)
    return Step(number, tuple(row for row in rows if row.id in ids), inner, following)


def frame(rows: Sequence[TaskRow]) -> pandas.DataFrame:
    """One row a task. `started` is UTC; `seconds` leaves out the time in which people thought.

    Of several tasks of one node in a superstep, `path` tells which: `w`, `w#1`, `w#2`, as addresses do.
    """
    pd = pandas_for("run.steps()")
    indexes = {row.id: row.index for row in rows}
    data = {
        "step": [row.step for row in rows],
        "node": [row.node for row in rows],
        "path": [_path(row, indexes) for row in rows],
        "status": [row.status for row in rows],
        "started": pd.to_datetime(pd.Series([row.started for row in rows], dtype="float64"), unit="s", utc=True),
        "seconds": pd.array([row.seconds for row in rows], dtype="Float64"),
        "reads": [None if row.reads is None else sorted(row.reads) for row in rows],
        "writes": [_by_key(row) for row in rows],
        "decision": pd.Series([", ".join(row.decisions) or None for row in rows], dtype=object),
    }
    table: pandas.DataFrame = pd.DataFrame(data, columns=list(COLUMNS))
    return table


def _path(row: TaskRow, indexes: Mapping[str, int]) -> str:
    parts = [(name, indexes.get(task, 0)) for name, _, task in (part.partition(":") for part in row.ns)]
    return "/".join(f"{name}#{index}" if index else name for name, index in [*parts, (row.node, row.index)])


def _by_key(row: TaskRow) -> dict[str, Any]:
    """A task's writes; of a key written several times, a list of them."""
    found: dict[str, Any] = {}
    several: set[str] = set()
    for key, value in row.writes:
        if key in several:
            found[key].append(value)
        elif key in found:
            several.add(key)
            found[key] = [found[key], value]
        else:
            found[key] = value
    return found
