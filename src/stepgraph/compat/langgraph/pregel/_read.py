"""LangGraph's nodes at run time."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._read",
    "ChannelRead",
    "PregelNode",
)
