"""A driver without threads, loops or time: it decides who goes on next, may die after any effect, may fail any."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from stepgraph.core.effects import (
    Ask,
    Bodies,
    Call,
    Flow,
    Flush,
    Load,
    Recall,
    Remember,
    Save,
    SaveRecord,
    Sleep,
    Together,
    Within,
)
from stepgraph.core.errors import Cancelled, GraphBubbleUp
from stepgraph.core.lean import keep
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, Decision
from stepgraph.run.context import call_body, call_in_task

Choose = Callable[[int], int]
"""Which of n strands goes on: 0 to n - 1."""


class Crash(BaseException):
    """The process dies here."""


class Strand:
    """A flow with the effect that it waits for, or its end."""

    def __init__(self, flow: Flow, task: Task | None = None) -> None:
        self.flow = flow
        self.task = task
        self.effect: Any = None
        self.ended = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.group: list[Strand] | None = None
        """The strands of the Together that it waits for."""
        self._go_on(flow.send, None)

    def send(self, value: Any) -> None:
        self._go_on(self.flow.send, value)

    def throw(self, error: BaseException) -> None:
        self._go_on(self.flow.throw, error)

    def _go_on(self, step: Callable[[Any], Any], argument: Any) -> None:
        try:
            self.effect = step(argument)
        except StopIteration as end:
            self.ended, self.result = True, end.value
        except Exception as error:
            self.ended, self.error = True, error


class Driver:
    """Runs a flow to its end.

    `choose` picks the next strand among those that can go on. `observe(effect)` is called before each effect, `crash`
    and `fail` are asked after and before it, with its number (from 1): a true `crash` raises Crash once it is
    performed, an exception from `fail` is thrown in instead of performing it. With `cancels` a failing strand ends its
    siblings, as the asyncio driver does; else they go on to their ends, as in the sync driver. With
    `only_user_code` there is a choice between bodies and routers only: whatever else can be done is done first.
    """

    def __init__(
        self,
        choose: Choose,
        *,
        observe: Callable[[Any], None] = lambda effect: None,
        crash: Callable[[int], bool] = lambda number: False,
        fail: Callable[[int, Any], BaseException | None] = lambda number, effect: None,
        cancels: bool = False,
        only_user_code: bool = False,
    ) -> None:
        self.choose = choose
        self.observe = observe
        self.crash = crash
        self.fail = fail
        self.cancels = cancels
        self.only_user_code = only_user_code
        self.effects = 0

    def run(self, flow: Flow) -> Any:
        """The flow's result, or what it raised."""
        root = Strand(flow)
        try:
            while not root.ended:
                ready = list(self._ready(root))
                if self.only_user_code:
                    chores = [each for each in ready if type(each.effect) not in (Task, Call, Bodies)]
                    ready = chores[:1] or ready
                self._go_on(ready[self.choose(len(ready))] if len(ready) > 1 else ready[0])
        finally:
            self._close(root)
        if root.error is not None:
            raise root.error
        return root.result

    def _ready(self, strand: Strand) -> Any:
        """The innermost strands that wait for an effect of their own; those that a whole group has ended for go on."""
        if strand.group is None:
            if type(strand.effect) is Within:
                strand.group = [Strand(strand.effect.flow, strand.effect.task)]
            elif type(strand.effect) is Together:
                strand.group = [
                    Strand(flow, task) for task, flow in zip(strand.effect.tasks, strand.effect.flows, strict=True)
                ]
            else:
                yield strand
                return
        together = type(strand.effect) is Together
        if (
            self.cancels
            and together
            and not strand.effect.hold_errors
            and any(each.error is not None for each in strand.group)
        ):
            _cancel(strand.group)
        waiting = [each for each in strand.group if not each.ended]
        if not waiting:
            yield strand
        for each in waiting:
            yield from self._ready(each)

    def _go_on(self, strand: Strand) -> None:
        if strand.group is not None:
            self._join(strand)
            return
        self.effects += 1
        number, effect = self.effects, strand.effect
        error = self.fail(number, effect)
        if error is None:
            self.observe(effect)
            try:
                result = self._perform(effect)
            except Crash:
                raise
            except BaseException as raised:
                error = raised
        if self.crash(number):
            raise Crash(f"after effect {number}, {type(effect).__name__}")
        if error is None:
            strand.send(result)
        else:
            strand.throw(error)

    def _join(self, strand: Strand) -> None:
        assert strand.group is not None
        failed = next((each.error for each in strand.group if each.error is not None), None)
        result = strand.group[0].result if type(strand.effect) is Within else None
        strand.group = None
        if failed is None:
            strand.send(result)
        else:
            strand.throw(failed)

    def _perform(self, effect: Any) -> Any:
        match effect:
            case Task():
                effect.context = copy_context()
                return effect.context.run(call_body, effect)
            case Call(task, function, value, _, extra):
                return (task.context or copy_context()).run(call_in_task, task, function, value, extra)
            case Bodies(tasks, shelf):
                return self._bodies(list(tasks), shelf)
            case Ask(scope, pause):
                assert scope.gate is not None
                decision = scope.gate(pause)
                assert isinstance(decision, Decision), "a simulated gate answers at once"
                return decision
            case Save(checkpointer, thread, ns, checkpoint):
                return checkpointer.save(thread, ns, checkpoint)
            case SaveRecord(checkpointer, thread, ns, checkpoint, record):
                return checkpointer.save_record(thread, ns, checkpoint, record)
            case Flush(checkpointer):
                return checkpointer.flush()
            case Sleep():
                return None
            case Recall(cache, key):
                return cache.get([key]).get(key, MISSING)
            case Remember(cache, key, value, ttl):
                return cache.set({key: (value, ttl)})
            case Load(checkpointer, thread, ns, checkpoint):
                return checkpointer.load(thread, ns, checkpoint)
        raise TypeError(f"Not an effect: {effect!r}")

    def _bodies(self, waiting: list[Task], shelf: Any) -> None:
        """Lean bodies, in the chosen order; the driver may die between any two."""
        while waiting:
            task = waiting.pop(self.choose(len(waiting)) if len(waiting) > 1 else 0)
            self.effects += 1
            number = self.effects
            try:
                error = self.fail(number, task)
                if error is not None:
                    raise error
                self.observe(task)
                copy_context().run(call_body, task)
                if shelf is not None:
                    keep(shelf, task)
            except Crash:
                raise
            except BaseException as raised:
                task.error = raised
            if self.crash(number):
                raise Crash(f"after effect {number}, the body of {task.address}")
            if self.cancels and task.error is not None and not isinstance(task.error, GraphBubbleUp):
                for each in waiting:
                    each.error = Cancelled("A sibling failed.")
                return

    def _close(self, strand: Strand) -> None:
        for each in strand.group or ():
            self._close(each)
        strand.flow.close()


class Schedules:
    """Every sequence of choices, one a round: `for choose in Schedules(limit)`; depth first, `limit` rounds at most.

    `complete` tells afterwards whether all of them were tried.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.complete = False

    def __iter__(self) -> Any:
        taken: list[list[int]] = []  # [choice, how many there were]
        for _ in range(self.limit):
            position = 0

            def choose(count: int) -> int:
                nonlocal position
                if position == len(taken):
                    taken.append([0, count])
                assert taken[position][1] == count, "the run is not determined by its choices"
                choice = taken[position][0]
                position += 1
                return choice

            yield choose
            del taken[position:]
            while taken and taken[-1][0] + 1 == taken[-1][1]:
                taken.pop()
            if not taken:
                self.complete = True
                return
            taken[-1][0] += 1


def _cancel(strands: list[Strand]) -> None:
    for strand in strands:
        if not strand.ended:
            _cancel(strand.group or [])
            strand.group = None
            strand.throw(Cancelled("A sibling failed."))
