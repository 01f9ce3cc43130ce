"""What a node is given besides the state."""

from __future__ import annotations

from typing import Any

from stepgraph.compat.langgraph import types
from stepgraph.core.policies import RunControl
from stepgraph.run.context import get_runtime
from stepgraph.run.runtime import ExecutionInfo, Runtime, ServerInfo, beat_nothing, write_nothing

__all__ = ("BaseUser", "ExecutionInfo", "RunControl", "Runtime", "ServerInfo", "get_runtime")  # noqa: F822  found below

_DC_KWARGS = types._DC_KWARGS
_no_op_heartbeat, _no_op_stream_writer = beat_nothing, write_nothing
DEFAULT_RUNTIME: Runtime[None] = Runtime()


def __getattr__(name: str) -> Any:
    if name == "BaseUser":  # of langgraph-sdk
        try:
            from langgraph_sdk.auth.types import BaseUser
        except ImportError:
            return Any
        return BaseUser
    raise AttributeError(f"module 'langgraph.runtime' has no attribute {name!r}")
