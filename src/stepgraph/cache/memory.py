"""A cache that lives as long as the process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from time import time
from typing import Any

from stepgraph.cache.base import BaseCache, FullKey, Namespace


class InMemoryCache(BaseCache):
    """Keeps encoded values in a dict. `clock` gives seconds since the epoch."""

    in_memory = True

    def __init__(self, *, serde: Any = None, clock: Callable[[], float] = time) -> None:
        super().__init__(serde=serde)
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[Namespace, dict[str, tuple[str, bytes, float | None]]] = {}

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, Any]:
        """The values of those keys that are there and not too old."""
        now = self._clock()
        found: dict[FullKey, Any] = {}
        with self._lock:
            for ns, key in keys:
                entry = self._kept.get(ns, {}).get(key)
                if entry is None:
                    continue
                kind, content, end = entry
                if end is not None and now >= end:
                    del self._kept[ns][key]
                else:
                    found[ns, key] = self._decoded(kind, content)
        return found

    def set(self, pairs: Mapping[FullKey, tuple[Any, int | None]]) -> None:
        """Keep values, each with the seconds it stays, or None for ever."""
        now = self._clock()
        with self._lock:
            for (ns, key), (value, ttl) in pairs.items():
                end = None if ttl is None else now + ttl
                self._kept.setdefault(ns, {})[key] = (*self._encoded(value), end)

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget all values of these namespaces, or all there are."""
        with self._lock:
            for ns in list(self._kept) if namespaces is None else namespaces:
                self._kept.pop(ns, None)

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, Any]:
        """As `get`."""
        return self.get(keys)

    async def aset(self, pairs: Mapping[FullKey, tuple[Any, int | None]]) -> None:
        """As `set`."""
        self.set(pairs)

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """As `clear`."""
        self.clear(namespaces)
