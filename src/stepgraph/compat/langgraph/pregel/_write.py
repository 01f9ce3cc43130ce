"""How LangGraph's nodes write."""

from __future__ import annotations

from stepgraph.compat.absent import absent
from stepgraph.graph.node_builder import PASSTHROUGH, SKIP_WRITE, ChannelWriteEntry

__all__ = ("PASSTHROUGH", "SKIP_WRITE", "ChannelWriteEntry")

__getattr__ = absent(
    "langgraph.pregel._write",
    "ChannelWrite",
    "ChannelWriteTupleEntry",
)
