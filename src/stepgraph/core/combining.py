"""Combining the updates of a superstep's tasks into new values, channel by channel. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stepgraph.core.channels import Channel
from stepgraph.core.errors import InvalidUpdateError
from stepgraph.core.plan import Plan
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, Writes


def combine(
    plan: Plan, values: Mapping[str, Any], tasks: Sequence[Task]
) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """The written keys with their new values, and the updates each was made of, in task order. Changes nothing.

    For one task that writes plain keys only, the second part is empty: each update is its value.
    """
    if len(tasks) == 1:
        writes = tasks[0].writes
        if plan.plain:
            changes = dict(writes)
            if len(changes) == len(writes):
                return changes, {}
        elif len(writes) == 1 and not plan.consuming:
            key, update = writes[0]
            channel = plan.channels[key]
            updates = [update]
            if not channel.plain:
                value = values.get(key, MISSING)
                update = _reduce(channel, key, value, updates, tasks)
                if update is value and channel.gathers:
                    return {}, {key: updates}
            return {key: update}, {key: updates}
    groups: dict[str, list[Any]] = {}
    for task in tasks:
        for key, update in task.writes:
            if key in groups:
                groups[key].append(update)
            else:
                groups[key] = [update]
    changes = {}
    channels = plan.channels
    if plan.consuming:
        changes = _consume(plan, values, tasks)
        values = {**values, **changes}
    for key, updates in groups.items():
        channel = channels[key]
        if channel.plain and len(updates) == 1:
            changes[key] = updates[0]
            continue
        value = values.get(key, MISSING)
        made = _reduce(channel, key, value, updates, tasks)
        if made is not value or not channel.gathers:
            changes[key] = made
    return changes, groups


def combine_fitting(
    plan: Plan, values: Mapping[str, Any], tasks: Sequence[Task]
) -> tuple[dict[str, Any], dict[str, list[Any]], dict[str, Exception]]:
    """`combine` without the keys whose updates can't be put together; the third part is what each of them raised."""
    groups: dict[str, list[Any]] = {}
    for task in tasks:
        for key, update in task.writes:
            groups.setdefault(key, []).append(update)
    changes = _consume(plan, values, tasks) if plan.consuming else {}
    values = {**values, **changes}
    unfit: dict[str, Exception] = {}
    for key in list(groups):
        try:
            value = values.get(key, MISSING)
            made = _reduce(plan.channels[key], key, value, groups[key], tasks)
            if made is not value or not plan.channels[key].gathers:
                changes[key] = made
        except Exception as error:  # noqa: BLE001  a reducer is the user's code and may raise anything
            unfit[key] = error
            del groups[key]
    return changes, groups, unfit


def preview(plan: Plan, values: Mapping[str, Any], writes: Writes) -> dict[str, Any]:
    """What `writes` of one task would make of the keys that they write. Raises what the reducers raise."""
    groups: dict[str, list[Any]] = {}
    for key, update in writes:
        groups.setdefault(key, []).append(update)
    return {key: plan.channels[key].reduce(values.get(key, MISSING), updates) for key, updates in groups.items()}


def _consume(plan: Plan, values: Mapping[str, Any], tasks: Sequence[Task]) -> dict[str, Any]:
    """What becomes of the channels that made these tasks ready, before anything is written to them."""
    found: dict[str, Any] = {}
    for key in dict.fromkeys(key for task in tasks if task.key < 0 and not task.edited for key in task.node.subscribes):
        if key in plan.consuming and key in values:
            value = plan.channels[key].consume(values[key])
            if value is not values[key]:
                found[key] = value
    return found


def _reduce(channel: Channel, key: str, value: Any, updates: Sequence[Any], tasks: Sequence[Task]) -> Any:
    try:
        return channel.reduce(value, updates)
    except Exception as error:
        writers = [task for task in tasks if any(written == key for written, _ in task.writes)]
        names = ", ".join(repr(task.name) for task in writers)
        step = tasks[0].step if tasks else 0
        where = f"Key {key!r} at superstep {step}, written by {names}"
        if isinstance(error, InvalidUpdateError):
            raise InvalidUpdateError(f"{error}\n{where}.") from error
        error.add_note(f"{where}: the reducer {reducer_name(channel)} raised.")
        raise


def reducer_name(channel: Channel) -> str | None:
    """The name of the function that folds updates into the key, or None for a plain key."""
    if channel.plain:
        return None
    function = getattr(channel, "operator", None)
    return getattr(function, "__name__", None) or type(channel).__name__


def in_order(tasks: Sequence[Task]) -> Sequence[Task]:
    """Tasks as their updates are applied: nodes by name, then Sends by position."""
    if len(tasks) < 2 or tasks[-1].key >= 0:
        return tasks
    pulled = sorted([task for task in tasks if task.key < 0], key=lambda task: task.node.name)
    if len(pulled) == len(tasks):
        return pulled
    return pulled + [task for task in tasks if task.key >= 0]
