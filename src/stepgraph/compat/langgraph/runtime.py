"""What a node is given besides the state."""

from __future__ import annotations

from stepgraph.run.context import get_runtime
from stepgraph.run.runtime import ExecutionInfo, Runtime, ServerInfo

__all__ = ("ExecutionInfo", "Runtime", "ServerInfo", "get_runtime")

DEFAULT_RUNTIME: Runtime[None] = Runtime()
