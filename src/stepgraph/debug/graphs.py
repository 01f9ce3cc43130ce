"""A compiled graph made ready for a debugger: it keeps its threads, and its breakpoints become gates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stepgraph.approve.judge import Judge, LazyJudge
from stepgraph.core.plan import Plan
from stepgraph.core.registry import open_checkpointer, translated
from stepgraph.core.types import START
from stepgraph.graph.compiled import CompiledStateGraph

Static = tuple[frozenset[str], frozenset[str]]


def watched(graph: CompiledStateGraph, checkpointer: Any = None) -> tuple[CompiledStateGraph, Static]:
    """The same graph with a checkpointer (in memory if it has none), and the static breakpoints taken out of it."""
    other = CompiledStateGraph.__new__(CompiledStateGraph)
    other.__dict__.update(graph.__dict__)
    plan = graph.plan
    static = (plan.interrupt_before, plan.interrupt_after)
    if any(static):
        other.plan = replace(plan, interrupt_before=frozenset(), interrupt_after=frozenset())
    if not has_checkpointer(graph):
        other.checkpointer = open_checkpointer("memory://") if checkpointer is None else checkpointer
    return other, static


def has_checkpointer(graph: CompiledStateGraph) -> bool:
    """Whether the graph brings its own; True and False are words for subgraphs."""
    return graph.checkpointer is not None and not isinstance(graph.checkpointer, bool)


def store_of(graph: CompiledStateGraph) -> Any:
    """Where the threads of a graph that is ready for the debugger are; one of LangGraph's opened for reading."""
    saver = translated(graph.checkpointer)
    reader = getattr(saver, "reader", None)
    return saver if reader is None else reader(graph.plan)


class Judges:
    """The judge of each graph and subgraph, made on first use."""

    def __init__(self, graph: CompiledStateGraph) -> None:
        self._schemas: dict[int, Any] = {}
        self._judges: dict[int, Judge] = {}
        self._learn(graph.plan, graph.builder.state_schema)

    def of(self, plan: Plan) -> Judge:
        found = self._judges.get(id(plan))
        if found is None:
            schema = self._schemas.get(id(plan))
            model = schema if hasattr(schema, "model_fields") else None
            types = {key: channel.type for key, channel in plan.channels.items() if key != START}
            found = self._judges[id(plan)] = LazyJudge(types, model)
        return found

    def _learn(self, plan: Plan, schema: Any) -> None:
        self._schemas[id(plan)] = schema
        for node in plan.nodes.values():
            builder = getattr(node.source, "builder", None)
            if node.child is not None and builder is not None:
                self._learn(node.child, builder.state_schema)


def same_graph(known: CompiledStateGraph, other: CompiledStateGraph) -> bool:
    """Whether one is probably the other, defined again in a notebook: most node names are common to both."""
    mine, its = set(known.plan.nodes) - {START}, set(other.plan.nodes) - {START}
    return 2 * len(mine & its) >= max(len(mine), len(its))
