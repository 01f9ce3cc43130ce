"""Whoever reads an async stream: no superstep begins before what came ahead of it has been taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from threading import get_ident
from typing import Any

from stepgraph.core.engine import Engine


class Reader:
    """The chunks of one run, for one reader, whose asking makes the run go on. Made on the loop that it reads on."""

    __slots__ = ("_arrived", "_asks", "_chunks", "_engine", "_loop", "_step", "_thread")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._step: int | None = None
        """The superstep that has been let begin."""
        self._chunks: deque[Any] = deque()
        self._arrived, self._asks = asyncio.Event(), asyncio.Event()
        """Whether there may be something to take; whether the reader has taken all and asks for more."""
        self._loop, self._thread = asyncio.get_running_loop(), get_ident()

    def put(self, chunk: Any) -> None:
        """A chunk for the reader. In any thread."""
        self._chunks.append(chunk)
        if get_ident() == self._thread:
            self._asks.clear()
            self._arrived.set()
        else:
            self._loop.call_soon_threadsafe(self._arrived.set)

    async def turn(self) -> None:
        """Let the reader read before code of the user's runs: all that came before a superstep, some of it within."""
        step, asks = self._engine.state.step, self._asks
        if step != self._step:
            self._step = step
            if not asks.is_set():
                await asyncio.sleep(0)  # by then most readers ask again: that is cheaper than to wait for it
                await asks.wait()
        elif self._chunks:
            await asyncio.sleep(0)

    async def chunks(self, run: asyncio.Future[Any]) -> AsyncIterator[Any]:
        """What the run puts, until it has ended."""
        run.add_done_callback(self._ended)
        chunks, arrived, asks = self._chunks, self._arrived, self._asks
        while not run.done() or chunks:
            asks.clear()
            while chunks:
                yield chunks.popleft()
            if not run.done():
                asks.set()
                await arrived.wait()
                arrived.clear()

    def _ended(self, run: asyncio.Future[Any]) -> None:
        self._arrived.set()
        if not run.cancelled():
            run.exception()  # asked for here, because a reader that has gone does not ask, and asyncio would log it
