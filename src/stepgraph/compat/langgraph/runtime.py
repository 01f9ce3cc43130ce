"""What a node is given besides the state."""

from __future__ import annotations

from stepgraph.core.policies import RunControl
from stepgraph.run.context import get_runtime
from stepgraph.run.runtime import ExecutionInfo, Runtime, ServerInfo

__all__ = ("ExecutionInfo", "RunControl", "Runtime", "ServerInfo", "get_runtime")

DEFAULT_RUNTIME: Runtime[None] = Runtime()
