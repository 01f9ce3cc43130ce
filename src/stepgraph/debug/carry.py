"""What tasks of a forked superstep had done already, taken over under the task ids of the new thread."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

from stepgraph.core.checkpoint import WHOLE_STEP, Checkpoint, Record, Stored, records_by_task
from stepgraph.core.decisions import packed
from stepgraph.core.engine import Engine
from stepgraph.core.recovery import handler_of, restored
from stepgraph.core.request import Request
from stepgraph.core.state import State, ready
from stepgraph.core.task import Task
from stepgraph.core.types import START, Interrupt
from stepgraph.debug.again import asks_first, asks_inside, asks_later
from stepgraph.debug.ledger import TaskRow
from stepgraph.run.ids import RunIds

if TYPE_CHECKING:
    from stepgraph.debug.run import Run

Found = dict[str, Record]
"""A task's records by kind."""


def engine_at(run: Run, stored: Stored, checkpoint: str | None = None) -> Engine:
    """An engine that is never run: it knows the ids of the tasks planned from a checkpoint."""
    config = {"configurable": {"thread_id": run.thread}}
    engine = run.graph.engine(None, config, reading=True)
    engine.scope.checkpoint = checkpoint or stored.id
    engine.scope.inputs = stored.values.get(START)
    return engine


class Carrier:
    """Takes over what tasks of one run did, to a branch of it.

    A proposal is carried without the decision on it, so that it is asked about again. An outcome that nobody was asked
    about stays the outcome, unless a stop fits it now: then it is proposed. That of a lone task is in no record but in
    the run's rows, if this process saw the task end. A task that is asked about before it runs is not carried.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._saver = run.saver
        self._seen: dict[str, TaskRow] = {}
        self._went: dict[str, Any] = {}
        """Where bodies went by a Command, of nodes that have routers too."""
        each: Run | None = run
        while each is not None:
            self._seen = {**{row.id: row for row in each.ledger.rows()}, **self._seen}
            self._went = {**each._probe.went, **self._went}
            each = None if each.parent is None else each.parent[0]

    def carry(self, old: Engine, stored: Stored, new: Engine, checkpoint: str) -> None:
        """Copy the records of the tasks planned from `stored`, and the checkpoints of subgraphs that they had begun."""
        records = records_by_task(stored)
        before = ready(old.plan, State.restored(old.plan, stored), old.scope)
        after = ready(new.plan, State.restored(new.plan, stored), new.scope)
        newest = self._saver.load(stored.thread, stored.ns, None)
        past = newest is not None and newest.id != stored.id
        for mine, its in zip(before, after, strict=True):
            found = dict(records.get(mine.id, {}))
            row = self._seen.get(mine.id)
            ended = row is not None and row.status == "done"
            if row is not None and ended and not found.keys() & {"outcome", "proposal", "handler"}:
                found["outcome"] = _outcome(mine, row)
            finished = not found.keys().isdisjoint(("outcome", "proposal", "handler"))
            if past or ended or "outcome" in found:
                if finished and asks_first(self._run, its, stored.values, before):
                    continue
                if mine.node.child is not None and "handler" not in found and self._reopened(mine, its, stored.thread):
                    continue
            for task, kept in self._with_handler(mine, its, found, records):
                for record in kept:
                    payload = _questions(task, record) if record.kind == "interrupt" else record.payload
                    copied = record._replace(task=task.id, payload=payload)
                    self._saver.save_record(new.request.thread or "", new.scope.ns_text, checkpoint, copied)
            if mine.node.child is not None and not finished:
                child = self._saver.load(stored.thread, "|".join(mine.ns), None)
                if child is not None and _goes_on(child):
                    self._carry_child(mine, its, child)

    def _with_handler(
        self, mine: Task, its: Task, found: Found, records: dict[str, Found]
    ) -> list[tuple[Task, list[Record]]]:
        """The task, and that of its error handler if it took over, each with what is kept of it."""
        pairs = [(its, self._kept(mine, found))]
        if "handler" in found and mine.node.handler is not None:
            error = restored(found["handler"].payload)
            handler = handler_of(mine, error)
            pairs.append((handler_of(its, error), self._kept(handler, dict(records.get(handler.id, {})))))
        return pairs

    def _kept(self, task: Task, found: Found) -> list[Record]:
        if "handler" in found:
            return [found[kind] for kind in ("input", "proposal", "error", "handler") if kind in found]
        if "proposal" in found:
            return [found[kind] for kind in ("input", "proposal") if kind in found]
        if "outcome" in found:
            proposal = self._proposal(task, found) if asks_later(self._run, task) else None
            return [found["outcome"] if proposal is None else proposal]
        return [found[kind] for kind in ("input", "interrupt", "resume") if kind in found]

    def _proposal(self, task: Task, found: Found) -> Record | None:
        """An outcome as the proposal that it was; None where a person had sent it elsewhere in place of the body.

        Where a node with routers had gone by a Command too, only this process knows.
        """
        row, decided = self._seen.get(task.id), found.get("decision")
        verbs = [] if row is None else row.decisions
        if "redirect" in verbs or (decided is not None and decided.payload["verb"] == "redirect"):
            return None
        writes, routes, _ = found["outcome"].payload
        successors = tuple(task.node.successors)
        if task.node.routers:
            gotos = packed(self._went.get(task.id, ()))
        else:
            gotos = tuple(routes[: len(routes) - len(successors)])
            if (*gotos, *successors) != tuple(routes):
                return None
        return found["outcome"]._replace(kind="proposal", payload=(writes, gotos))

    def _reopened(self, old: Task, new: Task, thread: str) -> bool:
        """Whether a finished subgraph goes on, on the branch, from before the first thing in it that is asked anew.

        One that kept no checkpoints begins again.
        """
        chain = list(self._saver.history(thread, "|".join(old.ns), values=False))[::-1]
        if not chain:
            return self._asked_in_rows(old)
        last = None
        for stored in chain:
            records = records_by_task(stored)
            question = records.get(WHOLE_STEP, {}).get("question")
            if question is not None and question.payload["place"] == "committed" and last is not None:
                return self._carry_child(old, new, last)
            if self._asked(old, stored, records):
                return self._carry_child(old, new, stored)
            last = stored
        return False

    def _asked(self, task: Task, stored: Stored, records: dict[str, Found]) -> bool:
        """Whether something was decided in the superstep planned from `stored`, or a stop will ask about it."""
        plan = task.node.child
        assert plan is not None
        questions = [found["question"].payload["place"] for found in records.values() if "question" in found]
        if any(place not in ("error", "interrupt") for place in questions):
            return True
        nodes = {*stored.control.next, *(node for node, _, _ in stored.control.sends)}
        rows = [row for row in self._seen.values() if row.ns == task.ns and row.step == stored.step + 1]
        if asks_inside(self._run, task.ns, plan, nodes, rows):
            return True
        if all(plan.nodes[node].child is None for node in nodes if node in plan.nodes):
            return False
        whole = self._saver.load(stored.thread, stored.ns, stored.id)
        inner = ready(plan, State.restored(plan, whole), _inner(task, whole.id, whole).scope)
        return any(each.node.child is not None and self._asked_inside(each, stored.thread) for each in inner)

    def _asked_inside(self, task: Task, thread: str) -> bool:
        chain = self._saver.history(thread, "|".join(task.ns), values=False)
        return any(self._asked(task, stored, records_by_task(stored)) for stored in chain)

    def _asked_in_rows(self, task: Task) -> bool:
        """The same of a subgraph without checkpoints, as far as this process has seen it."""
        plan = task.node.child
        assert plan is not None
        inside = [row for row in self._seen.values() if row.ns[: len(task.ns)] == task.ns]
        own = [row for row in inside if row.ns == task.ns]
        return any(row.decisions for row in inside) or asks_inside(
            self._run, task.ns, plan, {row.node for row in own}, own
        )

    def _carry_child(self, old: Task, new: Task, at: Stored) -> bool:
        """A checkpoint of a subgraph as the root of one in the new thread, with what its tasks had done."""
        stored = self._saver.load(at.thread, at.ns, at.id)
        identifier = RunIds()()
        self._saver.save(
            new.scope.thread or "",
            "|".join(new.ns),
            Checkpoint(
                identifier, stored.id, stored.step, "fork", time(), stored.version + 1, {}, stored.control, (),
                dict(stored.metadata), parent_thread=stored.thread, parent_ns=stored.ns,
            ),
        )  # fmt: skip
        self.carry(_inner(old, stored.id, stored), stored, _inner(new, identifier, stored), identifier)
        return True


def _goes_on(stored: Stored) -> bool:
    return bool(stored.control.next or stored.control.sends)


def _questions(task: Task, record: Record) -> tuple[Interrupt, ...]:
    """Interrupts are named after the task that asks."""
    return tuple(Interrupt(each.value, task.interrupt_id(slot)) for slot, each in enumerate(record.payload))


def _outcome(task: Task, row: TaskRow) -> Record:
    joins = () if "redirect" in row.decisions else task.node.joins
    return Record(task.id, "outcome", (row.writes, packed(row.routes), joins), task.name, task.path)


def _inner(task: Task, checkpoint: str, stored: Stored) -> Engine:
    """An engine for the subgraph of a task, to know its tasks' ids."""
    plan = task.node.child
    assert plan is not None
    outer = task.scope.request
    request = Request(None, outer.config, outer.clock, outer.new_id, thread=outer.thread, ns=task.ns)
    engine = Engine(plan, request)
    engine.scope.checkpoint = checkpoint
    engine.scope.inputs = stored.values.get(START)
    return engine
