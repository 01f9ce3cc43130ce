"""What all runnable graphs are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepgraph.graph.compiled import CompiledStateGraph as PregelProtocol

__all__ = ("PregelProtocol", "StreamProtocol")

StreamChunk = tuple[tuple[str, ...], str, Any]


class StreamProtocol:
    """Takes (namespace, mode, payload) chunks of the modes that it wants."""

    __slots__ = ("__call__", "modes")

    def __init__(self, __call__: Callable[[StreamChunk], None], modes: set[str]) -> None:
        self.__call__ = __call__
        self.modes = modes
