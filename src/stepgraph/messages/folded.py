"""Messages in a DeltaChannel: the reducer that takes a superstep's updates at once, and ids before anything is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepgraph.core.channels import Channel, DeltaChannel, overwritten
from stepgraph.core.types import MISSING, Overwrite, Writes
from stepgraph.messages.kinds import as_whole, id_of, langchain, named, removes


def fold_messages(state: Sequence[Any], writes: Sequence[Any]) -> list[Any]:
    """The messages of `state` with those of each write, for `DeltaChannel(fold_messages)`.

    A write is a message or a list of them, in any form that langchain-core understands. One with a known id replaces,
    others are appended; `RemoveMessage(id)` deletes, and an unknown id is no error: so it does not matter whether
    writes are folded in one go or in several.
    """
    flat = [each for write in writes for each in (write if isinstance(write, list) else [write])]
    merged: list[Any] = list(as_whole(state))
    places = {name: place for place, message in enumerate(merged) if (name := id_of(message)) is not None}
    for message in as_whole(flat):
        name = id_of(message)
        if name is None:
            merged.append(message)
        elif removes(message):
            if name in places:
                merged[places.pop(name)] = None
        elif name in places:
            merged[places[name]] = message
        else:
            places[name] = len(merged)
            merged.append(message)
    return [message for message in merged if message is not None]


def stamp_of(channels: Mapping[str, Channel]) -> Callable[[Writes], Writes] | None:
    """What gives an id to each message that is written to a DeltaChannel; None for a graph without one.

    A thread in LangGraph's format keeps what was written, not what became of it: an id that the reducer gave would be
    another one whenever the state is read.
    """
    keys = {
        key: channel.reducer is fold_messages for key, channel in channels.items() if isinstance(channel, DeltaChannel)
    }
    if not keys:
        return None
    return lambda writes: tuple((key, _stamped(value, keys[key]) if key in keys else value) for key, value in writes)


def _stamped(update: Any, folds: bool) -> Any:
    """The update with an id in every message. Where `folds`, all that stands for a message becomes one."""
    new = overwritten(update)
    if new is not MISSING:
        if isinstance(new, (list, tuple)):
            items = [_one(each, folds) for each in new]
            if folds and any(one is not other for one, other in zip(items, new, strict=True)):
                return Overwrite(type(new)(items))
        return update
    if not isinstance(update, list):
        if isinstance(update, dict) and not folds:
            return {**update, "id": _new_id()} if is_message_dict(update) and not update.get("id") else update
        return _one(update, folds)
    items = [_one(each, folds, listed=True) for each in update]
    return update if all(one is other for one, other in zip(items, update, strict=True)) else items


def _one(given: Any, folds: bool, listed: bool = False) -> Any:
    """A message with an id. What can't be made one stays as it is; a dict in a list that says it is one must be one."""
    if not _is_whole(given):
        sure = listed and isinstance(given, dict) and is_message_dict(given)
        if not (sure or folds):
            return given
        try:
            made = as_whole([given])[0]
        except Exception:  # the reducer raises where it matters
            if sure:
                raise
            return given
        if not isinstance(made, dict):
            given = made
        elif not made.get("id"):
            return {**made, "id": _new_id()}
    if not id_of(given) and not removes(given):
        named(given, _new_id())
    return given


def _is_whole(given: Any) -> bool:
    found = langchain()
    return found is not None and isinstance(given, found.BaseMessage)


def is_message_dict(given: Mapping[str, Any]) -> bool:
    """Whether it says of itself that it is a message."""
    return given.get("role") in _ROLES or given.get("type") in _TYPES


_ROLES = frozenset({"user", "human", "assistant", "ai", "tool", "system", "function"})
_TYPES = frozenset({"human", "ai", "tool", "system", "function", "remove"})


def _new_id() -> str:
    from uuid import uuid4

    return str(uuid4())


__all__ = ["fold_messages", "is_message_dict", "stamp_of"]
