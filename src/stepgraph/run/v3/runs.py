"""A run that its readers drive: reading any of its streams makes it go on by one event, and no thread is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NoReturn, Self

from stepgraph.core.types import Namespace
from stepgraph.run.v3.channel import StreamChannel
from stepgraph.run.v3.mux import StreamMux, of_part
from stepgraph.run.v3.transformer import ProtocolEvent


class _Run:
    """What both kinds of runs have."""

    def __init__(self, mux: StreamMux) -> None:
        self.mux = mux
        self.extensions: Mapping[str, Any] = MappingProxyType(mux.extensions)
        """Every stream by name."""
        self._exhausted = False
        self._latest: Any = None
        self._asked: list[Any] = []
        self._level = list(mux.scope)
        for key in mux.native_keys:
            setattr(self, key, mux.extensions[key])

    def __getattr__(self, name: str) -> NoReturn:
        mux = self.__dict__.get("mux")
        known = ", ".join(sorted(mux.native_keys)) if mux is not None else ""
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r} (registered projections: {known or 'none'})"
        )

    @property
    def _mux(self) -> StreamMux:  # LangGraph's name, which transformers of other packages read, and the next one too
        return self.mux

    def _observe_event(self, event: ProtocolEvent) -> None:
        self.observe(event)

    def observe(self, event: ProtocolEvent) -> None:
        """Remember the newest values and the questions of the graph's own level."""
        params = event["params"]
        if event["method"] == "values" and params["namespace"] == self._level:
            self._latest = params["data"]
            self._asked.extend(params.get("interrupts", ()))

    def _raise_failure(self) -> None:
        error = self.mux.events.error
        if error is not None:
            raise error


class GraphRunStream(_Run):
    """A run to be read by `for`: `values`, `messages`, `lifecycle`, `subgraphs`, and the streams of one's transformers.

    Each stream has one reader, and keeps items from the moment that somebody reads it. Iterating over the run itself
    gives every event. `output`, `interrupted` and `interrupts` drive the run to its end. Use it in a `with` statement
    to end it early.
    """

    def __init__(self, parts: Iterator[Any] | None, mux: StreamMux) -> None:
        super().__init__(mux)
        self._parts = parts
        if parts is not None:
            mux.drive(self._pump, None)

    def _pump(self) -> bool:
        """Let the run go on by one event; False at its end."""
        if self._exhausted or self._parts is None:
            return False
        try:
            event = of_part(next(self._parts))
            self.observe(event)
            self.mux.push(event)
        except StopIteration:
            self._exhausted = True
            self.mux.close()
        except Exception as error:  # readers get it
            self._exhausted = True
            self.mux.fail(error)
        return not self._exhausted

    def _finish(self) -> None:
        while self._pump():
            pass
        self._raise_failure()

    @property
    def output(self) -> Any:
        """The last state, once the run has ended. Raises what the run raised."""
        self._finish()
        return self._latest

    @property
    def interrupted(self) -> bool:
        """Whether the run ended with a question."""
        self._finish()
        return bool(self._asked)

    @property
    def interrupts(self) -> list[Any]:
        """The questions that the run ended with."""
        self._finish()
        return self._asked

    def __iter__(self) -> Iterator[ProtocolEvent]:
        return iter(self.mux.events)

    def interleave(self, *names: str) -> Iterator[tuple[str, Any]]:
        """The items of several streams as (name, item), in the order in which they came."""
        channels: dict[str, StreamChannel[Any]] = {}
        try:
            for name in names:
                channel = self.extensions[name]
                if not isinstance(channel, StreamChannel):
                    raise TypeError(
                        f"interleave() requires StreamChannel projections, got {type(channel).__name__} for {name!r}"
                    )
                channel.subscribe(is_async=False)
                channels[name] = channel
            while True:
                waiting = [(channel.items[0][0], name) for name, channel in channels.items() if channel.items]
                if waiting:
                    name = min(waiting)[1]
                    yield name, channels[name].items.popleft()[1]
                elif self._over(channels.values()):
                    return
        finally:
            for channel in channels.values():
                channel.read = False

    def _over(self, channels: Collection[StreamChannel[Any]]) -> bool:
        """Let the run go on; whether nothing more comes on these streams. Raises what failed it."""
        ended = [channel.ended() for channel in channels]
        if all(ended):
            return True
        if self.mux.pump is not None and self.mux.pump():
            return False
        ended = [channel.ended() for channel in channels]
        return not any(channel.items for channel in channels)

    def abort(self) -> None:
        """End the run now: what it is doing is cancelled. Idempotent."""
        if self._exhausted:
            return
        self._exhausted = True
        parts, self._parts = self._parts, None
        with suppress(Exception):  # the run is given up: how it ends interests nobody
            if parts is not None and hasattr(parts, "close"):
                parts.close()
        with suppress(Exception):
            self.mux.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()


class AsyncGraphRunStream(_Run):
    """As GraphRunStream, for `async for`; several readers may wait at once.

    `output`, `interrupted`, `interrupts` and `abort` are to be called and awaited.
    """

    def __init__(self, parts: AsyncIterator[Any] | None, mux: StreamMux) -> None:
        super().__init__(mux)
        self._parts = parts
        self._progress = asyncio.Condition()
        self._pulling: asyncio.Future[Any] | None = None
        self._busy = False
        self._aborted = False
        if parts is not None:
            mux.drive(None, self._apump)

    async def _apump(self) -> bool:
        """Let the run go on by one event, or wait until another reader has done so; False at its end."""
        async with self._progress:
            if self._exhausted or self._parts is None:
                return False
            if self._busy:
                await self._progress.wait()
                return not self._exhausted
            self._busy = True
        try:
            return await self._step(self._parts)
        finally:
            async with self._progress:
                self._busy = False
                self._progress.notify_all()

    async def _step(self, parts: AsyncIterator[Any]) -> bool:
        try:
            # In a task of its own, which abort can cancel: closing a generator that runs is not possible.
            self._pulling = asyncio.ensure_future(anext(parts))
            event = of_part(await self._pulling)
            self.observe(event)
            await self.mux.apush(event)
        except asyncio.CancelledError:
            if self._aborted:
                return False
            if self._pulling is not None:
                self._pulling.cancel()
            raise
        except StopAsyncIteration:
            self._exhausted = True
            await self._close()
        except Exception as error:  # readers get it
            self._exhausted = True
            await self.mux.afail(error)
        finally:
            self._pulling = None
        return not self._exhausted

    async def _close(self) -> None:
        try:
            await self.mux.aclose()
        except Exception as error:  # a transformer's own failure is the run's
            await self.mux.afail(error)

    async def _finish(self) -> None:
        while await self._apump():
            pass
        self._raise_failure()

    async def output(self) -> Any:
        """The last state, once the run has ended. Raises what the run raised."""
        await self._finish()
        return self._latest

    async def interrupted(self) -> bool:
        """Whether the run ended with a question."""
        await self._finish()
        return bool(self._asked)

    async def interrupts(self) -> list[Any]:
        """The questions that the run ended with."""
        await self._finish()
        return self._asked

    def __aiter__(self) -> AsyncIterator[ProtocolEvent]:
        return aiter(self.mux.events)

    async def abort(self) -> None:
        """End the run now: what it is doing is cancelled and awaited. Idempotent."""
        async with self._progress:
            if self._exhausted:
                return
            self._exhausted = self._aborted = True
            parts, self._parts = self._parts, None
            pulling = self._pulling
            self._progress.notify_all()
        if pulling is not None and not pulling.done():
            pulling.cancel()
            await asyncio.gather(pulling, return_exceptions=True)
        close: Callable[[], Awaitable[None]] | None = getattr(parts, "aclose", None)
        with suppress(Exception):  # the run is given up: how it ends interests nobody
            if close is not None:
                await close()
        with suppress(Exception):
            await self.mux.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.abort()


class SubgraphRunStream(GraphRunStream):
    """A subgraph of a run, to be read like the run; reading it makes the whole run go on."""

    def __init__(
        self, mux: StreamMux, *, path: Namespace, graph_name: str | None = None, trigger_call_id: str | None = None
    ) -> None:
        super().__init__(None, mux)
        self.path, self.graph_name, self.trigger_call_id = path, graph_name, trigger_call_id
        self.status: Any = "started"
        self.error: str | None = None
        self._seen_terminal = False  # LangGraph's name: transformers of other packages set it

    def _pump(self) -> bool:
        if self._exhausted or self._seen_terminal or self.mux.events.closed or self.mux.pump is None:
            return False
        return self.mux.pump()


class AsyncSubgraphRunStream(AsyncGraphRunStream):
    """As SubgraphRunStream, for `async for`."""

    def __init__(
        self, mux: StreamMux, *, path: Namespace, graph_name: str | None = None, trigger_call_id: str | None = None
    ) -> None:
        super().__init__(None, mux)
        self.path, self.graph_name, self.trigger_call_id = path, graph_name, trigger_call_id
        self.status: Any = "started"
        self.error: str | None = None
        self._seen_terminal = False  # LangGraph's name: transformers of other packages set it

    async def _apump(self) -> bool:
        if self._exhausted or self._seen_terminal or self.mux.events.closed or self.mux.apump is None:
            return False
        return await self.mux.apump()
