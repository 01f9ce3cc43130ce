"""Who decided what: every decision on a thread, from whichever process, as its records tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from stepgraph.core.checkpoint import Stored
from stepgraph.debug.places import WHOLE
from stepgraph.debug.tables import pandas_for
from stepgraph.debug.timeline import ancestors

if TYPE_CHECKING:
    import pandas

    from stepgraph.debug.run import Run

COLUMNS = ("step", "place", "path", "verb", "by", "reason", "then", "time", "proposed", "decided")
Row = dict[str, Any]
_PHASES = {"plan": 0, "step": 2, "committed": 3}


def audit(run: Run) -> list[Row]:
    """One row a decision: what was proposed, what it became, who decided, why and when, and what followed.

    In the order of the supersteps and, in one of them, of the tasks; those of a task, and of the subgraph that it runs,
    as they were decided. A fork has the decisions made before it too.
    """
    rows = [record.payload for point in _line(run) for record in point.records if record.kind == "audit"]
    return sorted(rows, key=_order)


def frame(rows: Iterable[Row]) -> pandas.DataFrame:
    """The rows as a table."""
    pd = pandas_for("run.audit()")
    cells = [[_path(row) if name == "path" else row[name] for name in COLUMNS] for row in rows]
    table: pandas.DataFrame = pd.DataFrame(cells, columns=list(COLUMNS), dtype=object)
    table["time"] = pd.to_datetime(table["time"].astype("float64"), unit="s", utc=True)
    return table


def _path(row: Row) -> str:
    """`w#1` for the second of a node's tasks in its superstep; of the subgraphs around, the outermost is told apart."""
    path: str = row["path"] if row["place"] in WHOLE else row["address"].rpartition("@")[0]
    outermost, slash, inner = path.partition("/")
    inside = slash or row["place"] in WHOLE
    index = int(row["task"].rpartition("#")[2] or 0) if path and inside else 0
    return f"{outermost}#{index}{slash}{inner}" if index else path


def _line(run: Run) -> list[Stored]:
    """The checkpoints on the way here, oldest first, but not those forked from: what followed on them is not ours."""
    found: list[Stored] = []
    home = run.thread
    for point in ancestors(run.saver, run.thread):
        if point.thread == home:
            found.append(point)
        home = point.thread
    return found[::-1]


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """A whole step's questions before and after those of its tasks; a subgraph's among those of the task it is."""
    outermost = row["place"] in WHOLE and not row["path"]
    phase = _PHASES[row["place"]] if outermost else 1
    return (row["superstep"], phase, row["task"], row["time"])
