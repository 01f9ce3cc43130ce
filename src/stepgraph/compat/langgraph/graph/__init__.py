"""StateGraph and what goes with it."""

from __future__ import annotations

from stepgraph.core.types import END, START
from stepgraph.graph.builder import StateGraph

__all__ = ("END", "START", "StateGraph")
