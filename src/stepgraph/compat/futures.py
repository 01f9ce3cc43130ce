"""The futures of a superstep's tasks, for code that waits for tasks by itself. No run uses them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Collection
from types import GenericAlias
from typing import Any

from stepgraph.compat.langgraph.pregel._executor import SKIP_RERAISE_SET
from stepgraph.core.errors import GraphBubbleUp, is_invalid_resume


class FuturesDict(dict[Any, Any]):
    """Future -> its task, or None for one that is only waited for.

    When a task's future ends, what `callback` refers to is called with the task and its error. `event` is set once all
    have ended, or the failed ones are such that `should_stop(failed)` says so.
    """

    __class_getitem__: Any = classmethod(GenericAlias)

    def __init__(
        self,
        event: Any,
        callback: Callable[[], Callable[[Any, BaseException | None], None] | None],
        should_stop: Callable[[set[Any]], bool],
        future_type: type[Any],
    ) -> None:
        super().__init__()
        self.callback, self.should_stop = callback, should_stop
        self.event, self.lock = event, threading.Lock()
        self.done: set[Any] = set()
        self.failed: set[Any] = set()
        self._running: list[Any] = []

    @property
    def counter(self) -> int:
        """How many tasks' futures have not ended."""
        return len(self._running)

    def __setitem__(self, future: Any, task: Any) -> None:
        dict.__setitem__(self, future, task)
        if task is None:
            return
        with self.lock:
            self._running.append(future)
            self.event.clear()
        future.add_done_callback(lambda ended: self.on_done(task, ended))

    def on_done(self, task: Any, fut: Any) -> None:
        """Tell of a future that has ended."""
        error, listener = exception_of(fut), self.callback()
        try:
            if listener is not None:
                listener(task, error)
        finally:
            self._ended(fut, failed=error is not None and not fut.cancelled())

    def _ended(self, future: Any, *, failed: bool) -> None:
        with self.lock:
            if future in self._running:
                self._running.remove(future)
            self.done.add(future)
            if failed:
                self.failed.add(future)
            if not self._running or self.should_stop(self.failed):
                self.event.set()


def exception_of(fut: Any) -> BaseException | None:
    """The error of a future that has ended; that it was cancelled is one too."""
    try:
        found: BaseException | None = fut.exception()
    except (asyncio.CancelledError, concurrent.futures.CancelledError) as cancelled:
        return cancelled
    return found


def should_stop_others(done: Collection[Any], *, handled_exception_ids: Collection[int] | None = None) -> bool:
    """Whether one of these has failed so that the others are to be cancelled.

    Signals of graphs, answers that do not fit, and errors that a handler takes over are no such failures.
    """
    errors = [fut.exception() for fut in done if not fut.cancelled() and fut not in SKIP_RERAISE_SET]
    handled = handled_exception_ids or ()
    return any(
        error is not None and id(error) not in handled
        for error in errors
        if not isinstance(error, GraphBubbleUp) and not is_invalid_resume(error)
    )
