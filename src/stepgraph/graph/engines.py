"""The engine of one call: what the graph, the call's config and the node that calls it say of the run."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from os import environ
from time import time
from typing import TYPE_CHECKING, Any

from stepgraph.core import registry
from stepgraph.core.checkpoint import plain_values
from stepgraph.core.child import overheard
from stepgraph.core.engine import Engine
from stepgraph.core.errors import ThreadRequiredError
from stepgraph.core.events import Emit
from stepgraph.core.request import ORDINARY, Request
from stepgraph.core.types import MISSING
from stepgraph.graph.snapshots import inner_plan, journey
from stepgraph.graph.threads import ROOT_ONLY_LENT
from stepgraph.run.config import (
    CACHE,
    CHECKPOINTER,
    DURABILITY,
    LENT,
    RUNTIME,
    addresses,
    check,
    check_width,
    inherited,
    merged,
)
from stepgraph.run.context import TASK, ambient, current_task
from stepgraph.run.ids import RunIds
from stepgraph.schema.validate import as_context

if TYPE_CHECKING:
    from stepgraph.graph.compiled import CompiledStateGraph

DEFAULT_RECURSION_LIMIT = int(environ.get("LANGGRAPH_DEFAULT_RECURSION_LIMIT", "10007"))
_PLAIN = frozenset(("configurable", "recursion_limit"))


def engine_of(
    graph: CompiledStateGraph,
    input: Any,
    config: dict[str, Any],
    *,
    emit: Emit | None = None,
    interrupt_before: Any = None,
    interrupt_after: Any = None,
    durability: Any = None,
    context: Any = None,
    reading: bool = False,
    strict: bool = False,
    **more: Any,
) -> Engine:
    """One run of the graph, not started. `config` is complete.

    `reading` means the graph that the config's namespace is of, with `strict` a known one.
    """
    around = None if reading else current_task.get(None)
    outer, callbacks = None, None if reading else config.get("callbacks")
    if not reading and (config or around is not None):
        check(config)
        outer = (config.get("configurable") or {}).get(TASK)
        if around is not None:
            if outer is None and not addresses(config):
                outer = around
            config = inherited(ambient(around), config)
    if reading:
        check(config)
    configurable = config.get("configurable") or {}
    limit = DEFAULT_RECURSION_LIMIT if reading else config.get("recursion_limit", DEFAULT_RECURSION_LIMIT)
    if limit < 1:
        raise ValueError("recursion_limit must be at least 1")
    if "max_concurrency" in config and not reading:
        check_width(config["max_concurrency"])
    thread = configurable.get("thread_id")
    saver = graph.saver if not isinstance(graph.checkpointer, bool) else None
    store, cache = graph.store, graph.cache
    if outer is None:
        lent = () if LENT.isdisjoint(configurable) else LENT.intersection(configurable)
        if CHECKPOINTER in lent and graph.checkpointer is not False:
            saver = registry.translated(configurable[CHECKPOINTER])
        if CACHE in lent:
            cache = configurable[CACHE]
        if RUNTIME in lent:
            around_it = configurable[RUNTIME]
            store = around_it.store
            context = getattr(around_it, "context", None) if context is None else context
            more.setdefault("control", getattr(around_it, "control", None))
        if DURABILITY in lent:
            durability = durability or configurable[DURABILITY]
        if graph.checkpointer is True and not reading and CHECKPOINTER not in lent:
            raise RuntimeError(ROOT_ONLY_LENT)
        if saver is not None and thread is None:
            raise ThreadRequiredError
    plan, ns_text = graph.plan, configurable.get("checkpoint_ns") or "" if outer is None else ""
    checkpoint = configurable.get("checkpoint_id")
    if ns_text and reading:
        plan, ns_text = inner_plan(plan, ns_text, strict=strict)
    elif ns_text:
        places = {} if checkpoint is None or saver is None else journey(saver, str(thread), configurable)
        checkpoint = places.pop("", (None, None))[1]
        more["journey"], ns_text = places, ""
    request = Request(input, config, time, RunIds(), limit)
    request.run_id = None if config.get("run_id") is None else str(config["run_id"])
    request.thread = None if thread is None else str(thread)
    request.ns = tuple(ns_text.split("|")) if ns_text else ()
    request.checkpointer, request.checkpoint = saver, checkpoint
    request.emit = emit
    request.interrupt_before, request.interrupt_after = _names(interrupt_before), _names(interrupt_after)
    request.durability = durability or ("async" if outer is None else outer.scope.request.durability)
    request.metadata = _metadata(config)
    request.store, request.cache, request.step_timeout = store, cache, graph.step_timeout
    request.context = None if context is None else as_context(graph.context_schema, context) or None
    request.reading = reading
    for name, value in more.items():
        setattr(request, name, value)
    engine = Engine(plan, request) if outer is None else _nested(graph, outer, request)
    if callbacks and outer is None:
        handlers = sys.modules.get("stepgraph.integrations.callbacks")  # where the class of such handlers is
        if handlers is not None:
            handlers.attach(engine, callbacks)
    return engine


def plain_engine(graph: CompiledStateGraph, input: Any, config: dict[str, Any]) -> Engine:
    """`graph.engine` for a call that says no more than its input, thread and limit, where all else is the default."""
    saver, thread, limit = graph.checkpointer, None, DEFAULT_RECURSION_LIMIT
    if saver is not None or config:
        configurable = config.get("configurable")
        limit = config.get("recursion_limit", limit)
        if type(configurable) is not dict or type(limit) is not int or limit < 1:
            return graph.engine(input, config)
        if not _PLAIN.issuperset(config) or isinstance(saver, bool):
            return graph.engine(input, config)
        thread = configurable.get("thread_id")
        if thread is None or len(configurable) > 1:
            return graph.engine(input, config)
    if current_task.get(None) is not None:
        return graph.engine(input, config)
    request = Request(input, config, time, RunIds(), limit)
    if thread is not None:
        request.thread = str(thread)
        request.checkpointer = registry.translated(saver)
        request.around = getattr(config, "around", MISSING)
    if graph.store is not None:
        request.store = graph.store
    if graph.cache is not None:
        request.cache = graph.cache
    if graph.step_timeout is not None:
        request.step_timeout = graph.step_timeout
    return Engine(graph.plan, request)


def _nested(graph: CompiledStateGraph, outer: Any, request: Request) -> Engine:
    """A graph called from node code: one namespace deeper, with what surrounds it."""
    scope = outer.scope
    around: Request = scope.request
    saver = around.checkpointer or request.checkpointer
    request.run_id, request.thread, request.checkpoint = around.run_id, scope.thread, None
    request.ns = outer.call_ns(graph.checkpointer is True)
    request.lasting = graph.checkpointer is True
    request.checkpointer = None if graph.checkpointer is False else saver
    request.clock, request.gate, request.probe = scope.clock, scope.gate, scope.probe
    request.emit = overheard(outer, scope.emit)
    request.unheard = scope.unheard if outer.progress is None else scope.unheard & ORDINARY
    request.store = graph.store or around.store
    request.cache = graph.cache
    request.context = request.context or around.context
    request.control = request.control or around.control
    request.parent = outer
    engine = Engine(graph.plan, request)
    if engine.keeper is not None:
        engine.keeper.awaits = False  # that of the outer run does not say how this one is driven
    return engine


def _names(given: Any) -> frozenset[str]:
    if not given:
        return frozenset()
    if not isinstance(given, Iterable):
        raise TypeError(f'Interrupts before or after nodes are a list of their names or "*", not {given!r}.')
    return frozenset((given,) if isinstance(given, str) else (_NO_NODE if name == "*" else name for name in given))


_NO_NODE = ":"
"""In the place of a "*" in a list, where it is a name like any other."""


def below(
    graph: CompiledStateGraph, around: Mapping[str, Any], metadata: Mapping[str, Any], limit: int
) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Config, checkpoint metadata and recursion limit of the graph as a node: what is around goes before its own."""
    own = {key: value for key, value in graph.config.items() if key not in ("callbacks", "run_name", "run_id")}
    found = merged(own, around)
    tags, said = around.get("tags") or (), around.get("metadata") or {}
    if own.get("metadata"):
        found["metadata"] = {**said, **{key: value for key, value in own["metadata"].items() if key not in said}}
    if own.get("tags"):
        found["tags"] = [*tags, *(tag for tag in own["tags"] if tag not in tags)]
    return found, {**_metadata(own), **metadata}, found.get("recursion_limit", limit)


def _metadata(config: Mapping[str, Any]) -> dict[str, Any]:
    """What checkpoints say of a run: plain values of the config's metadata and configurable."""
    return plain_values({**(config.get("configurable") or {}), **(config.get("metadata") or {})})
