"""LangGraph's classes in place of ours in what is stored, and ours in place of LangGraph's in what is read."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import field, fields, make_dataclass
from functools import cache, partial
from importlib import import_module
from pkgutil import resolve_name
from typing import Any

from stepgraph.core.limits import TimeoutPolicy
from stepgraph.core.types import Command, Interrupt, Overwrite, PregelTask, Send, StateSnapshot

TYPES = "langgraph.types"
"""The module under whose name LangGraph's classes are stored."""
_MADE_OF: dict[type, tuple[str, ...]] = {
    Send: ("node", "arg", "timeout"),
    Command: ("graph", "update", "resume", "goto"),
    Interrupt: ("value", "id", "response_schema"),
    Overwrite: ("value",),
    TimeoutPolicy: ("run_timeout", "idle_timeout", "refresh_on"),
    StateSnapshot: StateSnapshot._fields,
    PregelTask: PregelTask._fields,
}
_NAMES: dict[type, str] = {**{kind: kind.__name__ for kind in _MADE_OF}, PregelTask: "PregelTask"}
_ROWS = frozenset((list, tuple, set, frozenset, deque))
Through = Callable[[Any], Any]
"""What is done with the parts of an object."""
Makers = Mapping[type, Callable[[Any, Through], Any]]
"""What makes an object of the other engine, for each class."""


def theirs(value: Any) -> Any:
    """A value with LangGraph's objects in place of ours, in lists, tuples, sets, dicts and these objects at any depth;
    itself where there are none, or where it holds itself."""
    return _translated(value, _theirs(sys.modules.get(f"{_SERDE}.types")))


def translated(stored: Any) -> Any:
    """What is given to a saver, a checkpoint or a task's writes, with LangGraph's objects in place of ours."""
    if isinstance(stored, dict):
        return {**stored, "channel_values": theirs(stored["channel_values"])}
    return theirs(stored)


def ours(value: Any) -> Any:
    """The other way round."""
    makers = _ours(sys.modules.get(TYPES), len(_stand_ins))
    return _translated(value, makers) if makers else value


_READERS = ("get_tuple", "aget_tuple", "list", "alist")


def reads_memory(saver: Any) -> bool:
    """Whether a saver is LangGraph's in memory and reads as that does, which waits for nothing."""
    memory = sys.modules.get("langgraph.checkpoint.memory")
    kind: Any = getattr(memory, "InMemorySaver", None)
    if kind is None or not isinstance(saver, kind):
        return False
    return all(getattr(getattr(saver, name), "__func__", None) is getattr(kind, name) for name in _READERS)


def meets_all(saver: Any) -> bool:
    """Whether all that a saver keeps goes through LangGraph's msgpack, which is told here to store our objects under
    LangGraph's names wherever it meets them: then nobody has to look for them."""
    serializer, encrypted = sys.modules.get(f"{_SERDE}.jsonplus"), sys.modules.get(f"{_SERDE}.encrypted")
    kind: Any = type(saver)
    serde: Any = getattr(saver, "serde", None)
    if serializer is None or not all(getattr(kind, put, _ours).__module__.startswith(_SAVERS) for put in _PUTS):
        return False
    while encrypted is not None and _dumps(serde) is encrypted.EncryptedSerializer.dumps_typed:
        serde = serde.serde
    plain = _dumps(serde) is serializer.JsonPlusSerializer.dumps_typed and not serde.pickle_fallback
    return plain and _teach(serializer)


_SERDE = "langgraph.checkpoint.serde"
_PUTS = ("put", "aput", "put_writes", "aput_writes")
_SAVERS = "langgraph.checkpoint."
"""Where LangGraph's own savers are from: what others store besides what they serialize is not known."""


def _dumps(serde: Any) -> Any:
    return getattr(type(serde), "dumps_typed", None)


def _teach(serializer: Any) -> bool:
    met = getattr(serializer, "_msgpack_default", None)
    if met is not None and not isinstance(met, _Taught):
        serializer._msgpack_default = _Taught(met)
    return met is not None


class _Taught:
    """What msgpack asks about an object that it does not know."""

    def __init__(self, default: Callable[[Any], Any]) -> None:
        self.default = default

    def __call__(self, value: Any) -> Any:
        return self.default(_their_twin(value, _as_it_is) if type(value) in _MADE_OF else value)


def _translated(value: Any, makers: Makers) -> Any:
    interesting = makers.keys() | _ROWS | {dict}

    def through(value: Any) -> Any:
        kind = type(value)
        if kind not in interesting:
            return value
        if kind in makers:
            return makers[kind](value, through)
        items = value.values() if kind is dict else value
        if interesting.isdisjoint(map(type, items)):
            return value
        made = [through(each) for each in items]
        if all(map(_same, made, items)):
            return value
        if kind is dict:
            return dict(zip(value, made, strict=True))
        return deque(made, value.maxlen) if kind is deque else kind(made)

    try:
        return through(value)
    except RecursionError:
        return value


def _same(one: Any, other: Any) -> bool:
    return one is other


def _as_it_is(value: Any) -> Any:
    return value


def _their_twin(value: Any, through: Through) -> Any:
    kind = type(value)
    if kind is Send:
        limits = {} if value.timeout is None else {"timeout": _their_twin(value.timeout, through)}
        return their("Send")(value.node, through(value.arg), **limits)
    return their(_NAMES[kind])(**{name: through(getattr(value, name)) for name in _MADE_OF[kind]})


def _our_twin(kind: Any, value: Any, through: Through) -> Any:
    found = {name: through(getattr(value, name)) for name in _MADE_OF[kind] if hasattr(value, name)}
    return kind(**found)


def _snapshot_of(value: Any, through: Through) -> Any:
    return type(value)(through(value.value))


@cache
def _theirs(module: Any) -> Makers:
    """For our classes, and for a DeltaChannel's snapshot, which may hold some."""
    snapshot = getattr(module, "_DeltaSnapshot", None)
    made: dict[type, Any] = dict.fromkeys(_MADE_OF, _their_twin)
    return made if snapshot is None else {**made, snapshot: _snapshot_of}


@cache
def _ours(loaded: Any, _: int) -> Makers:
    """For the classes of LangGraph's module, unless ours stands under its name, and for those that stood in."""
    found = {getattr(loaded, name, None): kind for kind, name in _NAMES.items()}
    found.update((made, kind) for kind, name in _NAMES.items() if (made := _stand_ins.get(name)))
    return {made: partial(_our_twin, kind) for made, kind in found.items() if made not in (None, kind)}


@cache
def their(name: str) -> Any:
    """A class of `langgraph.types`; where that is not installed, one that is stored under the same name."""
    try:
        found = getattr(import_module(TYPES), name)
    except ImportError:
        found = None
    if found is None or found.__module__ != TYPES:
        found = _stand_ins[name] = _stand_in(name)
    return found


_stand_ins: dict[str, type] = {}


def _stand_in(name: str) -> type:
    """A class of ours under LangGraph's name, which serializers that ask for its classes know by `isinstance`."""
    kind = next(kind for kind, known in _NAMES.items() if known == name)
    more = {"__module__": TYPES, "__reduce__": _as_theirs}
    if not issubclass(kind, tuple):
        return type(name, (kind,), more)
    parts = [(part, Any, field(default=None)) for part in _MADE_OF[kind]]
    made = make_dataclass(name, parts, unsafe_hash=True, namespace={"__reduce__": _as_theirs})
    made.__module__ = TYPES
    return made


def _as_theirs(value: Any) -> Any:
    """Pickled as an instance of the class that stands under its name where it is read: a serializer may pickle."""
    names = _MADE_OF.get(type(value).__mro__[1]) or [each.name for each in fields(value)]
    given = {name: getattr(value, name) for name in names}
    return partial(_Named(f"{TYPES}:{type(value).__name__}"), **given), ()


class _Named:
    """A class that is looked up when it is unpickled, and not compared with what has its name here and now."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, **given: Any) -> Any:
        return resolve_name(self.name)(**given)

    def __reduce__(self) -> Any:
        return resolve_name, (self.name,)
