"""How LangGraph draws graphs: here `get_graph()` does."""

from __future__ import annotations

from typing import Any, NamedTuple

from stepgraph.compat.absent import absent
from stepgraph.core.types import END

__all__ = ("Edge", "TriggerEdge", "add_edge")


class Edge(NamedTuple):
    """An edge between nodes, with its label."""

    source: str
    target: str
    conditional: bool
    data: str | None


class TriggerEdge(NamedTuple):
    """What leads from a node, or to a channel."""

    source: str
    conditional: bool
    data: str | None


def add_edge(graph: Any, source: str, target: str, *, data: Any = None, conditional: bool = False) -> None:
    """Add an edge to langchain-core's drawing of a graph, unless the two nodes have one; END comes with its edge."""
    if any((edge.source, edge.target) == (source, target) for edge in graph.edges):
        return
    if target == END and END not in graph.nodes:
        graph.add_node(None, END)
    graph.add_edge(graph.nodes[source], graph.nodes[target], data, conditional)


__getattr__ = absent("langgraph.pregel._draw", "draw_graph")
