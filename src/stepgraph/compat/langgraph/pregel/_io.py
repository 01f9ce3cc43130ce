"""How LangGraph maps inputs and outputs."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._io",
    "map_command",
    "map_input",
    "map_output_updates",
    "map_output_values",
    "read_channel",
    "read_channels",
)
