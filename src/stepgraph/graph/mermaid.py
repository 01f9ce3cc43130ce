"""A drawing as Mermaid text, in the form that langchain-core gives it."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator, Mapping
from typing import Any

from stepgraph.graph.picture import Edge, Graph, Node

PLAIN = frozenset(string.ascii_letters + string.digits + "_-")
ESCAPES = {
    **{character: f"#{ord(character)};" for character in "[](){}<>|"},
    '"': "#quot;",
    "#": "#35;",
}
COLORS = {"default": "fill:#f2f0ff,line-height:1.2", "first": "fill-opacity:0", "last": "fill:#bfb6fc"}


def mermaid(graph: Graph, *, styled: bool, curve: str, colors: Any, words: int, front: Mapping[str, Any]) -> str:
    """Mermaid text; subgraphs (`outer:inner` ids) are boxes of their own. Raises ValueError if two have one name."""
    return "".join(_Text(graph, styled, words).lines(curve, colors, front))


class _Text:
    """One drawing being written."""

    def __init__(self, graph: Graph, styled: bool, words: int) -> None:
        self.graph = graph
        self.styled = styled
        self.words = words
        first, last = graph.first_node(), graph.last_node()
        self.ends = {each.id: kind for each, kind in ((first, "first"), (last, "last")) if each is not None}
        self.nodes: dict[str, list[Node]] = {}
        """Nodes by the path of the subgraph that they are in."""
        for key, node in graph.nodes.items():
            self.nodes.setdefault(key.rpartition(":")[0], []).append(node)
        self.edges: dict[str, list[Edge]] = {}
        """Edges by the path of the innermost subgraph that both ends are in."""
        for edge in graph.edges:
            self.edges.setdefault(_common(edge.source, edge.target), []).append(edge)
        self.drawn: set[str] = set()

    def lines(self, curve: str, colors: Any, front: Mapping[str, Any]) -> Iterator[str]:
        if self.styled:
            yield f"---\n{_yaml(_front(front, curve))}---\n"
        yield "graph TD;\n"
        if self.styled:
            yield from map(self.node, self.nodes.get("", ()))
        yield from self.box("", self.edges.get("", []))
        for path, edges in self.edges.items():
            if path and ":" not in path:
                yield from self.box(path, edges)
                self.drawn.add(path)
        if not self.styled:
            return
        for path, nodes in self.nodes.items():
            if path and ":" not in path and path not in self.drawn:
                yield f"\tsubgraph {path}\n"
                yield from map(self.node, nodes)
                yield "\tend\n"
        for kind, look in COLORS.items():
            yield f"\tclassDef {kind} {getattr(colors, kind, look) if colors is not None else look}\n"

    def box(self, path: str, edges: list[Edge]) -> Iterator[str]:
        """The edges of one subgraph, and those inside it."""
        boxed = bool(path) and not (len(edges) == 1 and edges[0].source == edges[0].target)
        if boxed:
            name = path.rpartition(":")[2]
            if name in self.drawn:
                raise ValueError(
                    f"Found duplicate subgraph '{name}': Mermaid needs a name of its own for each subgraph. "
                    "Give one of the nodes another name."
                )
            self.drawn.add(name)
            yield f"\tsubgraph {name}\n"
            if self.styled:
                yield from map(self.node, self.nodes.get(path, ()))
        yield from map(self.edge, edges)
        for inner, its in self.edges.items():
            if inner.startswith(path + ":") and ":" not in inner[len(path) + 1 :]:
                yield from self.box(inner, its)
        if boxed:
            yield "\tend\n"

    def node(self, node: Node) -> str:
        label = node.name.rpartition(":")[2]
        if label[:1] in ("*", "_", "`") and label[-1:] in ("*", "_", "`"):  # else Mermaid takes it for Markdown
            label = f"<p>{label}</p>"
        notes = [_escaped(f"{key} = {text}") for key, value in (node.metadata or {}).items() if (text := _plain(value))]
        if notes:
            newline = "\n"
            label = f"{label}<hr/><small><em>{newline.join(notes)}</em></small>"
        kind = self.ends.get(node.id)
        shape = f"({label})" if kind is None else f"([{label}]):::{kind}"
        return f"\t{_safe(node.id)}{shape}\n"

    def edge(self, edge: Edge) -> str:
        if edge.data is None:
            arrow = " -.-> " if edge.conditional else " --> "
        else:
            label = self.wrapped(str(edge.data))
            arrow = f" -. &nbsp;{label}&nbsp; .-> " if edge.conditional else f" -- &nbsp;{label}&nbsp; --> "
        return f"\t{_safe(edge.source)}{arrow}{_safe(edge.target)};\n"

    def wrapped(self, text: str) -> str:
        """A long label in several lines."""
        parts, count = text.split(), self.words
        if len(parts) <= count:
            return text
        return "&nbsp<br>&nbsp".join(" ".join(parts[i : i + count]) for i in range(0, len(parts), count))


def _common(source: str, target: str) -> str:
    pairs = zip(source.split(":"), target.split(":"), strict=False)
    return ":".join(one for one, other in pairs if one == other)


def _safe(name: str) -> str:
    """The name as an id that Mermaid takes."""
    return "".join(character if character in PLAIN else f"\\{ord(character):x}" for character in name)


def _escaped(text: str) -> str:
    return "".join(ESCAPES.get(character, character) for character in text)


def _plain(value: Any) -> str | None:
    """Metadata as a label shows it: plain values, and lists of them."""
    if isinstance(value, (str, int, float, bool)):
        return str(value)
    if isinstance(value, (list, tuple, set)) and all(isinstance(each, (str, int, float, bool)) for each in value):
        found = [str(each) for each in value]
        return ", ".join(sorted(found) if isinstance(value, set) else found)
    return None


def _front(given: Mapping[str, Any], curve: str) -> dict[str, Any]:
    config = dict(given.get("config") or {})
    config["flowchart"] = {**(config.get("flowchart") or {}), "curve": curve}
    return {**given, "config": config}


def _yaml(value: Mapping[str, Any], indent: str = "") -> str:
    """Nested mappings of plain values as YAML, keys sorted."""
    lines = []
    for key in sorted(value):
        each = value[key]
        if isinstance(each, Mapping) and each:
            lines.append(f"{indent}{key}:\n{_yaml(each, indent + '  ')}")
        else:
            lines.append(f"{indent}{key}: {_scalar(each)}\n")
    return "".join(lines)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        bare = value and value[0] not in "#&*!|>'\"%@`-?:,[]{} " and ": " not in value and " #" not in value
        words = ("true", "false", "null", "yes", "no", "on", "off", "~")
        number = value.replace(".", "", 1).replace("-", "", 1).isdecimal()
        quoted = value.replace("'", "''")
        return value if bare and value.lower() not in words and not number else f"'{quoted}'"
    return json.dumps(value)
