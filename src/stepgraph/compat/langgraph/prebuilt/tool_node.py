"""The node that runs tools, and what tools get from it."""

from __future__ import annotations

from stepgraph.prebuilt.conditions import tools_condition
from stepgraph.prebuilt.markers import InjectedState, InjectedStore, ToolRuntime
from stepgraph.prebuilt.outputs import content_of as msg_content_output
from stepgraph.prebuilt.requests import AsyncToolCallWrapper, ToolCallRequest, ToolCallWithContext, ToolCallWrapper
from stepgraph.prebuilt.tool_errors import (
    INVALID_TOOL_NAME_ERROR_TEMPLATE,
    TOOL_CALL_ERROR_TEMPLATE,
    TOOL_EXECUTION_ERROR_TEMPLATE,
    TOOL_INVOCATION_ERROR_TEMPLATE,
    ToolInvocationError,
)
from stepgraph.prebuilt.tool_node import ToolNode

__all__ = [
    "INVALID_TOOL_NAME_ERROR_TEMPLATE",
    "TOOL_CALL_ERROR_TEMPLATE",
    "TOOL_EXECUTION_ERROR_TEMPLATE",
    "TOOL_INVOCATION_ERROR_TEMPLATE",
    "AsyncToolCallWrapper",
    "InjectedState",
    "InjectedStore",
    "ToolCallRequest",
    "ToolCallWithContext",
    "ToolCallWrapper",
    "ToolInvocationError",
    "ToolNode",
    "ToolRuntime",
    "msg_content_output",
    "tools_condition",
]
