"""A tool call on its way: what wrappers of tool calls see, change and pass on."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import BaseTool

from stepgraph.core.types import Command
from stepgraph.prebuilt.markers import ToolRuntime


@dataclass
class ToolCallRequest:
    """A call that is about to be run. Derive another one with `override(tool_call={...})`."""

    tool_call: ToolCall
    tool: BaseTool | None
    """None for a tool that the node does not know: a wrapper may answer the call itself, or give it a tool."""
    state: Any
    runtime: ToolRuntime[Any, Any]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__:
            warnings.warn(
                f"Setting attribute '{name}' on ToolCallRequest is deprecated. Use the override() method instead.",
                DeprecationWarning,
                stacklevel=2,
            )
        object.__setattr__(self, name, value)

    def override(self, **overrides: Any) -> ToolCallRequest:
        """The same request with some fields replaced."""
        return replace(self, **overrides)


class ToolCallWithContext(TypedDict):
    """One call with the state that it was made on, as it is sent to a tool node."""

    tool_call: ToolCall
    __type: Literal["tool_call_with_context"]
    state: Any


Answer = ToolMessage | Command[Any] | list[ToolMessage | Command[Any]]
"""What a call gives; a list only where the tool gave one."""
Execute = Callable[[ToolCallRequest], Answer]
AsyncExecute = Callable[[ToolCallRequest], Awaitable[Answer]]
ToolCallWrapper = Callable[[ToolCallRequest, Execute], Answer]
"""`wrapper(request, execute)` gives the call's result. It may call `execute` never, once or several times."""
AsyncToolCallWrapper = Callable[[ToolCallRequest, AsyncExecute], Awaitable[Answer]]
