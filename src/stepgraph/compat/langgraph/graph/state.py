"""StateGraph and what it compiles to."""

from __future__ import annotations

from stepgraph.graph.actions import name_of
from stepgraph.graph.builder import StateGraph, warn_of_no_schema
from stepgraph.graph.compiled import CompiledStateGraph

__all__ = ("CompiledStateGraph", "StateGraph")

_get_node_name = name_of
_warn_invalid_state_schema = warn_of_no_schema
