"""The shape of a graph, for panels and pictures: nodes, edges, subgraphs as clusters, as DOT text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from stepgraph.core.plan import Plan
from stepgraph.core.types import END, START

Kind = Literal["start", "end", "node", "subgraph", "handler"]


@dataclass(frozen=True, slots=True)
class NodeShape:
    """A node by its path: "draft", or "research/plan" inside a subgraph; `parent` is the subgraph's path.

    `name` is what is shown. That of an error handler is "on error": its path is a name that nobody gave.
    """

    path: str
    name: str
    kind: Kind
    parent: str | None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EdgeShape:
    """An edge between two paths; `conditional` if a router or a Command decides, `label` is its key in the path map."""

    source: str
    target: str
    conditional: bool = False
    label: str | None = None


@dataclass(frozen=True, slots=True)
class GraphShape:
    """A whole graph with its subgraphs opened."""

    name: str
    nodes: tuple[NodeShape, ...]
    edges: tuple[EdgeShape, ...]


def structure(graph: Any) -> GraphShape:
    """The shape of a compiled graph."""
    plan: Plan = graph.plan
    nodes: list[NodeShape] = []
    edges: list[EdgeShape] = []
    _walk(plan, "", None, nodes, edges)
    return GraphShape(plan.name, tuple(nodes), tuple(edges))


def _walk(plan: Plan, prefix: str, parent: str | None, nodes: list[NodeShape], edges: list[EdgeShape]) -> None:
    found = list(_edges(plan, prefix))
    handlers = {node.handler for node in plan.nodes.values()}
    reached = {edge.source for edge in found}
    nodes.append(NodeShape(prefix + START, START, "start", parent))
    if plan.entry != START:  # an entrypoint's function is the first node itself
        found.insert(0, EdgeShape(prefix + START, prefix + plan.entry))
    for name, node in plan.nodes.items():
        if name == START:
            continue
        path = prefix + name
        kind: Kind = "node" if node.child is None else "subgraph"
        shown = name
        if name in handlers:
            kind, shown = "handler", "on error"
        nodes.append(NodeShape(path, shown, kind, parent, dict(node.metadata)))
        if node.child is not None:
            _walk(node.child, f"{path}/", path, nodes, edges)
        if path not in reached:
            found.append(EdgeShape(path, prefix + END))
    if any(edge.target == prefix + END for edge in found):
        nodes.append(NodeShape(prefix + END, END, "end", parent))
    edges.extend(found)


def _edges(plan: Plan, prefix: str) -> Iterator[EdgeShape]:
    for name, node in plan.nodes.items():
        for target in node.successors:
            yield EdgeShape(prefix + name, prefix + target)
        for key in node.joins:
            yield EdgeShape(prefix + name, prefix + plan.barriers[key].node)
        if node.to_end:
            yield EdgeShape(prefix + name, prefix + END)
        for router in node.routers:
            for target in router.targets:
                yield EdgeShape(prefix + name, prefix + target, True, router.labels.get(target))
        if node.handler is not None:
            yield EdgeShape(prefix + name, prefix + node.handler, True)
        for target in node.ends:
            if target in plan.nodes or target == END:
                yield EdgeShape(prefix + name, prefix + target, True, node.end_labels.get(target))


GREY = "#767676"
"""What is drawn on the page itself: the page may be white or nearly black, and an image can't know which."""


def to_dot(shape: GraphShape, collapsed: frozenset[str] = frozenset()) -> str:
    """DOT text. Elements have stable ids: `n:<path>`, `e:<position in shape.edges>`, `c:<path>` for clusters.

    Subgraphs in `collapsed` are drawn as one box.
    """
    lines = [
        "digraph G {",
        'graph [rankdir=LR, bgcolor="transparent", nodesep=0.3, ranksep=0.45, fontname="sans-serif", compound=true,'
        f' color="{GREY}", fontcolor="{GREY}"];',
        'node [shape=box, style="rounded,filled", fillcolor="#ffffff", fontname="sans-serif", fontsize=12,'
        f' height=0.36, margin="0.14,0.06", color="{GREY}", fontcolor="#000000"];',
        f'edge [arrowsize=0.7, fontname="sans-serif", fontsize=10, color="{GREY}", fontcolor="{GREY}"];',
    ]
    children: dict[str | None, list[NodeShape]] = {}
    for node in shape.nodes:
        children.setdefault(node.parent, []).append(node)
    _cluster(children, None, collapsed, lines)
    opened = {node.path for node in shape.nodes if node.kind == "subgraph" and node.path not in collapsed}
    shown: set[tuple[str, str, bool]] = set()
    for position, edge in enumerate(shape.edges):
        source, target = _visible(edge.source, collapsed), _visible(edge.target, collapsed)
        if source == target and edge.source != edge.target:
            continue
        options = [f'id="e:{position}"']
        if source in opened:
            options.append(f"ltail={quoted('cluster_' + source)}")
            source = f"{source}/{_exit(shape, source)}"
        if target in opened:
            options.append(f"lhead={quoted('cluster_' + target)}")
            target = f"{target}/{START}"
        key = (source, target, edge.conditional)
        if key in shown and not edge.label:
            continue
        shown.add(key)
        if edge.conditional:
            options.append("style=dashed")
        if edge.label:
            options.append(f"label={quoted(edge.label)}")
        lines.append(f"{quoted(source)} -> {quoted(target)} [{', '.join(options)}];")
    lines.append("}")
    return "\n".join(lines)


def _exit(shape: GraphShape, path: str) -> str:
    ends = {node.path for node in shape.nodes if node.parent == path}
    return END if f"{path}/{END}" in ends else START


def _cluster(
    children: Mapping[str | None, list[NodeShape]], parent: str | None, collapsed: frozenset[str], lines: list[str]
) -> None:
    for node in children.get(parent, ()):
        if node.kind == "subgraph" and node.path not in collapsed:
            lines.append(f"subgraph {quoted('cluster_' + node.path)} {{")
            lines.append(f'id={quoted("c:" + node.path)}; label={quoted(node.name)}; style="rounded"; fontsize=11;')
            _cluster(children, node.path, collapsed, lines)
            lines.append("}")
            continue
        lines.append(f"{quoted(node.path)} [{_look(node)}];")


def _look(node: NodeShape) -> str:
    identity = f"id={quoted('n:' + node.path)}"
    if node.kind in ("start", "end"):
        label = "START" if node.kind == "start" else "END"
        return f'{identity}, label="{label}", shape=box, style="rounded", fontsize=10, height=0.28, fontcolor="{GREY}"'
    extra = ', style="rounded,filled,bold"' if node.kind == "subgraph" else ""
    return f"{identity}, label={quoted(node.name)}{extra}"


def _visible(path: str, collapsed: frozenset[str]) -> str:
    """The path itself, or the outermost collapsed subgraph around it."""
    parts = path.split("/")
    for length in range(1, len(parts)):
        outer = "/".join(parts[:length])
        if outer in collapsed:
            return outer
    return path


def quoted(text: str) -> str:
    """The text as a DOT string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def text_form(shape: GraphShape) -> str:
    """The graph as an indented list, for terminals and screen readers."""
    targets: dict[str, list[str]] = {}
    for edge in shape.edges:
        label = f" [{edge.label}]" if edge.label else ""
        arrow = "┄>" if edge.conditional else "─>"
        targets.setdefault(edge.source, []).append(f"{arrow} {edge.target.rpartition('/')[2]}{label}")
    lines = [f"graph {shape.name}"]
    for node in shape.nodes:
        indent = "  " * (node.path.count("/") + 1)
        following = ", ".join(dict.fromkeys(targets.get(node.path, ())))
        lines.append(f"{indent}{node.name} {following}".rstrip())
    return "\n".join(lines)


def mimebundle(graph: Any) -> dict[str, Any]:
    """What a notebook shows of a graph: SVG by Graphviz where it is installed, and always text."""
    shape = structure(graph)
    return shown_in_notebooks(text_form(shape), to_dot(shape))


def shown_in_notebooks(text: str, dot: str) -> dict[str, Any]:
    """The text, and the image of DOT text where Graphviz is installed."""
    bundle: dict[str, Any] = {"text/plain": text}
    svg = _svg(dot)
    if svg is not None:
        bundle["image/svg+xml"] = svg
    return bundle


def _svg(dot: str) -> str | None:
    try:
        import graphviz
    except ImportError:
        return None
    try:
        drawn: str = graphviz.Source(dot).pipe(format="svg", encoding="utf-8")
    except (graphviz.ExecutableNotFound, graphviz.CalledProcessError):
        return None
    return drawn
