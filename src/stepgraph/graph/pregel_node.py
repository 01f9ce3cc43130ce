"""The nodes of graphs that are made of channels: what they subscribe to, do and write."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from stepgraph.core import registry
from stepgraph.core.caching import NAMESPACE
from stepgraph.core.channels import Channel
from stepgraph.core.errors import InvalidUpdateError, sync_timeout_unsupported
from stepgraph.core.plan import Node, Part
from stepgraph.core.policies import RetryPolicy, as_retries, taken_retries
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, Route, Send, Writes
from stepgraph.graph.actions import Action, action_of

if TYPE_CHECKING:
    from datetime import timedelta

    from stepgraph.core.limits import CachePolicy, TimeoutPolicy

logger = logging.getLogger("stepgraph")
PASSTHROUGH: Any = object()
"""In place of a value to write: what the node returned."""
SKIP_WRITE: Any = object()
"""What a mapper returns to write nothing."""
TASKS = "__pregel_tasks"
"""A channel name that stands for Sends."""


class ChannelWriteEntry(NamedTuple):
    """A write of a node: `mapper(value)` to a channel, or nothing if that is None and `skip_none` says so."""

    channel: str
    value: Any = PASSTHROUGH
    skip_none: bool = False
    mapper: Callable[[Any], Any] | None = None


class ChannelWriteTupleEntry(NamedTuple):
    """Writes that `mapper` makes of a value: (key, value) pairs, or None."""

    mapper: Callable[[Any], Sequence[tuple[str, Any]] | None]
    value: Any = PASSTHROUGH
    static: Sequence[tuple[str, Any, str | None]] | None = None
    """What drawings show of them."""


Entry = ChannelWriteEntry | ChannelWriteTupleEntry | Send
"""What a node writes: a channel, channels that its result names, or a task."""


class PregelNode:
    """A node of a graph of channels: what makes it ready, what it reads and does, and what writes its result."""

    def __init__(
        self,
        *,
        channels: str | list[str],
        triggers: Sequence[str],
        mapper: Callable[[Any], Any] | None = None,
        writers: list[Any] | None = None,
        tags: list[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        trace_policy: Any = None,
        bound: Any = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        is_error_handler: bool = False,
        error_handler_node: str | None = None,
        subgraphs: Sequence[Any] | None = None,
        timeout: float | timedelta | TimeoutPolicy | None = None,
    ) -> None:
        self.channels = channels
        """What it reads: one channel's value, or a dict of several ones'."""
        self.triggers = list(triggers)
        """The channels whose writes make it ready."""
        self.mapper = mapper
        """Makes its input of what it reads."""
        self.tags, self.metadata, self.trace_policy = tags, metadata, trace_policy
        retry_policy = taken_retries(retry_policy)
        self.retry_policy = (retry_policy,) if hasattr(retry_policy, "max_attempts") else retry_policy
        self.cache_policy = cache_policy
        self.is_error_handler, self.error_handler_node = is_error_handler, error_handler_node
        self.timeout = _limits(timeout)
        self.steps: tuple[Any, ...] = () if bound is None else (bound,)
        """Its actions, each of which gets what the one before returned."""
        self.entries: tuple[Entry, ...] = ()
        """What a builder said that it writes."""
        self._bound, self.declared = bound, subgraphs
        self._writers: list[Any] | None = writers or []

    def build(self, steps: Sequence[Any], entries: Sequence[Entry]) -> None:
        """Let it do these, and write these, in place of what Runnables do."""
        self.steps, self.entries, self._writers = tuple(steps), tuple(entries), None

    node, flat_writers, input_cache_key = Part("node"), Part("flat_writers"), Part("input_cache_key")

    @property
    def bound(self) -> Any:
        """What it does, as one Runnable."""
        if self._bound is None:
            self._bound = self._part("bound")
        return self._bound

    @bound.setter
    def bound(self, made: Any) -> None:
        self._bound, self.steps = made, (made,)

    @property
    def writers(self) -> list[Any]:
        """The Runnables that write, in their order."""
        if self._writers is None:
            self._writers = self._part("writers")
        return self._writers

    @writers.setter
    def writers(self, made: list[Any]) -> None:
        self._writers = made

    @property
    def subgraphs(self) -> Sequence[Any]:
        """The graphs that it runs."""
        return self._part("subgraphs") if self.declared is None else self.declared

    @subgraphs.setter
    def subgraphs(self, made: Sequence[Any]) -> None:
        self.declared = made

    def copy(self, update: dict[str, Any]) -> Self:
        """Another node like this one, but for the arguments in `update`."""
        given = {name: getattr(self, name) for name in signature(PregelNode).parameters}
        return type(self)(**{**given, **update})

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """Do what it does by itself, without its graph: nothing is written."""
        return self.bound.invoke(input, self._part("config")(config), **kwargs)

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """As `invoke`, awaited."""
        return await self.bound.ainvoke(input, self._part("config")(config), **kwargs)

    def stream(self, input: Any, config: Any = None, **kwargs: Any) -> Iterator[Any]:
        """As `invoke`, in the chunks that it gives."""
        yield from self.bound.stream(input, self._part("config")(config), **kwargs)

    async def astream(self, input: Any, config: Any = None, **kwargs: Any) -> AsyncIterator[Any]:
        """As `stream`, awaited."""
        async for chunk in self.bound.astream(input, self._part("config")(config), **kwargs):
            yield chunk

    def parts(self) -> tuple[tuple[Any, ...], tuple[Entry, ...]]:
        """Its actions, and what the last one's result writes. A writer that is no mere list of writes is an action."""
        if self._writers is None:
            return self.steps, self.entries
        lists = [getattr(each, "writes", None) for each in self._writers]
        if all(isinstance(each, list) for each in lists):
            return self.steps, tuple(entry for each in lists for entry in each or ())
        return (*self.steps, *self._writers), ()

    def _part(self, name: str) -> Any:
        return registry.adapters.load("node part")(self, name)


def _limits(given: Any) -> TimeoutPolicy | None:
    from stepgraph.core.limits import TimeoutPolicy  # loaded when a graph has limits

    return TimeoutPolicy.coerce(given)


def listed(names: str | Sequence[str]) -> list[str]:
    """One name, or several ones, as a list."""
    return [names] if isinstance(names, str) else list(names)


def node_of(
    name: str,
    given: PregelNode,
    rules: Mapping[str, Channel],
    managed: Mapping[str, Any],
    retries: tuple[RetryPolicy, ...],
    cache_policy: CachePolicy | None,
) -> Node:
    """The plan's node. `rules` and `managed` are the graph's channels and managed values, by name."""
    steps, entries = given.parts()
    lone = steps[0] if len(steps) == 1 else None
    graph = lone if hasattr(lone, "plan") else None
    how = _sequence([action_of(each, f"Node {name!r}") for each in steps])
    if given.timeout is not None and not (how.is_async or how.twin):
        raise sync_timeout_unsupported(name)
    metadata = given.metadata or {}
    made = Node(
        name,
        how.body,
        is_async=how.is_async and graph is None,
        twin=how.twin,
        reads=tuple(key for key in listed(given.channels) if key in rules),
        mapper=_reader(given.channels, rules, given.mapper),
        inject=how.inject if graph is None else None,
        managed=tuple((key, managed[key]) for key in listed(given.channels) if key in managed),
        subscribes=tuple(given.triggers) if steps or entries else (),  # one that does nothing is never ready
        writer=_writer(name, entries, frozenset(rules)),
        writes=frozenset(write.channel for write in entries if isinstance(write, ChannelWriteEntry)),
        retries=as_retries(given.retry_policy) or retries,
        timeout=given.timeout,
        cache=given.cache_policy or cache_policy,
        cache_ns=(NAMESPACE, getattr(lone, "__qualname__", None) or "__dynamic__", name),
        is_error_handler=given.is_error_handler,
        child=None if graph is None else graph.plan,
        child_checkpointer=None if graph is None else graph.saver,
        metadata={**metadata, "tags": list(given.tags)} if given.tags else metadata,
        trace_policy=given.trace_policy,
        source=lone,
    )
    if given.declared:
        made.subgraph = given.declared[0]
    return made


def _reader(
    channels: str | Sequence[str], rules: Mapping[str, Channel], mapper: Callable[[Any], Any] | None
) -> Callable[[Any], Any] | None:
    """What makes a node's input of the raw values that it reads."""
    veiled = {key: rule for key, rule in rules.items() if type(rule).read is not Channel.read}

    def read(values: Mapping[str, Any]) -> Any:
        found = {key: veiled[key].read(value) if key in veiled else value for key, value in values.items()}
        found = {key: value for key, value in found.items() if value is not MISSING}
        given = found.get(channels) if isinstance(channels, str) else found
        return given if mapper is None else mapper(given)

    return None if mapper is None and not isinstance(channels, str) and veiled.keys().isdisjoint(channels) else read


def _writer(
    name: str, entries: Sequence[Entry], known: frozenset[str]
) -> Callable[[Any], tuple[Writes, tuple[Route, ...]]]:
    """What a result writes, in the order of the entries, and the Sends among them."""
    for entry in entries:
        if not isinstance(entry, (ChannelWriteEntry, ChannelWriteTupleEntry, Send)):
            raise ValueError(
                f"Invalid write entry: {entry!r}. Node {name!r} writes to names of channels, entries or Sends."
            )

    def write(result: Any) -> tuple[Writes, tuple[Route, ...]]:
        found: list[tuple[str, Any]] = []
        sends: list[Send] = []
        for entry in entries:
            for channel, value in pairs_of(entry, result):
                if channel in known:
                    found.append((channel, value))
                elif channel == TASKS:
                    sends.append(value)
                else:
                    logger.warning("Node %r wrote to unknown channel %s, ignoring it.", name, channel)
        return tuple(found), tuple(sends)

    return write


def pairs_of(entry: Entry, result: Any) -> Sequence[tuple[str, Any]]:
    """The (channel, value) pairs that an entry writes after `result`. Raises InvalidUpdateError."""
    if isinstance(entry, Send):
        return ((TASKS, entry),)
    value = result if entry.value is PASSTHROUGH else entry.value
    if isinstance(entry, ChannelWriteTupleEntry):
        return entry.mapper(value) or ()
    if entry.channel == TASKS:
        raise InvalidUpdateError("Cannot write to the reserved channel TASKS")
    value = value if entry.mapper is None else entry.mapper(value)
    return () if value is SKIP_WRITE or (entry.skip_none and value is None) else ((entry.channel, value),)


def _sequence(actions: Sequence[Action]) -> Action:
    """One action that hands each action's result to the next; without any, what was read is the result."""
    if len(actions) == 1:
        return actions[0]

    def inject(task: Task) -> dict[str, Any]:
        return {"extras": [{} if each.inject is None else each.inject(task) for each in actions]}

    def body(value: Any, extras: Sequence[Mapping[str, Any]]) -> Any:
        for each, extra in zip(actions, extras, strict=True):
            value = each.body(value, **extra)
        return value

    async def awaited(value: Any, extras: Sequence[Mapping[str, Any]]) -> Any:
        for each, extra in zip(actions, extras, strict=True):
            if each.is_async:
                value = await each.body(value, **extra)
            else:
                value = each.body(value, **extra) if each.twin is None else await each.twin(value, **extra)
        return value

    if any(each.is_async for each in actions):
        return Action(awaited, True, inject)
    return Action(body, False, inject, awaited if any(each.twin is not None for each in actions) else None)


__all__ = [
    "PASSTHROUGH",
    "SKIP_WRITE",
    "TASKS",
    "ChannelWriteEntry",
    "ChannelWriteTupleEntry",
    "Entry",
    "PregelNode",
    "listed",
    "node_of",
    "pairs_of",
]
