"""How LangGraph chains futures."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph._internal._future",
    "AnyFuture",
    "chain_future",
    "run_coroutine_threadsafe",
)
