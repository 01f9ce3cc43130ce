"""The words of threads in LangGraph's format: reserved channels, and its classes in place of ours."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, fields, is_dataclass, make_dataclass
from functools import cache, partial
from importlib import import_module
from pkgutil import resolve_name
from typing import Any

from stepgraph.core.types import Command, Interrupt, Overwrite, Send

VERSION = 4
"""The version of the checkpoint format that is written."""
BRANCH = "branch:to:"
TASKS = "__pregel_tasks"
INPUT = "__input__"
INTERRUPT = "__interrupt__"
RESUME = "__resume__"
ERROR = "__error__"
ERROR_SOURCE = "__error_source_node__"
NO_WRITES = "__no_writes__"
BESIDE = "__stepgraph__"
"""The channel of what LangGraph has no word for. It ignores writes of tasks that it did not plan."""
CONTROL = frozenset({INTERRUPT, RESUME, ERROR, ERROR_SOURCE})
"""Channels that tell what happened to a task: a task with other writes is finished."""


def theirs(value: Any) -> Any:
    """A Send, Command, Interrupt or Overwrite as LangGraph's own, so that it can read what is stored; also as an
    item of a list, tuple or dict, but not deeper: that would take a look at all of the state. All else as it is."""
    kind = type(value)
    if kind in _HOLDING:
        return _each(value, theirs, _OURS)
    if kind is Send:
        policy = value.timeout
        if policy is None:
            return their("Send")(value.node, value.arg)
        named = {name: getattr(policy, name) for name in ("run_timeout", "idle_timeout", "refresh_on")}
        return their("Send")(value.node, value.arg, timeout=their("TimeoutPolicy")(**named))
    if kind is Command:
        named = {name: theirs(getattr(value, name)) for name in _COMMAND}
        return their("Command")(**named)
    if kind is Overwrite:
        return their("Overwrite")(value.value)
    if kind is Interrupt:
        return their("Interrupt")(**{name: getattr(value, name) for name in _names(value) & _INTERRUPT})
    return value


def ours(value: Any) -> Any:
    """The other way round."""
    kind = type(value)
    if kind in _HOLDING:
        loaded = sys.modules.get("langgraph.types")  # else there can be nothing of it
        return value if loaded is None else _each(value, ours, _kinds_in(loaded))
    if kind.__module__ != "langgraph.types":
        return value
    match kind.__name__:
        case "Send":
            return Send(value.node, value.arg, timeout=getattr(value, "timeout", None))
        case "Command":
            return Command(**{name: ours(getattr(value, name)) for name in _COMMAND})
        case "Overwrite":
            return Overwrite(value.value)
        case "Interrupt":
            known = _names(Interrupt)
            return Interrupt(**{name: getattr(value, name) for name in known if hasattr(value, name)})
    return value


def _each(value: Any, translate: Callable[[Any], Any], kinds: frozenset[type]) -> Any:
    """A list, tuple or dict with its items translated; itself where none is of these kinds."""
    items = value.values() if type(value) is dict else value
    if kinds.isdisjoint(map(type, items)):
        return value
    if type(value) is dict:
        return {key: translate(each) for key, each in value.items()}
    return type(value)([translate(each) for each in value])


def whole(value: Any) -> Any:
    """The value in a snapshot of a DeltaChannel; any other value as it is."""
    return value.value if type(value).__name__ == "_DeltaSnapshot" else value


def members(value: Any) -> Any:
    """The members of a barrier's set. langgraph-checkpoint-redis gives back what it has made of a set to store it."""
    return next(iter(value.get("args") or ()), ()) if isinstance(value, Mapping) else value


def interrupts_in(value: Any) -> tuple[Any, ...]:
    """The questions of an INTERRUPT write, which older versions stored one by one."""
    return tuple(ours(each) for each in value) if isinstance(value, (list, tuple)) else (ours(value),)


_INTERRUPT = frozenset({"value", "id", "response_schema"})
_COMMAND = ("graph", "update", "resume", "goto")
_HOLDING = frozenset((list, tuple, dict))
_OURS: frozenset[type] = frozenset((Send, Command, Interrupt, Overwrite))


@cache
def _kinds_in(module: Any) -> frozenset[type]:
    """The classes of these names in LangGraph's module, or in ours that stands under its name."""
    return frozenset(getattr(module, kind.__name__) for kind in _OURS)


def _names(kind: Any) -> set[str]:
    return {each.name for each in fields(kind)} if is_dataclass(kind) else set()


@cache
def their(name: str) -> Any:
    """A class of `langgraph.types`; where that is not installed, one that is stored under the same name."""
    try:
        found = getattr(import_module("langgraph.types"), name)
    except ImportError:
        found = None
    if found is None or found.__module__ != "langgraph.types":
        found = _stand_in(name)
    return found


def _stand_in(name: str) -> Any:
    parts: dict[str, Iterable[Any]] = {
        "Send": ("node", "arg", ("timeout", Any, field(default=None))),
        "TimeoutPolicy": ("run_timeout", "idle_timeout", "refresh_on"),
        "Command": tuple((name, Any, field(default=None)) for name in _COMMAND),
        "Overwrite": ("value",),
        "Interrupt": ("value", ("id", str, field(default="")), ("response_schema", Any, field(default=None))),
    }
    made = make_dataclass(name, parts[name], unsafe_hash=True, namespace={"__reduce__": _as_theirs})
    made.__module__ = "langgraph.types"
    return made


def _as_theirs(value: Any) -> Any:
    """Pickled as an instance of the class that stands under its name where it is read: a serializer may pickle."""
    given = {each.name: getattr(value, each.name) for each in fields(value)}
    return partial(_Named(f"langgraph.types:{type(value).__name__}"), **given), ()


class _Named:
    """A class that is looked up when it is unpickled, and not compared with what has its name here and now."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, **given: Any) -> Any:
        return resolve_name(self.name)(**given)

    def __reduce__(self) -> Any:
        return resolve_name, (self.name,)
