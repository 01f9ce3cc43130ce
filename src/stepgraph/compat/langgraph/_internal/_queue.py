"""The queues between LangGraph's threads."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph._internal._queue",
    "AsyncQueue",
    "Semaphore",
    "SyncQueue",
)
