"""A coroutine on an event loop as a future for any thread. Imported on first use: asyncio is heavy."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from threading import get_ident
from typing import Any


class Looped(Future[Any]):
    """Done when the coroutine has ended, also after `cancel`, which only asks it to.

    The future of `asyncio.run_coroutine_threadsafe` is done as soon as it is cancelled: whoever waits for it goes on
    while the coroutine is still cleaning up.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.leaving = False
        """Whether it was asked to end."""
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None
        self._thread = 0
        loop.call_soon_threadsafe(self._begin, coroutine)

    def cancel(self) -> bool:
        """Ask the coroutine to end; False when it has."""
        if self.done():
            return False
        self.leaving = True
        if self._task is not None and get_ident() == self._thread:
            self._task.cancel()
            return True
        with suppress(RuntimeError):  # the loop is closed: the coroutine has ended with it
            self._loop.call_soon_threadsafe(self._stop)
        return True

    def _begin(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._thread = get_ident()
        self._task = self._loop.create_task(coroutine)
        self._task.add_done_callback(self._ended)

    def _stop(self) -> None:
        assert self._task is not None, "what is called soon is called in order"
        self._task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            super().cancel()
            self.set_running_or_notify_cancel()
        elif (error := task.exception()) is not None:
            self.set_exception(error)
        else:
            self.set_result(task.result())


async def in_turn(turns: asyncio.Semaphore, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Await the coroutine when it is its turn."""
    try:
        async with turns:
            return await coroutine
    finally:
        coroutine.close()  # where it was cancelled before its turn
