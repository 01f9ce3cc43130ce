"""The nodes of graphs that are made of channels: what they subscribe to, do and write."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from stepgraph.core import registry
from stepgraph.core.caching import NAMESPACE
from stepgraph.core.channels import Channel
from stepgraph.core.errors import InvalidUpdateError, sync_timeout_unsupported
from stepgraph.core.plan import Node
from stepgraph.core.policies import RetryPolicy
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, Route, Send, Writes
from stepgraph.graph.actions import Action, action_of, is_runnable

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


@dataclass(frozen=True, slots=True)
class PregelNode:
    """A node as NodeBuilder made it."""

    channels: str | list[str]
    """What it reads: one channel's value, or a dict of several ones'."""
    triggers: list[str]
    """The channels whose writes make it ready."""
    steps: tuple[Any, ...] = ()
    """Its actions, each of which gets what the one before returned."""
    writes: tuple[ChannelWriteEntry | Send, ...] = ()
    tags: list[str] = field(default_factory=list)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    retry_policy: list[RetryPolicy] = field(default_factory=list)
    cache_policy: CachePolicy | None = None
    timeout: TimeoutPolicy | None = None

    def __getattr__(self, name: str) -> Any:
        """What else LangGraph's have: Runnables that do and write. No run asks for it."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return registry.adapters.load("node part")(self, name)


class NodeBuilder:
    """Says what a node of a Pregel graph subscribes to, does and writes; every method returns the builder.

    `NodeBuilder().subscribe_only("a").do(function).write_to("b")`.
    """

    __slots__ = ("_cache", "_channels", "_metadata", "_retries", "_steps", "_tags", "_timeout", "_triggers", "_writes")

    def __init__(self) -> None:
        self._channels: str | list[str] = []
        self._triggers: list[str] = []
        self._steps: list[Any] = []
        self._writes: list[ChannelWriteEntry | Send] = []
        self._tags: list[str] = []
        self._metadata: dict[str, Any] = {}
        self._retries: list[RetryPolicy] = []
        self._cache: CachePolicy | None = None
        self._timeout: TimeoutPolicy | None = None

    def subscribe_only(self, channel: str) -> Self:
        """Run when `channel` is written, on its bare value. Raises ValueError beside other channels."""
        if self._channels:
            raise ValueError("Cannot subscribe to single channels when other channels are already subscribed to")
        self._channels = channel
        self._triggers.append(channel)
        return self

    def subscribe_to(self, *channels: str, read: bool = True) -> Self:
        """Run when any of `channels` is written, on a dict of their values; without `read` they only trigger it."""
        if isinstance(self._channels, str):
            raise ValueError("Cannot subscribe to channels when subscribed to a single channel")
        if read:
            self._channels.extend(channels)
        self._triggers.extend(channels)
        return self

    def read_from(self, *channels: str) -> Self:
        """Read these channels too, without subscribing to them."""
        if isinstance(self._channels, str):
            raise AssertionError("Cannot read additional channels when subscribed to single channels")
        self._channels.extend(channels)
        return self

    def do(self, node: Any) -> Self:
        """Call a function, a Runnable or a graph, on what was read or on what the action before returned.

        Raises TypeError for anything else.
        """
        if not (callable(node) or isinstance(node, dict) or is_runnable(node)):
            raise TypeError(f"Expected a Runnable, callable or dict. Instead got an unsupported type: {type(node)}")
        self._steps.append(node)
        return self

    def write_to(self, *channels: str | ChannelWriteEntry | Send, **kwargs: Any) -> Self:
        """Write the result to `channels`; by keyword, a value, or what a function makes of the result."""
        self._writes.extend(ChannelWriteEntry(each) if isinstance(each, str) else each for each in channels)
        self._writes.extend(
            ChannelWriteEntry(name, mapper=value) if callable(value) else ChannelWriteEntry(name, value)
            for name, value in kwargs.items()
        )
        return self

    def meta(self, *tags: str, **metadata: Any) -> Self:
        """Add tags and metadata, which callbacks hear of."""
        self._tags.extend(tags)
        self._metadata.update(metadata)
        return self

    def add_retry_policies(self, *policies: RetryPolicy) -> Self:
        """Run again after an error that a policy fits."""
        self._retries.extend(policies)
        return self

    def add_cache_policy(self, policy: CachePolicy) -> Self:
        """Let the graph's cache keep results."""
        self._cache = policy
        return self

    def set_timeout(self, timeout: float | timedelta | TimeoutPolicy | None) -> Self:
        """Limit how long each attempt may take. For async actions only."""
        from stepgraph.core.limits import TimeoutPolicy  # loaded when a graph has limits

        self._timeout = TimeoutPolicy.coerce(timeout)
        return self

    def build(self) -> PregelNode:
        """The node. `Pregel` takes builders too."""
        channels = self._channels if isinstance(self._channels, str) else list(self._channels)
        return PregelNode(
            channels, list(self._triggers), tuple(self._steps), tuple(self._writes), list(self._tags),
            dict(self._metadata), list(self._retries), self._cache, self._timeout,
        )  # fmt: skip


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
    lone = given.steps[0] if len(given.steps) == 1 else None
    graph = lone if hasattr(lone, "plan") else None
    how = _sequence([action_of(each, f"Node {name!r}") for each in given.steps])
    if given.timeout is not None and not (how.is_async or how.twin):
        raise sync_timeout_unsupported(name)
    return Node(
        name,
        how.body,
        is_async=how.is_async and graph is None,
        twin=how.twin,
        reads=tuple(key for key in listed(given.channels) if key in rules),
        mapper=_reader(given.channels, rules),
        inject=how.inject if graph is None else None,
        managed=tuple((key, managed[key]) for key in listed(given.channels) if key in managed),
        subscribes=tuple(given.triggers),
        writer=_writer(name, given.writes, frozenset(rules)),
        writes=frozenset(write.channel for write in given.writes if isinstance(write, ChannelWriteEntry)),
        retries=tuple(given.retry_policy) or retries,
        timeout=given.timeout,
        cache=given.cache_policy or cache_policy,
        cache_ns=(NAMESPACE, getattr(lone, "__qualname__", None) or "__dynamic__", name),
        child=None if graph is None else graph.plan,
        child_checkpointer=None if graph is None else graph.saver,
        metadata={**given.metadata, "tags": list(given.tags)} if given.tags else given.metadata,
        source=lone,
    )


def _reader(channels: str | Sequence[str], rules: Mapping[str, Channel]) -> Callable[[Any], Any] | None:
    """What makes a node's input of the raw values that it reads."""
    veiled = {key: rule for key, rule in rules.items() if type(rule).read is not Channel.read}

    def read(values: Mapping[str, Any]) -> Any:
        found = {key: veiled[key].read(value) if key in veiled else value for key, value in values.items()}
        found = {key: value for key, value in found.items() if value is not MISSING}
        return found.get(channels) if isinstance(channels, str) else found

    return None if not isinstance(channels, str) and veiled.keys().isdisjoint(channels) else read


def _writer(
    name: str, entries: Sequence[ChannelWriteEntry | Send], known: frozenset[str]
) -> Callable[[Any], tuple[Writes, tuple[Route, ...]]]:
    """What a result writes, in the order of the entries, and the Sends among them."""
    for entry in entries:
        if not isinstance(entry, (ChannelWriteEntry, Send)):
            raise ValueError(
                f"Invalid write entry: {entry!r}. Node {name!r} writes to names of channels, entries or Sends."
            )
    sends = tuple(entry for entry in entries if isinstance(entry, Send))
    writes = [entry for entry in entries if isinstance(entry, ChannelWriteEntry)]

    def write(result: Any) -> tuple[Writes, tuple[Route, ...]]:
        found: list[tuple[str, Any]] = []
        for channel, value, skip_none, mapper in writes:
            if channel == TASKS:
                raise InvalidUpdateError("Cannot write to the reserved channel TASKS")
            value = result if value is PASSTHROUGH else value
            value = value if mapper is None else mapper(value)
            if value is SKIP_WRITE or (skip_none and value is None):
                continue
            if channel in known:
                found.append((channel, value))
            else:
                logger.warning("Node %r wrote to unknown channel %s, ignoring it.", name, channel)
        return tuple(found), sends

    return write


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


__all__ = ["PASSTHROUGH", "SKIP_WRITE", "TASKS", "ChannelWriteEntry", "NodeBuilder", "PregelNode", "listed", "node_of"]
