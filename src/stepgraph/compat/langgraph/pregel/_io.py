"""Inputs and outputs as writes."""

from __future__ import annotations

from stepgraph.compat.shown import map_output_updates
from stepgraph.compat.supersteps import map_command, map_input, map_output_values, read_channel, read_channels

__all__ = ("map_command", "map_input", "map_output_updates", "map_output_values", "read_channel", "read_channels")
