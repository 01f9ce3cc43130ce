"""What a tool node is given: where in it the calls are, and the state that they were made on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from langchain_core.messages import AIMessage, ToolCall

from stepgraph.prebuilt.sent_calls import CONTEXT, SentCall

Form = Literal["list", "dict", "tool_calls"]
"""A list of messages, a state that holds one, or the calls themselves. What the node returns has the same form."""


def calls_in(given: Any, messages_key: str) -> tuple[list[ToolCall], Form]:
    """The calls to run, and the form in which they came.

    Raises ValueError if no model has spoken, IndexError of an empty list.
    """
    form: Form = "dict"
    messages: Any
    if isinstance(given, list):
        if given and _is_call(given[-1]):
            return given, "tool_calls"
        form, messages = "list", given
    elif isinstance(given, dict) and given.get("__type") == CONTEXT:
        return [given["tool_call"]], "tool_calls"
    else:
        messages = (isinstance(given, dict) and given.get(messages_key)) or getattr(given, messages_key, None)
    if not messages:
        kind = IndexError if isinstance(given, list) else ValueError  # as LangGraph
        raise kind(f"No message found in input: a tool node needs messages, here under {messages_key!r}.")
    for message in reversed(messages):
        if isinstance(message, AIMessage):
            return list(message.tool_calls), form
    raise ValueError("No AIMessage found in input: a tool node runs the calls of the last one.")


def state_of(given: Any, config: Mapping[str, Any]) -> Any:
    """The state that tools see: with the calls, read from the graph around, or all that was given."""
    read = (config.get("configurable") or {}).get("__pregel_read")
    if isinstance(given, SentCall):
        return given.state(read)
    if isinstance(given, dict) and given.get("__type") == CONTEXT:
        return given["state"]
    if isinstance(given, list) and given and _is_call(given[-1]):
        return {} if read is None else read(list(read.args[1]), True)
    return given


def _is_call(given: Any) -> bool:
    return isinstance(given, dict) and given.get("type") == "tool_call"
