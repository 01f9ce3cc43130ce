"""States of messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from stepgraph.graph import pushing
from stepgraph.graph.pushing import push_message
from stepgraph.messages import REMOVE_ALL_MESSAGES, add_messages
from stepgraph.messages.folded import fold_messages
from stepgraph.messages.kinds import as_messages
from stepgraph.messages.reducer import in_openai_form
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
_coerce_to_messages = as_messages
_format_messages = in_openai_form


def _add_messages_wrapper(func: Callable[..., Any]) -> Callable[..., Any]:
    """A reducer of messages that, called with neither list, is itself with the options that it is given."""

    def _add_messages(left: Any = None, right: Any = None, **kwargs: Any) -> Any:
        if left is None and right is None:
            return partial(func, **kwargs)
        if left is None or right is None:
            given = "right" if left is None else "left"
            raise ValueError(f"Must specify non-null arguments for both 'left' and 'right'. Only received: '{given}'.")
        return func(left, right, **kwargs)

    _add_messages.__doc__ = func.__doc__
    return _add_messages


__all__ = (
    "REMOVE_ALL_MESSAGES",
    "MessageGraph",
    "MessagesState",
    "_coerce_to_messages",
    "_format_messages",
    "add_messages",
    "push_message",
)
