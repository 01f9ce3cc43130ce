"""Taking a task's result from the graph's cache, and keeping it there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core import events as ev
from stepgraph.core.effects import Flow, Recall, Remember
from stepgraph.core.task import Task, digest
from stepgraph.core.types import MISSING, Route, Send

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine

NAMESPACE = "__pregel_ns_writes"


def recall(engine: Engine, task: Task) -> Flow:
    """Finish the task with what its node made of the same input before, if the cache has it; else note the key."""
    node, scope = task.node, task.scope
    policy = node.cache
    assert policy is not None
    if task.caller is not None:
        args, kwargs = task.input
        text = policy.key_func(*args, **kwargs)
    else:
        text = policy.key_func(task.input if node.mapper is None or task.key >= 0 else node.mapper(task.input))
    key = (node.cache_ns, digest(text.encode() if isinstance(text, str) else text))
    found = yield Recall(engine.request.cache, key)
    if found is MISSING:
        task.cache_key = key
        return
    writes, gotos, routes, joins = found
    task.writes = tuple((name, update) for name, update in writes)
    task.gotos, task.collected, task.carried = _routes(gotos), True, True
    gate = scope.gate
    if gate is None or not gate.wants("after", task.name, scope.ns):
        task.routes, task.routed, task.joined = _routes(routes), True, tuple(joins)
    if scope.emit is not None:
        scope.emit(
            ev.TaskCached(
                scope.ns, task.step, scope.clock(), task.id, task.name, task.index, task.input, task.triggers,
                node.metadata, task.path,
            )
        )  # fmt: skip


def remember(engine: Engine, task: Task) -> Flow:
    """Keep what the task's body and routers have just made."""
    key, policy = task.cache_key, task.node.cache
    assert key is not None
    assert policy is not None
    task.cache_key = None
    value = (task.writes, _packed(task.gotos), _packed(task.routes), task.joins)
    yield Remember(engine.request.cache, key, value, policy.ttl)


def _packed(routes: Sequence[Route]) -> tuple[Any, ...]:
    return tuple(route if isinstance(route, str) else (route.node, route.arg, route.timeout) for route in routes)


def _routes(packed: Sequence[Any]) -> tuple[Route, ...]:
    return tuple(each if isinstance(each, str) else Send(each[0], each[1], timeout=each[2]) for each in packed)
