"""LangGraph's strict mode (LANGGRAPH_STRICT_MSGPACK): its savers make objects again of the classes only that a graph's
types name, of messages, and of what their serializer allows by itself.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from stepgraph.core.plan import Plan

_CONTAINERS = (list, set, tuple, dict, deque, frozenset, Union, UnionType)
_MARKS: tuple[Any, ...] = (Annotated, Required, NotRequired)
_MESSAGES = (
    "BaseMessage", "BaseMessageChunk", "HumanMessage", "HumanMessageChunk", "AIMessage", "AIMessageChunk",
    "SystemMessage", "SystemMessageChunk", "ChatMessage", "ChatMessageChunk", "ToolMessage", "ToolMessageChunk",
    "FunctionMessage", "FunctionMessageChunk", "RemoveMessage",
)  # fmt: skip
Names = set[tuple[str, ...]]
"""(module, name) of classes."""


def strict() -> bool:
    """Whether LangGraph's serializer refuses classes that nobody has allowed."""
    for name in ("stepgraph.compat.langgraph._internal._serde", "langgraph.checkpoint.serde._msgpack"):
        found = getattr(sys.modules.get(name), "STRICT_MSGPACK_ENABLED", None)
        if found is not None:
            return bool(found)
    return False


def restricted(saver: Any, plan: Plan) -> Any:
    """The saver for a graph: in strict mode one that knows the graph's classes."""
    return allowing(saver, allowed(plan.schemas, plan.channels)) if strict() else saver


def allowing(saver: Any, names: Collection[tuple[str, ...]] | None) -> Any:
    """The saver with these classes too, where it has such a list; True, False and None as they are."""
    if not saver or names is None or saver is True or not hasattr(saver, "with_allowlist"):
        return saver
    return saver.with_allowlist(names)


def allowed(schemas: Iterable[Any], channels: Mapping[str, Any]) -> Names:
    """The classes that a graph may keep: messages, and what its schemas and channels name."""
    return messages() | named(schemas, channels)


def messages() -> Names:
    """langchain-core's messages."""
    try:
        from langchain_core import messages as known
    except ImportError:
        return set()
    kinds = [getattr(known, name, None) for name in _MESSAGES]
    return {(kind.__module__, kind.__name__) for kind in kinds if kind is not None}


def named(schemas: Iterable[Any], channels: Mapping[str, Any]) -> Names:
    """The classes that types name, and those that the fields of these name."""
    waiting = [schema for schema in schemas if schema is not None]
    for channel in channels.values():
        waiting += [getattr(channel, "ValueType", None), getattr(channel, "UpdateType", None)]
    found: Names = set()
    seen: set[int] = set()
    kept = []  # alive while their ids are remembered
    while waiting:
        kind = waiting.pop()
        if id(kind) in seen:
            continue
        seen.add(id(kind))
        kept.append(kind)
        if isinstance(kind, type) and _stored(kind):
            found.add((kind.__module__, kind.__name__))
        waiting += _within(kind)
    return found


def _stored(kind: type) -> bool:
    """Whether it is a class whose objects are stored under its name."""
    return dataclasses.is_dataclass(kind) or issubclass(kind, Enum) or _is_model(kind)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and (hasattr(kind, "model_fields") or hasattr(kind, "__fields__"))


def _within(kind: Any) -> Iterator[Any]:
    """The types that a type is made of."""
    origin = get_origin(kind)
    if origin in _MARKS:
        yield get_args(kind)[0]
    elif origin in _CONTAINERS:
        yield from get_args(kind)
    elif origin is not Literal and hasattr(kind, "__supertype__"):
        yield kind.__supertype__
    elif hasattr(kind, "__total__") or _is_model(kind) or dataclasses.is_dataclass(kind):
        yield from _fields(kind)


def _fields(kind: Any) -> Iterable[Any]:
    module = sys.modules.get(getattr(kind, "__module__", ""))
    try:
        hints = get_type_hints(kind, vars(module) if module else None, dict(vars(kind)), include_extras=True)
    except (NameError, TypeError, AttributeError):  # a name that is not there at run time, or no class at all
        hints = {}
    if hints:
        return hints.values()
    if dataclasses.is_dataclass(kind):
        return [field.type for field in dataclasses.fields(kind)]
    return [each.annotation for each in getattr(kind, "model_fields", {}).values()]
