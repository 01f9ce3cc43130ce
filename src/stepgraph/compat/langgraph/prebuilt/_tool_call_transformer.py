"""Tool calls as streams."""

from __future__ import annotations

from stepgraph.prebuilt.tool_streams import ToolCallTransformer

__all__ = ["ToolCallTransformer"]
