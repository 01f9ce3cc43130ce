"""How a running tool call puts parts of its output on the stream."""

from __future__ import annotations

from stepgraph.compat.absent import absent
from stepgraph.run.tokens import tool_writer as _tool_call_writer

__all__ = ("_tool_call_writer",)

__getattr__ = absent(
    "langgraph.pregel._tools",
    "StreamToolCallHandler",
)
