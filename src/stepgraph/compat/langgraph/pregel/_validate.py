"""How LangGraph checks graphs: here `compile` does."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._validate",
    "validate_graph",
    "validate_keys",
)
