"""Functions and coroutines that run beside each other until a `with` block ends. Needs langchain-core.

No run uses these: the drivers have threads and tasks of their own.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
import weakref
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack, suppress
from contextvars import copy_context
from typing import Any, ParamSpec, Protocol, TypeVar

from langchain_core.runnables.config import get_executor_for_config

from stepgraph.compat.langgraph._internal._future import CONTEXT_NOT_SUPPORTED, run_coroutine_threadsafe
from stepgraph.core.errors import GraphBubbleUp

__all__ = (
    "CONTEXT_NOT_SUPPORTED",
    "AsyncBackgroundExecutor",
    "BackgroundExecutor",
    "Submit",
    "gated",
    "next_tick",
    "run_coroutine_threadsafe",
)

P = ParamSpec("P")
T = TypeVar("T")
SKIP_RERAISE_SET: weakref.WeakSet[Any] = weakref.WeakSet()
"""Futures whose error somebody has taken over."""


class Submit(Protocol[P, T]):
    """Begins a call and gives its future."""

    def __call__(  # type: ignore[valid-type]  # LangGraph's form: these names are never parameters of `fn`
        self,
        fn: Callable[P, T],
        *args: P.args,
        __name__: str | None = None,
        __cancel_on_exit__: bool = False,
        __reraise_on_exit__: bool = True,
        __next_tick__: bool = False,
        **kwargs: P.kwargs,
    ) -> concurrent.futures.Future[T]: ...


class BackgroundExecutor(AbstractContextManager[Any]):
    """Runs functions in threads. At the end it waits for all of them and raises the first error.

    A call may say that it is cancelled then if it has not begun, or that its error is not raised.
    """

    def __init__(self, config: Any) -> None:
        self.stack = ExitStack()
        self.executor = self.stack.enter_context(get_executor_for_config(config))
        self.tasks: dict[concurrent.futures.Future[Any], tuple[bool, bool]] = {}
        """What has not succeeded -> whether it is cancelled at the end, and whether its error is raised."""

    def submit(
        self,
        fn: Callable[..., Any],
        *args: Any,
        __name__: str | None = None,
        __cancel_on_exit__: bool = False,
        __reraise_on_exit__: bool = True,
        __next_tick__: bool = False,
        **kwargs: Any,
    ) -> concurrent.futures.Future[Any]:
        """Begin a call in the present context."""
        run: Callable[..., Any] = copy_context().run
        call = (next_tick, run, fn) if __next_tick__ else (run, fn)
        future = self.executor.submit(*call, *args, **kwargs)
        self.tasks[future] = (__cancel_on_exit__, __reraise_on_exit__)
        future.add_done_callback(self.done)
        return future

    def done(self, task: concurrent.futures.Future[Any]) -> None:
        """Forget a call unless it has failed."""
        if not _failed(task):
            self.tasks.pop(task)

    def __enter__(self) -> Any:
        return self.submit

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        waiting = dict(self.tasks)
        for future, (cancelled, _) in waiting.items():
            if cancelled:
                future.cancel()
        concurrent.futures.wait([future for future in waiting if not future.done()])
        self.stack.__exit__(exc_type, exc_value, traceback)
        if exc_type is None:
            _raise_first(waiting)


class AsyncBackgroundExecutor(AbstractAsyncContextManager[Any]):
    """The same for coroutines, in the running loop; at most `max_concurrency` of the config at once."""

    def __init__(self, config: Any) -> None:
        self.tasks: dict[asyncio.Future[Any], tuple[bool, bool]] = {}
        self.sentinel = object()
        self.loop = asyncio.get_running_loop()
        most = config.get("max_concurrency")
        self.semaphore = asyncio.Semaphore(most) if most else None

    def submit(
        self,
        fn: Callable[..., Any],
        *args: Any,
        __name__: str | None = None,
        __cancel_on_exit__: bool = False,
        __reraise_on_exit__: bool = True,
        __next_tick__: bool = False,
        **kwargs: Any,
    ) -> asyncio.Future[Any]:
        """Begin what an async function does, in a copy of the present context."""
        coroutine = fn(*args, **kwargs)
        if self.semaphore is not None:
            coroutine = gated(self.semaphore, coroutine)
        future: asyncio.Future[Any] = run_coroutine_threadsafe(
            coroutine, self.loop, name=__name__, context=copy_context(), lazy=__next_tick__
        )
        self.tasks[future] = (__cancel_on_exit__, __reraise_on_exit__)
        future.add_done_callback(self.done)
        return future

    def done(self, task: asyncio.Future[Any]) -> None:
        """Forget a call unless it has failed."""
        if not _failed(task):
            self.tasks.pop(task)

    async def __aenter__(self) -> Any:
        return self.submit

    async def __aexit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        waiting = dict(self.tasks)
        for future, (cancelled, _) in waiting.items():
            if cancelled:
                future.cancel(self.sentinel)
        if waiting:
            await asyncio.wait(waiting)
        if exc_type is None:
            _raise_first(waiting)


def _failed(future: Any) -> bool:
    """Whether it ended with an error that is no signal to the graph."""
    return not future.cancelled() and not isinstance(future.exception(), GraphBubbleUp | None)


def _raise_first(waiting: dict[Any, tuple[bool, bool]]) -> None:
    for future, (_, raises) in waiting.items():
        if raises and future not in SKIP_RERAISE_SET:
            with suppress(concurrent.futures.CancelledError, asyncio.CancelledError):
                future.result()


async def gated(semaphore: asyncio.Semaphore, coro: Coroutine[None, None, T]) -> T:
    """Await a coroutine once the semaphore lets it."""
    async with semaphore:
        return await coro


def next_tick(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function after other threads have had a turn."""
    time.sleep(0)
    return fn(*args, **kwargs)
