"""The synchronous driver: runs a flow in the calling thread, and parallel tasks beside it when they are slow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import wait
from contextvars import copy_context
from threading import Event
from time import monotonic, sleep
from typing import Any

from stepgraph.core.effects import (
    Ask,
    Bodies,
    Call,
    Flow,
    Flush,
    Join,
    Load,
    Recall,
    Remember,
    Save,
    SaveRecord,
    Sleep,
    Together,
    Within,
)
from stepgraph.core.errors import NodeCancelledError, sync_timeout_unsupported
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING
from stepgraph.run.context import call_body, call_in_task, settled
from stepgraph.run.threads import WORKERS, Batch, pool

USERS = frozenset({Task, Call, Bodies, Together, Ask})
"""Effects that run code of the user's or wait for a person. What finished before is saved when one of them comes."""
_UNWATCHED = Event()
"""What drivers wake when nobody waits for chunks: making an event costs more than a superstep."""


class SyncDriver:
    """Performs effects by doing them. Plans with async nodes are not for it.

    `chunks` is filled by a listener; whenever it holds something, `steps` yields so that a stream can hand it out.
    With `live`, bodies run in a helper thread so that chunks come out while a body still runs. `width` limits how many
    tasks of a superstep run at once, in each graph.
    """

    __slots__ = ("chunks", "live", "wake", "width")

    def __init__(self, chunks: deque[Any] | None = None, *, live: bool = False, width: int | None = None) -> None:
        self.chunks = chunks
        self.live = live
        self.wake = Event() if live else _UNWATCHED
        self.width = width

    def run(self, flow: Flow) -> Any:
        """Drive the flow to its end and return its result."""
        steps = self.steps(flow)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    def steps(self, flow: Flow) -> Generator[None, None, Any]:
        """Drive the flow; yields whenever there is something in `chunks`, and before the user's code runs again."""
        step: Callable[[Any], Any] = flow.send
        argument: Any = None
        chunks = self.chunks
        try:
            while True:
                try:
                    effect = step(argument)
                except StopIteration as end:
                    return end.value
                step = flow.send
                try:
                    kind = type(effect)
                    if chunks and kind in USERS:
                        yield
                    if kind is Task:
                        context = copy_context()
                        if not (effect.node.quick or effect.lean):  # its routers will run in it
                            effect.context = context
                        if self.live:
                            argument = yield from self._beside(context.run, call_body, effect)
                        else:
                            argument = context.run(call_body, effect)
                    elif kind is Call:
                        context = effect.task.context or copy_context()
                        argument = context.run(call_in_task, effect.task, effect.function, effect.value, effect.extra)
                    elif kind is Save:
                        argument = effect.checkpointer.save(effect.thread, effect.ns, effect.checkpoint)
                    elif kind is Bodies:
                        yield from self._bodies(effect)
                        argument = None
                    elif kind is Within:
                        argument = yield from self._within(effect)
                    elif kind is Together:
                        yield from self._together(effect)
                        argument = None
                    else:
                        argument = self._perform(effect)
                except GeneratorExit:
                    raise
                except BaseException as error:
                    step, argument = flow.throw, self._told(failure(effect, error))
                if chunks:
                    yield
        finally:
            flow.close()

    def _told(self, error: BaseException) -> BaseException:
        """What the flow is told of an error."""
        return error

    def _within(self, limited: Within) -> Generator[None, None, Any]:
        """Run a superstep to its end and see how long it took: what runs in threads can't be stopped."""
        if limited.task is not None:
            limited.flow.close()
            raise sync_timeout_unsupported(limited.task.name)
        started = monotonic()
        result = yield from self.steps(limited.flow)
        if limited.seconds is not None and monotonic() - started > limited.seconds:
            raise TimeoutError(f"A superstep took longer than its step_timeout of {limited.seconds} seconds.")
        return result

    def _beside(self, function: Callable[..., Any], *args: Any) -> Generator[None, None, Any]:
        """Call in a helper thread, handing out chunks meanwhile."""
        future = pool.submit(function, *args)
        future.add_done_callback(lambda _: self.wake.set())
        while not future.done():
            self.wake.wait()
            self.wake.clear()
            if self.chunks:
                yield
        return future.result()

    def _together(self, together: Together) -> Generator[None, None, None]:
        """Run parallel flows: all to their ends, then the first error in task order is raised."""
        errors: dict[int, BaseException] = {}
        flows = together.flows
        here = copy_context()  # helper threads have none of the caller's context variables

        def work(position: int) -> None:
            try:
                here.copy().run(SyncDriver(width=self.width).run, flows[position])
            except BaseException as error:
                errors[position] = error
            if self.wake is not _UNWATCHED:
                self.wake.set()

        yield from self._batch(work, range(len(flows)), together.hold_errors)
        if errors:
            raise errors[min(errors)]

    def _bodies(self, bodies: Bodies) -> Generator[None, None, None]:
        """Call parallel bodies; what they raise stays with their tasks."""

        shelf = bodies.shelf
        here = copy_context()  # helper threads have none of the caller's context variables

        def work(task: Task) -> None:
            try:
                here.copy().run(call_body, task)
                if shelf is not None:
                    shelf.keep(task)
            except BaseException as error:
                task.error = failure(task, error)

        yield from self._batch(work, bodies.tasks, False)

    def _batch(self, work: Callable[[Any], None], items: Sequence[Any], at_once: bool) -> Generator[None, None, None]:
        """Work on all items here, and in helper threads when one is slow, or `at_once`."""
        batch = Batch(work, items, self.width or WORKERS)
        chunks = self.chunks
        if chunks is not None and self.wake is _UNWATCHED:
            self.wake = Event()
        try:
            if at_once or self.live:
                batch.width = (self.width or len(items)) + 1  # this thread takes none
                batch.spread()
            else:
                for _ in batch.run():
                    if chunks:
                        yield
            while not batch.wait(None if chunks is None else 0.0):
                self.wake.wait(0.05)
                self.wake.clear()
                if chunks:
                    yield
        finally:
            batch.items.clear()  # a stream that is closed early starts nothing more

    def _perform(self, effect: Any) -> Any:
        """The effects that need no user code. A debug session does some of them in another way."""
        return perform(effect)


def perform(effect: Any) -> Any:
    """Do what needs neither user code nor another thread."""
    match effect:
        case Save(checkpointer, thread, ns, checkpoint):
            return checkpointer.save(thread, ns, checkpoint)
        case SaveRecord(checkpointer, thread, ns, checkpoint, record):
            return checkpointer.save_record(thread, ns, checkpoint, record)
        case Flush(checkpointer):
            return checkpointer.flush()
        case Sleep(seconds):
            return sleep(seconds)
        case Recall(cache, key):
            return cache.get([key]).get(key, MISSING)
        case Remember(cache, key, value, ttl):
            return cache.set({key: (value, ttl)})
        case Join(futures, cancel):
            return joined(futures, cancel)
        case Load(checkpointer, thread, ns, checkpoint):
            return checkpointer.load(thread, ns, checkpoint)
        case Ask(scope, pause):
            assert scope.gate is not None
            return settled(scope, pause, scope.gate(pause))
    raise TypeError(f"Not an effect: {effect!r}")


def failure(effect: Any, error: BaseException) -> BaseException:
    """A CancelledError that a body raised by itself, as the failure that it is."""
    if isinstance(error, Exception) or type(effect) is not Task or type(error).__name__ != "CancelledError":
        return error
    found = NodeCancelledError(effect.name)
    found.__cause__ = error
    return found


def joined(futures: Any, cancel: bool) -> None:
    """Wait until all are done; what became of them is for whoever asked for them."""
    for future in futures:
        if cancel:
            future.cancel()
    wait(futures)
