"""How a running tool call puts parts of its output on the stream. Needs langchain-core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepgraph.compat.heard import StreamToolCallHandler
from stepgraph.run.tokens import tool_writer as _tool_call_writer

__all__ = ("StreamToolCallHandler", "ToolCallWriter", "_tool_call_writer")

ToolCallWriter = Callable[[Any], None]
