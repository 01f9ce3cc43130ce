"""Who decided what: the decisions on a run, from its checkpointer and from what this process has seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from stepgraph.approve.changes import path_of
from stepgraph.core.checkpoint import Record, Stored, records_by_task
from stepgraph.core.types import Writes
from stepgraph.debug.timeline import ancestors

if TYPE_CHECKING:
    import pandas

    from stepgraph.approve.requests import Request
    from stepgraph.debug.run import Run

COLUMNS = ("step", "place", "path", "verb", "by", "reason", "proposed", "decided")
Row = dict[str, Any]


def audit(run: Run) -> list[Row]:
    """One row a decision, by superstep and path: what was proposed, what it became, who decided and why.

    Decisions at `after` are stored with the thread, and so survive the process, also those made before a fork. Those
    at other places, and rejections, are known to the process in which they were made.
    """
    rows = dict(_stored(run))
    for request in run.inbox.all():
        key = (request.task, request.place, request.id)
        if request.decided is not None and (request.task, "after") not in rows:
            rows[key] = _seen(request)
    return sorted(rows.values(), key=lambda row: (row["step"], row["path"]))


def frame(rows: Iterable[Row]) -> pandas.DataFrame:
    """The rows as a table."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "run.audit() makes a pandas DataFrame: pip install 'stepgraph[lab]', or pandas alone."
        ) from error
    return pandas.DataFrame([[row[name] for name in COLUMNS] for row in rows], columns=list(COLUMNS), dtype=object)


def _stored(run: Run) -> Iterator[tuple[tuple[Any, ...], Row]]:
    points = _line(run)
    for ns in filter(None, run.saver.namespaces(run.thread)):
        points += [*run.saver.history(run.thread, ns, values=False)][::-1]
    for point in points:
        for task, records in records_by_task(point).items():
            if "decision" in records:
                yield (task, records["decision"].payload["place"]), _recorded(point, records)


def _line(run: Run) -> list[Stored]:
    """The checkpoints on the way here, oldest first, but not those forked from: what followed on them is not ours."""
    found: list[Stored] = []
    home = run.thread
    for point in ancestors(run.saver, run.thread):
        if point.thread == home:
            found.append(point)
        home = point.thread
    return found[::-1]


def _recorded(point: Stored, records: Mapping[str, Record]) -> Row:
    record = records["decision"]
    ns = tuple(part for part in point.ns.split("|") if part)
    proposed = records["proposal"].payload[0] if "proposal" in records else ()
    decided = records["outcome"].payload[0] if "outcome" in records else _effect(record.payload, proposed)
    return {
        "step": point.step + 1,
        "place": record.payload["place"],
        "path": path_of(ns, record.node),
        "verb": record.payload["verb"],
        "by": record.payload["by"],
        "reason": record.payload["reason"],
        "proposed": _by_key(proposed),
        "decided": _by_key(decided),
    }


def _effect(decision: Mapping[str, Any], proposed: Writes) -> Writes:
    """What a decision made of a proposal, for a task that has not ended yet."""
    match decision["verb"]:
        case "edit":
            found: Writes = decision["value"]
            return found
        case "skip" | "reject":
            return ()
    return proposed


def _seen(request: Request) -> Row:
    decision = request.decided
    assert decision is not None
    return {
        "step": request.step,
        "place": request.place,
        "path": request.path,
        "verb": decision.verb,
        "by": decision.by,
        "reason": decision.reason,
        "proposed": request.update,
        "decided": {} if decision.verb in ("skip", "reject") else decision.value or request.update,
    }


def _by_key(writes: Writes) -> dict[str, Any]:
    """Writes by key; several to one key as a list of them."""
    counts = [key for key, _ in writes]
    found: dict[str, Any] = {}
    for key, value in writes:
        if counts.count(key) > 1:
            found.setdefault(key, []).append(value)
        else:
            found[key] = value
    return found
