"""What `get_graph` returns: nodes and edges that can be drawn, with the methods of langchain-core's `Graph`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from stepgraph.core.plan import Node as PlanNode


class Node(NamedTuple):
    """A node of a drawing. `id` is its path, as "outer:inner" in an opened subgraph; `data` is what was added."""

    id: str
    name: str
    data: Any = None
    metadata: dict[str, Any] | None = None

    def copy(self, *, id: str | None = None, name: str | None = None) -> Node:
        return self._replace(id=id or self.id, name=name or self.name)


class Edge(NamedTuple):
    """An edge between two ids; `conditional` if a router or a Command decides, `data` is its label."""

    source: str
    target: str
    data: Any = None
    conditional: bool = False

    def copy(self, *, source: str | None = None, target: str | None = None) -> Edge:
        return self._replace(source=source or self.source, target=target or self.target)


@dataclass
class Graph:
    """A graph to be drawn: as Mermaid, DOT or plain text, as an SVG or PNG image by Graphviz, or as JSON.

    Nothing here needs the network.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.nodes)

    # Building

    def next_id(self) -> str:
        """An id that no node has."""
        return uuid4().hex

    def add_node(self, data: Any, id: str | None = None, *, metadata: dict[str, Any] | None = None) -> Node:
        """Add a node; its name is its id. Raises ValueError if the id is taken."""
        if id is not None and id in self.nodes:
            raise ValueError(f"Node with id {id} already exists")
        made = id or self.next_id()
        self.nodes[made] = Node(made, made, data, metadata)
        return self.nodes[made]

    def remove_node(self, node: Node) -> None:
        """Take out a node with its edges."""
        del self.nodes[node.id]
        self.edges = [edge for edge in self.edges if node.id not in (edge.source, edge.target)]

    def add_edge(self, source: Node, target: Node, data: Any = None, conditional: bool = False) -> Edge:
        """Add an edge. Raises ValueError if a node is not in the graph."""
        for role, node in (("Source", source), ("Target", target)):
            if node.id not in self.nodes:
                raise ValueError(f"{role} node {node.id} not in graph")
        self.edges.append(Edge(source.id, target.id, data, conditional))
        return self.edges[-1]

    def extend(self, graph: Graph, *, prefix: str = "") -> tuple[Node | None, Node | None]:
        """Take in another graph under ids `prefix:id`; returns its first and last node, if it has one of each."""
        front = f"{prefix}:" if prefix else ""
        for key, node in graph.nodes.items():
            self.nodes[front + key] = node.copy(id=front + key)
        self.edges.extend(edge.copy(source=front + edge.source, target=front + edge.target) for edge in graph.edges)
        ends = (graph.first_node(), graph.last_node())
        first, last = (None if end is None else end.copy(id=front + end.id) for end in ends)
        return first, last

    def reid(self) -> Graph:
        """A copy of the graph; ids here are readable already."""
        return Graph(dict(self.nodes), list(self.edges))

    # Its ends

    def first_node(self) -> Node | None:
        """The only node that no edge leads to, or None."""
        return self._only({edge.target for edge in self.edges})

    def last_node(self) -> Node | None:
        """The only node that no edge leaves, or None."""
        return self._only({edge.source for edge in self.edges})

    def _only(self, reached: Collection[str], without: str | None = None) -> Node | None:
        found = [node for key, node in self.nodes.items() if key not in reached and key != without]
        return found[0] if len(found) == 1 else None

    def trim_first_node(self) -> None:
        """Take out the first node, if just one edge leaves it and another node is first then."""
        first = self.first_node()
        if first is None or sum(edge.source == first.id for edge in self.edges) != 1:
            return
        if self._only({edge.target for edge in self.edges if edge.source != first.id}, first.id) is not None:
            self.remove_node(first)

    def trim_last_node(self) -> None:
        """Take out the last node, if just one edge leads to it and another node is last then."""
        last = self.last_node()
        if last is None or sum(edge.target == last.id for edge in self.edges) != 1:
            return
        if self._only({edge.source for edge in self.edges if edge.target != last.id}, last.id) is not None:
            self.remove_node(last)

    # Drawing

    def to_json(self, *, with_schemas: bool = False) -> dict[str, list[dict[str, Any]]]:
        """Nodes and edges as JSON. `with_schemas` describes nodes that are Pydantic models."""
        nodes, edges = [], []
        for node in self.nodes.values():
            shown = {"id": node.id, **_data(node, with_schemas)}
            if node.metadata is not None:
                shown["metadata"] = node.metadata
            nodes.append(shown)
        for edge in self.edges:
            row: dict[str, Any] = {"source": edge.source, "target": edge.target}
            if edge.data is not None:
                row["data"] = edge.data
            if edge.conditional:
                row["conditional"] = True
            edges.append(row)
        return {"nodes": nodes, "edges": edges}

    def draw_mermaid(
        self,
        *,
        with_styles: bool = True,
        curve_style: Any = "linear",
        node_colors: Any = None,
        wrap_label_n_words: int = 9,
        frontmatter_config: Mapping[str, Any] | None = None,
    ) -> str:
        """Mermaid text. `node_colors` has `default`, `first` and `last`; `frontmatter_config` is put in front."""
        from stepgraph.graph.mermaid import mermaid

        return mermaid(
            self, styled=with_styles, curve=getattr(curve_style, "value", curve_style), colors=node_colors,
            words=wrap_label_n_words, front=frontmatter_config or {},
        )  # fmt: skip

    def draw_dot(self) -> str:
        """DOT text for Graphviz; opened subgraphs are clusters."""
        from stepgraph.graph.dot import dot

        return dot(self)

    def draw_svg(self) -> str:
        """An SVG image, drawn by Graphviz. Raises RuntimeError that says how to install it."""
        return self._rendered("svg").decode()

    def draw_png(
        self, output_file_path: str | None = None, fontname: str | None = None, labels: Any = None
    ) -> bytes | None:
        """A PNG image, drawn by Graphviz: as bytes, or written to a file. `labels` renames "nodes" and "edges"."""
        from stepgraph.graph.dot import dot

        drawn = rendered(dot(self, fontname=fontname, labels=labels or {}), "png")
        if output_file_path is None:
            return drawn
        Path(output_file_path).write_bytes(drawn)
        return None

    def draw_mermaid_png(self, *, output_file_path: str | None = None, **_looks: Any) -> bytes:
        """A PNG image, drawn by Graphviz on this machine.

        LangGraph sends the graph to a web service here and takes that service's options, which have no meaning for
        Graphviz. Raises RuntimeError that says how to install it.
        """
        drawn = self._rendered("png")
        if output_file_path is not None:
            Path(output_file_path).write_bytes(drawn)
        return drawn

    def _rendered(self, form: str) -> bytes:
        return rendered(self.draw_dot(), form)

    def draw_ascii(self) -> str:
        """The graph as plain text: boxes in layers, and the edges of each node."""
        from stepgraph.graph.layers import text

        return text(self)

    def print_ascii(self) -> None:
        """Print the graph as plain text."""
        print(self.draw_ascii())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from stepgraph.graph.drawing import shown_in_notebooks

        return shown_in_notebooks(self.draw_ascii(), self.draw_dot())


def rendered(dot: str, form: str) -> bytes:
    """An image of DOT text, by Graphviz."""
    try:
        import graphviz
    except ImportError:
        raise RuntimeError(
            'Drawing an image needs Graphviz: pip install "stepgraph[lab]" and the `dot` program '
            "(graphviz.org/download). `draw_mermaid()` and `draw_ascii()` work without it."
        ) from None
    try:
        drawn: bytes = graphviz.Source(dot).pipe(format=form)
    except graphviz.ExecutableNotFound:
        raise RuntimeError(
            "Drawing an image needs the `dot` program of Graphviz: install it from your system's packages, or "
            "graphviz.org/download. `draw_mermaid()` and `draw_ascii()` work without it."
        ) from None
    return drawn


def _data(node: Node, with_schemas: bool) -> dict[str, Any]:
    """What JSON says of the object behind a node."""
    data = node.data
    if data is None:
        return {}
    if isinstance(data, type) and hasattr(data, "model_json_schema"):
        return {"type": "schema", "data": data.model_json_schema() if with_schemas else node.id}
    kind = type(data)
    if hasattr(data, "plan"):
        where = _COMPILED
    elif hasattr(data, "invoke") and not isinstance(data, PlanNode):
        where = [*kind.__module__.split("."), kind.__name__]
    else:
        where = _FUNCTION
    return {"type": "runnable", "data": {"id": where, "name": node.id}}


# What front ends of LangGraph know functions and graphs by.
_FUNCTION = ["langgraph", "_internal", "_runnable", "RunnableCallable"]
_COMPILED = ["langgraph", "graph", "state", "CompiledStateGraph"]
