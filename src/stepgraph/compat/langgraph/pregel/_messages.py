"""How LangGraph hears of messages."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._messages",
    "StreamMessagesHandler",
    "StreamMessagesHandlerV2",
    "ensure_message_ids",
    "graph_namespace",
)
