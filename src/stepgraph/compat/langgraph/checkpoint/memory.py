"""Threads in memory."""

from __future__ import annotations

from stepgraph.persist.memory import MemoryCheckpointer as InMemorySaver

__all__ = ("InMemorySaver", "MemorySaver")

MemorySaver = InMemorySaver
