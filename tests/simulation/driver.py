"""A driver without threads, loops or time: it decides who goes on next, may die after any effect, may fail any."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from stepgraph.core.effects import (
    Ask,
    Bodies,
    Call,
    Flow,
    Join,
    Sleep,
    Together,
    Within,
)
from stepgraph.core.errors import Cancelled, GraphBubbleUp, NodeTimeoutError
from stepgraph.core.task import Task
from stepgraph.core.types import Decision
from stepgraph.run import calls
from stepgraph.run.context import call_body, call_in_task
from stepgraph.run.sync import perform

Choose = Callable[[int], int]
"""Which of n strands goes on: 0 to n - 1."""


WAITING = object()
"""An async body waits for a function that it called."""


class Crash(BaseException):
    """The process dies here."""


class Wait:
    """What an async body awaits of a function that it has called: `await Wait(work(3))`."""

    def __init__(self, future: Future[Any]) -> None:
        self.future = future

    def __await__(self) -> Generator[Any, Any, Any]:
        if not self.future.done():
            yield self.future
        return self.future.result(timeout=0)


class Body:
    """The coroutine of an async body, and what it waits for."""

    def __init__(self, task: Task) -> None:
        assert task.context is not None
        self._context = task.context
        self._coroutine = self._context.run(call_body, task)
        self.waits: Future[Any] | None = None

    def go_on(self) -> Any:
        """WAITING when it waits for a call, else what it returned."""
        try:
            self.waits = self._context.run(self._coroutine.send, None)
        except StopIteration as end:
            return end.value
        return WAITING

    def close(self) -> None:
        self._context.run(self._coroutine.close)


class Strand:
    """A flow with the effect that it waits for, or its end."""

    def __init__(self, flow: Flow, task: Task | None = None, around: Strand | None = None) -> None:
        self.flow = flow
        self.task = task
        self.around = around
        """The strand that waits for this one in a group."""
        self.effect: Any = None
        self.ended = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.group: list[Strand] | None = None
        """The strands of the Together that it waits for."""
        self.body: Body | None = None
        """The async body that has begun and waits for a function that it called."""
        self.future: Future[Any] | None = None
        """Of a called function: what its caller waits for."""
        self._go_on(flow.send, None)

    def leave(self) -> None:
        """The body has ended, or is ended here."""
        body, self.body = self.body, None
        if body is not None:
            body.close()

    @property
    def can_go_on(self) -> bool:
        if self.body is not None:
            assert self.body.waits is not None
            return self.body.waits.done()
        return type(self.effect) is not Join or all(each.done() for each in self.effect.futures)

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
        if self.ended and self.future is not None and not self.future.done():
            self.tell()

    def tell(self) -> None:
        """Give a called function's end to whoever waits for it."""
        assert self.future is not None
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Driver:
    """Runs a flow to its end.

    `choose` picks the next strand among those that can go on. `observe(effect)` is called before each effect,
    `performed(effect)` after one that asks a checkpointer or cache and did not fail. `crash` and `fail` are asked after
    and before it, with its number (from 1): a true `crash` raises Crash once it is performed, an exception from `fail`
    is thrown in instead of performing it. With a true `expire`, asked after an effect, the limit is passed of the
    attempt or superstep around it, if that has one. With `cancels` a failing strand ends its siblings, as the asyncio
    driver does; else they go on to their ends, as in the sync driver. With `only_user_code` there is a choice between
    bodies and routers only: whatever else can be done is done first.
    """

    def __init__(
        self,
        choose: Choose,
        *,
        observe: Callable[[Any], None] = lambda effect: None,
        performed: Callable[[Any], None] = lambda effect: None,
        crash: Callable[[int], bool] = lambda number: False,
        fail: Callable[[int, Any], BaseException | None] = lambda number, effect: None,
        expire: Callable[[int], bool] = lambda number: False,
        cancels: bool = False,
        only_user_code: bool = False,
    ) -> None:
        self.choose = choose
        self.observe = observe
        self.performed = performed
        self.crash = crash
        self.fail = fail
        self.expire = expire
        self.cancels = cancels
        self.only_user_code = only_user_code
        self.effects = 0
        self.expired = 0
        self._called: list[Strand] = []

    def run(self, flow: Flow) -> Any:
        """The flow's result, or what it raised."""
        with self._calls():
            return self._run(Strand(flow))

    def _run(self, root: Strand) -> Any:
        try:
            while not root.ended:
                self._called = [each for each in self._called if not each.ended]
                ready = [each for strand in (root, *self._called) for each in self._ready(strand) if each.can_go_on]
                assert ready, "everything waits for something else"
                if self.only_user_code:
                    chores = [each for each in ready if type(each.effect) not in (Task, Call, Bodies)]
                    ready = chores[:1] or ready
                self._go_on(ready[self.choose(len(ready))] if len(ready) > 1 else ready[0])
        finally:
            for each in (root, *self._called):
                self._close(each)
        if root.error is not None:
            raise root.error
        return root.result

    @contextmanager
    def _calls(self) -> Iterator[None]:
        """Functions that bodies call become strands of this driver."""
        usual = calls.begin
        calls.begin = self._begin
        try:
            yield
        finally:
            calls.begin = usual

    def _begin(self, task: Task, flow: Flow) -> Future[Any]:
        strand = Strand(flow, task)
        strand.future = Future()
        if strand.ended:
            strand.tell()
        self._called.append(strand)
        return strand.future

    def _ready(self, strand: Strand) -> Any:
        """The innermost strands that wait for an effect of their own; those that a whole group has ended for go on."""
        if strand.group is None:
            if type(strand.effect) is Within:
                strand.group = [Strand(strand.effect.flow, strand.effect.task, strand)]
            elif type(strand.effect) is Together:
                strand.group = [
                    Strand(flow, task, strand)
                    for task, flow in zip(strand.effect.tasks, strand.effect.flows, strict=True)
                ]
            else:
                if type(strand.effect) is Join and strand.effect.cancel and self.cancels:
                    _cancel([each for each in self._called if each.future in strand.effect.futures])
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
            try:
                result = self._part(strand) if type(effect) is Task and effect.node.is_async else self._perform(effect)
            except Crash:
                raise
            except BaseException as raised:
                error = raised
        if self.crash(number):
            raise Crash(f"after effect {number}, {type(effect).__name__}")
        if error is not None or result is not WAITING:
            strand.leave()
            if error is None:
                strand.send(result)
            else:
                strand.throw(error)
        if self.expire(number):
            self._expire(strand)

    def _expire(self, strand: Strand) -> None:
        """Pass the innermost limit that `strand` goes on under."""
        around: Strand | None = strand
        while around is not None and type(around.effect) is not Within:
            around = around.around
        if around is None or around.group is None or around.group[0].ended:
            return
        self.expired += 1
        _cancel(around.group)
        around.group = None
        task = around.effect.task
        if task is None:
            around.throw(TimeoutError("A superstep took longer than it may."))
        else:
            task.hushed = task.attempt
            around.throw(NodeTimeoutError(task.name, 61.0, kind="run", run_timeout=60.0))

    def _join(self, strand: Strand) -> None:
        assert strand.group is not None
        failed = next((each.error for each in strand.group if each.error is not None), None)
        result = strand.group[0].result if type(strand.effect) is Within else None
        strand.group = None
        if failed is None:
            strand.send(result)
        else:
            strand.throw(failed)

    def _part(self, strand: Strand) -> Any:
        """An async body, until it waits for a function that it called, or to its end."""
        task = strand.effect
        if strand.body is None:
            self.observe(task)
            task.context = copy_context()
            strand.body = Body(task)
        return strand.body.go_on()

    def _perform(self, effect: Any) -> Any:
        self.observe(effect)
        match effect:
            case Join(futures):
                assert all(each.done() for each in futures)
                return None
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
            case Sleep():
                return None
        result = perform(effect)
        self.performed(effect)
        return result

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
                    shelf.keep(task)
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
        strand.leave()
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
            strand.leave()
            strand.throw(Cancelled("A sibling failed."))
