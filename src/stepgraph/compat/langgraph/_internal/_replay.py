"""How LangGraph replays subgraphs."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph._internal._replay",
    "ReplayState",
)
