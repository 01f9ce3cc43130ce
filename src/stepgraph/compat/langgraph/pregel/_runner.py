"""What runs LangGraph's tasks."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._runner",
    "FuturesDict",
    "PregelRunner",
)
