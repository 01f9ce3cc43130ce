"""Futures of threads and of event loops that follow each other."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any

__all__ = ("CONTEXT_NOT_SUPPORTED", "EAGER_NOT_SUPPORTED", "AnyFuture", "chain_future", "run_coroutine_threadsafe")

AnyFuture = asyncio.Future[Any] | concurrent.futures.Future[Any]
CONTEXT_NOT_SUPPORTED = False
EAGER_NOT_SUPPORTED = sys.version_info < (3, 12)
_OF_LOOPS: dict[type[BaseException], type[BaseException]] = {
    concurrent.futures.CancelledError: asyncio.CancelledError,
    concurrent.futures.TimeoutError: asyncio.TimeoutError,
    concurrent.futures.InvalidStateError: asyncio.InvalidStateError,
}


def chain_future(source: Any, destination: Any) -> Any:
    """Let `destination` end as `source` does, and `source` be cancelled when `destination` is; gives `destination`.

    Both may be futures of asyncio or of `concurrent.futures`. Raises TypeError for anything else.
    """
    _loop_of(source, "source")
    _loop_of(destination, "destination")
    source.add_done_callback(lambda ended: _in_loop_of(destination, source, lambda: _follow(ended, destination)))
    destination.add_done_callback(lambda ended: _cancel(ended, source))
    return destination


def _loop_of(future: Any, which: str = "") -> asyncio.AbstractEventLoop | None:
    """The loop of asyncio's future; None for a future of threads."""
    if asyncio.isfuture(future):
        return future.get_loop()
    if isinstance(future, concurrent.futures.Future):
        return None
    raise TypeError(f"A future is required for {which} argument")


def _in_loop_of(future: Any, other: Any, act: Callable[[], None]) -> None:
    """Act where the future's callbacks run: at once if that is here, and not at all in a closed loop."""
    loop = _loop_of(future)
    if loop is None or loop is _loop_of(other):
        act()
    elif not loop.is_closed():
        loop.call_soon_threadsafe(act)


def _cancel(ended: Any, source: Any) -> None:
    if ended.cancelled():
        loop = _loop_of(source)
        if loop is None or loop is _loop_of(ended):
            source.cancel()
        else:
            loop.call_soon_threadsafe(source.cancel)


def _follow(source: Any, destination: Any) -> None:
    """End `destination` as `source` has ended."""
    of_thread = isinstance(destination, concurrent.futures.Future)
    if source.cancelled():
        destination.cancel()
        if not of_thread:
            return
    if not (destination.set_running_or_notify_cancel() if of_thread else not destination.done()):
        return
    error = source.exception()
    if error is None:
        destination.set_result(source.result())
    else:
        kind = _OF_LOOPS.get(type(error))
        destination.set_exception(error if kind is None else kind(*error.args))


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def run_coroutine_threadsafe(
    coro: Any,
    loop: asyncio.AbstractEventLoop,
    *,
    lazy: bool,
    name: str | None = None,
    context: Context | None = None,
) -> Any:
    """Run a coroutine in a loop, from any thread; gives a future of that loop.

    In the loop itself it begins at once unless `lazy`, from Python 3.12 on.
    """
    if not asyncio.iscoroutine(coro):
        if not hasattr(coro, "__await__"):
            raise TypeError(
                f"An asyncio.Future, a coroutine or an awaitable is required. Got {type(coro).__name__} instead."
            )
        coro = _awaited(coro)
    if asyncio._get_running_loop() is loop:
        if not lazy and sys.version_info >= (3, 12):
            return asyncio.eager_task_factory(loop, coro, name=name, context=context)
        return loop.create_task(coro, name=name, context=context)
    future: asyncio.Future[Any] = asyncio.Future(loop=loop)

    def begin() -> None:
        try:
            chain_future(loop.create_task(coro, name=name, context=context), future)
        except BaseException as error:
            future.set_exception(error)
            raise

    loop.call_soon_threadsafe(begin, context=context)
    return future
