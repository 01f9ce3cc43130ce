"""Parts of a superstep on channels and checkpoints in LangGraph's form, for code that calls these by themselves.

No run uses them: the engine has its own. Tests and tools that look into a graph call them under LangGraph's names.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from itertools import count
from typing import Any, NamedTuple, Protocol

from stepgraph.compat.format import TASKS
from stepgraph.compat.format_ids import path_text
from stepgraph.compat.langgraph._internal._constants import (
    ERROR,
    ERROR_SOURCE_NODE,
    INTERRUPT,
    NO_WRITES,
    NULL_TASK_ID,
    PUSH,
    RESERVED,
    RESUME,
    RETURN,
)
from stepgraph.core.channels import UntrackedValue
from stepgraph.core.errors import EmptyChannelError, InvalidUpdateError
from stepgraph.core.types import START, Command, Send
from stepgraph.core.writes import pairs_of

logger = logging.getLogger("stepgraph")
_BESIDE = frozenset((NO_WRITES, PUSH, RESUME, INTERRUPT, RETURN, ERROR, ERROR_SOURCE_NODE))
"""What is written of a task and goes to no channel."""
HIDDEN = "langsmith:hidden"
NextVersion = Callable[[Any, None], Any]


class WritesProtocol(Protocol):
    """What of a task is applied."""

    @property
    def path(self) -> tuple[Any, ...]: ...
    @property
    def name(self) -> str: ...
    @property
    def writes(self) -> Sequence[tuple[str, Any]]: ...
    @property
    def triggers(self) -> Sequence[str]: ...


class PregelTaskWrites(NamedTuple):
    """Writes that no task made: of an input, or of an edit."""

    path: tuple[Any, ...]
    name: str
    writes: Sequence[tuple[str, Any]]
    triggers: Sequence[str]


class LazyAtomicCounter:
    """Counts from 0, one number a call, in all threads together."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = count().__next__  # one step of the interpreter: no thread gets another's number

    def __call__(self) -> int:
        return self._next()


def increment(current: int | None, channel: None) -> int:  # noqa: ARG001  savers ask so
    """The version after `current`."""
    return 1 if current is None else current + 1


def checkpoint_null_version(checkpoint: Mapping[str, Any]) -> Any:
    """What is before all versions of the kind that a checkpoint has; None if it has none."""
    versions = list(checkpoint["channel_versions"].values())
    return type(versions[0])() if versions else None


def should_interrupt(checkpoint: Mapping[str, Any], interrupt_nodes: Any, tasks: Iterable[Any]) -> list[Any]:
    """The tasks at which a run stops: none, if nothing was written since it last stopped."""
    none = checkpoint_null_version(checkpoint)
    passed = checkpoint["versions_seen"].get(INTERRUPT, {})
    if not any(version > passed.get(key, none) for key, version in checkpoint["channel_versions"].items()):
        return []
    if interrupt_nodes == "*":
        return [task for task in tasks if HIDDEN not in ((task.config or {}).get("tags") or ())]
    return [task for task in tasks if task.name in interrupt_nodes]


def local_read(
    scratchpad: Any,
    channels: Mapping[str, Any],
    managed: Mapping[str, Any],
    task: Any,
    select: Any,
    fresh: bool = False,
) -> Any:
    """What a task reads; `fresh` with its own writes."""
    shown: Mapping[str, Any] = channels
    if fresh:
        written: dict[str, list[Any]] = defaultdict(list)
        for key, value in task.writes:
            written[key].append(value)
        copies = {key: channel.copy() for key, channel in channels.items()}
        for key, channel in copies.items():
            channel.update(written.get(key, ()))
        shown = copies
    if isinstance(select, str):
        return read_channel(shown, select)
    found = read_channels(shown, [key for key in select if key not in managed])
    found.update({key: managed[key].get(scratchpad) for key in select if key in managed})
    return found


def apply_writes(
    checkpoint: MutableMapping[str, Any],
    channels: Mapping[str, Any],
    tasks: Iterable[Any],
    get_next_version: NextVersion | None,
    trigger_to_nodes: Mapping[str, Sequence[str]],
) -> set[str]:
    """Apply what tasks wrote to channels and checkpoint, in the order of their paths; gives the keys that changed."""
    ordered = sorted(tasks, key=lambda task: path_text(task.path[:3]))
    stepping = any(task.triggers for task in ordered)
    versions, seen = checkpoint["channel_versions"], checkpoint["versions_seen"]
    for task in ordered:
        known = seen.setdefault(task.name, {})
        known.update({key: versions[key] for key in task.triggers if key in versions})
    latest = max(versions.values()) if versions else None
    following = None if get_next_version is None else get_next_version(latest, None)
    changed: set[str] = set()

    def moved(key: str) -> None:
        if following is not None:
            versions[key] = following
            if channels[key].is_available():
                changed.add(key)

    for key in {key for task in ordered for key in task.triggers}:
        if key in channels and key not in RESERVED and channels[key].consume() and following is not None:
            versions[key] = following
    for key, values in _by_channel(ordered, channels).items():
        if channels[key].update(values):
            moved(key)
    if stepping:
        for key in channels.keys() - changed:
            if channels[key].is_available() and channels[key].update(()):
                moved(key)
    if stepping and changed.isdisjoint(trigger_to_nodes):
        for key, channel in channels.items():
            if channel.finish():
                moved(key)
    return changed


def _by_channel(tasks: Iterable[Any], channels: Mapping[str, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for task in tasks:
        for key, value in task.writes:
            if key in channels and key not in _BESIDE:
                found[key].append(value)
            elif key not in _BESIDE:
                logger.warning("Task %s wrote to unknown channel %s, ignoring it.", task.name, key)
    return found


def sanitize_untracked_values_in_send(packet: Send, channels: Mapping[str, Any]) -> Send:
    """A Send without those keys of its argument that are never stored."""
    if not isinstance(packet.arg, dict):
        return packet
    kept = {key: value for key, value in packet.arg.items() if not isinstance(_rule(channels, key), UntrackedValue)}
    return Send(packet.node, kept, timeout=packet.timeout)


def _rule(channels: Mapping[str, Any], key: str) -> Any:
    channel = channels.get(key)
    return getattr(channel, "rule", channel)


# Reading and writing by name


def read_channel(channels: Mapping[str, Any], chan: str, *, catch: bool = True) -> Any:
    """A channel's value; None if it has none, or without `catch` EmptyChannelError is raised."""
    try:
        return channels[chan].get()
    except EmptyChannelError:
        if catch:
            return None
        raise


def read_channels(channels: Mapping[str, Any], select: Any, *, skip_empty: bool = True) -> Any:
    """The value of one channel, or those of several ones as a dict, in which empty ones are left out or None."""
    if isinstance(select, str):
        return read_channel(channels, select)
    return {key: read_channel(channels, key) for key in select if not skip_empty or channels[key].is_available()}


def map_command(cmd: Command[Any]) -> Iterator[tuple[str, str, Any]]:
    """A Command given as input as (task, channel, value) writes."""
    if cmd.graph == Command.PARENT:
        raise InvalidUpdateError("There is no parent graph")
    for target in cmd.goto if isinstance(cmd.goto, (list, tuple)) else [cmd.goto]:
        if isinstance(target, str):
            yield NULL_TASK_ID, f"branch:to:{target}", START
        elif isinstance(target, Send):
            yield NULL_TASK_ID, TASKS, target
        else:
            raise TypeError(f"In Command.goto, expected Send/str, got {type(target).__name__}")
    if cmd.resume is not None:
        yield NULL_TASK_ID, RESUME, cmd.resume
    for key, value in pairs_of(cmd.update) if cmd.update else ():
        yield NULL_TASK_ID, key, value


def map_input(input_channels: Any, chunk: Any) -> Iterator[tuple[str, Any]]:
    """An input as writes."""
    if chunk is None:
        return
    if isinstance(input_channels, str):
        yield input_channels, chunk
        return
    if not isinstance(chunk, dict):
        raise TypeError(f"Expected chunk to be a dict, got {type(chunk).__name__}")
    for key, value in chunk.items():
        if key in input_channels:
            yield key, value
        else:
            logger.warning("Input channel %s not found in %s", key, input_channels)


def map_output_values(output_channels: Any, pending_writes: Any, channels: Mapping[str, Any]) -> Iterator[Any]:
    """The output, if the writes changed it; True for any."""
    keys = {output_channels} if isinstance(output_channels, str) else set(output_channels)
    if pending_writes is True or any(key in keys for key, _ in pending_writes):
        yield read_channels(channels, output_channels)


def get_new_channel_versions(
    previous_versions: Mapping[str, Any], current_versions: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Those versions that are newer than before."""
    if not previous_versions:
        return current_versions
    none = type(next(iter(current_versions.values())))() if current_versions else None
    return {key: version for key, version in current_versions.items() if version > previous_versions.get(key, none)}
