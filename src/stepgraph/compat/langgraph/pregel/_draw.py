"""How LangGraph draws graphs: here `get_graph()` does."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._draw",
    "Edge",
    "TriggerEdge",
    "add_edge",
    "draw_graph",
)
