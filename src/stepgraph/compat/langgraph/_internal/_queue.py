"""Queues on which one may wait without taking anything."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from contextlib import suppress
from types import GenericAlias
from typing import Any

__all__ = ("AsyncQueue", "Semaphore", "SyncQueue")


class AsyncQueue(asyncio.Queue[Any]):
    """asyncio's queue, on which one may also wait for an item."""

    async def wait(self) -> None:
        """Return once there is an item; it stays there."""
        parts: Any = self  # asyncio's own attributes: whoever waits stands in line with those who take
        while self.empty():
            turn = asyncio.get_running_loop().create_future()
            parts._getters.append(turn)
            try:
                await turn
            except BaseException:
                taken = not turn.cancelled() and turn.done()
                turn.cancel()
                with suppress(ValueError):
                    parts._getters.remove(turn)
                if taken and not self.empty():
                    parts._wakeup_next(parts._getters)
                raise


class Semaphore(threading.Semaphore):
    """A semaphore on which one may also wait."""

    def wait(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Whether it could be acquired now, or within `timeout` seconds; it is not acquired."""
        if timeout is not None and not blocking:
            raise ValueError("can't specify timeout for non-blocking acquire")
        parts: Any = self
        with parts._cond:
            return bool(parts._cond.wait_for(lambda: parts._value > 0, timeout if blocking else 0))


class SyncQueue:
    """A queue without bounds, for threads."""

    __class_getitem__: Any = classmethod(GenericAlias)

    def __init__(self) -> None:
        self._queue: deque[Any] = deque()
        self._count = Semaphore(0)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add an item; that never waits."""
        self._queue.append(item)
        self._count.release()

    def get(self, block: bool = False, timeout: float | None = None) -> Any:
        """Take the first item. Raises queue.Empty if there is none, with `block` not before `timeout` seconds."""
        _check(timeout)
        if not self._count.acquire(block, timeout):
            raise queue.Empty
        try:
            return self._queue.popleft()
        except IndexError:
            raise queue.Empty from None

    def wait(self, block: bool = True, timeout: float | None = None) -> None:
        """Return once there may be an item, or after `timeout` seconds; it stays there."""
        _check(timeout)
        self._count.wait(block, timeout)

    def empty(self) -> bool:
        """Whether it is empty now."""
        return not self._queue

    def qsize(self) -> int:
        """How many items it has now."""
        return len(self._queue)


def _check(timeout: float | None) -> None:
    if timeout is not None and timeout < 0:
        raise ValueError("'timeout' must be a non-negative number")
