"""Channels in LangGraph's form, as boxes that hold their value: written by users, and made of ours.

Ours are rules without a value. A box puts a rule and a value together, so that code that handles LangGraph's channels
directly works; `Foreign` takes a box apart, so that a user's own box class works as a rule here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import Any, Generic, Self, TypeVar

from stepgraph.compat.format import whole
from stepgraph.compat.twins import ours
from stepgraph.core.channels import (
    Channel,
    DeltaChannel,
    LastValueAfterFinish,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
    Topic,
)
from stepgraph.core.errors import EmptyChannelError
from stepgraph.core.types import MISSING

Value = TypeVar("Value")
Update = TypeVar("Update")
Checkpoint = TypeVar("Checkpoint")


class BaseChannel(ABC, Generic[Value, Update, Checkpoint]):
    """The base of a user's own channel: an object that holds one key's value.

    `from_checkpoint` makes a fresh one with a stored value or MISSING; `update` takes a superstep's updates (none, when
    nobody wrote) and says whether that changed anything.
    """

    __slots__ = ("key", "typ")

    def __init__(self, typ: Any, key: str = "") -> None:
        self.typ = typ
        self.key = key

    @property
    @abstractmethod
    def ValueType(self) -> Any:  # noqa: N802  LangGraph's name
        """The type of the value."""

    @property
    @abstractmethod
    def UpdateType(self) -> Any:  # noqa: N802  LangGraph's name
        """The type of an update."""

    @abstractmethod
    def from_checkpoint(self, checkpoint: Any) -> Self:
        """A fresh channel of the same kind that holds what `checkpoint()` gave, or MISSING."""

    @abstractmethod
    def get(self) -> Any:
        """The value. Raises EmptyChannelError if there is none."""

    @abstractmethod
    def update(self, values: Sequence[Any]) -> bool:
        """Take a superstep's updates; whether anything changed. Raises InvalidUpdateError."""

    def checkpoint(self) -> Any:
        """What is stored; MISSING for nothing."""
        try:
            return self.get()
        except EmptyChannelError:
            return MISSING

    def copy(self) -> Self:
        """Another channel with the same value."""
        return self.from_checkpoint(self.checkpoint())

    def is_available(self) -> bool:
        """Whether there is a value."""
        try:
            self.get()
        except EmptyChannelError:
            return False
        return True

    def consume(self) -> bool:
        """A node that it triggered has run; whether that changed anything."""
        return False

    def finish(self) -> bool:
        """Nothing else is ready; whether that changed anything."""
        return False


BaseChannel.register(Channel)


class Box:
    """One of our rules with a value, handled as LangGraph's channels are."""

    rule: Channel

    def __init__(self, rule: Channel, value: Any) -> None:
        self.rule = rule
        self._value = rule.initial() if value is MISSING else copy(whole(value))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rule, name)

    def __repr__(self) -> str:
        return f"{type(self.rule).__name__}({self._value!r})"

    def __eq__(self, other: object) -> bool:
        return self.rule == (other.rule if isinstance(other, Box) else other)

    __hash__ = object.__hash__

    @property  # type: ignore[misc]  # read only, as nobody makes another kind of it
    def __class__(self) -> Any:
        """The rule's: programs ask what kind of channel it is."""
        return type(self.rule)

    @property
    def value(self) -> Any:
        """What is stored of it, by LangGraph's name; MISSING for nothing."""
        return self._value[0] if isinstance(self.rule, LastValueAfterFinish) and self._value else self._value

    @property
    def values(self) -> list[Any]:
        """LangGraph's name for a topic's."""
        return [] if self._value is MISSING else list(self._value)

    @property
    def seen(self) -> set[str]:
        """LangGraph's name for who has arrived at a barrier."""
        return set(self._value[0] if isinstance(self.rule, NamedBarrierValueAfterFinish) else self._value)

    @property
    def finished(self) -> bool:
        """Whether nothing else was ready, for channels that wait for that."""
        return self._value is not MISSING and bool(self._value[1])

    def get(self) -> Any:
        """The value. Raises EmptyChannelError if there is none."""
        found = MISSING if self._value is MISSING else self.rule.read(self._value)
        if found is MISSING:
            raise EmptyChannelError
        return found

    def is_available(self) -> bool:
        """Whether there is a value."""
        return self._value is not MISSING and self.rule.read(self._value) is not MISSING

    def update(self, values: Sequence[Any]) -> bool:
        """Take a superstep's updates; whether anything changed."""
        if values:
            value = self.rule.reduce(self._value, list(values))
            known = isinstance(self.rule, NamedBarrierValue) and value == self._value  # it had arrived before
            return self._becomes(value, written=not known) and not known
        return self._value is not MISSING and self._becomes(self.rule.settle(self._value))

    def consume(self) -> bool:
        """A node that it triggered has run."""
        return self._value is not MISSING and self._becomes(self.rule.consume(self._value))

    def finish(self) -> bool:
        """Nothing else is ready."""
        return self._value is not MISSING and self._becomes(self.rule.finish(self._value))

    def checkpoint(self) -> Any:
        """What is stored; MISSING for nothing, for what is never stored, and for what is stored as writes."""
        kept = self.rule.persistent and not isinstance(self.rule, DeltaChannel)
        return self._value if kept else MISSING

    def from_checkpoint(self, checkpoint: Any) -> Box:
        """A fresh one of the same rule."""
        return Box(self.rule, checkpoint)

    def replay_writes(self, writes: Sequence[Any]) -> None:
        """Take (task, channel, value) that were stored in earlier supersteps: of a DeltaChannel."""
        assert isinstance(self.rule, DeltaChannel)
        self._value = self.rule.replay(self._value, [ours(value) for _, _, value in writes])

    def copy(self) -> Box:
        """Another one with the same value."""
        return Box(self.rule, self._value)

    def _becomes(self, value: Any, *, written: bool = False) -> bool:
        changed = written or value is not self._value
        self._value = value
        return changed


def held_by(rule: Channel) -> Box:
    """The box of a rule that was not taken from a checkpoint."""
    made = Box(rule, MISSING)
    if isinstance(rule, DeltaChannel):
        made._value = MISSING  # it begins with the checkpoint
    return made


class Keeping(Channel):
    """Among the bases of a program's own kind of one of our channels: it keeps a value, as LangGraph's channels do."""

    __slots__ = ()
    keeps = True

    def __getattr__(self, name: str) -> Any:
        if name not in ("finished", "replay_writes", "seen"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.held, name)

    @property
    def held(self) -> Box:
        """The rule that it is a kind of, with the value."""
        try:
            found = self._held
        except AttributeError:
            found = self._held = Box(self._plain(), MISSING)
        if type(found._value) is list and not found._value and isinstance(found.rule, Topic):
            found._value = MISSING  # it has been emptied
        return found  # type: ignore[no-any-return]  # any object may be kept there

    def _plain(self) -> Channel:
        kind = next(kind for kind in type(self).__mro__ if kind.__module__ == Channel.__module__)
        made: Channel = object.__new__(kind)
        for name in (name for base in kind.__mro__ for name in getattr(base, "__slots__", ()) if name != "_held"):
            setattr(made, name, getattr(self, name))
        return made

    def holding(self, value: Any) -> Self:
        """Another one with a value, or with that of the beginning for MISSING."""
        made = copy(self)
        made._held = Box(self._plain(), value)
        return made

    @property
    def value(self) -> Any:
        """What is stored of it; MISSING for nothing."""
        return self.held.value

    @value.setter
    def value(self, value: Any) -> None:
        self.held._value = value

    @property
    def values(self) -> list[Any]:
        """A topic's: a list of its own, which may be changed."""
        held = self.held
        found = held._value = held.values
        return found

    @values.setter
    def values(self, values: list[Any]) -> None:
        self.held._value = values

    def get(self) -> Any:
        """The value. Raises EmptyChannelError if there is none."""
        return self.held.get()

    def is_available(self) -> bool:
        """Whether there is a value."""
        return self.held.is_available()

    def update(self, values: Sequence[Any]) -> bool:
        """Take a superstep's updates; whether anything changed."""
        return self.held.update(values)

    def consume(self) -> bool:  # type: ignore[override]  # as of a channel that keeps its value
        """A node that it triggered has run."""
        return self.held.consume()

    def finish(self) -> bool:  # type: ignore[override]  # the same
        """Nothing else is ready."""
        return self.held.finish()

    def checkpoint(self) -> Any:
        """What is stored."""
        return self.held.checkpoint()

    def from_checkpoint(self, checkpoint: Any) -> Self:
        """A fresh one with what was stored."""
        return self.holding(checkpoint)

    def copy(self) -> Self:
        """Another one with the same value."""
        return self.holding(self.held._value)


def keep(kind: type[Channel]) -> None:
    """Let a program's own kind of one of our channels, written for LangGraph's, call what its base class does there."""
    if not issubclass(kind, Keeping):
        bases = kind.__bases__
        place = next(place for place, base in enumerate(bases) if issubclass(base, Channel))
        kind.__bases__ = (*bases[:place], Keeping, *bases[place:])  # what stands before a channel goes before this too


class Foreign(Channel):
    """The rule in a user's own channel class: each step makes a channel of the value and asks it."""

    __slots__ = ("box",)

    def __init__(self, box: Any, key: str) -> None:
        super().__init__(getattr(box, "typ", Any), key)
        self.box = box
        box.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Foreign) and bool(self.box == other.box)

    __hash__ = object.__hash__

    def initial(self) -> Any:
        return self._kept(self._holding(MISSING))

    def reduce(self, value: Any, updates: Sequence[Any]) -> Any:
        box = self._holding(value)
        box.update(updates)
        return self._kept(box)

    def settle(self, value: Any) -> Any:
        box = self._holding(value)
        return self._kept(box) if box.update(()) else value

    def consume(self, value: Any) -> Any:
        box = self._holding(value)
        return self._kept(box) if box.consume() else value

    def finish(self, value: Any) -> Any:
        box = self._holding(value)
        return self._kept(box) if box.finish() else value

    def read(self, value: Any) -> Any:
        try:
            return self._holding(value).get()
        except EmptyChannelError:
            return MISSING

    def _holding(self, value: Any) -> Any:
        return self.box.from_checkpoint(value if value is MISSING else copy(value))

    def _kept(self, box: Any) -> Any:
        return box.checkpoint()


class Own(Foreign):
    """The same in a program's own kind of one of our channels, which stores what that one stores."""

    __slots__ = ("persistent",)

    def __init__(self, box: Keeping, key: str) -> None:
        super().__init__(box, key)
        self.persistent = box.persistent

    def _holding(self, value: Any) -> Any:
        return self.box.holding(value)

    def _kept(self, box: Any) -> Any:
        return box.held._value


def rule_of(box: Any, kind: Any, key: str) -> Channel:
    """The rule in what an annotation holds: a user's channel, or the class of one."""
    box = box(kind) if isinstance(box, type) else box
    stores = type(box)
    if isinstance(box, Keeping) and (stores.checkpoint, stores.from_checkpoint) == (
        Keeping.checkpoint,
        Keeping.from_checkpoint,
    ):
        return Own(box, key)
    return Foreign(box, key)
