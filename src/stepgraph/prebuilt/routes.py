"""Where an agent goes next: to the tools that the model called, back to the model, or to its end."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import AIMessage, ToolMessage

from stepgraph.core.types import END, Send
from stepgraph.prebuilt.agent_state import value_of
from stepgraph.prebuilt.sent_calls import sent

Router = Callable[[Any], str | list[Send]]


@dataclass(frozen=True)
class Routes:
    """The routers of one agent."""

    version: Literal["v1", "v2"]
    """v1: one task runs all calls of a message; v2: each call is sent to a task of its own."""
    entry: str
    """Where a turn begins: at the model, or at the hook before it."""
    after: str
    """Where a talk ends: at the end, or at the node that makes it a structured response."""
    hook: str | None
    """The hook after the model."""
    direct: Collection[str]
    """The tools whose result is the agent's."""
    computed: Collection[str] | None
    """The keys of the state that no checkpoint has; None where the tools can't do without a stored state."""

    def should_continue(self, state: Any) -> str | list[Send]:
        """After the model."""
        last = value_of(state, "messages")[-1]
        calls = last.tool_calls if isinstance(last, AIMessage) else []
        if calls and self.version == "v1":
            return "tools"
        if self.hook is not None:
            return self.hook
        return [self._send(call, state) for call in calls] or self.after

    def post_model_hook_router(self, state: Any) -> str | list[Send]:
        """After the hook, which may have answered calls, or made a model's answer another one."""
        messages = value_of(state, "messages")
        answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
        spoken = next(message for message in reversed(messages) if isinstance(message, AIMessage))
        waiting = [call for call in spoken.tool_calls if call["id"] not in answered]
        if waiting:
            return [self._send(call, state) for call in waiting]
        return self.entry if isinstance(messages[-1], ToolMessage) else self.after

    def _send(self, call: Any, state: Any) -> Send:
        return Send("tools", sent(call, state, self.computed))

    def route_tool_responses(self, state: Any) -> str:
        """After the tools, where some of them give the agent's result."""
        last = None
        for last in reversed(value_of(state, "messages")):
            if not isinstance(last, ToolMessage):
                break
            if last.name in self.direct:
                return END
        # The one that does may have run in a task beside this one, whose answer is not seen from here.
        beside = last.tool_calls if isinstance(last, AIMessage) else []
        return END if any(call["name"] in self.direct for call in beside) else self.entry
