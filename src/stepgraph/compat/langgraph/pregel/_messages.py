"""How LangGraph hears of messages."""

from __future__ import annotations

from collections.abc import Mapping, MutableSequence
from typing import Any

from stepgraph.compat.absent import absent
from stepgraph.messages.folded import fold_messages, stamp_of

_messages_delta_reducer = fold_messages
__getattr__ = absent(
    "langgraph.pregel._messages",
    "StreamMessagesHandler",
    "StreamMessagesHandlerV2",
    "graph_namespace",
)


def ensure_message_ids(channels: Mapping[str, Any], writes: MutableSequence[tuple[str, Any]]) -> None:
    """Give an id to each message among these (key, value) that goes to a DeltaChannel."""
    stamp = stamp_of(channels)
    if stamp is not None:
        writes[:] = stamp(tuple(writes))
