"""The driver of a debugged run: supersteps of one task stay in the worker thread, parallel ones get an event loop.

A sync body is called right here, where no loop runs, so that a node may call `asyncio.run`. An async body is awaited on
the run's node loop, always the same one. Only parallel tasks need an engine loop: the asyncio driver gets them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError
from contextvars import Context, copy_context
from queue import SimpleQueue
from threading import Lock
from typing import Any

from stepgraph.core.effects import Ask, Call, Flow, Flush, Load, Save, SaveRecord
from stepgraph.core.errors import Cancelled
from stepgraph.core.task import Task
from stepgraph.run.aio import AsyncDriver
from stepgraph.run.context import call_body, call_in_task, settled


class SessionDriver:
    """Drives one flow in the calling thread. `cancel` may be called from any other."""

    def __init__(self, *, width: int | None = None, node_loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._aside = AsyncDriver(width=width, node_loop=node_loop)
        self._node_loop = node_loop
        self._runner = asyncio.Runner()
        self._lock = Lock()
        self._replies: SimpleQueue[asyncio.Task[Any]] = SimpleQueue()
        self._awaited: asyncio.Task[Any] | None = None
        """The async body that runs now, or the last one."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._parallel: asyncio.Task[Any] | None = None
        self._cancelled = False

    def run(self, flow: Flow) -> Any:
        """Drive the flow to its end and return its result. Raises what the flow raises, Cancelled after a `cancel`."""
        step: Callable[[Any], Any] = flow.send
        argument: Any = None
        with self._runner:
            while True:
                try:
                    effect = step(argument)
                except StopIteration as end:
                    return end.value
                step = flow.send
                try:
                    argument = self._perform(effect)
                except (asyncio.CancelledError, CancelledError):
                    step, argument = flow.throw, Cancelled("The run was cancelled.")
                except BaseException as error:  # noqa: BLE001  the flow decides what it means
                    step, argument = flow.throw, error

    def cancel(self) -> None:
        """End what is awaited now, and what would be awaited later."""
        with self._lock:
            self._cancelled = True
            loop, parallel = self._loop, self._parallel
        if self._node_loop is not None and not self._node_loop.is_closed():
            self._node_loop.call_soon_threadsafe(self._cancel_body)
        if loop is not None and parallel is not None and not loop.is_closed():
            loop.call_soon_threadsafe(parallel.cancel)

    def _cancel_body(self) -> None:
        if self._awaited is not None:
            self._awaited.cancel()

    def _perform(self, effect: Any) -> Any:
        if type(effect) is Task:
            context = effect.context = copy_context()
            if effect.node.is_async:
                return self._await(effect, context)
            return context.run(call_body, effect)
        match effect:
            case Save(checkpointer, thread, ns, checkpoint):
                return checkpointer.save(thread, ns, checkpoint)
            case SaveRecord(checkpointer, thread, ns, checkpoint, record):
                return checkpointer.save_record(thread, ns, checkpoint, record)
            case Call(task, function, value, is_async, extra) if not is_async:
                return (task.context or copy_context()).run(call_in_task, task, function, value, extra)
            case Flush(checkpointer):
                return checkpointer.flush()
            case Load(checkpointer, thread, ns, checkpoint):
                return checkpointer.load(thread, ns, checkpoint)
            case Ask(scope, pause):
                assert scope.gate is not None
                return settled(scope, pause, scope.gate(pause))
        return self._runner.run(self._on_loop(effect))

    def _await(self, task: Task, context: Context) -> Any:
        """The result of an async body on the node loop. A queue is half the price of a thread-safe future."""
        loop = self._node_loop
        assert loop is not None

        def start() -> None:
            body = self._awaited = loop.create_task(_awaited(task), context=context)
            body.add_done_callback(self._replies.put)
            if self._cancelled:
                body.cancel()

        loop.call_soon_threadsafe(start)
        return self._replies.get().result()

    async def _on_loop(self, effect: Any) -> Any:
        """What needs a loop: parallel tasks, async routers."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
            parallel = self._parallel = asyncio.ensure_future(self._aside.run(_alone(effect)))
            if self._cancelled:
                parallel.cancel()
        try:
            return await parallel
        finally:
            self._parallel = None


async def _awaited(task: Task) -> Any:
    return await call_body(task)


def _alone(effect: Any) -> Generator[Any, Any, Any]:
    """A flow of one effect."""
    return (yield effect)
