"""What LangGraph stores of DeltaChannels: what was written to them, and their value only now and then.

A value is the nearest snapshot among a checkpoint's ancestors with all writes that are stored on them since. So what a
branch must not read there has to be covered by a snapshot at its beginning.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from stepgraph.compat.format import INPUT, whole
from stepgraph.compat.format_ids import path_text
from stepgraph.compat.ledger import Ledger
from stepgraph.compat.twins import ours
from stepgraph.core.channels import BinaryOperatorAggregate, DeltaChannel, overwritten
from stepgraph.core.checkpoint import Source
from stepgraph.core.entry import NOBODY
from stepgraph.core.plan import Plan
from stepgraph.core.types import MISSING

COUNTERS = "counters_since_delta_snapshot"
"""The metadata that counts, for each channel, updates and supersteps since its last snapshot."""
BUMPS = "__snapshot_bumps__"
"""Among `versions_seen`: the versions that were drawn for a snapshot only, and those that had been seen before."""


class Put(NamedTuple):
    """Writes to be stored on a checkpoint."""

    checkpoint: str
    writes: list[tuple[str, Any]]
    task: str
    path: str


class Written(NamedTuple):
    """A write of this run, with durability "exit"."""

    step: int
    task: str
    path: str
    key: str
    value: Any


class Deltas:
    """The DeltaChannels of one run's thread and namespace."""

    def __init__(self, plan: Plan, at_exit: bool) -> None:
        self.channels = {key: each for key, each in plan.channels.items() if isinstance(each, DeltaChannel)}
        self.plan = plan
        self.at_exit = at_exit
        self.counters: dict[str, tuple[int, int]] = {}
        self.forced: set[str] = set()
        """What the next checkpoint holds a snapshot of, whatever the counters say."""
        self.loaded: tuple[tuple[str, str], ...] = ()
        """(task, key) of the writes that are stored on the checkpoint that this run began with."""
        self.parent: str | None = None
        """That checkpoint."""
        self.newest = False
        """Whether it was asked for as the thread's newest, so that nothing has been built on it."""
        self.held: dict[str, Any] = {}
        """What it holds of these channels."""
        self.commanded: list[tuple[str, Any]] = []
        """What the caller's Command wrote to them."""
        self._input: list[tuple[str, Any]] = []
        self._written: list[Written] = []
        self._first: int | None = None
        """The superstep that goes on from it."""
        self._fresh = self._copied = False
        """Whether the next checkpoint is an edit that begins a thread, or a copy of the one before."""

    def restored(self, stored: Any, ns: str) -> None:
        """The run begins with this checkpoint, read from a saver of LangGraph's; in `ns` it has another namespace's."""
        if stored.ns != ns:
            self.forced.update(self.channels)
            return
        held = stored.checkpoint["channel_values"]
        self.counters = {key: (each[0], each[1]) for key, each in (stored.metadata.get(COUNTERS) or {}).items()}
        self.loaded = tuple((task, key) for task, key, _ in stored.pending if key in self.channels)
        self.parent, self.newest = stored.id, stored.newest
        self.held = {key: held[key] for key in self.channels if key in held}

    def turned(
        self, source: Source, tasks: Sequence[Any], updated: Iterable[str], engine: Any, superseded: bool
    ) -> None:
        """A superstep of these tasks has been applied.

        `superseded`: the thread had gone on already from the checkpoint that was asked for by its id.
        """
        self._copied = source == "fork" and not engine.replaying
        if self._copied:
            return
        if source == "fork":  # it carries what the caller's Command wrote
            self.forced.update(key for key, _ in self.commanded)
            self.commanded = []
        step, edit = engine.state.step - 1, source == "update" or any(task.edited for task in tasks)
        written = [(key, value) for task in tasks for key, value in task.writes if key in self.channels]
        self.forced.update(key for key, value in written if overwritten(value) is not MISSING)
        self._seal(source, tasks, edit or source in ("input", "fork") or engine.replaying)
        if source == "input":
            self._input = [] if edit else written  # else it is stored with the rest of the edit
            if not self.at_exit and (self.parent is None or not (self.newest or edit) or superseded):
                self.forced.update(key for key, _ in written)
        elif edit and superseded:
            self.forced.update(key for key, _ in written)
        if self.at_exit:
            self._hold(source, tasks, engine, step)
        self._fresh = edit and self.parent is None
        keys = {key for key, _ in written} if edit and written else {*updated}
        keys = set() if source == "fork" else keys
        self.counters = {
            key: (updates + (key in keys), supersteps + 1)
            for key in self.channels
            for updates, supersteps in (self.counters.get(key, (0, 0)),)
        }
        self.loaded = ()

    def _seal(self, source: Source, tasks: Sequence[Any], all_of_them: bool) -> None:
        """Writes of the loaded checkpoint that no task of this branch has made count for another branch only."""
        if all_of_them:
            self.forced.update(key for _, key in self.loaded)
        elif self.loaded:
            again = {NOBODY, *(task.id for task in tasks)}
            self.forced.update(key for task, key in self.loaded if task not in again)

    def _hold(self, source: Source, tasks: Sequence[Any], engine: Any, step: int) -> None:
        """Note what was written, to be stored when the run ends."""
        if source == "input":
            self._written += [Written(step, NOBODY, "", key, value) for key, value in self._input]
            return
        if source != "loop":
            return
        first = self._first is None
        if first:
            self._first = step
            self._written += [Written(step, NOBODY, "", key, value) for key, value in self.commanded]
        stored = {task for task, _ in self.loaded} if first else ()
        for task in tasks:
            if task.id not in stored:
                path = path_text(task.path) if task.path else ""
                self._written += [
                    Written(step, task.id, path, key, value) for key, value in task.writes if key in self.channels
                ]

    # What is stored

    def puts(self, parent: str | None, ledger: Ledger) -> Iterator[Put]:
        """What is stored on `parent` before the checkpoint that follows it."""
        if self._input and not self.at_exit and self.parent is not None:
            writes = [(key, value) for key, value in self._input if key not in self.forced]
            if writes:
                yield Put(self.parent, writes, str(uuid5(UUID(self.parent), INPUT)), "")
        self._input = []
        if not self.at_exit or parent is None:
            return
        groups: dict[tuple[str, str], list[tuple[str, Any]]] = {}
        for step, task, path, key, value in self.left(ledger):
            if task == NOBODY:
                place = (early_id(step, task), "")
            elif step == self._first:
                place = (early_id(step, task), path)
            else:
                place = (late_id(step, task), f"~~{step:010d}{path}")
            groups.setdefault(place, []).append((key, value))
        for (task, path), writes in groups.items():
            yield Put(parent, writes, task, path)

    def left(self, ledger: Ledger) -> list[Written]:
        """What was written with durability "exit" and is in no snapshot of the checkpoint that follows."""
        if self.parent is not None and not self.newest:
            self.forced.update(each.key for each in self._written)
        due = self.due(ledger)
        return [each for each in self._written if each.key not in due]

    def due(self, ledger: Ledger) -> set[str]:
        """The channels that the checkpoint which follows holds a snapshot of."""
        often = {
            key
            for key, (updates, supersteps) in self.counters.items()
            if key in ledger.versions and (updates >= self.channels[key].snapshot_frequency or supersteps >= longest())
        }
        return often | self.forced if not self._fresh else self.channels.keys() & ledger.versions.keys()

    def settle(self, made: dict[str, Any], values: Mapping[str, Any], ledger: Ledger, stored: Any) -> Any:
        """Put snapshots into a checkpoint in place of values; returns the metadata that counts, or None.

        `stored` are the versions of the checkpoint stored last: a snapshot is kept only under a new one.
        """
        held = made["channel_values"]
        for key in self.channels:
            held.pop(key, None)
        if self._copied:
            held.update(self.held)
            return self._counted()
        due = self.due(ledger)
        bumped: dict[str, tuple[Any, Any]] = {}
        for key in self.channels:
            if key not in due:
                continue
            old = ledger.versions.get(key)
            if old is None or old == stored.get(key):
                ledger.versions[key] = ledger.next_version(old, None)
                bumped[key] = (old, ledger.versions[key])
            held[key] = _snapshot()(values.get(key, self.channels[key].initial()))
        if bumped:
            _mark_seen(ledger, bumped)
            made["channel_versions"] = dict(ledger.versions)
            made["versions_seen"] = {name: dict(seen) for name, seen in ledger.seen.items()}
        self.counters = {} if self._fresh else {**self.counters, **dict.fromkeys(due, (0, 0))}
        self.forced.clear()
        return self._counted()

    def saved(self, checkpoint: str) -> None:
        """The checkpoint is stored: what follows builds on it."""
        self.loaded, self.parent, self.newest, self.held = (), checkpoint, True, {}
        self._written = []

    def _counted(self) -> dict[str, tuple[int, int]] | None:
        return {key: each for key, each in self.counters.items() if each != (0, 0)} or None


def missing(plan: Plan, checkpoint: Mapping[str, Any]) -> list[str]:
    """The channels whose value has to be read from a checkpoint's ancestors."""
    held, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
    return [
        key
        for key, channel in plan.channels.items()
        if isinstance(channel, (DeltaChannel, BinaryOperatorAggregate)) and key in versions and key not in held
    ]


def replayed(plan: Plan, histories: Mapping[str, Any]) -> dict[str, Any]:
    """The values of channels from what a saver's `get_delta_channel_history` gave."""
    found: dict[str, Any] = {}
    for key, history in histories.items():
        channel, writes = plan.channels[key], [ours(value) for _, _, value in history["writes"]]
        value = whole(history["seed"]) if "seed" in history else MISSING
        if isinstance(channel, DeltaChannel):
            found[key] = channel.replay(value, writes)
            continue
        value = channel.initial() if value is MISSING else value
        for each in writes:  # one by one: they are of several supersteps
            value = channel.reduce(value, [each])
        if value is not MISSING:
            found[key] = value
    return found


def really_seen(seen: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """`versions_seen` without those that were drawn for a snapshot only."""
    marks = seen.get(BUMPS)
    if not marks:
        return {name: dict(versions) for name, versions in seen.items()}
    found: dict[str, dict[str, Any]] = {}
    for name, versions in seen.items():
        if name == BUMPS:
            continue
        found[name] = {}
        for key, version in versions.items():
            advanced, read = marks_of(name, key)
            if marks.get(advanced) != version:
                found[name][key] = version
            elif read in marks:
                found[name][key] = marks[read]
    return found


def _mark_seen(ledger: Ledger, bumped: Mapping[str, tuple[Any, Any]]) -> None:
    """A version for a snapshot is no write: whoever had seen the one before has seen it too."""
    seen = ledger.seen
    for key, (old, _) in bumped.items():
        if old is None:
            for name in ledger.plan.subscribers.get(key, ()):
                seen.setdefault(name, {})
    marks = dict(seen.get(BUMPS, {}))
    for name in [name for name in seen if name != BUMPS]:
        for key, (old, new) in bumped.items():
            if seen[name].get(key) != old:
                continue
            advanced, read = marks_of(name, key)
            if old is not None and marks.get(advanced) != old:
                marks[read] = old
            marks[advanced] = new
            seen[name] = {**seen[name], key: new}
    if marks:
        seen[BUMPS] = marks


def marks_of(name: str, key: str) -> tuple[str, str]:
    """The names of the version that a snapshot alone has raised, and of the one that the node has read before it."""
    return f"{name}|{key}", f"{name}:{key}"


def early_id(step: int, task_id: str) -> str:
    """A task id for writes that are stored on the checkpoint before: sorted by superstep."""
    made = f"{step:08d}-{str(UUID(task_id)).split('-', 1)[1]}"
    return f"{step:08d}-0000-0000-0000-000000000001" if made == NOBODY else made


def late_id(step: int, task_id: str) -> str:
    """As above, for later supersteps: after all ids that tasks have."""
    return f"ffffffff-{step >> 16:04x}-{step & 0xFFFF:04x}-{'-'.join(str(UUID(task_id)).split('-')[3:])}"


def longest() -> int:
    """After how many supersteps a snapshot is taken also of a channel that nobody writes any more."""
    return int(os.getenv("LANGGRAPH_DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT", "5000"))


def snapshot_of(value: Any) -> Any:
    """A DeltaChannel's value as a checkpoint holds it whole."""
    return _snapshot()(value)


def _snapshot() -> Any:
    from langgraph.checkpoint.serde.types import _DeltaSnapshot

    return _DeltaSnapshot


def stores_deltas(saver: Any) -> bool:
    """Whether a saver can give back what it does not hold as a value: older ones can't, and get values."""
    return hasattr(saver, "get_delta_channel_history")
