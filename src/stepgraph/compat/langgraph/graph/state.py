"""StateGraph and what it compiles to."""

from __future__ import annotations

from stepgraph.graph.actions import name_of
from stepgraph.graph.builder import StateGraph
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.graph.hints import warn_of_no_schema

__all__ = ("CompiledStateGraph", "StateGraph")

_get_node_name = name_of
_warn_invalid_state_schema = warn_of_no_schema
