"""Messages: the reducer that merges them by id, and the state that holds them.

With langchain-core installed messages are its objects, as in LangGraph; without it they are dicts with "role",
"content" and "id".
"""

from __future__ import annotations

from typing import Annotated, Any

from stepgraph.messages.kinds import REMOVE_ALL_MESSAGES, remove_message
from stepgraph.messages.reducer import add_messages
from stepgraph.messages.typed import TypedDict
from stepgraph.messages.ui import AnyUIMessage, RemoveUIMessage, UIMessage, ui_message_reducer


class MessagesState(TypedDict):
    """A state with one key: `messages`, merged by `add_messages`."""

    messages: Annotated[list[Any], add_messages]


def __getattr__(name: str) -> Any:
    if name == "RemoveMessage":  # langchain-core's where it is installed: loading it takes long
        return remove_message()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "REMOVE_ALL_MESSAGES",
    "AnyUIMessage",
    "MessagesState",
    "RemoveMessage",
    "RemoveUIMessage",
    "UIMessage",
    "add_messages",
    "ui_message_reducer",
]
