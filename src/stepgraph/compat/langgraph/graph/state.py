"""StateGraph and what it compiles to."""

from __future__ import annotations

from stepgraph.compat import state_parts
from stepgraph.graph.actions import name_of
from stepgraph.graph.builder import StateGraph
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.graph.hints import warn_of_no_schema
from stepgraph.graph.planning import DEFAULT_HANDLER

__all__ = ("CompiledStateGraph", "StateGraph")

_get_node_name = name_of
_warn_invalid_state_schema = warn_of_no_schema
_CHANNEL_BRANCH_TO = "branch:to:{}"
_DEFAULT_ERROR_HANDLER_NODE = DEFAULT_HANDLER
_coerce_state = state_parts.coerce_state
_control_branch = state_parts.control_branch
_control_static = state_parts.control_static
_get_channel = state_parts.get_channel
_get_channels = state_parts.get_channels
_get_root = state_parts.get_root
_is_field_binop = state_parts.is_field_binop
_is_field_channel = state_parts.is_field_channel
_is_field_managed_value = state_parts.is_field_managed_value
_pick_mapper = state_parts.pick_mapper
