"""Channel versions: what LangGraph's checkpoints say of who wrote which channel when, and who has seen it.

LangGraph derives from them what runs next, so they must be as its own engine would have written them. One number is
drawn from the saver for each superstep; a node runs when a channel that triggers it has a newer one than it has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from stepgraph.compat.format import BRANCH, INPUT, INTERRUPT, TASKS, members
from stepgraph.core.checkpoint import PUSH
from stepgraph.core.plan import Barrier, Plan
from stepgraph.core.state import State
from stepgraph.core.types import MISSING, START

Versions = dict[str, Any]


class Ran(NamedTuple):
    """A task of a superstep: what triggered it, which channels it wrote, where it went."""

    name: str
    triggers: tuple[str, ...]
    keys: tuple[str, ...] = ()
    routes: tuple[Any, ...] = ()
    joins: tuple[str, ...] = ()


class Ledger:
    """The versions of one thread and namespace, as of its last superstep.

    `next_version` gives the version after the highest one. Of the channels that LangGraph has besides the state's
    keys, it knows what they hold: triggers, joins, Sends and the input.
    """

    def __init__(self, plan: Plan, next_version: Callable[[Any, None], Any]) -> None:
        self.plan = plan
        self.next_version = next_version
        self.versions: Versions = {}
        self.seen: dict[str, Versions] = {}
        self.updated: set[str] = set()
        """What the last superstep wrote and left with a value."""
        self.live: set[str] = set()
        """The `branch:to:` channels that hold a value."""
        self.finished: set[str] = set()
        """The triggers of deferred nodes that have become available."""
        self.barriers: dict[str, set[str]] = {}
        self.sends = False
        self.start = False
        self.values: Mapping[str, Any] = {}
        """The state's values then, by which it notices changes that no task wrote."""
        self._mark: Any = None
        """The version of the superstep that is being applied."""

    def copy(self) -> Ledger:
        """One that can be changed for itself."""
        made = Ledger(self.plan, self.next_version)
        made.versions, made.updated, made.live = dict(self.versions), set(self.updated), set(self.live)
        made.seen = {name: dict(seen) for name, seen in self.seen.items()}
        made.finished, made.sends, made.start = set(self.finished), self.sends, self.start
        made.barriers = {key: set(arrived) for key, arrived in self.barriers.items()}
        made.values = self.values
        return made

    def read(self, checkpoint: Mapping[str, Any]) -> None:
        """Take the versions of a stored checkpoint."""
        plan, values = self.plan, checkpoint["channel_values"]
        self.versions = dict(checkpoint["channel_versions"])
        self.seen = {name: dict(seen) for name, seen in checkpoint["versions_seen"].items()}
        self.updated = set(checkpoint.get("updated_channels") or ())
        self.live = {key for key in values if key.startswith(BRANCH)}
        self.finished = {key for key in self.live if _node(key) in plan.deferred and values[key][1]}
        self.barriers = {}
        for key, barrier in plan.barriers.items():
            if key in values:
                arrived = values[key]
                if barrier.node in plan.deferred:
                    arrived, finished = arrived
                    if finished:
                        self.finished.add(key)
                self.barriers[key] = set(members(arrived))
        self.sends = bool(values.get(TASKS))
        self.start = START in values

    # What LangGraph's checkpoints hold

    def controls(self) -> dict[str, Any]:
        """The values of triggers and joins."""
        deferred, versions = self.plan.deferred, self.versions
        found: dict[str, Any] = {
            key: (None, key in self.finished) if _node(key) in deferred else None for key in self.live
        }
        for key, barrier in self.plan.barriers.items():
            if key in versions:
                arrived = set(self.barriers.get(key, ()))
                found[key] = (arrived, key in self.finished) if barrier.node in deferred else arrived
        return found

    def ready(self) -> list[str]:
        """The nodes that a trigger makes run next, by name."""
        plan = self.plan
        names = {_node(key) for key in self.live} | {barrier.node for barrier in plan.barriers.values()}
        for key in plan.subscribers:
            names.update(plan.subscribers[key])
        if self.start:
            names.add(plan.entry)
        return sorted(name for name in names if name in plan.nodes and self._triggered(name))

    def waiting(self) -> frozenset[str]:
        """Deferred nodes that were triggered and wait until nothing else is ready."""
        plan = self.plan
        if not plan.deferred:
            return frozenset()
        names = {_node(key) for key in self.live if key not in self.finished}
        names |= {b.node for key, b in plan.barriers.items() if self._full(key, b) and key not in self.finished}
        return frozenset(names & plan.deferred)

    def _triggered(self, name: str) -> bool:
        seen, versions = self.seen.get(name, {}), self.versions
        return any(
            self._available(key) and key in versions and (key not in seen or versions[key] > seen[key])
            for key in self.plan.nodes[name].triggers
        )

    def _available(self, key: str) -> bool:
        if key == START:
            return self.start
        if key in self.plan.subscribers:
            return key in self.values and self.plan.channels[key].read(self.values[key]) is not MISSING
        barrier = self.plan.barriers.get(key)
        if barrier is not None:
            return self._full(key, barrier) and (barrier.node not in self.plan.deferred or key in self.finished)
        return key in self.live and (_node(key) not in self.plan.deferred or key in self.finished)

    def _full(self, key: str, barrier: Barrier) -> bool:
        return len(self.barriers.get(key, ())) == len(barrier.sources)

    # What a superstep does to them

    def resume(self) -> None:
        """The run goes on from here: static breakpoints that were due are passed."""
        self.seen[INTERRUPT] = dict(self.versions)

    def planned(self, sends: Sequence[Any]) -> list[Ran]:
        """The tasks that would run next, as if they had run and written nothing."""
        found = [Ran(name, self.plan.nodes[name].ready_by) for name in self.ready()]
        return found + [Ran(send[0], (PUSH,)) for send in sends]

    def input(self, dropped: Sequence[Ran], state: State, keys: tuple[str, ...] = (START,)) -> None:
        """New input, in place of tasks that were planned. `keys` are what it writes."""
        self.apply([*dropped, Ran(INPUT, (), keys)], state)

    def apply(self, tasks: Sequence[Ran], state: State) -> None:
        """A superstep of these tasks led to this state."""
        versions = self.versions
        for task in tasks:
            seen = self.seen.setdefault(task.name, {})
            for key in task.triggers:
                if key in versions:
                    seen[key] = versions[key]
        self._mark = self.next_version(max(versions.values()) if versions else None, None)
        self.updated = set()
        for task in tasks:
            for key in task.triggers:
                self._consume(key)
        self._keys(tasks, state)
        for task in tasks:
            for route in task.routes:
                self._go(route)
            for key in task.joins:
                self._join(key, task.name)
        if any(task.triggers for task in tasks):
            self._settle(state)
        self.values = state.values.copy()
        self._reconcile(state)

    def _write(self, key: str) -> None:
        self.versions[key] = self._mark

    def _consume(self, key: str) -> None:
        plan = self.plan
        barrier = plan.barriers.get(key)
        if barrier is not None:
            if self._available(key):
                self.barriers[key] = set()
                self.finished.discard(key)
                self._write(key)
        elif key in self.finished:
            self.finished.discard(key)
            self.live.discard(key)
            self._write(key)

    def _keys(self, tasks: Sequence[Ran], state: State) -> None:
        """Keys of the state that were written, or changed otherwise: by settling, or by a person."""
        values, before = state.values, self.values
        written = {key for task in tasks for key in task.keys}
        written.update(key for key, value in values.items() if key in before and before[key] is not value)
        written.update(key for key in values.keys() - before.keys() if key in self.versions)
        written.update(key for key in before.keys() - values.keys() if key in self.versions)
        for key in written:
            self._write(key)
            if key == START:
                self.start = True
                self.updated.add(key)
            elif key in values and self.plan.channels[key].read(values[key]) is not MISSING:
                self.updated.add(key)

    def _go(self, route: Any) -> None:
        if type(route) is not str:
            self.sends = True
            self._write(TASKS)
            self.updated.add(TASKS)
        elif route in self.plan.nodes:
            key = BRANCH + route
            self.live.add(key)
            self._write(key)
            if route in self.plan.deferred:
                self.finished.discard(key)
            else:
                self.updated.add(key)

    def _join(self, key: str, name: str) -> None:
        arrived = self.barriers.setdefault(key, set())
        if name not in arrived:
            arrived.add(name)
            self._write(key)
            barrier = self.plan.barriers[key]
            if self._full(key, barrier) and barrier.node not in self.plan.deferred:
                self.updated.add(key)

    def _settle(self, state: State) -> None:
        """Triggers last for one superstep."""
        for key in [key for key in self.live if key not in self.updated and _node(key) not in self.plan.deferred]:
            self.live.discard(key)
            self._write(key)
        if self.start and START not in self.updated:
            self.start = False
            self._write(START)
        if self.sends and TASKS not in self.updated:
            self.sends = False
            self._write(TASKS)

    def _reconcile(self, state: State) -> None:
        """Deferred nodes become ready, and what a person decided about what runs next is followed."""
        plan, following = self.plan, set(state.next)
        for name in (following & plan.deferred) - state.waiting:  # else led to again by one trigger, ready by another
            for key in plan.nodes[name].triggers:
                barrier = plan.barriers.get(key)
                has_value = key in self.live if barrier is None else self._full(key, barrier)
                if has_value and key not in self.finished:
                    self.finished.add(key)
                    self._write(key)
                    self.updated.add(key)
        for name in following - {plan.entry}:
            if not self._triggered(name):
                self._go(name)
                if name in plan.deferred:
                    self.finished.add(BRANCH + name)
                    self.updated.add(BRANCH + name)
        expected = following | state.waiting
        for key in [key for key in self.live if _node(key) not in expected]:
            self.live.discard(key)
            self.finished.discard(key)
            self.updated.discard(key)
            self._write(key)
        for name in self.ready():
            if name not in following:  # its joins stay filled
                self.seen.setdefault(name, {}).update(
                    {key: self.versions[key] for key in plan.nodes[name].triggers if key in self.versions}
                )
        if self.sends and not state.sends:
            self.sends = False
            self.updated.discard(TASKS)
            self._write(TASKS)


def _node(key: str) -> str:
    """The node that a `branch:to:` channel triggers."""
    return key[len(BRANCH) :]


def numbers(versions: Sequence[Any]) -> dict[Any, int]:
    """Versions as whole numbers in the same order: their own, if they begin with one, else their ranks."""
    try:
        return {version: _number(version) for version in versions}
    except ValueError:
        return {version: rank for rank, version in enumerate(sorted(set(versions)), 1)}


def _number(version: Any) -> int:
    if isinstance(version, str):
        return int(version.partition(".")[0])
    if version != int(version):
        raise ValueError(version)
    return int(version)
