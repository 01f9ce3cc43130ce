"""A tool call as a stream."""

from __future__ import annotations

from stepgraph.prebuilt.tool_streams import ToolCallStream

__all__ = ["ToolCallStream"]
