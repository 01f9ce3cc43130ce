"""Agents and their tools. Needs langchain-core."""

from __future__ import annotations

from stepgraph.compat.langgraph.prebuilt._tool_call_transformer import ToolCallTransformer
from stepgraph.compat.langgraph.prebuilt.chat_agent_executor import create_react_agent
from stepgraph.compat.langgraph.prebuilt.tool_node import (
    InjectedState,
    InjectedStore,
    ToolNode,
    ToolRuntime,
    tools_condition,
)
from stepgraph.compat.langgraph.prebuilt.tool_validator import ValidationNode

__all__ = [
    "InjectedState",
    "InjectedStore",
    "ToolCallTransformer",
    "ToolNode",
    "ToolRuntime",
    "ValidationNode",
    "create_react_agent",
    "tools_condition",
]
