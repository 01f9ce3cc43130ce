"""How LangGraph runs attempts."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._retry",
    "arun_with_retry",
    "run_with_retry",
)
