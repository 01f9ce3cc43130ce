"""DOT out, positions back: ids survive any name, subgraphs open and close."""

from __future__ import annotations

import json

import pytest

from stepgraph.graph.drawing import EdgeShape, GraphShape, NodeShape
from stepgraph.panels.layout import dot_source, parse, run_dot
from tests import services

EVIL = 'a "quoted\\" <b>name</b>;\n}'


def shape() -> GraphShape:
    """START → EVIL → sub(START → inner → END) → END, with a router back to EVIL."""
    nodes = (
        NodeShape("__start__", "__start__", "start", None),
        NodeShape(EVIL, EVIL, "node", None),
        NodeShape("sub", "sub", "subgraph", None),
        NodeShape("sub/__start__", "__start__", "start", "sub"),
        NodeShape("sub/inner", "inner", "node", "sub"),
        NodeShape("sub/__end__", "__end__", "end", "sub"),
        NodeShape("__end__", "__end__", "end", None),
    )
    edges = (
        EdgeShape("__start__", EVIL),
        EdgeShape(EVIL, "sub"),
        EdgeShape("sub/__start__", "sub/inner"),
        EdgeShape("sub/inner", "sub/__end__"),
        EdgeShape("sub", "__end__", True, "good"),
        EdgeShape("sub", EVIL, True, "again"),
        EdgeShape(EVIL, EVIL, True),
    )
    return GraphShape("g", nodes, edges)


@pytest.fixture(autouse=True, scope="module")
def _dot() -> None:
    services.require("dot")


def test_every_node_edge_and_cluster_has_a_place_inside_the_drawing() -> None:
    layout = run_dot(shape(), dot_source(shape()))
    assert layout is not None
    assert set(layout["nodes"]) == {
        "__start__",
        EVIL,
        "sub/__start__",
        "sub/inner",
        "sub/__end__",
        "__end__",
    }
    assert set(layout["clusters"]) == {"sub"}
    assert set(layout["edges"]) == {"0", "1", "2", "3", "4", "5", "6"}
    for x, y, width, height in (*layout["nodes"].values(), *layout["clusters"].values()):
        assert x - width / 2 >= 0
        assert x + width / 2 <= layout["width"] + 1
        assert y - height / 2 >= 0
        assert y + height / 2 <= layout["height"] + 1
    assert "label" in layout["edges"]["4"]


def test_a_closed_subgraph_is_one_box_and_keeps_its_outer_edges() -> None:
    layout = run_dot(shape(), dot_source(shape(), frozenset({"sub"})))
    assert layout is not None
    assert "sub" in layout["nodes"]
    assert "sub/inner" not in layout["nodes"]
    assert set(layout["edges"]) == {"0", "1", "4", "5", "6"}


def test_without_the_program_the_page_is_left_to_lay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert run_dot(shape(), dot_source(shape())) is None


def test_a_layout_that_takes_too_long_is_given_up() -> None:
    big = "\n".join(f'"{i}" -> "{(i * 7) % 3000}"' for i in range(6_000))
    assert run_dot(shape(), "digraph {" + big + "}", seconds=0.05) is None


def test_what_is_no_layout_is_refused_in_words() -> None:
    for text in ("", "[]", "{}", json.dumps({"bb": "0,0,1", "objects": []})):
        with pytest.raises(ValueError, match="no Graphviz layout"):
            parse(text, shape())
