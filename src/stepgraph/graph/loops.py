"""Running an engine on asyncio: awaited, streamed, or from sync code. Imported on first use: asyncio is heavy."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

from stepgraph.core.effects import Flow
from stepgraph.core.engine import Engine, Outcome
from stepgraph.core.events import Emit
from stepgraph.run.aio import AsyncDriver
from stepgraph.run.context import caller_loop
from stepgraph.run.reader import Reader
from stepgraph.run.threads import pool

gather = asyncio.gather


async def outcome_of(engine: Engine, reader: Reader | None = None) -> Outcome:
    """Run the engine on the current loop, for the reader of a stream if there is one."""
    if engine.keeper is not None:
        engine.keeper.awaits = True
    outcome: Outcome = await AsyncDriver(width=_width(engine), reader=reader).run(engine.run())
    return outcome


async def straight_outcome_of(engine: Engine) -> tuple[bool, Any]:
    """The same where the plan is `straight` and nobody looks: (True, None) if the run went well in the shortest way."""
    driver = AsyncDriver(width=_width(engine))
    over, cancelled = await driver.straight(engine)
    return (True, None) if over else (False, await driver.run(engine.run(), cancelled))


def _width(engine: Engine) -> int | None:
    """How many tasks of a superstep may run at once; None for any number."""
    width: int | None = engine.request.config.get("max_concurrency")
    return width


async def chunks_of(engine: Engine, listen: Callable[[Callable[[Any], None]], None]) -> AsyncIterator[Any]:
    """Run the engine and yield what a stream puts; `listen(put)` connects it. Closing cancels and awaits the run."""
    reader = Reader(engine)
    listen(reader.put)
    run = asyncio.ensure_future(outcome_of(engine, reader))
    try:
        async for chunk in reader.chunks(run):
            yield chunk
        await run
    finally:
        if not run.done():
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)


def run_here(flow: Flow, width: int | None = None) -> Any:
    """Drive a flow with async nodes from sync code: on a loop here, or beside one that is running already."""
    return on_a_loop(AsyncDriver(width=width).run(flow))


def on_a_loop(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end from sync code."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    return pool.submit(copy_context().run, asyncio.run, coroutine).result()


def chunks_beside(engine: Engine, listener: Emit, chunks: deque[Any]) -> Iterator[Any]:
    """A sync stream over async nodes: the run goes on in a thread with a loop of its own; `listener` fills `chunks`.

    Closing it cancels the run and waits for its end.
    """
    queue: SimpleQueue[Any] = SimpleQueue()
    end = object()
    begun: Future[tuple[asyncio.AbstractEventLoop, Any]] = Future()

    async def run() -> None:
        begun.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        try:
            await outcome_of(engine)
        finally:
            queue.put(end)

    def emit(event: Any) -> None:
        listener(event)
        _move(chunks, queue.put)

    engine.listen(emit, engine.request.unheard)
    future = pool.submit(copy_context().run, asyncio.run, run())
    try:
        while (chunk := queue.get()) is not end:
            yield chunk
    except BaseException:
        loop, running = begun.result()
        with suppress(RuntimeError):  # the loop is closed: the run has just ended by itself
            loop.call_soon_threadsafe(running.cancel)
        future.exception()
        raise
    future.result()


def _move(chunks: deque[Any], put: Callable[[Any], None]) -> None:
    while chunks:
        put(chunks.popleft())


async def to_thread(function: Callable[[], Any]) -> Any:
    """Call in a helper thread, which knows the loop that waits for it."""
    token = caller_loop.set(asyncio.get_running_loop())
    try:
        return await asyncio.to_thread(function)
    finally:
        caller_loop.reset(token)


def on_this_thread(function: Callable[[], Any]) -> Any:
    """Call here and now: no saver may ask for the loop that waits for it, which would wait for this."""
    token = caller_loop.set(None)
    try:
        return function()
    finally:
        caller_loop.reset(token)
