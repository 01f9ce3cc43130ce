"""Taking a task's result from the graph's cache, and keeping it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core import events as ev
from stepgraph.core.decisions import packed, unpacked
from stepgraph.core.effects import Flow, Recall, Remember
from stepgraph.core.registry import cache_words
from stepgraph.core.task import Task, digest
from stepgraph.core.types import MISSING

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine
    from stepgraph.core.plan import Node

NAMESPACE = "__pregel_ns_writes"


Kept = tuple[Any, Any, Any, Any]
"""Of a task: its writes, where its body said to go, its routes, and the joins that it took part in."""


class Words:
    """How results are named and kept in a cache: this library's way."""

    def namespace(self, node: Node) -> tuple[str, ...]:
        """The part of the cache that keeps this node's results."""
        return node.cache_ns

    def key(self, task: Task) -> str:
        """What stands for the task's input."""
        policy = task.node.cache
        assert policy is not None
        args, kwargs = arguments(task)
        text = policy.key_func(*args, **kwargs)
        return digest(text.encode() if isinstance(text, str) else text)

    def kept(self, task: Task) -> Any:
        """A finished task's result."""
        return task.writes, packed(task.gotos), packed(task.routes), task.joins

    def taken(self, task: Task, value: Any, asked: bool) -> Kept | None:
        """The result of a task, or None if it can't be used; `asked` if its routers will run again."""
        writes, gotos, routes, joins = value
        return writes, unpacked(gotos), unpacked(routes), joins


OURS = Words()


def words_of(cache: Any) -> Words:
    """How this cache is used: one of another library's as that does, so that both find each other's results."""
    for each in type(cache).__mro__:
        if each.__module__ in cache_words:
            found: Words = cache_words.load(each.__module__)()
            return found
    return OURS


def arguments(task: Task) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """What a key function gets: a called function's arguments, or a node's input."""
    node = task.node
    if task.caller is not None:
        args, kwargs = task.input
        return args, kwargs
    return (task.input if node.mapper is None or task.key >= 0 else node.mapper(task.input),), {}


def recall(engine: Engine, task: Task) -> Flow:
    """Finish the task with what its node made of the same input before, if the cache has it; else note the key."""
    node, scope = task.node, task.scope
    words = words_of(engine.request.cache)
    key = (words.namespace(node), words.key(task))
    value = yield Recall(engine.request.cache, key)
    gate = scope.gate
    asked = gate is not None and gate.wants("after", task.name, scope.ns)
    found = None if value is MISSING else words.taken(task, value, asked)
    if found is None:
        task.cache_key = key
        return
    writes, gotos, routes, joins = found
    task.writes = tuple((name, update) for name, update in writes)
    task.gotos, task.collected, task.carried = gotos, True, True
    if not asked:
        task.routes, task.routed, task.joined = routes, True, tuple(joins)
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
    cache = engine.request.cache
    yield Remember(cache, key, words_of(cache).kept(task), policy.ttl)
