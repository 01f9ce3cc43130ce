"""States of messages. Needs langchain-core."""

from __future__ import annotations

import warnings
from typing import Annotated, Any

from stepgraph.compat.langgraph.warnings import LangGraphDeprecatedSinceV10
from stepgraph.graph.builder import StateGraph
from stepgraph.integrations.messages import REMOVE_ALL_MESSAGES, Messages, MessagesState, add_messages

__all__ = ("REMOVE_ALL_MESSAGES", "MessageGraph", "Messages", "MessagesState", "add_messages")


class MessageGraph(StateGraph):
    """Deprecated: a graph whose whole state is a list of messages. Use a StateGraph with a `messages` key."""

    def __init__(self) -> None:
        warnings.warn(
            "MessageGraph is deprecated in LangGraph v1.0.0, to be removed in v2.0.0. "
            "Please use StateGraph with a `messages` key instead.",
            LangGraphDeprecatedSinceV10,
            stacklevel=2,
        )
        whole: Any = Annotated[list[Any], add_messages]
        super().__init__(whole)
