"""What drives LangGraph's supersteps."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._loop",
    "AsyncPregelLoop",
    "DuplexStream",
    "PregelLoop",
    "SyncPregelLoop",
)
