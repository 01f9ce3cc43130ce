"""What drives LangGraph's supersteps."""

from __future__ import annotations

from stepgraph.compat.absent import absent
from stepgraph.compat.langgraph.pregel.protocol import StreamChunk, StreamProtocol

__getattr__ = absent("langgraph.pregel._loop", "AsyncPregelLoop", "PregelLoop", "SyncPregelLoop")


def DuplexStream(*streams: StreamProtocol) -> StreamProtocol:  # noqa: N802  LangGraph's name
    """A stream that hands each chunk to those of `streams` that want its mode."""

    def hand(chunk: StreamChunk) -> None:
        for stream in streams:
            if chunk[1] in stream.modes:
                stream.__call__(chunk)

    return StreamProtocol(hand, {mode for stream in streams for mode in stream.modes})
