"""Agents and their tools, ready to use, under the names of langgraph-prebuilt.

Models, messages and tools are langchain-core's: `pip install "stepgraph[langchain]"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepgraph.prebuilt.agent import create_react_agent
    from stepgraph.prebuilt.conditions import tools_condition
    from stepgraph.prebuilt.markers import InjectedState, InjectedStore, ToolRuntime
    from stepgraph.prebuilt.tool_node import ToolNode
    from stepgraph.prebuilt.tool_streams import ToolCallTransformer
    from stepgraph.prebuilt.validation import ValidationNode

_HOMES = {
    "InjectedState": "markers",
    "InjectedStore": "markers",
    "ToolCallTransformer": "tool_streams",
    "ToolNode": "tool_node",
    "ToolRuntime": "markers",
    "ValidationNode": "validation",
    "create_react_agent": "agent",
    "tools_condition": "conditions",
}
"""Public name -> the module that is imported on its first use."""

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


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        module = import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "langchain_core":
            raise
        raise ImportError(
            f'stepgraph.prebuilt.{name} needs langchain-core: pip install "stepgraph[langchain]".', name=error.name
        ) from error
    found = globals()[name] = getattr(module, name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
