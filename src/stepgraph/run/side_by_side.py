"""Coroutines in contexts of their own, one in the place of its caller or several side by side."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any

Side = Callable[[Any], Coroutine[Any, Any, bool]]
"""A coroutine function for one of several things side by side: whether it failed."""


class Group:
    """Parallel coroutines, counted down; `end` is set when all have ended, or (to True) when one failed.

    Cheaper than `asyncio.wait`, which adds and removes a callback a task.
    """

    __slots__ = ("_call", "_limit", "_loop", "_waiting", "end", "running")

    def __init__(self, call: Side, count: int, limit: asyncio.Semaphore | None) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._waiting = count
        self._limit = limit
        self.running: list[asyncio.Task[None]] = []
        self.end: asyncio.Future[bool] = self._loop.create_future()

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Start it as an asyncio task: at once where Python can (3.12), else in the loop's next round."""
        self.running.append(asyncio.Task(coroutine, loop=self._loop, **_EAGER))

    async def in_turn(self, items: deque[Any]) -> None:
        """One after the other while they end without waiting: an asyncio task costs more than most of them.

        The first that waits keeps this asyncio task for itself, and those behind it get one each. Each has a context
        of its own, a copy of the one here.
        """
        here, call = copy_context(), self._call if self._limit is None else self._limited
        ended, failed = 0, False
        try:
            while items:
                context = here.copy()
                coroutine = call(items.popleft())
                try:
                    waited = context.run(coroutine.send, None)
                except StopIteration as end:
                    ended += 1
                    failed = failed or end.value
                    continue
                except BaseException:
                    ended, failed = ended + 1, True
                    raise
                for item in items:
                    self.start(self._alone(call, item))
                items.clear()
                self.ended(ended, failed)
                ended, failed = 1, False
                failed = await InContext(coroutine, context, waited)
        finally:
            for item in items:  # behind something that was raised: they are cancelled, but nobody waits in vain
                self.start(self._alone(call, item))
            self.ended(ended, failed)

    async def _alone(self, call: Side, item: Any) -> None:
        failed = False
        try:
            failed = await call(item)
        finally:
            self.ended(1, failed)

    async def _limited(self, item: Any) -> bool:
        assert self._limit is not None
        async with self._limit:
            return await self._call(item)

    def ended(self, count: int, failed: bool) -> None:
        self._waiting -= count
        if (failed or not self._waiting) and not self.end.done():
            self.end.set_result(failed)


_NOT_STARTED: Any = object()
_EAGER: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


class InContext:
    """Awaits a coroutine whose every step runs in `context`, inside the awaiting asyncio task.

    So a single ready task needs no asyncio task of its own, and what it sets in context variables stays its own. The
    coroutine is never handed to another task, so `asyncio.timeout` and cancel scopes in it work. One that has been
    started already comes with what it waits for. Where it cancels the asyncio task, as if that were its own, that is
    taken back when it has ended.
    """

    __slots__ = ("context", "coroutine", "waited")

    def __init__(self, coroutine: Any, context: Context, waited: Any = _NOT_STARTED) -> None:
        self.coroutine = coroutine
        self.context = context
        self.waited = waited

    def __await__(self) -> Generator[Any, Any, Any]:
        run = self.context.run
        coroutine, waited = self.coroutine, self.waited
        if not hasattr(coroutine, "send"):
            coroutine = awaited(coroutine)
        step, argument = coroutine.send, None
        host = asyncio.current_task() or _NOBODY
        cancels = host.cancelling
        before = cancels() if waited is _NOT_STARTED else cancels_before(host)
        try:
            while True:
                if waited is _NOT_STARTED:
                    try:
                        waited = run(step, argument)
                    except StopIteration as end:
                        return end.value
                known = cancels()
                if known or before:
                    before = min(before, cancels_before(host))
                try:
                    argument = yield waited
                    step = coroutine.send
                except GeneratorExit:
                    coroutine.close()
                    raise
                except BaseException as error:
                    before += cancels() - known  # these came from elsewhere
                    step, argument = coroutine.throw, error
                waited = _NOT_STARTED
        finally:
            take_back(host, before)


class _Nobody:
    """In place of the asyncio task where something else drives the coroutine."""

    def cancelling(self) -> int:
        return 0

    uncancel = cancelling


_NOBODY = _Nobody()


def cancels_before(host: Any) -> int:
    """How often the asyncio task had been cancelled before the step that a coroutine in it has just taken."""
    count: int = host.cancelling()
    return count - 1 if count and getattr(host, "_must_cancel", False) else count


def take_back(host: Any, before: int) -> None:
    """Undo what a coroutine has cancelled of the asyncio task that it runs in."""
    for _ in range(host.cancelling() - before):
        host.uncancel()


async def awaited(awaitable: Any) -> Any:
    return await awaitable
