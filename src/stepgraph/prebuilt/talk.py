"""Looks at a talk's messages: which calls have no answer yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage


class _Kinds(dict[type, type | None]):
    """Class of message -> the class that counts. Asking `isinstance` of each in a long talk takes a third of a turn."""

    def __missing__(self, kind: type) -> type | None:
        found = next((each for each in (AIMessage, ToolMessage) if issubclass(kind, each)), None)
        return self.setdefault(kind, found)


_kinds = _Kinds()


def check_answered(messages: Sequence[Any]) -> None:
    """Raise ValueError if a tool call in the talk has no ToolMessage: models refuse such talks."""
    called: list[Any] = []
    answered = set()
    for message in messages:
        kind = _kinds[type(message)]
        if kind is AIMessage:
            called += message.tool_calls
        elif kind is ToolMessage:
            answered.add(message.tool_call_id)
    waiting = [call for call in called if call["id"] not in answered]
    if waiting:
        raise ValueError(
            "Found AIMessages with tool_calls that do not have a corresponding ToolMessage. Here are the first few of "
            f"those tool calls: {waiting[:3]}.\n\nEvery call needs a ToolMessage with its id, since most providers "
            "refuse a talk without: add one for each, or delete the message that calls.\nFor troubleshooting, visit: "
            "https://docs.langchain.com/oss/python/langgraph/errors/INVALID_CHAT_HISTORY"
        )
