"""States of messages."""

from __future__ import annotations

from typing import Any

from stepgraph.graph.pushing import MessageGraph, push_message
from stepgraph.messages import REMOVE_ALL_MESSAGES, MessagesState, add_messages
from stepgraph.messages.folded import fold_messages

Messages = list[Any] | Any
"""Messages, or one: what `add_messages` takes on either side."""
_messages_delta_reducer = fold_messages
__all__ = ("REMOVE_ALL_MESSAGES", "MessageGraph", "MessagesState", "add_messages", "push_message")
