"""v3 runs of graphs on a server: langgraph-sdk's streams of a thread, read as a run here is read."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Self

logger = logging.getLogger("stepgraph")
TYPED = ("values", "messages", "tool_calls", "subgraphs")
"""What langgraph-sdk reads by itself."""
PLAIN = ("updates", "checkpoints", "tasks", "custom")
"""Channels whose payloads are shown as they come."""


class Projection:
    """The payloads of one channel, as they come: `for` on a sync run, `async for` on an async one."""

    def __init__(self, thread: Any, channel: str) -> None:
        self._thread = thread
        self._channel = channel

    def __iter__(self) -> Iterator[Any]:
        read = self._decoder()
        for event in self._thread.subscribe([self._channel]):
            yield from read(event)

    async def __aiter__(self) -> AsyncIterator[Any]:
        read = self._decoder()
        async for event in self._thread.subscribe([self._channel]):
            for payload in read(event):
                yield payload

    def _decoder(self) -> Any:
        from langgraph_sdk.stream.decoders import DataDecoder

        return DataDecoder(self._channel).feed


class Projections(Mapping[str, Any]):
    """By name what a run shows: the built-in ones, and under any other name what its own transformers send."""

    def __init__(self, thread: Any) -> None:
        self._thread = thread

    def __getitem__(self, name: str) -> Any:
        if name in TYPED:
            return getattr(self._thread, name)
        return Projection(self._thread, name) if name in PLAIN else self._thread.extensions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(TYPED + PLAIN)

    def __len__(self) -> int:
        return len(TYPED + PLAIN)


class _Shown:
    """What both kinds of runs show, each while it runs."""

    def __init__(self, client: Any, thread: Any, start: dict[str, Any]) -> None:
        self._client = client
        self._sdk = thread
        self._start = start
        self._run_id: str | None = None
        self._closed = False
        self._events: Any = None

    @property
    def values(self) -> Any:
        """The states."""
        return self._sdk.values

    @property
    def messages(self) -> Any:
        """The messages, each as a stream of its own."""
        return self._sdk.messages

    @property
    def subgraphs(self) -> Any:
        """The graphs inside."""
        return self._sdk.subgraphs

    @property
    def tool_calls(self) -> Any:
        """The tools that run."""
        return self._sdk.tool_calls

    @property
    def extensions(self) -> Mapping[str, Any]:
        """All of these by name, and what else the graph's transformers send."""
        return Projections(self._sdk)

    def _enter(self) -> None:
        if self._closed:
            raise RuntimeError("This run of a RemoteGraph is already closed: start another one.")

    def _leave(self) -> bool:
        """Whether it was open."""
        closed, self._closed = self._closed, True
        return not closed


class RemoteRun(_Shown):
    """A run on a server, begun by `with`."""

    def __enter__(self) -> Self:
        self._enter()
        self._sdk.__enter__()
        try:
            self._run_id = self._sdk.run.start(**self._start)["run_id"]
        except BaseException:
            self._sdk.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *raised: Any) -> None:
        if self._leave():
            self._sdk.__exit__(*raised)

    @property
    def output(self) -> Any:
        """The last state, once the run is over."""
        return self._sdk.output

    @property
    def interrupted(self) -> bool:
        """Whether it waits for an answer now; asking does not wait."""
        return bool(self._sdk.interrupted)

    @property
    def interrupts(self) -> list[Any]:
        """What it asks now."""
        return list(self._sdk.interrupts)

    def __iter__(self) -> Iterator[Any]:
        """The protocol's events."""
        if self._events is None:
            self._events = iter(self._sdk.events)
        events: Iterator[Any] = self._events
        return events

    def interleave(self, *names: str) -> Iterator[tuple[str, Any]]:
        """(name, item) of several projections, in the order in which they come."""
        yield from self._sdk.interleave_projections(list(names))

    def abort(self) -> None:
        """Cancel the run and let go of it; what goes wrong with that is logged."""
        if not self._leave():
            return
        try:
            if self._run_id is not None:
                self._client.runs.cancel(self._sdk.thread_id, self._run_id, wait=False)
        except Exception:
            logger.debug("Cancelling a run on a server failed.", exc_info=True)
        try:
            self._sdk.close()
        except Exception:
            logger.debug("Closing the stream of a run on a server failed.", exc_info=True)


class AsyncRemoteRun(_Shown):
    """A run on a server, begun by `async with`. It has no `interleave`: tasks may read several projections at once."""

    async def __aenter__(self) -> Self:
        self._enter()
        await self._sdk.__aenter__()
        try:
            self._run_id = (await self._sdk.run.start(**self._start))["run_id"]
        except BaseException:
            await self._sdk.__aexit__(*sys.exc_info())
            raise
        return self

    async def __aexit__(self, *raised: Any) -> None:
        if self._leave():
            await self._sdk.__aexit__(*raised)

    async def output(self) -> Any:
        """The last state, once the run is over."""
        return await self._sdk.output

    async def interrupted(self) -> bool:
        """Whether it waits for an answer now; asking does not wait."""
        return bool(self._sdk.interrupted)

    async def interrupts(self) -> list[Any]:
        """What it asks now."""
        return list(self._sdk.interrupts)

    def __aiter__(self) -> AsyncIterator[Any]:
        """The protocol's events."""
        if self._events is None:
            self._events = aiter(self._sdk.events)
        events: AsyncIterator[Any] = self._events
        return events

    async def abort(self) -> None:
        """Cancel the run and let go of it; what goes wrong with that is logged."""
        if not self._leave():
            return
        try:
            if self._run_id is not None:
                await self._client.runs.cancel(self._sdk.thread_id, self._run_id, wait=False)
        except Exception:
            logger.debug("Cancelling a run on a server failed.", exc_info=True)
        try:
            await self._sdk.close()
        except Exception:
            logger.debug("Closing the stream of a run on a server failed.", exc_info=True)
