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
from stepgraph.core.plan import Plan
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
    callbacks = None if reading else config.get("callbacks")
    if config:
        check(config)
    outer, config = (None, config) if reading else _surrounded(config)
    configurable = config.get("configurable") or {}
    limit = DEFAULT_RECURSION_LIMIT if reading else config.get("recursion_limit", DEFAULT_RECURSION_LIMIT)
    if limit < 1:
        raise ValueError("recursion_limit must be at least 1")
    if "max_concurrency" in config and not reading:
        check_width(config["max_concurrency"])
    request = Request(input, config, time, RunIds(), limit)
    thread = configurable.get("thread_id")
    request.run_id = None if config.get("run_id") is None else str(config["run_id"])
    request.thread = None if thread is None else str(thread)
    request.emit, request.reading = emit, reading
    request.interrupt_before, request.interrupt_after = _names(interrupt_before), _names(interrupt_after)
    request.metadata = _metadata(config)
    request.store, request.cache, request.step_timeout = graph.store, graph.cache, graph.step_timeout
    request.context = context
    for name, value in more.items():
        setattr(request, name, value)
    if durability:
        request.durability = durability
    elif outer is not None:
        request.durability = outer.scope.request.durability
    request.checkpointer = graph.saver if not isinstance(graph.checkpointer, bool) else None
    request.checkpoint = configurable.get("checkpoint_id")
    if outer is None and not LENT.isdisjoint(configurable):
        _borrow(graph, request, configurable, durability)
    if request.context is not None:
        request.context = as_context(graph.context_schema, request.context) or None
    if outer is not None:
        return _nested(graph, outer, request)
    if graph.checkpointer is True and not reading and CHECKPOINTER not in configurable:
        raise RuntimeError(ROOT_ONLY_LENT)
    if request.checkpointer is not None and thread is None:
        raise ThreadRequiredError
    engine = Engine(_addressed(graph, request, configurable, strict), request)
    handlers = sys.modules.get("stepgraph.integrations.callbacks") if callbacks else None  # where their class is
    if handlers is not None:
        handlers.attach(engine, callbacks)
    return engine


def _surrounded(config: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The task of whose node's code the call is a part, if it is, and the config with what that inherits."""
    around = current_task.get(None)
    if not config and around is None:
        return None, config
    outer = (config.get("configurable") or {}).get(TASK)
    if around is not None:
        if outer is None and not addresses(config):
            outer = around
        config = inherited(ambient(around), config)
    return outer, config


def _borrow(graph: CompiledStateGraph, request: Request, lent: Mapping[str, Any], durability: Any) -> None:
    """Take what the caller lends an outermost run in its configurable. What the call itself says goes before."""
    if CHECKPOINTER in lent and graph.checkpointer is not False:
        request.checkpointer = registry.translated(lent[CHECKPOINTER])
    if CACHE in lent:
        request.cache = lent[CACHE]
    if RUNTIME in lent:
        runtime = lent[RUNTIME]
        request.store = runtime.store
        if request.context is None:
            request.context = getattr(runtime, "context", None)
        if request.control is None:
            request.control = getattr(runtime, "control", None)
    if DURABILITY in lent and not durability and lent[DURABILITY]:
        request.durability = lent[DURABILITY]


def _addressed(graph: CompiledStateGraph, request: Request, configurable: Mapping[str, Any], strict: bool) -> Plan:
    """The plan of the graph that the config's namespace is of, to look at; to run, the outermost one leads there."""
    ns = configurable.get("checkpoint_ns") or ""
    if not ns:
        return graph.plan
    if request.reading:
        plan, ns = inner_plan(graph.plan, ns, strict=strict)
        request.ns = tuple(ns.split("|")) if ns else ()
        return plan
    places: dict[str, Any] = {}
    if request.checkpoint is not None and request.checkpointer is not None:
        places = journey(request.checkpointer, str(request.thread), configurable)
    request.checkpoint = places.pop("", (None, None))[1]
    request.journey = places
    return graph.plan


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
