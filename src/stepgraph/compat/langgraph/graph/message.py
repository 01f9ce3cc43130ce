"""States of messages."""

from __future__ import annotations

from typing import Annotated, Any

from stepgraph.graph import pushing
from stepgraph.graph.pushing import push_message
from stepgraph.messages import REMOVE_ALL_MESSAGES, add_messages
from stepgraph.messages.folded import fold_messages
from stepgraph.messages.typed import TypedDict

try:
    from langchain_core.messages import AnyMessage
except ImportError:
    AnyMessage = Any  # type: ignore[assignment, misc]  # the annotation below is read at runtime


class MessagesState(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


class MessageGraph(pushing.MessageGraph):
    of = AnyMessage


Messages = list[Any] | Any
"""Messages, or one: what `add_messages` takes on either side."""
_messages_delta_reducer = fold_messages
__all__ = ("REMOVE_ALL_MESSAGES", "MessageGraph", "MessagesState", "add_messages", "push_message")
