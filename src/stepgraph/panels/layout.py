"""Where nodes and edges of a drawn graph are: DOT with fixed box sizes out, positions from Graphviz's JSON back.

Only positions are taken from Graphviz; panels draw themselves, so that a name can never become markup and a state
change never moves a box.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from stepgraph.core.types import END, START

if TYPE_CHECKING:
    from stepgraph.graph.drawing import GraphShape, NodeShape

HEIGHT = 30
LETTER = 6.9
"""Width of a letter in a node's name."""
BESIDE = 46.0
"""Room in a node beside its name: the mark on the left, and as much on the right."""
EDGE_ROOM = 40
"""Letters of an edge's label that are shown."""
SECONDS = 20.0


class Layout(TypedDict):
    """Positions in CSS pixels from the top left. Boxes are (centre x, centre y, width, height)."""

    width: float
    height: float
    nodes: dict[str, list[float]]
    clusters: dict[str, list[float]]
    edges: dict[str, dict[str, Any]]


def visible(shape: GraphShape, collapsed: frozenset[str]) -> dict[str, str]:
    """Each node's path -> the path of the box that stands for it: itself, or the outermost collapsed subgraph."""
    parents = {node.path: node.parent for node in shape.nodes}
    shown: dict[str, str] = {}
    for path in parents:
        box = path
        above: str | None = path
        while above is not None:
            box = above if above in collapsed else box
            above = parents.get(above)
        shown[path] = box
    return shown


def dot_source(shape: GraphShape, collapsed: frozenset[str] = frozenset()) -> str:
    """DOT whose ids are `n:NUMBER`, `c:NUMBER` and `e:NUMBER`: indexes into the shape, so that any name is harmless."""
    shown = visible(shape, collapsed)
    numbers = {node.path: number for number, node in enumerate(shape.nodes)}
    inside: dict[str | None, list[NodeShape]] = {}
    for node in shape.nodes:
        if shown[node.path] == node.path:
            inside.setdefault(node.parent, []).append(node)
    lines = [
        "digraph {",
        "graph [rankdir=LR, nodesep=0.2, ranksep=0.42, margin=0, pad=0]",
        'node [shape=box, fixedsize=true, label=""]',
        "edge [arrowsize=0.6, fontsize=10, fontname=sans]",
        *_boxes(inside, None, collapsed, numbers),
    ]
    drawn: set[tuple[str, str, str | None]] = set()
    for number, edge in enumerate(shape.edges):
        source, target = shown[edge.source], shown[edge.target]
        within = source == target and edge.source != edge.target
        if within or (source, target, edge.label) in drawn:
            continue
        drawn.add((source, target, edge.label))
        start, end = _ends(source, target, inside)
        lines.append(_edge(number, numbers[start], numbers[end], edge.label))
    return "\n".join([*lines, "}"])


def parse(text: str, shape: GraphShape) -> Layout:
    """Positions from the output of `dot -Tjson0` for that shape. Raises ValueError if it is none."""
    try:
        drawn = json.loads(text)
        _, _, width, height = map(float, drawn["bb"].split(","))
        layout = Layout(width=width, height=height, nodes={}, clusters={}, edges={})
        for each in drawn.get("objects", ()):
            kind, _, number = each.get("id", "").partition(":")
            path = shape.nodes[int(number)].path if kind in ("n", "c") else ""
            if kind == "n":
                x, y = map(float, each["pos"].split(","))
                size = [float(each["width"]) * 72, float(each["height"]) * 72]
                layout["nodes"][path] = _rounded(x, height - y, *size)
            elif kind == "c":
                x1, y1, x2, y2 = map(float, each["bb"].split(","))
                layout["clusters"][path] = _rounded((x1 + x2) / 2, height - (y1 + y2) / 2, x2 - x1, y2 - y1)
        for each in drawn.get("edges", ()):
            layout["edges"][each["id"].partition(":")[2]] = _curve(each, height)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"This is no Graphviz layout in JSON: {type(error).__name__}: {error}") from error
    return layout


def run_dot(shape: GraphShape, source: str, seconds: float = SECONDS) -> Layout | None:
    """The layout of `source` by the `dot` program; None if program or package is missing or it takes longer."""
    try:
        from graphviz.backend.dot_command import command
    except ImportError:
        return None
    try:
        done = subprocess.run(
            [str(part) for part in command("dot", "json0")],
            input=source,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=seconds,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None  # the page lays out itself
    return parse(done.stdout, shape)


def _boxes(
    inside: Mapping[str | None, list[NodeShape]],
    parent: str | None,
    collapsed: frozenset[str],
    numbers: Mapping[str, int],
) -> list[str]:
    lines: list[str] = []
    for node in inside.get(parent, ()):
        number = numbers[node.path]
        if node.kind == "subgraph" and node.path not in collapsed and node.path in inside:
            label = f'graph [id="c:{number}", label={_quoted(node.name)}, margin=10, fontsize=11]'
            lines += [f"subgraph cluster_{number} {{", label, *_boxes(inside, node.path, collapsed, numbers), "}"]
        else:
            size = f"width={node_width(node) / 72:.3f}, height={HEIGHT / 72:.3f}"
            lines.append(f'{number} [id="n:{number}", {size}]')
    return lines


def node_width(node: NodeShape) -> float:
    """Room for mark and name, so that no state needs another width; how often it ran stands above."""
    if node.name in (START, END):
        return 50.0
    return min(260.0, max(64.0, LETTER * _letters(node.name) + BESIDE))


def shortened(name: str, width: float) -> str:
    """What of a node's name fits into its box."""
    room = (width - BESIDE) / LETTER + 0.1
    if _letters(name) <= room:
        return name
    kept = len(name)
    while kept and _letters(name[:kept]) + 1 > room:
        kept -= 1
    return f"{name[:kept]}…"


def _letters(text: str) -> int:
    """Widths of a Latin letter that a text takes."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def _ends(source: str, target: str, inside: Mapping[str | None, list[NodeShape]]) -> tuple[str, str]:
    """Where an edge begins and ends: an opened subgraph is left at its END and entered at its START."""
    if source in inside:
        names = {node.name for node in inside[source]}
        source = f"{source}/{END if END in names else START}"
    return source, f"{target}/{START}" if target in inside else target


def _edge(number: int, source: int, target: int, label: str | None) -> str:
    shown = f", label={_quoted(label[:EDGE_ROOM])}" if label else ""
    return f'{source} -> {target} [id="e:{number}"{shown}]'


def _curve(edge: Mapping[str, Any], height: float) -> dict[str, Any]:
    """SVG path of a Graphviz spline: `e,x,y` is the arrow's point, then a Bézier chain."""
    points: list[tuple[float, float]] = []
    tip: tuple[float, float] | None = None
    for part in edge["pos"].split(";")[0].split():
        if part.startswith(("e,", "s,")):
            x, y = map(float, part[2:].split(","))
            tip = (x, height - y) if part[0] == "e" else tip
        else:
            x, y = map(float, part.split(","))
            points.append((x, height - y))
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}C" + " ".join(f"{x:.1f} {y:.1f}" for x, y in points[1:])
    curve: dict[str, Any] = {"d": path + (f"L{tip[0]:.1f} {tip[1]:.1f}" if tip else "")}
    if "lp" in edge:
        x, y = map(float, edge["lp"].split(","))
        curve["label"] = _rounded(x, height - y)
    return curve


def _rounded(*numbers: float) -> list[float]:
    return [round(number, 1) for number in numbers]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
