"""The drivers of a debugged run: a lone task costs no hand-over, parallel ones never block the engine or each other.

A graph of sync nodes is driven in the worker thread itself: a body is called where no loop runs, so it may call
`asyncio.run`. A graph with async nodes is driven on a loop that all of them are awaited on, always the same one. While
tasks run in parallel the engine's side of them lives on a second loop, so that a node which blocks, or waits for a
person, holds up nobody but itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import CancelledError, Future
from contextvars import copy_context
from threading import Lock, Thread
from typing import Any

from stepgraph.core.checkpoint import flush
from stepgraph.core.effects import Bodies, Flow, Flush, Load, Sleep, Together
from stepgraph.core.errors import Cancelled
from stepgraph.core.task import Task
from stepgraph.run.aio import AsyncDriver
from stepgraph.run.context import call_body
from stepgraph.run.sync import SyncDriver


class ThreadDriver(SyncDriver):
    """Drives one flow of sync nodes in the calling thread. `cancel` may be called from any other."""

    def __init__(self, *, width: int | None = None) -> None:
        super().__init__(width=width)
        self._aside = AsyncDriver(width=width)
        self._runner = asyncio.Runner()
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._parallel: asyncio.Task[Any] | None = None
        self._cancelled = False

    def run(self, flow: Flow) -> Any:
        """Drive the flow to its end and return its result. Raises what the flow raises, Cancelled after a `cancel`."""
        with self._runner:
            return super().run(flow)

    def cancel(self) -> None:
        """End what runs on the loop now, and what would run there later."""
        with self._lock:
            self._cancelled = True
            loop, parallel = self._loop, self._parallel
            if loop is not None and parallel is not None:
                loop.call_soon_threadsafe(parallel.cancel)

    def _told(self, error: BaseException) -> BaseException:
        if isinstance(error, (asyncio.CancelledError, CancelledError)):
            return Cancelled("The run was cancelled.")
        return error

    def _perform(self, effect: Any) -> Any:
        if isinstance(effect, Sleep):
            return self._runner.run(self._on_loop(effect))
        return super()._perform(effect)

    def _together(self, together: Together) -> Generator[None, None, None]:
        self._runner.run(self._on_loop(together))
        yield from ()

    def _bodies(self, bodies: Bodies) -> Generator[None, None, None]:
        self._runner.run(self._on_loop(bodies))
        yield from ()

    async def _on_loop(self, effect: Any) -> Any:
        """What needs a loop: parallel tasks, and waits that a cancel must end."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
            parallel = self._parallel = asyncio.ensure_future(self._aside.run(_alone(effect)))
            if self._cancelled:
                parallel.cancel()
        try:
            return await parallel
        finally:
            with self._lock:
                self._parallel = None


class LoopDriver(AsyncDriver):
    """Drives one flow on the running loop, with its async nodes; the engine's side of parallel tasks elsewhere."""

    __slots__ = ("_aside", "_width")

    def __init__(self, *, width: int | None = None) -> None:
        super().__init__(width=width)
        self._width = width
        self._aside: LoopThread | None = None

    async def _together(self, together: Together) -> None:
        if self._aside is None:
            self._aside = LoopThread("stepgraph-engine")
        driver = AsyncDriver(width=self._width, node_loop=asyncio.get_running_loop())
        await self._aside.run(driver.run(_alone(together)))

    def close(self) -> None:
        """End the second loop, if there was need for one."""
        if self._aside is not None:
            self._aside.stop()


class HereDriver(AsyncDriver):
    """Drives one flow on the running loop and starts no thread: sync bodies run on the loop too, each in its turn."""

    __slots__ = ()

    async def _body(self, task: Task) -> Any:
        await asyncio.sleep(0)  # what else the loop has to do comes between two bodies
        context = task.context = copy_context()
        return context.run(call_body, task)

    async def _perform(self, effect: Any) -> Any:
        match effect:
            case Flush(checkpointer, thread):
                return flush(checkpointer, thread)
            case Load(checkpointer, thread, ns, checkpoint):
                return checkpointer.load(thread, ns, checkpoint)
        return await super()._perform(effect)


class LoopThread:
    """A daemon thread with an event loop."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        Thread(target=copy_context().run, args=(self._run,), name=name, daemon=True).start()

    async def run(self, coroutine: Any) -> Any:
        """Await a coroutine over there. When cancelled, so is it, and its end is waited for."""
        made: Future[asyncio.Task[Any]] = Future()
        ended: Future[Any] = Future()

        def start() -> None:
            task = self.loop.create_task(coroutine)
            task.add_done_callback(lambda _: ended.set_result(None))
            made.set_result(task)

        self.loop.call_soon_threadsafe(start)
        end = asyncio.wrap_future(ended)
        try:
            await asyncio.shield(end)
        except asyncio.CancelledError:
            self.loop.call_soon_threadsafe(lambda: made.result().cancel())
            await end
            raise
        return made.result().result()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            self.loop.close()


def _alone(effect: Any) -> Generator[Any, Any, Any]:
    """A flow of one effect."""
    return (yield effect)
