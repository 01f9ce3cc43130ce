"""Where to go after a model has spoken."""

from __future__ import annotations

from typing import Any, Literal


def tools_condition(state: Any, messages_key: str = "messages") -> Literal["tools", "__end__"]:
    """For `add_conditional_edges`: "tools" if the last message calls tools, else "__end__".

    The state is a list of messages, or holds one as a key or attribute. Raises ValueError where there are
    none, IndexError of an empty list.
    """
    messages: Any = state
    if not isinstance(state, list):
        messages = (isinstance(state, dict) and state.get(messages_key)) or getattr(state, messages_key, None)
    if not messages:
        kind = IndexError if isinstance(state, list) else ValueError  # as LangGraph
        raise kind(f"No messages found in input state to tool_edge: {state}")
    return "tools" if getattr(messages[-1], "tool_calls", None) else "__end__"
