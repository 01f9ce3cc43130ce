"""A drawing as plain text: nodes as boxes in layers from the first node down, with where each leads."""

from __future__ import annotations

from stepgraph.graph.picture import Graph


def text(graph: Graph) -> str:
    """Boxes in layers. What an edge does besides leading on to the next layer is written under them."""
    if not graph:
        return ""
    layers = _layers(graph)
    rows = [_boxes([graph.nodes[key].name for key in layer]) for layer in layers]
    width = max(len(line) for row in rows for line in row)
    lines: list[str] = []
    for position, row in enumerate(rows):
        if position:
            lines.extend(["|".center(width).rstrip(), "v".center(width).rstrip()])
        lines.extend(line.center(width).rstrip() for line in row)
    return "\n".join([*lines, "", *_arrows(graph)])


def _layers(graph: Graph) -> list[list[str]]:
    """Ids by their distance from the nodes that no edge leads to; those in loops come when first reached."""
    targets = {edge.target for edge in graph.edges}
    current = [key for key in graph.nodes if key not in targets] or [next(iter(graph.nodes))]
    left = dict.fromkeys(graph.nodes)
    found: list[list[str]] = []
    last = graph.last_node()
    while current:
        for key in current:
            left.pop(key, None)
        found.append(current)
        reached = (edge.target for edge in graph.edges if edge.source in current)
        current = [key for key in dict.fromkeys(reached) if key in left and (last is None or key != last.id)]
    if left:
        found.append(list(left))
    return found


def _boxes(names: list[str]) -> list[str]:
    rule = "  ".join("+" + "-" * (len(name) + 2) + "+" for name in names)
    return [rule, "  ".join(f"| {name} |" for name in names), rule]


def _arrows(graph: Graph) -> list[str]:
    """Each node with the nodes that it leads to: `->` always, `.>` if something decides."""
    lines = []
    for key in graph.nodes:
        leads = [
            f"{'.>' if edge.conditional else '->'} {edge.target}" + ("" if edge.data is None else f" [{edge.data}]")
            for edge in graph.edges
            if edge.source == key
        ]
        if leads:
            lines.append(f"{key} {', '.join(leads)}")
    return lines
