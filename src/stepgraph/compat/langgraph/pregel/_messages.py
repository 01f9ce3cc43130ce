"""How LangGraph hears of messages. Needs langchain-core."""

from __future__ import annotations

from collections.abc import Mapping, MutableSequence
from typing import Any

from stepgraph.compat.heard import (
    Meta,
    StreamMessagesHandler,
    StreamMessagesHandlerV2,
    T,
    _state_values,
    graph_namespace,
)
from stepgraph.messages.folded import fold_messages, stamp_of
from stepgraph.messages.folded import is_message_dict as _is_message_dict

__all__ = (
    "Meta",
    "StreamMessagesHandler",
    "StreamMessagesHandlerV2",
    "T",
    "_is_message_dict",
    "_state_values",
    "graph_namespace",
)

_messages_delta_reducer = fold_messages


def ensure_message_ids(channels: Mapping[str, Any], writes: MutableSequence[tuple[str, Any]]) -> None:
    """Give an id to each message among these (key, value) that goes to a DeltaChannel."""
    stamp = stamp_of(channels)
    if stamp is not None:
        writes[:] = stamp(tuple(writes))
