"""A cache in memory."""

from __future__ import annotations

from stepgraph.cache.memory import InMemoryCache

__all__ = ("InMemoryCache",)
