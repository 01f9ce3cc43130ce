"""A store in memory."""

from __future__ import annotations

from stepgraph.store.memory import InMemoryStore

__all__ = ("InMemoryStore",)
