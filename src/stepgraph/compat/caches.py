"""LangGraph's caches under our engine: results under its names and in its form, so that each engine finds the other's.

Those of async nodes are kept under names of our own: LangGraph's do not tell one async function from another.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import Any

from stepgraph.compat.format import BRANCH, NO_WRITES, TASKS
from stepgraph.compat.format_ids import digits_of
from stepgraph.compat.stored import writes_of
from stepgraph.compat.twins import ours, theirs
from stepgraph.core.caching import Kept, Words, arguments
from stepgraph.core.checkpoint import Record
from stepgraph.core.limits import default_cache_key
from stepgraph.core.plan import Node
from stepgraph.core.task import Task
from stepgraph.core.types import Send


class Theirs(Words):
    """How LangGraph names and keeps results."""

    def namespace(self, node: Node) -> tuple[str, ...]:
        """Called functions are known by their own name alone."""
        return node.cache_ns[:2] if hasattr(node.body, "calls") else node.cache_ns

    def key(self, task: Task) -> str:
        """What stands for the task's input."""
        policy = task.node.cache
        assert policy is not None
        args, kwargs = arguments(task)
        if policy.key_func is default_cache_key:
            if task.caller is None and type(args[0]) is dict:
                args = (_in_order(args[0], task.scope.plan.channels),)
            text: str | bytes = pickle.dumps((tuple(args), _frozen(kwargs)), protocol=5, fix_imports=False)
        else:
            text = policy.key_func(*args, **kwargs)
        return digits_of(text.encode() if isinstance(text, str) else text)

    def kept(self, task: Task) -> Any:
        """A finished task's result, as the writes of LangGraph's task."""
        outcome = (task.writes, task.routes, task.joins)
        return theirs(writes_of(Record(task.id, "outcome", outcome, task.name, ())))

    def taken(self, task: Task, value: Any, asked: bool) -> Kept | None:
        """The result of a task. Which of its routes the body chose is not told: then its routers can't run again."""
        if asked and task.node.routers:
            return None
        plan = task.scope.plan
        writes, routes, joins = [], [], []
        for key, written in value:
            if key.startswith(BRANCH):
                routes.append(key[len(BRANCH) :])
            elif key == TASKS:
                sent = ours(written)
                routes.append(Send(sent.node, sent.arg, timeout=getattr(sent, "timeout", None)))
            elif key in plan.barriers:
                joins.append(key)
            elif key != NO_WRITES:
                writes.append((key, ours(written)))
        left = list(task.node.successors)
        gotos = []
        for route in routes:
            if route in left:
                left.remove(route)
            else:
                gotos.append(route)
        return tuple(writes), tuple(gotos), tuple(routes), tuple(joins)


def _in_order(values: dict[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """A node's input with its keys in the order of the graph's: ours are in the order in which they were written."""
    if not values.keys() <= keys.keys():
        return values
    return {key: values[key] for key in keys if key in values}


def _frozen(kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple((key, _hashable(kwargs[key], 9)) for key in sorted(kwargs))


def _hashable(value: Any, depth: int) -> Any:
    """Mappings and lists as tuples; what can be hashed, or is nested too deep, as it is."""
    if depth <= 0 or getattr(type(value), "__hash__", None) is not None:
        return value
    if isinstance(value, Mapping):
        return tuple(sorted((key, _hashable(each, depth - 1)) for key, each in value.items()))
    if isinstance(value, Sequence):
        return tuple(_hashable(each, depth - 1) for each in value)
    return value
