"""Looks at a talk's messages: which calls have no answer yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage

_OTHER, _CALLS, _ANSWERS = range(3)
_kinds: dict[type, int] = {}
"""Class of message -> what it is. Asking `isinstance` for each of a long talk's messages would be half of a turn."""


def check_answered(messages: Sequence[Any]) -> None:
    """Raise ValueError if a tool call in the talk has no ToolMessage: models refuse such talks."""
    called, answered = [], set()
    for message in messages:
        kind = _kinds.get(type(message))
        if kind is None:
            kind = _kind_of(type(message))
        if kind == _CALLS:
            called += message.tool_calls
        elif kind == _ANSWERS:
            answered.add(message.tool_call_id)
    waiting = [call for call in called if call["id"] not in answered]
    if waiting:
        raise ValueError(
            "Found AIMessages with tool_calls that do not have a corresponding ToolMessage. Here are the first few of "
            f"those tool calls: {waiting[:3]}.\n\nEvery call needs a ToolMessage with its id, since most providers "
            "refuse a talk without: add one for each, or delete the message that calls.\nFor troubleshooting, visit: "
            "https://docs.langchain.com/oss/python/langgraph/errors/INVALID_CHAT_HISTORY"
        )


def _kind_of(kind: type) -> int:
    found = _CALLS if issubclass(kind, AIMessage) else _ANSWERS if issubclass(kind, ToolMessage) else _OTHER
    return _kinds.setdefault(kind, found)
