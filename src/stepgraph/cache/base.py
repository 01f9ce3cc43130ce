"""What a cache can do, and how it keeps values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from stepgraph.core import registry
from stepgraph.persist.codec import Codec

Namespace = tuple[str, ...]
FullKey = tuple[Namespace, str]
"""A namespace, and the digest of an input in it."""


class BaseCache(ABC):
    """Values by key, each for some seconds or for ever. Methods may be called from any thread.

    What comes out is a copy of what went in. `serde` (an object with `dumps_typed` and `loads_typed`) takes the place
    of the library's own encoding.
    """

    in_memory = False
    """Whether no call ever waits for anything, so that an event loop may make it itself."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        meet()

    @classmethod
    def __subclasshook__(cls, other: type) -> Any:
        return True if cls is BaseCache and not meet().isdisjoint(other.__mro__) else NotImplemented

    def __init__(self, *, serde: Any = None) -> None:
        meet()
        self.serde = serde
        self._codec = Codec(private=self.in_memory)

    @abstractmethod
    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, Any]:
        """The values of those keys that are there and not too old."""

    @abstractmethod
    def set(self, pairs: Mapping[FullKey, tuple[Any, int | None]]) -> None:
        """Keep values, each with the seconds it stays, or None for ever."""

    @abstractmethod
    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget all values of these namespaces, or all there are."""

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, Any]:
        """As `get`."""
        found: dict[FullKey, Any] = await _elsewhere(self.get, keys)
        return found

    async def aset(self, pairs: Mapping[FullKey, tuple[Any, int | None]]) -> None:
        """As `set`."""
        await _elsewhere(self.set, pairs)

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """As `clear`."""
        await _elsewhere(self.clear, namespaces)

    def _encoded(self, value: Any) -> tuple[str, bytes]:
        if self.serde is not None:
            kind, content = self.serde.dumps_typed(value)
            return kind, content
        return "stepgraph", self._codec.dumps(value).encode("utf-8", "surrogatepass")

    def _decoded(self, kind: str, content: bytes) -> Any:
        if self.serde is not None:
            return self.serde.loads_typed((kind, content))
        return self._codec.loads(content.decode("utf-8", "surrogatepass"))


async def _elsewhere(function: Any, *args: Any) -> Any:
    from asyncio import to_thread  # takes time to load

    return await to_thread(function, *args)


meet = partial(registry.kin, "langgraph.cache.base")
"""LangGraph's classes of which those here are a kind, as far as they are loaded."""
meet()
