"""StateGraph and what it compiles to."""

from __future__ import annotations

import warnings
from typing import Any, get_args

from stepgraph.graph.actions import name_of
from stepgraph.graph.builder import StateGraph
from stepgraph.graph.compiled import CompiledStateGraph

__all__ = ("CompiledStateGraph", "StateGraph")

_get_node_name = name_of


def _warn_invalid_state_schema(schema: Any) -> None:
    """Warn of what is neither a type nor `Annotated[type, reducer]`."""
    if not isinstance(schema, type) and not get_args(schema):
        warnings.warn(
            f"Invalid state_schema: {schema}. Expected a type or Annotated[type, reducer].", UserWarning, stacklevel=3
        )
