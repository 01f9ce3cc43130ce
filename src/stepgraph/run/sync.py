"""The synchronous driver: runs a flow in the calling thread, and parallel tasks beside it when they are slow."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import wait
from contextvars import copy_context
from threading import Event
from time import monotonic, sleep
from typing import Any

from stepgraph.core.checkpoint import flush
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
from stepgraph.core.errors import StreamClosed, sync_timeout_unsupported
from stepgraph.core.recovery import cancelled_itself
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING
from stepgraph.run.context import call_body, call_in_task, settled
from stepgraph.run.threads import WORKERS, Batch, pool

USERS = frozenset({Task, Call, Bodies, Together, Ask})
"""Effects that run code of the user's or wait for a person. What finished before is saved when one of them comes."""
CLOSED: Any = ("closed",)
"""In place of chunks when their reader has gone."""
_UNWATCHED = Event()
"""What drivers wake when nobody waits for chunks: making an event costs more than a superstep."""


class SyncDriver:
    """Performs effects by doing them. Plans with async nodes are not for it.

    `chunks` is filled by a listener; whenever it holds something, `steps` yields so that a stream can hand it out.
    With `live`, bodies run in a helper thread so that chunks come out while a body still runs. `width` limits how many
    tasks of a superstep run at once, in each graph.
    """

    __slots__ = ("chunks", "live", "unsaved", "wake", "width")

    def __init__(self, chunks: deque[Any] | None = None, *, live: bool = False, width: int | None = None) -> None:
        self.chunks = chunks
        self.live = live
        self.unsaved: BaseException | None = None
        """What could not be saved after the reader had gone."""
        self.wake = Event() if live else _UNWATCHED
        self.width = width

    def run(self, flow: Flow) -> Any:
        """Drive the flow to its end and return its result."""
        steps = self._steps(flow)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    def steps(self, flow: Flow) -> Generator[None, None, Any]:
        """Drive the flow; yields whenever there is something in `chunks`, and before the user's code runs again.

        When it is closed, what runs is awaited and kept, with its routes, and no other task begins.
        """
        try:
            return (yield from self._steps(flow))
        except Exception as error:
            if self.chunks is not CLOSED or error is self.unsaved:
                raise
            return None  # what a task raised is on record, and there is nobody to be told

    def _steps(self, flow: Flow) -> Generator[None, None, Any]:
        step: Callable[[Any], Any] = flow.send
        argument: Any = None
        waiting: Generator[None, None, Any] | None = None
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
                    if chunks and (kind in USERS or kind is Within):  # no limit counts what the reader takes
                        if chunks is not CLOSED:
                            try:
                                yield
                            except GeneratorExit:
                                self._leave()
                            chunks = self.chunks
                        if chunks is CLOSED and kind is not Call and kind is not Within:
                            raise StreamClosed("The stream was closed before this task began.")
                    if kind is Task:
                        context = copy_context()
                        if not (effect.node.quick or effect.lean):  # its routers will run in it
                            effect.context = context
                        if self.live:
                            waiting = self._beside(context.run, call_body, effect)
                        else:
                            argument = context.run(call_body, effect)
                    elif kind is Call:
                        context = effect.task.context or copy_context()
                        argument = context.run(call_in_task, effect.task, effect.function, effect.value, effect.extra)
                    elif kind is Save:
                        argument = effect.checkpointer.save(effect.thread, effect.ns, effect.checkpoint)
                    elif kind is Bodies:
                        waiting = self._bodies(effect)
                    elif kind is Within:
                        waiting = self._within(effect)
                    elif kind is Together:
                        waiting = self._together(effect)
                    elif kind is Sleep and chunks is CLOSED:
                        raise StreamClosed("The stream was closed before the next attempt began.")
                    else:
                        argument = self._perform(effect)
                    while waiting is not None:
                        try:
                            next(waiting)
                        except StopIteration as end:
                            waiting, argument, chunks = None, end.value, self.chunks
                        else:
                            try:
                                yield
                            except GeneratorExit:
                                self._leave()
                except GeneratorExit:
                    raise
                except BaseException as error:
                    step, argument, chunks = flow.throw, self._told(failure(effect, error)), self.chunks
                    waiting = None
                    if chunks is CLOSED and kind not in USERS and not isinstance(error, StreamClosed):
                        self.unsaved = error
                if chunks and chunks is not CLOSED:
                    try:
                        yield
                    except GeneratorExit:
                        self._leave()
                    chunks = self.chunks
        finally:
            flow.close()

    def _leave(self) -> None:
        """The reader has gone: GeneratorExit is being handled."""
        if sys.is_finalizing():
            raise  # helper threads do not run any more, so that nothing can be awaited
        self.chunks = CLOSED

    def _told(self, error: BaseException) -> BaseException:
        """What the flow is told of an error."""
        return error

    def _within(self, limited: Within) -> Generator[None, None, Any]:
        """Run a superstep to its end and see how long it took: what runs in threads can't be stopped."""
        if limited.task is not None:
            limited.flow.close()
            raise sync_timeout_unsupported(limited.task.name)
        started = monotonic()
        result = yield from self._steps(limited.flow)
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
            if self.chunks and self.chunks is not CLOSED:
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
        left = 0
        try:
            if at_once or self.live:
                batch.width = (self.width or len(items)) + 1  # this thread takes none
                batch.spread()
            else:
                for _ in batch.run():
                    if chunks and not left:
                        yield
                        if self.chunks is CLOSED:
                            left = batch.drop()
            while not batch.wait(None if chunks is None else 0.0):
                self.wake.wait(0.05)
                self.wake.clear()
                if self.chunks is CLOSED:
                    left += batch.drop()
                elif chunks:
                    yield
        finally:
            batch.items.clear()
        if left:
            raise StreamClosed(f"The stream was closed before {left} of {len(items)} parallel tasks began.")

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
        case Flush(checkpointer, thread):
            return flush(checkpointer, thread)
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
    return cancelled_itself(effect, error)


def joined(futures: Any, cancel: bool) -> None:
    """Wait until all are done; what became of them is for whoever asked for them."""
    for future in futures:
        if cancel:
            future.cancel()
    wait(futures)
