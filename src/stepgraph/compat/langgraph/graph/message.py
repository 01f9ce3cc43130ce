"""States of messages."""

from __future__ import annotations

from stepgraph.graph.pushing import MessageGraph, push_message
from stepgraph.messages import REMOVE_ALL_MESSAGES, MessagesState, add_messages

__all__ = ("REMOVE_ALL_MESSAGES", "MessageGraph", "MessagesState", "add_messages", "push_message")
