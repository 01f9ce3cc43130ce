"""A run at one of its supersteps: look at it, and branch off from it."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

from stepgraph.approve.edits import Ground, edit_state
from stepgraph.approve.jsonable import jsonable
from stepgraph.approve.judge import EditError
from stepgraph.core.changed import GRAPH
from stepgraph.core.checkpoint import Checkpoint, Stored, flush
from stepgraph.core.combining import combine
from stepgraph.core.plan import Plan
from stepgraph.core.recorded import records_of
from stepgraph.core.state import State
from stepgraph.core.task import Task
from stepgraph.core.types import START, Writes
from stepgraph.debug.carry import Carrier, engine_at
from stepgraph.debug.ledger import StepRow
from stepgraph.run.ids import RunIds

if TYPE_CHECKING:
    from stepgraph.debug.run import Run


class Moment:
    """A run after one superstep. Looking changes nothing."""

    def __init__(self, run: Run, row: StepRow, thread: str) -> None:
        self.run = run
        self.row = row
        self.thread = thread
        """Where the checkpoint lives: a fork's early steps are its parent's."""

    @property
    def step(self) -> int:
        return self.row.step

    @property
    def ns(self) -> tuple[str, ...]:
        return ()

    @property
    def checkpoint(self) -> str | None:
        return self.row.checkpoint

    @property
    def next(self) -> tuple[str, ...]:
        """The nodes that ran after it, or would."""
        return self.row.next

    @property
    def state(self) -> dict[str, Any]:
        """The whole state, the reader's own copy."""
        return whole_state(self.run.graph.plan, self._stored())

    def __repr__(self) -> str:
        return f"<{self.run.id} after step {self.step}: ran {', '.join(self.row.nodes) or 'input'}; next {self.next}>"

    def form(self) -> dict[str, Any]:
        """What a form for a fork needs: the schema of the state's keys and their values."""
        plan = self.run.graph.plan
        keys = [key for key in plan.state_keys if key != START]
        values = {key: jsonable(value) for key, value in self.state.items() if key in keys}
        return {"schema": self.run.session._judges.of(plan).schema(keys), "value": values}

    def fork(self, note: str | None = None, /, **updates: Any) -> Run:
        """A branch that goes on from here on a thread of its own, with changed keys; this run stays as it is.

        Updates are as in an edit between supersteps: through the reducers, or by an operation such as
        `messages={"$set": []}`. Without updates nothing of the next superstep runs again: what a stop fits is asked
        about anew, in subgraphs too, and the rest is taken over; only where a stop holds before a task (`before`,
        `plan`) does its body run once that is approved. Raises EditError if the state's types refuse an update.
        """
        return self._branch(note, updates, carried=not updates)

    def rerun(self, note: str | None = None) -> Run:
        """A branch from here on which all nodes run again."""
        return self._branch(note, {}, carried=False)

    def _branch(self, note: str | None, updates: dict[str, Any], *, carried: bool) -> Run:
        run, stored = self.run, self._stored()
        if hasattr(run.saver, "reader"):
            raise NotImplementedError(
                f"{run.id} keeps its thread in a checkpointer of LangGraph's, which has no branches on threads of "
                "their own. Fork in place with `graph.update_state(config, values)`, or compile the graph with a "
                'checkpointer of stepgraph.persist, e.g. "sqlite:///runs.db".'
            )
        writes = self._writes(stored, updates)
        made = run.session._branch(run, self.step, note)
        checkpoint = _root_of_fork(self, stored, writes, note)
        run.saver.save(made.thread, "", checkpoint)
        if carried:
            new = engine_at(made, stored, checkpoint.id)
            Carrier(run).carry(engine_at(run, stored), stored, new, checkpoint.id)
        for row in run.ledger.history():
            if row.step < self.step:
                made.ledger.restore(row)
        made.ledger.restore(
            StepRow(self.step, checkpoint.id, self.row.nodes, _following(stored), "fork", checkpoint.time)
        )
        flush(run.saver, made.thread)
        made.begin(None)
        run.session._tell("runs", made)
        return made

    def _writes(self, stored: Stored, updates: dict[str, Any]) -> Writes:
        if not updates:
            return ()
        plan = self.run.graph.plan
        edit = edit_state(Ground(plan, stored.values, self.run.session._judges.of(plan)), updates)
        if edit.problems:
            where = f"Fork of {self.run.id} at step {self.step}"
            raise EditError(where, edit.problems, "Nothing was forked: give a corrected value.")
        found: Writes = edit.value
        return found

    def _stored(self) -> Stored:
        stored: Stored | None = self.run.saver.load(self.thread, "", self.row.checkpoint)
        if stored is None:
            raise ValueError(
                f"Step {self.step} of {self.run.id} is no longer stored: thread {self.thread!r} was deleted meanwhile."
            )
        return stored


def whole_state(plan: Plan, stored: Stored) -> dict[str, Any]:
    """The state at a checkpoint; keys that nobody wrote yet have their reducer's first value."""
    return {key: value for key, value in {**plan.initial(), **stored.values}.items() if key not in (START, GRAPH)}


def moment_at(run: Run, step: int) -> Moment:
    """The moment after superstep `step`, negative ones counted from the last."""
    if not isinstance(step, int):
        raise TypeError(
            f"{run.id}.at({step!r}): a superstep's number is wanted, got {type(step).__name__}; -1 is the last."
        )
    rows = {row.step: row for row in run.ledger.history() if row.checkpoint is not None}
    known = sorted(rows)
    wanted = step if step >= 0 else (known[step] if -step <= len(known) else step)
    row = rows.get(wanted)
    if row is None:
        raise ValueError(
            f"{run.id} has no step {step}; it has {known[0]} to {known[-1]}." if known else f"{run.id} has no step yet."
        )
    return Moment(run, row, _home(run, wanted))


def _home(run: Run, step: int) -> str:
    """The thread in which a step's checkpoint is stored."""
    while run.parent is not None and step < run.parent[1]:
        run = run.parent[0]
    return run.thread


def _following(stored: Stored) -> tuple[str, ...]:
    return (*stored.control.next, *(node for node, _, _ in stored.control.sends))


def _root_of_fork(moment: Moment, stored: Stored, writes: Writes, note: str | None) -> Checkpoint:
    """The first checkpoint of the new thread: its state is the parent's plus what was changed."""
    plan = moment.run.graph.plan
    changes: dict[str, Any] = {}
    if writes:
        engine = engine_at(moment.run, stored)
        state = State.restored(plan, stored)
        task = Task(plan.nodes[START], engine.scope, state.step, -1, None)
        task.writes = writes
        values, groups = combine(plan, state.values, [task])
        changes = records_of(plan, state.values, values, groups)
    return Checkpoint(
        RunIds()(),
        stored.id,
        stored.step,
        "fork",
        time(),
        stored.version + 1,
        changes,
        stored.control,
        (),
        {**stored.metadata, "note": note} if note else dict(stored.metadata),
        parent_thread=moment.thread,
        parent_ns="",
    )
