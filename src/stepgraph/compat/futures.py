"""The futures of a superstep's tasks, for code that waits for tasks by itself. No run uses them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Collection
from functools import partial
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
        self.lock = threading.Lock()
        self.event, self.callback, self.should_stop = event, callback, should_stop
        self.counter = 0
        self.done: set[Any] = set()
        self.failed: set[Any] = set()

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        if value is not None:
            with self.lock:
                self.event.clear()
                self.counter += 1
            key.add_done_callback(partial(self.on_done, value))

    def on_done(self, task: Any, fut: Any) -> None:
        """Tell of a future that has ended."""
        try:
            told = self.callback()
            if told is not None:
                told(task, exception_of(fut))
        finally:
            with self.lock:
                self.counter -= 1
                self.done.add(fut)
                if not fut.cancelled() and fut.exception() is not None:
                    self.failed.add(fut)
                if self.counter == 0 or self.should_stop(self.failed):
                    self.event.set()


def exception_of(fut: Any) -> BaseException | None:
    """The error of a future that has ended; that it was cancelled is one too."""
    if not fut.cancelled():
        found: BaseException | None = fut.exception()
        return found
    return asyncio.CancelledError() if isinstance(fut, asyncio.Future) else concurrent.futures.CancelledError()


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
