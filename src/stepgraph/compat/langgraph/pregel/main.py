"""The compiled graph's base, at the place where LangGraph defines it."""

from __future__ import annotations

from stepgraph.compat.langgraph.pregel import NodeBuilder, Pregel
from stepgraph.core.errors import GraphRecursionError

__all__ = ("GraphRecursionError", "NodeBuilder", "Pregel")
