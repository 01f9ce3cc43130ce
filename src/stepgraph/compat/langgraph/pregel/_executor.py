"""How LangGraph runs things beside each other."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._executor",
    "AsyncBackgroundExecutor",
    "BackgroundExecutor",
    "Submit",
    "gated",
    "next_tick",
)
