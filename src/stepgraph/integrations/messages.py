"""Lists of langchain-core's messages as state: merged by id, removed by marker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Annotated, Any, TypedDict
from uuid import uuid4

from langchain_core.messages import (
    AnyMessage,
    BaseMessage,
    BaseMessageChunk,
    RemoveMessage,
    convert_to_messages,
    convert_to_openai_messages,
    message_chunk_to_message,
)

REMOVE_ALL_MESSAGES = "__remove_all__"
"""The id of a RemoveMessage that removes everything before it."""


def _or_partial(merge: Callable[..., Any]) -> Callable[..., Any]:
    """Let `add_messages(format=...)` give a reducer with that option."""

    @wraps(merge)
    def add_messages(left: Any = None, right: Any = None, **options: Any) -> Any:
        if left is None and right is None:
            return partial(merge, **options)
        if left is None or right is None:
            raise ValueError(
                "Must specify non-null arguments for both 'left' and 'right'. "
                f"Only received: '{'left' if left else 'right'}'."
            )
        return merge(left, right, **options)

    del add_messages.__wrapped__  # its two parameters are those of a reducer
    return add_messages


@_or_partial
def add_messages(left: Any, right: Any, *, format: str | None = None) -> list[Any]:
    """The messages of `left` with those of `right`: one with a known id replaces, a RemoveMessage removes.

    Either may be one message or a list, in any form that langchain-core takes. Messages without an id get one.
    `format="langchain-openai"` gives contents in OpenAI's form. Raises ValueError for the removal of an unknown id.
    """
    if format not in (None, "langchain-openai"):
        raise ValueError(f"Unrecognized format={format!r}. Expected one of 'langchain-openai', None.")
    known, new = _messages(left), _messages(right)
    last_clearing = -1
    for position, message in enumerate(new):
        if message.id == REMOVE_ALL_MESSAGES and isinstance(message, RemoveMessage):
            last_clearing = position
    if last_clearing >= 0:
        return new[last_clearing + 1 :]
    merged = _merged(known, new)
    return convert_to_messages(convert_to_openai_messages(merged)) if format else merged


def _merged(known: list[Any], new: list[Any]) -> list[Any]:
    merged = known.copy()
    places = {message.id: position for position, message in enumerate(merged)}
    removed: set[str] = set()
    for message in new:
        place = places.get(message.id)
        if isinstance(message, RemoveMessage):
            if place is None:
                raise ValueError(f"Attempting to delete a message with an ID that doesn't exist ('{message.id}')")
            removed.add(str(message.id))
        elif place is None:
            places[message.id] = len(merged)
            merged.append(message)
        else:
            removed.discard(message.id)
            merged[place] = message
    return [message for message in merged if message.id not in removed] if removed else merged


def _messages(given: Any) -> list[Any]:
    """Whole messages with ids."""
    found = given if isinstance(given, list) else [given]
    if not all(_is_whole(kind) for kind in set(map(type, found))):
        found = [
            message_chunk_to_message(message) if isinstance(message, BaseMessageChunk) else message
            for message in convert_to_messages(found)
        ]
    for message in found:
        if message.id is None:
            message.id = str(uuid4())
    return found


def _is_whole(kind: type) -> bool:
    return issubclass(kind, BaseMessage) and not issubclass(kind, BaseMessageChunk)


class MessagesState(TypedDict):
    """A state of messages; inherit from it to add keys."""

    messages: Annotated[list[AnyMessage], add_messages]


Messages = Sequence[Any]
