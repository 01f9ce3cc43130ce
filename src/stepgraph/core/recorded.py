"""What checkpoints keep of a superstep: its changes in short, and what may be stored of its writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepgraph.core.channels import BinaryOperatorAggregate
from stepgraph.core.checkpoint import REMOVED, Extend, Stored
from stepgraph.core.plan import Plan
from stepgraph.core.types import MISSING, Writes


def records_of(
    plan: Plan, before: Mapping[str, Any], changes: Mapping[str, Any], groups: Mapping[str, list[Any]]
) -> dict[str, Any]:
    """`changes` in the form that checkpoints keep: what was appended instead of the list, no untracked keys."""
    if plan.plain and not plan.settling:
        return dict(changes)
    found: dict[str, Any] = {}
    for key, value in changes.items():
        if key in plan.untracked:
            continue
        if value is MISSING:
            found[key] = REMOVED
            continue
        channel = plan.channels[key]
        if type(channel) is BinaryOperatorAggregate and channel.appends and key in groups and key in before:
            found[key] = channel.delta(before[key], groups[key], value)
        else:
            found[key] = value
    return found


def brief(plan: Plan, before: Mapping[str, Any], changes: dict[str, Any], groups: Any) -> dict[str, Any] | None:
    """`records_of` a lone task's superstep, if it can be made quickly and tells what the task wrote; else None.

    Not for a plan in which every key keeps the last value: there it is `changes`.
    """
    if plan.untracked or not groups:
        return None
    found: dict[str, Any] = {}
    channels = plan.channels
    for key, value in changes.items():
        channel = channels[key]
        updates = groups[key]
        if len(updates) != 1 or value is MISSING:
            return None
        if channel.plain:
            found[key] = value
            continue
        update = updates[0]
        if not (type(channel) is BinaryOperatorAggregate and channel.appends and type(update) is type(value) is list):
            return None
        if type(before.get(key)) is not list:
            return None
        found[key] = tuple.__new__(Extend, ((*update,),))  # a third of the time of calling the class
    return found


def tracked(untracked: frozenset[str], writes: Writes) -> Writes:
    """The writes that may be stored."""
    return tuple(write for write in writes if write[0] not in untracked) if untracked else writes


def without(untracked: frozenset[str], value: Any) -> Any:
    """`value` (a graph's input, or a Send's name, input and timeout) without keys that must not be stored."""
    if type(value) is tuple and len(value) == 3:
        return value[0], without(untracked, value[1]), value[2]
    if type(value) is dict and not untracked.isdisjoint(value):
        return {key: each for key, each in value.items() if key not in untracked}
    return value


def told(plan: Plan, recorded: Mapping[str, Any], groups: Mapping[str, list[Any]]) -> bool:
    """Whether the recorded changes of a lone task tell its writes, so that no record of its outcome is needed."""
    channels = plan.channels
    for key, change in recorded.items():
        updates = groups.get(key)
        if channels[key].plain or change is REMOVED:
            continue
        if updates is None or type(change) is not Extend or len(updates) > 1:
            return False
    return not plan.fleeting or all(key in recorded or key in plan.untracked for key in groups)


def writes_between(plan: Plan, before: Stored, after: Stored) -> Writes | None:
    """The writes of the lone task whose superstep led from one checkpoint to the next, when these `told` them.

    None when they can't, and nothing was recorded: with durability "exit".
    """
    found: list[tuple[str, Any]] = []
    for key, version in after.versions.items():
        channel = plan.channels.get(key)
        if channel is None or version != after.version or key not in after.values:
            continue
        value = after.values[key]
        if not channel.plain:
            if not (type(channel) is BinaryOperatorAggregate and channel.appends and type(value) is list):
                return None
            value = value[len(before.values.get(key, ())) :]
        found.append((key, value))
    return tuple(found)
