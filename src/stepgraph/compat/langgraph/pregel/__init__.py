"""The compiled graph's base."""

from __future__ import annotations

from stepgraph.graph.compiled import CompiledStateGraph as Pregel

__all__ = ("Pregel",)
