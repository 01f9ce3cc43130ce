"""Messages of two kinds, langchain-core's objects and plain dicts, behind a few functions."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from operator import attrgetter
from typing import Any

REMOVE_ALL_MESSAGES = "__remove_all__"
"""The id with which a RemoveMessage deletes everything that stands before it."""
ROLES = {"human": "user", "ai": "assistant", "developer": "system"}
"""Other names of roles -> the name that dict messages have."""


@dataclass
class Removal:
    """A message that deletes the one with its id. `RemoveMessage` is this class where langchain-core is missing."""

    id: str
    content: str = ""
    type: str = "remove"


@cache
def langchain() -> Any:
    """`langchain_core.messages`, imported now; None where it is not installed."""
    if sys.modules.get("langchain_core", find_spec) is None or find_spec("langchain_core") is None:
        return None
    from langchain_core import messages

    return messages


def remove_message() -> Any:
    """The class of messages that delete one."""
    found = langchain()
    return Removal if found is None else found.RemoveMessage


def as_messages(given: Sequence[Any]) -> Sequence[Any]:
    """Messages from whatever stands for them: strings, (role, content), dicts, message objects, chunks of them.

    A list of whole messages comes back as it is. Raises what langchain-core raises, else TypeError or ValueError.
    """
    found = langchain()
    if found is None:
        return [_as_dict(each) for each in given]
    if all(map(_is_whole, set(map(type, given)))):
        return given
    return [found.message_chunk_to_message(each) for each in found.convert_to_messages(given)]


@cache
def _is_whole(kind: type) -> bool:
    """Whether it is a class of langchain-core's whole messages."""
    found = langchain()
    return issubclass(kind, found.BaseMessage) and not issubclass(kind, found.BaseMessageChunk)


def as_whole(given: Sequence[Any]) -> Sequence[Any]:
    """As `as_messages`, but chunks stay chunks."""
    found = langchain()
    if found is None:
        return [_as_dict(each) for each in given]
    if given and all(issubclass(kind, found.BaseMessage) for kind in set(map(type, given))):
        return given
    converted: list[Any] = found.convert_to_messages(given)
    return converted


def id_of(message: Any) -> str | None:
    found: str | None = message.get("id") if isinstance(message, dict) else message.id
    return found


def ids_of(messages: Sequence[Any]) -> list[str | None]:
    """`id_of` each, in one go where all are objects."""
    try:
        return list(map(_id, messages))
    except AttributeError:  # of a dict
        return [id_of(message) for message in messages]


_id = attrgetter("id")


def named(message: Any, name: str) -> None:
    """Give a message its id."""
    if isinstance(message, dict):
        message["id"] = name
    else:
        message.id = name


def removes(message: Any) -> bool:
    """Whether it deletes another one."""
    return not isinstance(message, dict) and getattr(message, "type", None) == "remove"


def _as_dict(given: Any) -> Any:
    match given:
        case Removal():
            return given
        case str():
            return {"role": "user", "content": given}
        case (str() as role, content):
            return {"role": ROLES.get(role, role), "content": content}
        case {"role": "remove", "id": str() as name}:
            return Removal(name)
        case {"role": str(), "content": _}:
            return given
        case dict():
            raise ValueError(f"A message needs 'role' and 'content', got the keys {sorted(map(str, given))}: {given!r}")
    raise TypeError(
        f"Expected a message as a dict with 'role' and 'content', a (role, content) tuple or a string, got {given!r}. "
        'For message objects install langchain-core: pip install "stepgraph[langchain]".'
    )
