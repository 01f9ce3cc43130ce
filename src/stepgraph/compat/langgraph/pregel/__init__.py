"""The compiled graph's base."""

from __future__ import annotations

from stepgraph.compat.absent import absent
from stepgraph.graph.compiled import CompiledStateGraph as Pregel

__all__ = ("Pregel",)

__getattr__ = absent("langgraph.pregel", "NodeBuilder")
