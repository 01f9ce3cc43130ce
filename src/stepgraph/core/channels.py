"""The rules of state keys: how the updates of a superstep become the next value.

A channel holds no value; values live in the state. Names are LangGraph's; what differs is that a rule is a pure
function of the value before and the updates, so an update can be previewed and a snapshot is a plain dict.
"""

from __future__ import annotations

import operator
from collections import abc
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from types import GenericAlias
from typing import Any, Union, get_origin

from stepgraph.core import registry
from stepgraph.core.checkpoint import Extend
from stepgraph.core.errors import InvalidUpdateError
from stepgraph.core.types import MISSING, Overwrite

_OF_VALUE = frozenset(
    (
        "checkpoint", "copy", "finished", "get", "is_available", "replay_writes", "seen", "update", "value", "values",
    )
)  # fmt: skip
"""What channels of LangGraph's do and have beside their value."""


class Channel:
    """The rule of one key. `reduce` gets the value before (or MISSING) and this superstep's updates in task order."""

    __slots__ = ("_held", "key", "type")
    plain = False
    """Whether one update simply becomes the value: such writes need no call."""
    persistent = True
    """Whether checkpoints hold it."""
    gathers = False
    """Whether it only gathers what comes: updates that `reduce` gives the same object back for are no write."""
    keeps = False
    """Whether it keeps its value itself: a program's own kind, which is written as LangGraph's are."""

    __class_getitem__: Any = classmethod(GenericAlias)
    """Annotations may name the type of the value: `Topic[str]`."""
    _held: Any
    """The rule with a value of its own, where somebody has used it without a graph."""

    def __init__(self, typ: Any = Any, key: str = "") -> None:
        self.type = typ
        self.key = key

    def __init_subclass__(cls) -> None:
        others = (kind for kind in cls.__mro__ if kind is cls or not issubclass(kind, Channel))
        if not cls.keeps and any(_holds_value(vars(kind)) for kind in others):
            registry.adapters.load("keeping")(cls)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    __hash__ = object.__hash__

    def initial(self) -> Any:
        """The value before anything was written, or MISSING."""
        return MISSING

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        """The value after `updates` (at least one). Must not change `value`. Raises InvalidUpdateError."""
        raise NotImplementedError

    def settle(self, value: Any) -> Any:
        """The value after a superstep in which nobody wrote; the same object means unchanged."""
        return value

    def consume(self, value: Any) -> Any:
        """The value after a node that it triggered has run."""
        return value

    def finish(self, value: Any) -> Any:
        """The value once nothing else is ready."""
        return value

    def read(self, value: Any) -> Any:
        """What nodes see of it, or MISSING."""
        return value

    def delta(self, value: Any, updates: Sequence[Any], new: Any) -> Any:
        """What a checkpoint needs to get from `value` to `new`: an Extend, or `new` itself."""
        return new

    @property
    def typ(self) -> Any:
        """LangGraph's name for `type`."""
        return self.type

    @property
    def ValueType(self) -> Any:  # noqa: N802  LangGraph's name
        """The type of the value."""
        return self.type

    @property
    def UpdateType(self) -> Any:  # noqa: N802  LangGraph's name
        """The type of an update."""
        return self.type

    def from_checkpoint(self, checkpoint: Any) -> Any:
        """The rule with a value, as one object that is updated and read as LangGraph's channels are."""
        return registry.adapters.load("box")(self, checkpoint)

    def __getattr__(self, name: str) -> Any:
        """What a channel of LangGraph's does by itself, which holds a value: it is kept beside. No run asks for it."""
        if name not in _OF_VALUE:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        try:
            held: Any = self._held
        except AttributeError:  # nobody has asked before
            held = None
        if held is None or held.rule is not self:  # a copy's value is its own
            held = self._held = registry.adapters.load("held")(self)
        return getattr(held, name)


def _holds_value(own: Mapping[str, Any]) -> bool:
    """Whether a class is written as one of LangGraph's channels, whose methods find their value in the object."""
    ends = [getattr(own.get(name), "__code__", None) for name in ("consume", "finish")]
    return (
        not _OF_VALUE.isdisjoint(own) or "from_checkpoint" in own or any(end and end.co_argcount == 1 for end in ends)
    )


class LastValue(Channel):
    """Keeps the one value written in a superstep."""

    __slots__ = ()
    plain = True

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        if len(updates) != 1:
            raise InvalidUpdateError(
                f"At key '{self.key}': Can receive only one value per step. "
                "Use an Annotated key to handle multiple values, e.g. `Annotated[list, operator.add]`, "
                "or let the nodes run one after the other.\n"
                "For troubleshooting see the error code INVALID_CONCURRENT_GRAPH_UPDATE."
            )
        return updates[0]


class LastValueAfterFinish(Channel):
    """Keeps the last value written; readable once nothing else is ready, and gone when a node has run on it.

    The state holds (value, whether it is readable).
    """

    __slots__ = ()

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        return updates[-1], False

    def consume(self, value: Any) -> Any:
        return MISSING if value[1] else value

    def finish(self, value: Any) -> Any:
        return value if value[1] else (value[0], True)

    def read(self, value: Any) -> Any:
        return value[0] if value[1] else MISSING


class AnyValue(Channel):
    """Keeps the last value written; a superstep without a write clears it."""

    __slots__ = ()

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        return updates[-1]

    def settle(self, value: Any) -> Any:
        return MISSING


class EphemeralValue(Channel):
    """A value that lives for one superstep. With `guard`, two writes in a superstep are an error."""

    __slots__ = ("guard",)

    def __init__(self, typ: Any = Any, guard: bool = True, key: str = "") -> None:
        super().__init__(typ, key)
        self.guard = guard

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EphemeralValue) and self.guard == other.guard

    __hash__ = object.__hash__

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        if self.guard and len(updates) != 1:
            raise InvalidUpdateError(
                f"At key '{self.key}': EphemeralValue(guard=True) can receive only one value per step. "
                "Use guard=False to keep the last of several."
            )
        return updates[-1]

    def settle(self, value: Any) -> Any:
        return MISSING


class UntrackedValue(Channel):
    """A value that is never stored: gone after a resume in another process."""

    __slots__ = ("guard",)
    persistent = False

    def __init__(self, typ: Any = Any, guard: bool = True, key: str = "") -> None:
        super().__init__(typ, key)
        self.guard = guard

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntrackedValue) and self.guard == other.guard

    __hash__ = object.__hash__

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        if self.guard and len(updates) != 1:
            raise InvalidUpdateError(
                f"At key '{self.key}': UntrackedValue(guard=True) can receive only one value per step. "
                "Use guard=False to keep the last of several."
            )
        return updates[-1]


class Topic(Channel):
    """A list of everything written in a superstep, or with `accumulate` since the start. Lists are flattened."""

    __slots__ = ("accumulate",)
    gathers = True

    def __init__(self, typ: Any = Any, accumulate: bool = False, key: str = "") -> None:
        super().__init__(typ, key)
        self.accumulate = accumulate

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Topic) and self.accumulate == other.accumulate

    __hash__ = object.__hash__

    @property
    def ValueType(self) -> Any:  # noqa: N802  LangGraph's name
        return GenericAlias(Sequence, (self.type,))

    @property
    def UpdateType(self) -> Any:  # noqa: N802  LangGraph's name
        return Union[self.type, GenericAlias(list, (self.type,))]  # noqa: UP007  the type is known at run time only

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        flat: list[Any] = []
        for update in updates:
            if isinstance(update, list):
                flat.extend(update)
            else:
                flat.append(update)
        if not self.accumulate or value is MISSING:
            return flat or MISSING
        return [*value, *flat] if flat else value

    def settle(self, value: Any) -> Any:
        return value if self.accumulate else MISSING


class NamedBarrierValue(Channel):
    """Available once every name in `names` was written; running the node it triggers resets it (AND-join)."""

    __slots__ = ("names",)
    gathers = True

    def __init__(self, typ: Any = str, names: Sequence[str] = (), key: str = "") -> None:
        super().__init__(typ, key)
        self.names = frozenset(names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedBarrierValue) and self.names == other.names

    __hash__ = object.__hash__

    def initial(self) -> Any:
        return frozenset()

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        unknown = set(updates) - self.names
        if unknown:
            found = ", ".join(sorted(map(repr, unknown)))
            raise InvalidUpdateError(f"At key '{self.key}': Value {found} not in {sorted(self.names)}")
        return value if value.issuperset(updates) else value | frozenset(updates)

    def consume(self, value: Any) -> Any:
        return frozenset() if value == self.names else value

    def read(self, value: Any) -> Any:
        return None if value == self.names else MISSING


class NamedBarrierValueAfterFinish(NamedBarrierValue):
    """As NamedBarrierValue, but available only once nothing else is ready.

    The state holds (names, whether it is available).
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedBarrierValueAfterFinish) and self.names == other.names

    __hash__ = object.__hash__

    def initial(self) -> Any:
        return frozenset(), False

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        names = super().reduce(value[0], updates)
        return value if names is value[0] else (names, value[1])

    def consume(self, value: Any) -> Any:
        return self.initial() if value == (self.names, True) else value

    def finish(self, value: Any) -> Any:
        return (self.names, True) if value == (self.names, False) else value

    def read(self, value: Any) -> Any:
        return None if value == (self.names, True) else MISSING


class BinaryOperatorAggregate(Channel):
    """Folds updates with `operator(value, update)`. The first write to a key without a value is kept as it is.

    One `Overwrite(value)` in a superstep replaces the value, whatever else is written in it.
    """

    __slots__ = ("appends", "operator")

    def __init__(self, typ: Any, operator: Callable[[Any, Any], Any], key: str = "") -> None:
        super().__init__(typ, key)
        self.operator = operator
        self.appends = operator in _CONCATENATIONS

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BinaryOperatorAggregate):
            return False
        names = {getattr(self.operator, "__name__", ""), getattr(other.operator, "__name__", "")}
        return "<lambda>" in names or self.operator is other.operator

    __hash__ = object.__hash__

    def initial(self) -> Any:
        return empty(self.type)

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        if value is MISSING:
            value, updates = updates[0], updates[1:]
            if not updates:
                return value
        elif len(updates) == 1:
            update = updates[0]
            kind = type(update)
            if kind is not Overwrite and kind is not dict:
                return self.operator(value, update)
        if any(overwritten(update) is not MISSING for update in updates):
            return self._overwrite(updates)
        if self.appends and type(value) is list:
            return _concatenate(value, updates)
        for update in updates:
            value = self.operator(value, update)
        return value

    def _overwrite(self, updates: Sequence[Any]) -> Any:
        found = [value for update in updates if (value := overwritten(update)) is not MISSING]
        if len(found) > 1:
            raise InvalidUpdateError(
                f"At key '{self.key}': Can receive only one Overwrite value per super-step, got {len(found)}."
            )
        return found[0]

    def delta(self, value: Any, updates: Sequence[Any], new: Any) -> Any:
        if self.appends and type(value) is list and type(new) is list and all(type(each) is list for each in updates):
            return Extend(tuple(updates[0]) if len(updates) == 1 else tuple(new[len(value) :]))
        return new


class DeltaChannel(Channel):
    """Folds all updates of a superstep at once: `reducer(value, [update, ...])`. One `Overwrite` replaces the value.

    Our own checkpoints keep the value where it changed. Threads in LangGraph's format keep what was written, and the
    value only after every `snapshot_frequency` updates.
    """

    __slots__ = ("reducer", "snapshot_frequency")

    def __init__(
        self,
        reducer: Callable[[Any, Sequence[Any]], Any],
        typ: Any = None,
        *,
        snapshot_frequency: int = 100,
        key: str = "",
    ) -> None:
        super().__init__(typ, key)
        if snapshot_frequency < 1:
            raise ValueError(f"snapshot_frequency must be a positive integer, got {snapshot_frequency!r}")
        self.reducer = reducer
        self.snapshot_frequency = snapshot_frequency

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DeltaChannel) or self.snapshot_frequency != other.snapshot_frequency:
            return False
        names = {getattr(self.reducer, "__name__", ""), getattr(other.reducer, "__name__", "")}
        return "<lambda>" in names or self.reducer is other.reducer

    __hash__ = object.__hash__

    def initial(self) -> Any:
        return empty(list if self.type is None else self.type)

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        found = [each for update in updates if (each := overwritten(update)) is not MISSING]
        if len(found) > 1:
            raise InvalidUpdateError(
                f"At key '{self.key}': Can receive only one Overwrite value per super-step, got {len(found)}."
            )
        if found:
            return self.initial() if found[0] is None else copy(found[0])
        # A copy, because reducers of batches may change what they are given: others still read the value before.
        return self.reducer(self.initial() if value is MISSING else copy(value), list(updates))

    def replay(self, value: Any, updates: Sequence[Any]) -> Any:
        """The value after many supersteps' updates, in one go: what stands before the last `Overwrite` is passed over.

        `value` is MISSING where nothing was stored.
        """
        value = self.initial() if value is MISSING else value
        for place in range(len(updates) - 1, -1, -1):
            new = overwritten(updates[place])
            if new is not MISSING:
                value, updates = self.initial() if new is None else copy(new), updates[place + 1 :]
                break
        return self.reducer(value, list(updates)) if updates else value


_CONCATENATIONS = (operator.add, operator.concat)


def _concatenate(value: list[Any], updates: Sequence[Any]) -> list[Any]:
    """One copy a superstep instead of one an update; `list + other type` still raises as operator.add does."""
    grown: list[Any] = value + updates[0]
    for update in updates[1:]:
        if type(update) is not list:
            grown = grown + update
        else:
            grown += update
    return grown


def overwritten(update: Any) -> Any:
    """The value that `update` puts in place of a reduced one, or MISSING if it is an ordinary update.

    Besides `Overwrite`, the two JSON forms that LangGraph's clients send are understood.
    """
    if type(update) is Overwrite:
        return update.value
    if isinstance(update, dict):
        if len(update) == 1 and "__overwrite__" in update:
            return update["__overwrite__"]
        if len(update) == 2 and update.get("type") == "__overwrite__" and "value" in update:
            return update["value"]
    return MISSING


_CONCRETE: dict[Any, Any] = {
    abc.Sequence: list,
    abc.MutableSequence: list,
    abc.Collection: list,
    abc.Iterable: list,
    abc.Set: set,
    abc.MutableSet: set,
    abc.Mapping: dict,
    abc.MutableMapping: dict,
}


def empty(kind: Any) -> Any:
    """An empty value of a type: what a reducer starts from. MISSING if the type can't be made without arguments."""
    origin = get_origin(kind) or kind
    try:
        return _CONCRETE.get(origin, origin)()
    except Exception:  # any constructor may be anything: then the key starts without a value
        return MISSING
