"""Watches node code while it runs: which keys it reads, what it changes in place."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator
from copy import copy
from time import perf_counter
from typing import Any

from stepgraph.approve.digest import content
from stepgraph.core.events import TaskEmitted
from stepgraph.core.plan import Node
from stepgraph.core.task import Task
from stepgraph.core.types import ROOT, START, Route
from stepgraph.debug.capture import Capturing
from stepgraph.debug.views import unwatch, watch
from stepgraph.run.context import current_task

_SCALARS = frozenset((type(None), bool, int, float, complex, str, bytes))
BUDGET_SECONDS = 0.002
"""What looking for changes in place may cost a task; keys beyond it are not watched."""


class Reads(dict[str, Any]):
    """A node's input that remembers which keys were read. Everything else is a dict."""

    __slots__ = ("seen",)

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.seen: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.seen.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.seen.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        if isinstance(key, str):
            self.seen.add(key)
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self.seen.update(self.keys())
        return super().__iter__()

    def items(self) -> Any:
        self.seen.update(dict.keys(self))
        return super().items()

    def values(self) -> Any:
        self.seen.update(dict.keys(self))
        return super().values()

    def pop(self, key: str, *default: Any) -> Any:
        self.seen.add(key)
        return super().pop(key, *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        self.seen.add(key)
        return super().setdefault(key, default)

    def copy(self) -> dict[str, Any]:
        self.seen.update(dict.keys(self))
        return dict(super().items())

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def __eq__(self, other: object) -> bool:
        self.seen.update(dict.keys(self))
        return super().__eq__(other)

    __hash__ = None

    def __reduce__(self) -> Any:
        return (dict, (self.copy(),))


class Watch(Capturing):
    """The probe of one run."""

    def __init__(self) -> None:
        super().__init__()
        self.went: dict[str, tuple[Route, ...]] = {}
        """Where bodies went by a Command, by task id, of nodes whose routers chose after them."""
        self._before: dict[int, dict[str, bytes]] = {}
        self._views: dict[tuple[int, str | None], _View] = {}
        self._nodes: dict[Node, Node] = {}
        """Nodes whose schema's objects are watched: those with a mapper of their own."""

    def enter(self, task: Task, router: str | None, value: Any) -> Any:
        if task.name == START and router is None:
            return value
        if router is not None and task.gotos:
            self.went[task.id] = task.gotos
        if router is None and type(value) is dict:
            self._before[id(task)] = _contents(value)
        if task.caller is not None:  # what a called function gets is no state
            return value
        if router is None and task.key >= 0:
            self._views[id(task), None] = _View(lost="its input is what a Send brought, not the state")
        elif ROOT in task.scope.plan.channels:
            self._views[id(task), router] = _View(seen={ROOT})
        elif router is None and task.node.mapper is not None:
            self._views[id(task), None] = _View(node=task.node)
            task.node = self._watching(task.node)
        elif type(value) is dict:
            return Reads(value)
        else:
            view = self._views[id(task), router] = _View()
            view.look_at(value)
        return value

    def leave(self, task: Task, router: str | None, value: Any) -> frozenset[str] | None:
        view = self._views.pop((id(task), router), None)
        lost: str | None = None
        reads = frozenset(value.seen) if type(value) is Reads else None
        if view is not None:
            if view.node is not None:
                task.node = view.node
            reads, lost = view.close()
        if router is None:
            self.lines.flush(task)
            before = self._before.pop(id(task), None)
            if before is not None:
                changed = [path for key, old in before.items() for path in _changed(key, old, value)]
                if changed:
                    _emit(task, "in_place", changed)
            if reads is not None:
                _emit(task, "reads", sorted(reads))
            elif lost is not None:
                _emit(task, "reads", lost)
        return reads

    def _watching(self, node: Node) -> Node:
        """The node with a mapper whose objects are watched; the same one for all of its tasks."""
        found = self._nodes.get(node)
        if found is None:
            mapper, views = node.mapper, self._views

            def mapped(values: Any) -> Any:
                assert mapper is not None
                value = mapper(values)
                views[id(current_task.get()), None].look_at(value)
                return value

            found = self._nodes[node] = copy(node)
            found.mapper = mapped
        return found


class _View:
    """What one body or router has read."""

    __slots__ = ("_value", "lost", "node", "seen")

    def __init__(self, *, lost: str | None = None, node: Node | None = None, seen: Iterable[str] = ()) -> None:
        self.seen = set(seen)
        self.lost = lost
        """Why that is not known."""
        self.node = node
        self._value: Any = None

    def look_at(self, value: Any) -> None:
        self.lost = watch(value, self.seen)
        self._value = value

    def close(self) -> tuple[frozenset[str] | None, str | None]:
        """What was read, or why it is not known."""
        if self.lost is not None:
            return None, self.lost
        unwatch(self._value)
        return frozenset(self.seen), None


def _emit(task: Task, kind: str, payload: Any) -> None:
    scope = task.scope
    if scope.emit is not None:
        scope.emit(TaskEmitted(scope.ns, task.step, scope.clock(), task.id, task.name, kind, payload))


def _contents(values: dict[str, Any]) -> dict[str, bytes]:
    """What can be changed in place, as bytes, as far as the time allows."""
    found: dict[str, bytes] = {}
    end = 0.0
    for key, value in values.items():
        if type(value) in _SCALARS:
            continue
        if end == 0.0:
            end = perf_counter() + BUDGET_SECONDS
        elif perf_counter() > end:
            break
        found[key] = content(value)
    return found


def _changed(key: str, old: bytes, values: Any) -> list[str]:
    """The path of the first difference, if the value under `key` is the same object with other content."""
    value = dict.get(values, key) if isinstance(values, dict) else None
    if value is None or type(value) in _SCALARS:
        return []
    new = content(value)
    if new == old:
        return []
    return [key + _difference(marshal.loads(old), marshal.loads(new))]


def _difference(old: Any, new: Any) -> str:
    """Where two plain values differ first: `[1].name`."""
    if type(old) is type(new):
        if isinstance(old, dict):
            for name in [*new, *old]:
                if name not in old or name not in new or old[name] != new[name]:
                    inner = _difference(old.get(name), new.get(name)) if name in old and name in new else ""
                    return f".{name}{inner}"
        elif isinstance(old, list | tuple):
            for at, (left, right) in enumerate(zip(old, new, strict=False)):
                if left != right:
                    return f"[{at}]{_difference(left, right)}"
            if len(old) != len(new):
                return f"[{min(len(old), len(new))}]"
    return ""
