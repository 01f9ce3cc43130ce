"""A drawing as DOT text for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stepgraph.core.types import END, START
from stepgraph.graph.drawing import quoted
from stepgraph.graph.picture import Edge, Graph, Node


def dot(graph: Graph, *, fontname: str | None = None, labels: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """DOT text: edges that a router or a Command decides are dashed, opened subgraphs are clusters.

    `labels` has other names for "nodes" and for "edges", by id and by label.
    """
    names = labels or {}
    font = quoted(fontname or "sans-serif")
    clusters: dict[str, list[Node]] = {}
    for key, node in graph.nodes.items():
        path = key.rpartition(":")[0]
        while path and path not in clusters:
            clusters[path] = []
            path = path.rpartition(":")[0]
        clusters.setdefault(key.rpartition(":")[0], []).append(node)
    return "\n".join(
        [
            "digraph G {",
            f"graph [rankdir=TB, fontname={font}];",
            f'node [shape=box, style="rounded,filled", fillcolor="#f2f0ff", fontname={font}];',
            f"edge [fontname={font}, fontsize=10];",
            *_cluster("", clusters, names.get("nodes", {})),
            *(_edge(edge, names.get("edges", {})) for edge in graph.edges),
            "}",
        ]
    )


def _cluster(path: str, clusters: Mapping[str, list[Node]], names: Mapping[str, str]) -> Iterator[str]:
    for node in clusters.get(path, ()):
        label = names.get(node.id, node.name)
        look = ', style="rounded", fontsize=10' if node.name in (START, END) else ""
        yield f"{quoted(node.id)} [label={quoted(label)}{look}];"
    for inner in clusters:
        if inner and inner.rpartition(":")[0] == path:
            yield f"subgraph {quoted('cluster_' + inner)} {{"
            yield f'label={quoted(inner.rpartition(":")[2])}; style="rounded";'
            yield from _cluster(inner, clusters, names)
            yield "}"


def _edge(edge: Edge, names: Mapping[str, str]) -> str:
    looks: list[Any] = []
    if edge.conditional:
        looks.append("style=dashed")
    if edge.data is not None:
        looks.append(f"label={quoted(names.get(str(edge.data), str(edge.data)))}")
    options = f" [{', '.join(looks)}]" if looks else ""
    return f"{quoted(edge.source)} -> {quoted(edge.target)}{options};"
