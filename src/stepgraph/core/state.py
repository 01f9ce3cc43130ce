"""The state of one graph run, and how a superstep leads to the next. Pure: no task runs here."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any

from stepgraph.core.checkpoint import Control, Stored
from stepgraph.core.plan import Node, Plan
from stepgraph.core.recorded import without
from stepgraph.core.task import Scope, Task
from stepgraph.core.types import MISSING, START, Route, Send, limit, sent

logger = logging.getLogger("stepgraph")


NOBODY: frozenset[str] = frozenset()


class State:
    """Values and what runs next. Owned by one engine, changed only between supersteps.

    `step` is the superstep that runs next: 0 for START, 1 for the first nodes.
    """

    __slots__ = (
        "barriers",
        "growing",
        "next",
        "ran",
        "seen",
        "sends",
        "step",
        "values",
        "version",
        "waiting",
        "width",
        "written",
    )

    def __init__(self, plan: Plan) -> None:
        self.values: dict[str, Any] = plan.initial() if plan.entries else {}
        """In the order of the schema, which users see."""
        self.width = len(self.values)
        self.growing = True
        """Whether keys may come that were not there, when it was last looked at: then there were `width`."""
        self.barriers: dict[str, frozenset[str]] = {}
        self.waiting = NOBODY
        """Deferred nodes that were triggered and wait until nothing else is ready."""
        self.next: tuple[str, ...] = ()
        self.sends: tuple[Send, ...] = ()
        self.seen: dict[str, int] = {}
        """The version that each node's last superstep led to."""
        self.written: dict[str, int] = {}
        """The version that each channel was written at, where nodes subscribe to channels."""
        self.step = -1
        self.version = 0
        self.ran: tuple[str, ...] = ()

    @classmethod
    def restored(cls, plan: Plan, stored: Stored) -> State:
        """As it was at `stored`. Keys and nodes that the graph no longer has are left out, new keys start empty."""
        state = cls(plan)
        channels = plan.channels
        state.values.update((key, value) for key, value in stored.values.items() if key in channels)
        arrange(plan, state)
        control = stored.control
        following = control.next
        if len(following) > 1 and stored.source == "update":  # LangGraph's order then: as the nodes were added
            following = tuple([name for name in plan.nodes if name in following])
        state.next = tuple([name for name in following if name in plan.nodes])
        if control.sends:
            values = plan.seen(state.values) if plan.veiled else state.values
            state.sends = tuple(sent(node, whole(arg, values), timeout) for node, arg, timeout in control.sends)
        state.barriers = {key: frozenset(value) for key, value in control.channels.items() if key in plan.barriers}
        state.waiting = frozenset(control.channels.get(WAITING, ())) & plan.deferred
        state.seen = dict(stored.seen)
        state.version = stored.version
        state.step = stored.step + 1
        if plan.subscribers:  # untracked channels have no value now
            state.written = {key: version for key, version in stored.versions.items() if key in channels}
            state.next = tuple(sorted(roused(plan, state, state.next), key=state.next.index))
        return state

    def control(self, plan: Plan) -> Control:
        """What a checkpoint keeps of what runs next."""
        if not (self.sends or self.barriers or self.waiting):
            if len(self.next) != 1:
                return Control(self.next)
            node = plan.nodes[self.next[0]]
            if node.control is None:
                node.control = Control(node.alone)
            return node.control
        untracked = plan.untracked
        channels: dict[str, Any] = dict(self.barriers) if self.barriers else {}
        if self.waiting:
            channels[WAITING] = self.waiting
        sends = tuple((send.node, send.arg, limit(send)) for send in self.sends) if self.sends else ()
        if sends and untracked:
            sends = tuple(without(untracked, send) for send in sends)
        return Control(self.next, sends, channels)


def whole(arg: Any, values: Mapping[str, Any]) -> Any:
    """What a stored Send carries: a class may leave out what is the state's, and put it back in `__with_state__`."""
    complete = getattr(type(arg), "__with_state__", None)
    return arg if complete is None else complete(arg, values)


WAITING = "__deferred__"
LAST = "__last__"
"""Beside the joins of a checkpoint: the nodes that ran last, where the checkpoint before it does not tell them."""


def ready(plan: Plan, state: State, scope: Scope) -> list[Task]:
    """The tasks of the next superstep: those of Sends first, then nodes by name."""
    tasks: list[Task] = []
    step = state.step
    values = state.values
    nodes = plan.nodes
    if state.sends:
        counts: dict[str, int] = {}
        for position, send in enumerate(state.sends):
            name = send.node
            node = nodes.get(name)
            if node is None:
                logger.warning("Ignoring a Send to unknown node %r in superstep %d of graph %r.", name, step, plan.name)
                continue
            task = Task(node, scope, step, position, send.arg)
            if send.timeout is not None:
                task.timeout = send.timeout
            task.index = counts.get(name, 0)
            counts[name] = task.index + 1
            tasks.append(task)
        for name in state.next:
            task = Task(nodes[name], scope, step, -1, view(nodes[name], values, step, scope))
            task.index = counts.get(name, 0)
            tasks.append(task)
        return tasks
    for name in state.next:
        node = nodes[name]
        tasks.append(
            Task(node, scope, step, -1, values.copy() if node.reads is None else view(node, values, step, scope))
        )
    return tasks


def view(node: Node, values: Mapping[str, Any], step: int, scope: Scope) -> Any:
    """A node's input before its mapper: a shallow copy of the keys that it reads."""
    if node.takes_input:
        return scope.inputs
    if node.reads is None:
        return dict(values)
    found: dict[str, Any] = {key: values[key] for key in node.reads if key in values}
    for key, compute in node.managed:
        found[key] = compute(step, scope.stop)
    return found


def advance(
    plan: Plan,
    state: State,
    tasks: Sequence[Task],
    changes: dict[str, Any],
    overwrite: Mapping[str, Any] | None = None,
    *,
    ends: bool = True,
) -> None:
    """Apply a superstep: `changes` as `combine` made them, then what runs next. `tasks` are in order.

    `overwrite` are values that a person put in place of combined ones. Without `ends` something is written between
    two supersteps: what a superstep's end does to channels does not happen.
    """
    values = state.values
    joined: Collection[str] = _join(plan, state, tasks) if plan.barriers else ()
    version = state.version = state.version + 1
    state.step += 1
    if overwrite:
        changes.update(overwrite)
    if overwrite or plan.settling or plan.vanishing:
        _assign(values, changes)
        if ends:
            settle(plan, values, changes)
        state.width = 0  # keys may have gone and come
        arrange(plan, state)
    else:
        values.update(changes)
        if state.growing and len(values) != state.width:
            arrange(plan, state)
    seen = state.seen
    for task in tasks:
        seen[task.node.name] = version
    state.ran = tuple([task.node.name for task in tasks])
    if plan.subscribers:
        joined = _publish(plan, state, changes, ends)
    _route(plan, state, tasks, joined)
    if ends and plan.finishing and not plan.subscribers and plan.deferred.issuperset(state.next):
        _finish(plan, values, changes)


def advance_alone(plan: Plan, state: State, task: Task, changes: Mapping[str, Any]) -> None:
    """`advance` for a lone task in a plan that `sprints`."""
    state.values.update(changes)
    if state.growing and len(state.values) != state.width:
        arrange(plan, state)
    state.version += 1
    state.step += 1
    state.ran = task.node.alone
    routes = task.routes
    if task.routed and (
        len(routes) != 1 or type(routes[0]) is not str or routes[0] not in plan.nodes or routes[0] == START
    ):
        _route(plan, state, (task,), ())
        return
    state.next = routes  # type: ignore[assignment]  # one name, or static edges, which hold names only
    state.sends = ()


def take_writes(plan: Plan, state: State, tasks: Sequence[Task], changes: dict[str, Any]) -> None:
    """`advance` for an input that a plan with subscribers writes itself: `tasks` are what it discards, and the input.

    Without anything to discard, no superstep ends, so channels that end with one stay.
    """
    if len(tasks) > 1:
        advance(plan, state, tasks, changes)
    else:
        state.version += 1
        state.step += 1
        _assign(state.values, changes)
        state.width = 0
        arrange(plan, state)
        state.written.update(dict.fromkeys(changes, state.version))
        state.next = tuple(sorted({*state.next, *led_by(plan, state, changes)}))
    state.ran = ()


def led_by(plan: Plan, state: State, changes: Collection[str]) -> set[str]:
    """The nodes that subscribe to a changed channel which has a value."""
    written = [key for key in changes if key in plan.subscribers and plan.shows(state.values, key)]
    return {name for key in written for name in plan.subscribers[key]}


def roused(plan: Plan, state: State, names: Collection[str]) -> set[str]:
    """Those of the nodes that subscribe to a channel which has a value that they have not run on."""
    seen, written, nodes, values = state.seen, state.written, plan.nodes, state.values
    return {
        n
        for n in names
        if any(written.get(key, -1) >= seen.get(n, 0) and plan.shows(values, key) for key in nodes[n].subscribes)
    }


def _publish(plan: Plan, state: State, changes: dict[str, Any], ends: bool) -> set[str]:
    """The nodes that a superstep makes ready by what it wrote, or by leaving nothing else to do."""
    values = state.values
    if ends and not led_by(plan, state, changes):
        _finish(plan, values, changes)
    state.written.update(dict.fromkeys(changes, state.version))
    return led_by(plan, state, changes)


def _finish(plan: Plan, values: dict[str, Any], changes: dict[str, Any]) -> None:
    """Nothing is ready any more, but for Sends and deferred nodes: let channels that wait for that have their value."""
    for key in plan.finishing:
        if key in values:
            finished = plan.channels[key].finish(values[key])
            if finished is not values[key]:
                values[key] = changes[key] = finished


def _assign(values: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if value is MISSING:
            values.pop(key, None)
        else:
            values[key] = value


def arrange(plan: Plan, state: State) -> None:
    """Bring keys that were not there before into their places. In place: tasks' scopes have the values too."""
    values, places = state.values, plan.places
    last = len(places)
    for key in islice(reversed(values), max(1, len(values) - state.width + 1)):
        place = places.get(key, -1)
        if place > last:
            ordered = {key: values[key] for key in places if key in values}
            if len(ordered) != len(values):
                ordered.update(values)  # what the schema does not have stays behind
            values.clear()
            values.update(ordered)
            break
        last = place
    state.width = len(values)
    state.growing = state.width < len(places)


def _join(plan: Plan, state: State, tasks: Sequence[Task]) -> tuple[str, ...]:
    """Count AND-joins; returns the nodes whose barrier is complete now."""
    barriers = state.barriers
    for key, barrier in plan.barriers.items():
        value = barriers.get(key)
        if (
            value is not None
            and len(value) == len(barrier.sources)
            and any(task.name == barrier.node for task in tasks)
        ):
            del barriers[key]
    joined: list[str] = []
    for task in tasks:
        for key in task.joins:
            barrier = plan.barriers[key]
            value = barriers.get(key, frozenset()) | {task.name}
            barriers[key] = value
            if len(value) == len(barrier.sources) and barrier.node not in joined:
                joined.append(barrier.node)
    return tuple(joined)


def settle(plan: Plan, values: dict[str, Any], changes: dict[str, Any]) -> None:
    """Let channels that nobody wrote end their superstep; what goes away is recorded as a change."""
    for key in plan.settling:
        if key in values and key not in changes:
            settled = plan.channels[key].settle(values[key])
            if settled is MISSING:
                del values[key]
                changes[key] = MISSING
            elif settled is not values[key]:
                changes[key] = values[key] = settled


def _route(plan: Plan, state: State, tasks: Sequence[Task], joined: Collection[str]) -> None:
    """Set what runs next from the tasks' routes and the joins that are complete."""
    names: set[str] = set(joined)
    sends: list[Send] = []
    nodes = plan.nodes
    for task in tasks:
        for route in task.routes:
            if type(route) is str:
                if route in nodes and route != START:
                    names.add(route)
                else:
                    logger.warning(
                        "Task %r in superstep %d of graph %r goes to unknown node %r: ignored. Known nodes: %s.",
                        task.name, task.step, plan.name, route, ", ".join(name for name in nodes if name != START),
                    )  # fmt: skip
            else:
                sends.append(route)  # type: ignore[arg-type]  # what is no name is a Send
    if plan.deferred:
        state.waiting = state.waiting | (names & plan.deferred)
        names -= plan.deferred
        if state.waiting and not names and not sends:
            names, state.waiting = set(state.waiting), frozenset()
    state.next = tuple(sorted(names)) if len(names) > 1 else tuple(names)
    state.sends = tuple(sends)


def names_of(routes: Sequence[Route]) -> tuple[str, ...]:
    """The node names of routes, for events and drawings."""
    return tuple(route if isinstance(route, str) else route.node for route in routes)
