"""How LangGraph makes events of chunks."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.stream._convert",
    "convert_to_protocol_event",
)
