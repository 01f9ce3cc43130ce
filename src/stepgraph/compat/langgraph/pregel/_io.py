"""How LangGraph maps inputs and outputs."""

from __future__ import annotations

from stepgraph.compat.absent import absent
from stepgraph.compat.supersteps import map_command, map_input, map_output_values, read_channel, read_channels

__all__ = ("map_command", "map_input", "map_output_values", "read_channel", "read_channels")

__getattr__ = absent("langgraph.pregel._io", "map_output_updates")
