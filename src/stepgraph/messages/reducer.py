"""`add_messages`: merges messages by their ids."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from stepgraph.messages.kinds import REMOVE_ALL_MESSAGES, as_messages, id_of, ids_of, langchain, named, removes

Format = Literal["langchain-openai"]


def add_messages(left: Any = None, right: Any = None, *, format: Format | None = None) -> Any:
    """The messages of `left` with those of `right`: one with a known id replaces, others are appended.

    Each may be a list or a single message, in any form that langchain-core understands. Messages without an id get
    one, in place. `RemoveMessage(id)` deletes a message; with the id `REMOVE_ALL_MESSAGES` it deletes everything
    before it. With `format="langchain-openai"` contents become OpenAI's. Called with neither list, as in
    `Annotated[list, add_messages(format=...)]`, it returns the reducer with that format.
    Raises ValueError for a deletion of an unknown id.
    """
    if left is None and right is None:
        return partial(_merge, format=format)
    if left is None or right is None:
        given = "right" if left is None else "left"
        raise ValueError(f"Must specify non-null arguments for both 'left' and 'right'. Only received: '{given}'.")
    return _merge(left, right, format=format)


def _merge(left: Any, right: Any, *, format: Format | None = None) -> list[Any]:
    before = as_messages(left if isinstance(left, list) else [left])
    added = as_messages(right if isinstance(right, list) else [right])
    ids, names = _named_all(before), _named_all(added)
    if not any(map(removes, added)) and _all_new(names, ids):
        return _formatted([*before, *added], format)
    for position in range(len(added) - 1, -1, -1):
        if removes(added[position]) and id_of(added[position]) == REMOVE_ALL_MESSAGES:
            return list(added[position + 1 :])
    merged = list(before)
    places = dict(zip(ids, range(len(ids)), strict=True))
    removed: set[str | None] = set()
    for message in added:
        name = id_of(message)
        place = places.get(name)
        if removes(message):
            if place is None:
                raise ValueError(f"Attempting to delete a message with an ID that doesn't exist ('{name}')")
            removed.add(name)
        elif place is None:
            places[name] = len(merged)
            merged.append(message)
        else:
            removed.discard(name)
            merged[place] = message
    if removed:
        merged = [message for message in merged if id_of(message) not in removed]
    return _formatted(merged, format)


def _all_new(names: list[str | None], ids: list[str | None]) -> bool:
    """Whether no name is there twice."""
    found = set(names)
    return len(found) == len(names) and found.isdisjoint(ids)


def _named_all(messages: Sequence[Any]) -> list[str | None]:
    """The ids of messages; those that have none get one."""
    ids = ids_of(messages)
    if None not in ids:
        return ids
    from uuid import uuid4

    for message, known in zip(messages, ids, strict=True):
        if known is None:
            named(message, str(uuid4()))
    return ids_of(messages)


def _formatted(messages: list[Any], format: str | None) -> list[Any]:
    if not format:
        return messages
    if format != "langchain-openai":
        raise ValueError(f"Unrecognized {format=}. Expected one of 'langchain-openai', None.")
    return in_openai_form(messages)


def in_openai_form(messages: Sequence[Any]) -> list[Any]:
    """The messages with contents as OpenAI's; as they are, with a warning, without langchain-core."""
    known = langchain()
    if known is None:
        warnings.warn(
            "format='langchain-openai' needs langchain-core: pip install \"stepgraph[langchain]\". "
            "The messages stay as they are.",
            stacklevel=2,
        )
        return list(messages)
    converted: list[Any] = known.convert_to_messages(known.convert_to_openai_messages(messages))
    return converted
