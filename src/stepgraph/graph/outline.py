"""The edges of a compiled graph as a drawing shows them: found by running it on names alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stepgraph.core.plan import Node as PlanNode
from stepgraph.core.plan import Plan
from stepgraph.core.types import END, START
from stepgraph.graph.picture import Edge, Graph

LONGEST = 251
"""How many supersteps of a graph that never ends are looked at."""


def picture(graph: Any, xray: bool | int = False) -> Graph:
    """The drawing of a compiled graph. `xray` opens its subgraphs: True all of them, a number so many levels."""
    inside = {}
    if xray:
        deeper = xray if isinstance(xray, bool) or xray <= 0 else xray - 1
        inside = {name: inner.get_graph(xray=deeper) for name, inner in graph.get_subgraphs()}
    drawn = _flat(graph.plan)
    for name, inner in inside.items():
        if len(inner.nodes) > 1 and name in drawn.nodes and inner.first_node() and inner.last_node():
            _open(drawn, name, inner)
    return drawn


def _flat(plan: Plan) -> Graph:
    """The graph with its subgraphs as single nodes."""
    edges, last = _run(plan)
    drawn = Graph()
    channelled = bool(plan.subscribers)
    for name, node in plan.nodes.items():
        if not channelled or name != START:
            source = node.source if node.source is not None else node
            drawn.add_node(source, name, metadata=_metadata(plan, node) or None)
    if START not in plan.nodes:  # an entrypoint's function is the first node itself
        drawn.add_node(None, START)
        _join(drawn, START, plan.entry)
    elif channelled:  # input is written into channels: nothing runs for it
        drawn.add_node(None, START)
    for edge in sorted(edges, key=lambda each: (each.source, each.target, each.conditional, each.data or "")):
        label = edge.data if edge.data != edge.target else None
        _join(drawn, edge.source, edge.target, label, edge.conditional)
    sources = {edge.source for edge in edges}
    stops = sorted({edge.target for edge in edges if edge.target != END} - sources)
    for name in stops:
        _join(drawn, name, END)
    if not stops and len(last) == 1 and not any(edge.target == END for edge in edges):
        _join(drawn, next(iter(last)), END, conditional=True)
    return drawn


def _join(drawn: Graph, source: str, target: str, label: str | None = None, conditional: bool = False) -> None:
    """Add an edge, unless there is one between these two."""
    if any(edge.source == source and edge.target == target for edge in drawn.edges):
        return
    if target not in drawn.nodes:
        drawn.add_node(None, target)
    drawn.add_edge(drawn.nodes[source], drawn.nodes[target], label, conditional)


def _metadata(plan: Plan, node: PlanNode) -> dict[str, Any]:
    """What was given, and what the graph does with the node."""
    found = dict(node.metadata)
    if node.defer:
        found["defer"] = True
    stops = [
        word
        for word, names in (("before", plan.interrupt_before), ("after", plan.interrupt_after))
        if node.name in names
    ]
    if stops:
        found["__interrupt"] = ",".join(stops)
    tools = getattr(node.source, "tools_by_name", None)
    if isinstance(tools, Mapping) and tools:
        found["__tools"] = list(tools)
    return found


def _run(plan: Plan) -> tuple[set[Edge], set[str]]:
    """All edges that can be gone, and the nodes of the last superstep.

    Static edges are gone each time, conditional ones the first time, those of a join once all of its sources have run.
    A static edge beside a conditional one counts as that the first time.
    A deferred node runs when nothing else does; if nothing in the superstep before leads to it, it is drawn as if
    everything there might.
    """
    edges: set[Edge] = set()
    current, known, met = {START if START in plan.nodes else plan.entry}, set(), set()
    barriers: dict[str, set[str]] = {}
    waiting: set[str] = set()
    last: set[str] = set()
    for _ in range(LONGEST):
        if not current:
            break
        last = current
        following: set[str] = set()
        for name in sorted(current):
            node = plan.nodes[name]
            declared = list(_edges(plan, node))
            chosen = set() if name in known else {edge.target for edge in declared if edge.conditional}
            for edge in declared:
                if not edge.conditional and edge.target in chosen:
                    following.add(edge.target)
                    continue
                if edge.target == END and not edge.conditional:
                    continue
                edges.add(edge)
                met.add(edge)
                if edge.target != END and (not edge.conditional or name not in known):
                    following.add(edge.target)
            for key in node.joins:
                barrier = plan.barriers[key]
                seen = barriers.setdefault(key, set())
                seen.add(name)
                if len(seen) == len(barrier.sources):
                    edges.update(Edge(each, barrier.node) for each in seen)
                    seen.clear()
                    following.add(barrier.node)
            known.add(name)
        waiting |= following & plan.deferred
        following -= plan.deferred
        if not following and waiting:
            following, waiting = waiting, set()
            for name in following:
                if not any(edge.source in current and edge.target == name for edge in edges):
                    edges.update(Edge(source, name, None, True) for source in current)
        current = following
    return edges, last


def _edges(plan: Plan, node: PlanNode) -> Iterator[Edge]:
    """The declared edges of a node, without joins."""
    for target in node.successors:
        yield Edge(node.name, target)
    if node.to_end:
        yield Edge(node.name, END)
    for router in node.routers:
        if router.path_map is not None:
            for key, target in router.path_map.items():
                yield Edge(node.name, target, str(key), True)
    for target in node.ends:  # of a graph of channels: what follows in any case
        if target in plan.nodes or target == END:
            yield Edge(node.name, target, node.end_labels.get(target), not plan.subscribers)


def _open(drawn: Graph, name: str, inner: Graph) -> None:
    """Put the drawing of a subgraph in the place of its node."""
    inner.trim_first_node()
    inner.trim_last_node()
    del drawn.nodes[name]
    first, last = drawn.extend(inner, prefix=name)
    assert first is not None
    assert last is not None
    drawn.edges = [
        edge.copy(source=last.id if edge.source == name else None, target=first.id if edge.target == name else None)
        for edge in drawn.edges
    ]
