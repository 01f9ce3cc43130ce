"""One graph run as a generator of effects: supersteps in their fixed order, with every place where a gate may answer.

    plan > [plan] > per task: [before] > body > proposal saved > [after] > routers > [edge] > outcome saved
         > all tasks done > combine > [step] > commit > values > [committed]

The engine does no I/O and has no clock: a driver performs what it yields (`core/effects.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stepgraph.core import events as ev
from stepgraph.core.between import boundary
from stepgraph.core.checkpoint import WHOLE_STEP, Checkpoint, Keeper, Record, Source, Steps, undecided
from stepgraph.core.child import child_request
from stepgraph.core.combining import combine, in_order
from stepgraph.core.effects import Flow, Flush, Join, Save, SaveRecord, Together, Within
from stepgraph.core.ending import ended, out_of_steps, result, visible, written_by
from stepgraph.core.entry import amended_values, open_thread
from stepgraph.core.errors import (
    Cancelled,
    GraphDrained,
    GraphInterrupt,
    Suspended,
)
from stepgraph.core.flow import flow_of, troubled
from stepgraph.core.keeping import keep_outcome, merged, planned, unfit
from stepgraph.core.lean import short_way
from stepgraph.core.plan import Plan, as_set
from stepgraph.core.recorded import records_of, told
from stepgraph.core.recovery import take_up
from stepgraph.core.request import ORDINARY, Request
from stepgraph.core.sprint import DETAILS, begin, begin_stored, sprint, trail
from stepgraph.core.state import State, advance, names_of, ready, settle
from stepgraph.core.task import NOTHING, Scope, Task
from stepgraph.core.together import ask_step, mend_step
from stepgraph.core.types import HIDDEN, MISSING, START, Interrupt, Route, Writes


@dataclass(slots=True)
class Outcome:
    """How a run ended: `status` is done or interrupted; `values` are the output keys."""

    status: str
    values: Any
    interrupts: tuple[Interrupt, ...]
    state: State


class Engine:
    """The run of one plan. `run()` is its life; `state` and `tasks` may be looked at between effects."""

    __slots__ = (
        "amended",
        "awaited",
        "begun",
        "checkpoint",
        "commanded",
        "edited",
        "failed",
        "held",
        "keeper",
        "output",
        "passed",
        "pending",
        "plan",
        "replaying",
        "request",
        "saving",
        "scope",
        "state",
        "steps",
        "tasks",
        "trail",
        "withheld",
    )

    def __init__(self, plan: Plan, request: Request) -> None:
        self.plan = plan
        self.request = request
        parent = request.parent
        self.scope = Scope(plan, request, None if parent is None else parent.scope.root)
        self.state = State(plan)
        self.checkpoint: str | None = None
        """The id of the checkpoint that the planned tasks belong to."""
        self.tasks: Sequence[Task] = ()
        self.awaited: frozenset[str] | None = plan.returned
        """The keys of which this run must write one to return anything; None once it has, or goes on with a thread."""
        self.output: Any = None
        """In a `fleeting` plan: what the graph returns, as it was when this run last wrote a key of it."""
        self.begun = False
        """Whether the input has been taken in already, and supersteps may have run (`core/sprint.py`)."""
        self.failed: tuple[Task, BaseException] | None = None
        """The task that ended these supersteps, and what it raised."""
        self.pending: Mapping[str, dict[str, Record]] = NOTHING
        """Records of the loaded checkpoint by task id and kind."""
        self.amended: Mapping[str, Any] = NOTHING
        """Keys that the caller's Command wrote since the last checkpoint."""
        self.commanded: tuple[Writes, tuple[Route, ...]] = (), ()
        """What callers' Commands wrote and where they went, since the last checkpoint."""
        self.edited: Mapping[str, Any] = NOTHING
        """What a person has just edited at [step], while routers run again because of it."""
        self.passed = -1
        """The version at which static breakpoints have been passed already."""
        self.replaying = False
        self.trail: list[tuple[str, ...]]
        """The nodes of each of the last supersteps that the recursion limit allows; its error shows the circle."""
        self.held: Checkpoint | None = None
        """With durability "exit": the last checkpoint, not saved yet."""
        self.withheld: list[Record]
        """With durability "exit": the records of its tasks."""
        self.keeper: Keeper | None = None
        """The checkpointer, where it keeps the thread in another engine's format."""
        self.saving = request.checkpointer is not None
        if self.saving:
            self.withheld = []
            self.steps: tuple[Steps, Any] | None = None
            """Where its first supersteps wait already, and what these say of the run."""
            opened = getattr(request.checkpointer, "opened", None)
            if opened is not None:
                self.keeper = self.scope.keeper = request.checkpointer = opened(self)

    def run(self) -> Generator[Any, Any, Outcome]:
        """Open the thread, run supersteps until nothing is ready, pause or fail."""
        status, error, interrupts = "failed", None, ()
        self.scope.engine = self
        try:
            sprinting = self.sprints()
            if self.failed is not None:
                yield from self.fail_alone(*self.failed)
                yield from self.join()
                yield from self._commit(self.tasks)
            elif not (self.begun or (sprinting and self._begins())):
                yield from open_thread(self)
            if sprinting and not self.pending and not self.scope.answer:
                self.scope.values = self.state.values
                yield from sprint(self)
            state = self.state
            if not sprinting or state.next or state.sends or state.step > self.scope.stop:
                yield from self._supersteps(sprinting)
            status = "done"
        except GraphInterrupt as pause:
            status, interrupts = "interrupted", pause.args[0]
            yield from self.join()
            if self.request.parent is not None:
                yield from self._close(status)
                raise
        except Suspended:
            status = "interrupted"
            if self.request.parent is not None:
                yield from self._close(status)
                raise
        except GeneratorExit:
            status = "cancelled"
            root = self.scope.root  # for graphs inside that helper threads are running
            root.cancelled, root.halted = True, ("cancelled",)
            raise
        except BaseException as failure:
            error = failure
            if isinstance(failure, (Cancelled, GraphDrained)):
                status = "cancelled"
            yield from self.join(cancel=True)
            if self.request.durability == "exit":
                yield from self._close(status)
            raise
        finally:
            self.scope.engine = None
            if self.scope.emit is not None:
                self.scope.emit(ended(self, status, tuple(interrupts), error))
        if self.saving:
            yield from self._close(status)
        return Outcome(status, result(self, status, bool(interrupts)), tuple(interrupts), self.state)

    def returns(self, keys: Sequence[str] | str) -> None:
        """Let the run return these keys, not the graph's own; before `run()`."""
        self.request.output_keys = keys
        self.awaited = as_set(keys)

    def wrote(self, written: Collection[str]) -> None:
        """Note what a superstep wrote."""
        if self.plan.fleeting:
            if not self.shown.isdisjoint(written):
                self.awaited, self.output = None, self.plan.output(self.state.values, self.request.output_keys)
        elif self.awaited is not None and not self.awaited.isdisjoint(written):
            self.awaited = None

    @property
    def shown(self) -> frozenset[str]:
        """The keys that the run returns."""
        keys = self.request.output_keys
        return self.plan.returned if keys is None else as_set(keys)

    def join(self, *, cancel: bool = False) -> Flow:
        """Wait for what node code called and did not wait for."""
        joined: set[Any] = set()
        while waiting := [each for each in (self.scope.called or {}).values() if each not in joined]:
            joined.update(waiting)  # they may call more meanwhile
            yield Join(waiting, cancel)
        self.scope.called = None

    def _close(self, status: str) -> Flow:
        """Save what durability "exit" held back, and wait for it. A finished child without a history keeps nothing."""
        request, ns = self.request, self.scope.ns_text
        kept = self.saving and (request.parent is None or status != "done" or request.lasting)
        if kept and request.durability == "exit":
            if self.held is not None:
                held, self.held = self.held, None
                yield Save(request.checkpointer, self.thread, ns, held)
            for record in self.withheld:
                assert self.checkpoint is not None
                yield SaveRecord(request.checkpointer, self.thread, ns, self.checkpoint, record)
        if self.saving and request.parent is None and request.durability != "async":
            yield Flush(request.checkpointer, self.thread)

    def listen(self, emit: ev.Emit, unheard: frozenset[type] = ORDINARY) -> None:
        """Send events to `emit`, but for those that are `unheard`; before `run()`."""
        self.request.emit = self.scope.emit = emit
        self.request.unheard = self.scope.unheard = unheard

    @property
    def thread(self) -> str:
        return self.request.thread or ""

    def sprints(self) -> bool:
        """Whether lone lean tasks may take the short way: nobody looks at more than the ends of tasks."""
        request, scope, plan = self.request, self.scope, self.plan
        return (
            plan.sprints
            and not (scope.gate or scope.probe or self.keeper or request.control or request.step_timeout)
            and not (request.interrupt_before or request.interrupt_after)
            and not (plan.interrupt_before or plan.interrupt_after)
            and (scope.emit is None or scope.unheard.issuperset(DETAILS))
        )

    def _begins(self) -> bool:
        """Take in new input that nothing stored and no listener has to do with. False if it is not of that kind."""
        if self.scope.emit is not None or self.plan.intake is not None or type(self.request.input) is not dict:
            return False
        if self.saving:
            return begin_stored(self)
        begin(self)
        return True

    def _supersteps(self, sprinting: bool) -> Flow:
        state, scope, plan = self.state, self.scope, self.plan
        gate = scope.gate
        self.trail = []
        before = self.request.interrupt_before or plan.interrupt_before
        after = self.request.interrupt_after or plan.interrupt_after
        counts = scope.counts
        scope.values = state.values
        control, limit = self.request.control, self.request.step_timeout
        watched = scope.stop - trail(self.request.recursion_limit)
        left = gate is not None and undecided(self.pending.get(WHOLE_STEP), "committed")
        if left and gate is not None and gate.wants("committed", None, scope.ns):
            yield from boundary(self, "committed", (), again=True)
        while state.next or state.sends:
            if sprinting and not self.pending and not scope.answer:
                yield from sprint(self)
                if not (state.next or state.sends):
                    break
            self._check_bounds()
            tasks = self.tasks = ready(plan, state, scope)
            if not tasks:
                break
            counts.steps += 1
            counts.tasks += len(tasks)
            if self.pending:
                self._attach(tasks)
            if before and state.version > self.passed and _listed(tasks, before):
                raise GraphInterrupt(())
            asked = control or scope.root.control
            if asked is not None and asked.drain_requested:
                raise GraphDrained(asked.drain_reason)
            if state.step > watched:
                self.trail.append(tuple([task.name for task in tasks]))
            entering = tasks[0].name == START
            if gate is not None and not entering and gate.wants("plan", None, scope.ns):
                yield from boundary(self, "plan", tasks)
                if self.tasks is not tasks:
                    continue
            if limit is None:
                yield from self._work(tasks)
            else:
                yield Within(self._work(tasks), None, None, limit)
            called = scope.called
            if called:
                yield from self.join()
            if any(task.status != "finished" for task in tasks):
                self._pause(tasks, called or {})
            yield from self._commit(tasks)
            if after and state.version > self.passed and _listed(tasks, after):
                raise GraphInterrupt(())
            if gate is not None and not entering and gate.wants("committed", None, scope.ns):
                yield from boundary(self, "committed", tasks)
        if state.step > scope.stop:  # as LangGraph: the last superstep that the limit allows is no good end
            raise out_of_steps(self)

    def _check_bounds(self) -> None:
        state = self.state
        if self.scope.root.cancelled:
            raise Cancelled(f"The run was cancelled before superstep {state.step} of graph {self.plan.name!r}.")
        if state.step > self.scope.stop:
            raise out_of_steps(self)

    def fail_alone(self, task: Task, error: BaseException) -> Flow:
        """What a lone lean task raised ends the run, or its superstep; unless the task has gone on the long way."""
        self.tasks = (task,)
        if task.alone and task.changes is not None:
            task.writes = tuple(task.changes.items())
        yield from troubled(self, task, error)
        if task.status != "finished":
            called = self.scope.called or {}
            yield from self.join()
            self._pause(self.tasks, called)

    def _work(self, tasks: Sequence[Task]) -> Flow:
        """Run the planned tasks to their outcomes."""
        scope = self.scope
        if scope.emit is not None and ev.StepStarted not in scope.unheard:
            infos = tuple(task.info() for task in tasks)
            scope.emit(ev.StepStarted(scope.ns, self.state.step, scope.clock(), infos))
        if scope.emit is not None and ev.TaskPlanned not in scope.unheard:
            for task in tasks:
                planned(task)
        if len(tasks) == 1:
            yield from flow_of(self, tasks[0])
            return
        quiet = scope.emit is None and scope.gate is None and scope.probe is None
        direct = self.keeper is None and (not self.saving or self.request.durability == "async")
        short = short_way(tasks) if quiet and direct else None
        if short is not None:
            yield from short(self, tasks)
        else:
            if scope.recorded:  # what is over is told before anything runs
                tasks = sorted(tasks, key=lambda task: "outcome" not in (task.records or ()))
            yield Together(tasks, [flow_of(self, task) for task in tasks], scope.gate is not None)

    def _pause(self, tasks: Sequence[Task], called: Mapping[str, Any]) -> None:
        """End the superstep without a commit: some tasks asked a person, or were suspended.

        A graph around this one hears also what functions asked that node code had called.
        """
        interrupts = tuple(each for task in tasks for each in task.interrupts)
        if interrupts:
            if called and self.request.parent is not None:
                interrupts = tuple({each.id: each for each in (*interrupts, *_asked_by(called))}.values())
            raise GraphInterrupt(interrupts)
        raise Suspended(f"Suspended in superstep {self.state.step} of graph {self.plan.name!r}.")

    def _attach(self, tasks: Sequence[Task]) -> None:
        """Give planned tasks what an earlier process recorded of them; outcomes are carried over, not run again."""
        for task in tasks:
            task.records = self.pending.get(task.id)
            take_up(task, self.pending)
        self.scope.recorded, self.pending = self.pending, {}

    def _commit(self, tasks: Sequence[Task]) -> Flow:
        """Combine, ask at [step], apply, save, show."""
        state, scope, plan = self.state, self.scope, self.plan
        if scope.answer:
            scope.answer = []  # it was for questions of this superstep, not for whoever asks next
        ordered = in_order(tasks)
        first = tasks[0]
        gate = None if first.name == START else scope.gate
        overwrite: Mapping[str, Any] | None = None
        if first.changes is not None and len(tasks) == 1:
            changes = first.changes
            groups: dict[str, list[Any]] = {}
        else:
            try:
                changes, groups = combine(plan, state.values, ordered)
            except Exception as error:
                mended = None if gate is None else (yield from mend_step(self, ordered, error))
                if mended is None:
                    if len(tasks) == 1:
                        yield from unfit(self, first, error)
                    raise
                changes, groups, overwrite = mended
                gate = None  # it is asked already
        if gate is not None and gate.wants("step", None, scope.ns):
            changes, groups, overwrite = yield from ask_step(self, ordered, changes, groups)
        if not self.saving:
            advance(plan, state, ordered, changes, overwrite)
        else:
            before = {key: state.values[key] for key in changes if key in state.values}
            advance(plan, state, ordered, changes, overwrite)
            yield from self.save_step(before, changes, groups, overwrite)
        written: Collection[str] = changes
        if not changes and plan.subscribers and self.passed == state.version - 1:
            self.passed = state.version  # nothing new that could stop the run
        if plan.fleeting or plan.veiled:
            written = visible(self, ordered, changes)
        if (self.awaited is not None or plan.fleeting) and not (
            plan.finishing and self.shown.isdisjoint(written_by(ordered))
        ):  # as LangGraph: a value that came by itself alone is no result
            self.wrote(written)
        if scope.emit is not None:
            self.show("loop", tuple(written))

    def save_step(
        self,
        before: Mapping[str, Any],
        changes: Mapping[str, Any],
        groups: Mapping[str, list[Any]],
        overwrite: Mapping[str, Any] | None,
    ) -> Flow:
        """Hand over the checkpoint of a superstep."""
        if overwrite:
            groups = {key: updates for key, updates in groups.items() if key not in overwrite}
        recorded = records_of(self.plan, before, changes, groups)
        told_all = not self.amended and (self.plan.plain or told(self.plan, recorded, groups))
        if not told_all and len(self.tasks) == 1 and not self.tasks[0].kept:
            yield from keep_outcome(self, self.tasks[0])
        if self.amended:
            recorded.update(amended_values(self))
            self.amended = {}
        yield from self.save("loop", recorded, self.state.step - 1, self.tasks)

    def show(self, source: str, changed: tuple[str, ...]) -> None:
        """Tell listeners the state after a superstep."""
        scope, state = self.scope, self.state
        emit = scope.emit
        if emit is not None and ev.StepFinished not in scope.unheard:
            following = state.next if not state.sends else state.next + names_of(state.sends)
            emit(
                ev.StepFinished(
                    scope.ns, state.step - 1, scope.clock(), source, changed, self.plan.whole(state.values), following
                )
            )

    def next_checkpoint(self, source: Source, changes: Mapping[str, Any], step: int) -> Checkpoint:
        """The checkpoint that the next tasks will belong to."""
        request, state, scope = self.request, self.state, self.scope
        parent = self.checkpoint
        own = self.checkpoint = scope.checkpoint = request.new_id()
        now, control = scope.clock(), state.control(self.plan)
        return Checkpoint(own, parent, step, source, now, state.version, changes, control, state.ran, request.metadata)

    def save(self, source: Source, changes: Mapping[str, Any], step: int, tasks: Sequence[Task] = ()) -> Flow:
        """Hand over the checkpoint that the next tasks will belong to; `tasks` led to it."""
        request = self.request
        checkpoint = self.next_checkpoint(source, changes, step)
        if self.keeper is not None:
            self.keeper.turned(source, tasks)
        parent, now = checkpoint.parent, checkpoint.time
        if request.durability == "exit":
            self.held = merged(self.held, checkpoint)
            parent = self.held.parent
            self.withheld.clear()
        else:
            yield Save(request.checkpointer, self.thread, self.scope.ns_text, checkpoint)
            if request.durability == "sync":
                yield Flush(request.checkpointer, self.thread)
        if self.scope.emit is not None:
            self.scope.emit(ev.CheckpointSaved(self.scope.ns, step, now, self.thread, checkpoint.id, parent, source))

    def run_child(self, task: Task) -> Flow:
        """Drive a graph that was added as a node by the same driver: its pauses are the parent's, nothing unwinds."""
        assert task.node.child is not None
        outcome: Outcome = yield from Engine(task.node.child, child_request(self.request, task)).run()
        return outcome.values

    def fresh_state(self, task: Task) -> dict[str, Any]:
        """What the task's own routers read: the state as it was, with its own writes applied and nobody else's."""
        values = self.state.values
        changes = {**combine(self.plan, values, (task,))[0], **self.edited}
        fresh = {**values, **changes}
        if self.plan.settling:
            settle(self.plan, fresh, changes)
        return {key: value for key, value in fresh.items() if value is not MISSING} if self.edited else fresh


def _asked_by(called: Mapping[str, Any]) -> Iterator[Interrupt]:
    """What functions asked, of whose calls these are the futures."""
    for call in called.values():
        error = call.exception() if call.done() and not call.cancelled() else None
        if isinstance(error, GraphInterrupt):
            yield from error.args[0]


def _listed(tasks: Sequence[Task], names: frozenset[str]) -> bool:
    """Whether a task is among those to stop at: "*" means all that are not hidden."""
    scope = tasks[0].scope
    everywhere = "*" in names and HIDDEN not in (scope.request.config.get("tags") or ())
    spared = {START, *scope.plan.hidden}
    return any(task.name not in spared if everywhere else task.name in names and task.name != START for task in tasks)
