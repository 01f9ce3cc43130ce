"""When tasks ran and what they read, kept with the thread so that another process can tell.

Nothing is kept while a run goes on: one record is written when it is held and one when it ends.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isnan, nan
from typing import TYPE_CHECKING, Any, NamedTuple

from stepgraph.core.checkpoint import Record
from stepgraph.debug.ledger import TaskRow
from stepgraph.debug.timeline import ancestors
from stepgraph.run.ids import RunIds

if TYPE_CHECKING:
    from stepgraph.debug.run import Run


class Ran(NamedTuple):
    """What is kept of a task. `seconds` leaves out the time in which people thought; None if it had not ended."""

    started: float
    seconds: float | None
    reads: tuple[str, ...] | None
    untracked: str | None


def keep_times(run: Run, held: str | None = None) -> None:
    """Record what the outermost graph's tasks did since the last time, and what the task `held` did until now."""
    if not run.durable:
        return  # no other process will ask
    told = [(row, row.ended) for row in run.ledger.untold() if row.started is not None]
    row = None if held is None else run.ledger.row(held)
    if row is not None and not row.ns and row.started is not None:
        told.append((row, run._engine_clock()))
    checkpoint = run.ledger.checkpoint(())
    if told and checkpoint is not None:
        run.saver.save_record(run.thread, "", checkpoint, Record(RunIds()(), "times", _packed(told), "", ()))


def times_of(run: Run) -> dict[str, Ran]:
    """By task id, of the run's thread and of those that it was forked from."""
    found: dict[str, Ran] = {}
    for thread in dict.fromkeys([run.thread, *(point.thread for point in ancestors(run.saver, run.thread))]):
        for point in reversed(list(run.saver.history(thread, "", values=False))):
            for record in point.records:
                if record.kind == "times":
                    found.update(_unpacked(record.payload))
    return found


def with_times(row: TaskRow, times: Mapping[str, Ran]) -> TaskRow:
    """The row with what an earlier process kept, where its own body did not run here."""
    ran = times.get(row.id)
    if ran is None or row.started is not None:
        return row
    ended = None if ran.seconds is None else ran.started + ran.seconds
    reads = None if ran.reads is None else frozenset(ran.reads)
    return replace(row, started=ran.started, ended=ended, held=0.0, reads=reads, untracked=ran.untracked)


def _packed(told: Sequence[tuple[TaskRow, float | None]]) -> dict[str, Any]:
    """Columns in few objects, which take a tenth of the time of a row each: a run may have thousands of tasks."""
    reads: dict[tuple[Any, Any], int] = {}
    return {
        "tasks": " ".join([row.id for row, _ in told]),
        "started": array("d", [row.started or 0.0 for row, _ in told]).tobytes(),
        "seconds": array("d", [_seconds(row, ended) for row, ended in told]).tobytes(),
        "read": array("i", [reads.setdefault((row.reads, row.untracked), len(reads)) for row, _ in told]).tobytes(),
        "reads": [[None if keys is None else sorted(keys), why] for keys, why in reads],
    }


def _seconds(row: TaskRow, ended: float | None) -> float:
    return nan if ended is None else max(0.0, ended - (row.started or 0.0) - row.held)


def _unpacked(kept: Mapping[str, Any]) -> Iterator[tuple[str, Ran]]:
    started, seconds, read = array("d", kept["started"]), array("d", kept["seconds"]), array("i", kept["read"])
    for task, begin, lasted, which in zip(kept["tasks"].split(), started, seconds, read, strict=True):
        keys, why = kept["reads"][which]
        yield task, Ran(begin, None if isnan(lasted) else lasted, None if keys is None else tuple(keys), why)
