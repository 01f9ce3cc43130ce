"""Drawings: the same nodes, edges and Mermaid text as LangGraph's, and images without the network."""

from __future__ import annotations

import operator
import re
import shutil
import socket
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from langgraph import graph as langgraph_words
from langgraph import types as langgraph_types
from typing_extensions import TypedDict

import stepgraph
from stepgraph.graph.drawing import structure, text_form, to_dot
from stepgraph.graph.picture import Graph, Node
from tests.differential.engines import Words

THEIRS = Words(langgraph_words, langgraph_types)
OURS = Words(stepgraph)


class State(TypedDict, total=False):
    log: Annotated[list, operator.add]


def graph_of(words: Any, *names: str, **metadata: Any) -> Any:
    """A graph with these nodes and no edges."""
    g = words.StateGraph(State)
    for name in names:
        g.add_node(name, lambda state: {}, metadata=metadata.get(name))
    return g


def branching(words: Any) -> Any:
    g = graph_of(words, "a", "b", "c", "d", b={"k": 1, "z": ["q", "r"], "deep": {"not": "shown"}})
    g.add_edge(words.START, "a")
    g.add_conditional_edges("a", lambda state: "yes", {"yes": "b", "no": "c", True: words.END})
    g.add_edge(["b", "c"], "d")
    return g


def undeclared(words: Any) -> Any:
    g = graph_of(words, "a", "b")
    g.add_edge(words.START, "a")
    g.add_conditional_edges("a", lambda state: "b")
    return g


def hinted(words: Any) -> Any:
    def route(state: Any) -> Literal["tools", "__end__"]:
        return "tools"

    g = graph_of(words, "agent", "tools")
    g.add_edge(words.START, "agent")
    g.add_conditional_edges("agent", route)
    g.add_edge("tools", "agent")
    return g


def commanding(words: Any) -> Any:
    command = words.Command

    def a(state: Any) -> Any:
        return command(goto="b")

    a.__annotations__["return"] = command[Literal["b", "c"]]
    g = graph_of(words, "b", "unreached")
    g.add_node("a", a)
    g.add_node("c", lambda state: {}, destinations={"a": "back", "__end__": "done"})
    g.add_edge(words.START, "a")
    return g


def deferring(words: Any) -> Any:
    g = graph_of(words, "a", "b", "c")
    g.add_node("d", lambda state: {}, defer=True)
    g.add_edge(words.START, "a")
    for source, target in (("a", "b"), ("a", "d"), ("b", "c"), ("d", words.END)):
        g.add_edge(source, target)
    return g


def looping(words: Any) -> Any:
    g = graph_of(words, "a", "b")
    g.add_edge(words.START, "a")
    g.add_edge("a", "b")
    g.add_conditional_edges("b", lambda state: "a", ["a"])
    return g


def sending(words: Any) -> Any:
    g = graph_of(words, "a", "worker", "join")
    g.add_edge(words.START, "a")
    g.add_conditional_edges("a", lambda state: [words.Send("worker", 1)], ["worker"])
    g.add_edge("worker", "join")
    return g


def starting(words: Any) -> Any:
    g = graph_of(words, "a", "b")
    g.add_conditional_edges(
        words.START, lambda state: "A", {"A": "a", "a label of more than nine words, which is wrapped": "b"}
    )
    return g


def odd_names(words: Any) -> Any:
    g = graph_of(words, "*bold*", "two words", "ümlaut")
    return g.add_edge(words.START, "*bold*").add_edge("*bold*", "two words").add_edge("two words", "ümlaut")


def nested(words: Any, inner: Callable[[Any], Any] = branching) -> Any:
    g = graph_of(words, "before", "after")
    g.add_node("child", inner(words).compile())
    g.add_edge(words.START, "before")
    g.add_edge("before", "child")
    g.add_edge("child", "after")
    return g


def twice_nested(words: Any) -> Any:
    g = graph_of(words, "p")
    g.add_node("inner", hinted(words).compile())
    g.add_edge(words.START, "p")
    g.add_edge("p", "inner")
    return g


def calling(words: Any) -> Any:
    child = hinted(words).compile()
    g = words.StateGraph(State)
    g.add_node("caller", lambda state: child.invoke(state))
    g.add_edge(words.START, "caller")
    return g


FLAT = (branching, undeclared, hinted, commanding, deferring, looping, sending, starting, odd_names)
CASES = [
    *(pytest.param(build, {}, False, id=build.__name__) for build in FLAT),
    *(pytest.param(nested, {}, xray, id=f"nested-{xray}") for xray in (False, True, 1)),
    *(
        pytest.param(lambda words: nested(words, twice_nested), {}, xray, id=f"twice_nested-{xray}")
        for xray in (True, 1, 2)
    ),
    *(pytest.param(calling, {}, xray, id=f"calling-{xray}") for xray in (False, True)),
    pytest.param(branching, {"interrupt_before": ["b"], "interrupt_after": ["b", "c"]}, False, id="breakpoints"),
]


@pytest.mark.parametrize(("build", "options", "xray"), CASES)
def test_a_drawing_is_the_same_on_both_engines(build: Callable[[Any], Any], options: Any, xray: Any) -> None:
    theirs, ours = (build(words).compile(**options).get_graph(xray=xray) for words in (THEIRS, OURS))

    assert [tuple(edge) for edge in ours.edges] == [tuple(edge) for edge in theirs.edges]
    assert [(key, node.name, node.metadata) for key, node in ours.nodes.items()] == [
        (key, node.name, node.metadata) for key, node in theirs.nodes.items()
    ]
    assert ours.draw_mermaid() == theirs.draw_mermaid()
    assert ours.draw_mermaid(with_styles=False) == theirs.draw_mermaid(with_styles=False)
    assert ours.to_json()["edges"] == theirs.to_json()["edges"]
    assert [node["id"] for node in ours.to_json()["nodes"]] == [node["id"] for node in theirs.to_json()["nodes"]]


def test_looks_are_those_that_are_asked_for() -> None:
    from langchain_core.runnables.graph import CurveStyle, NodeStyles

    options: dict[str, Any] = {
        "curve_style": CurveStyle.BASIS,
        "node_colors": NodeStyles(first="fill:#ffdfba", default="fill:#fad7de"),
        "wrap_label_n_words": 2,
        "frontmatter_config": {"config": {"theme": "neutral", "themeVariables": {"primaryColor": "#e2e2e2"}}},
    }
    theirs, ours = (starting(words).compile().get_graph() for words in (THEIRS, OURS))
    assert ours.draw_mermaid(**options) == theirs.draw_mermaid(**options)


def test_two_subgraphs_of_one_name_are_refused() -> None:
    g = graph_of(OURS)
    for name in ("one", "two"):
        g.add_node(name, twice_nested(OURS).compile())
    g.add_edge(OURS.START, "one").add_edge("one", "two")
    with pytest.raises(ValueError, match="Found duplicate subgraph 'inner'"):
        g.compile().get_graph(xray=True).draw_mermaid()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise AssertionError("a drawing used the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="the dot program of Graphviz is not installed")


@needs_dot
@pytest.mark.usefixtures("offline")
def test_images_are_drawn_offline(tmp_path: Any) -> None:
    drawn = nested(OURS).compile().get_graph(xray=True)
    assert "<svg" in drawn.draw_svg()
    assert drawn.draw_png()[:4] == drawn.draw_mermaid_png()[:4] == b"\x89PNG"
    drawn.draw_png(str(tmp_path / "graph.png"))
    drawn.draw_mermaid_png(output_file_path=str(tmp_path / "mermaid.png"))
    assert {each.name for each in tmp_path.iterdir()} == {"graph.png", "mermaid.png"}


@pytest.mark.usefixtures("offline")
def test_a_notebook_shows_a_graph_offline() -> None:
    assert "graph" in nested(OURS).compile()._repr_mimebundle_()["text/plain"]


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("installed", [False, True])
def test_a_notebook_shows_an_opened_graph_offline(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = nested(OURS).compile().get_graph(xray=True)
    if not installed:
        monkeypatch.setitem(sys.modules, "graphviz", None)
    shown = drawn._repr_mimebundle_()
    assert "child:a" in shown["text/plain"]
    assert ("image/svg+xml" in shown) == (installed and shutil.which("dot") is not None)


def test_dot_text_has_clusters_labels_and_dashes() -> None:
    text = nested(OURS).compile().get_graph(xray=True).draw_dot()
    assert 'subgraph "cluster_child"' in text
    assert '"child:a" -> "child:b" [style=dashed, label="yes"];' in text
    assert '"child:b" -> "child:d";' in text


def test_without_graphviz_an_image_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(RuntimeError, match=r'pip install "stepgraph\[lab\]"'):
        branching(OURS).compile().get_graph().draw_png()


def test_plain_text_has_each_node_and_where_it_leads(capsys: pytest.CaptureFixture[str]) -> None:
    branching(OURS).compile().get_graph().print_ascii()
    text = capsys.readouterr().out
    assert "| b |  | c |" in text
    assert "a .> __end__ [True], .> b [yes], .> c [no]" in text
    assert "b -> d" in text
    assert Graph().draw_ascii() == ""


def test_a_drawing_can_be_changed() -> None:
    drawn = Graph()
    a, b = drawn.add_node(None, "a"), drawn.add_node(None, "b", metadata={"k": 1})
    drawn.add_edge(a, b, "label", conditional=True)
    assert drawn
    assert (drawn.first_node(), drawn.last_node()) == (a, b)
    assert drawn.to_json() == {
        "nodes": [{"id": "a"}, {"id": "b", "metadata": {"k": 1}}],
        "edges": [{"source": "a", "target": "b", "data": "label", "conditional": True}],
    }
    with pytest.raises(ValueError, match="already exists"):
        drawn.add_node(None, "a")
    with pytest.raises(ValueError, match="Target node c not in graph"):
        drawn.add_edge(a, Node("c", "c"))
    drawn.remove_node(b)
    assert drawn.edges == []


def test_subgraphs_are_found_wherever_a_function_names_them() -> None:
    child = hinted(OURS).compile()

    class Holder:
        def __init__(self) -> None:
            self.graph = child

        def node(self, state: Any) -> Any:
            return self.graph.invoke(state)

        def __call__(self, state: Any) -> Any:
            return self.graph.invoke(state)

    async def awaiting(state: Any) -> Any:
        return await child.ainvoke(state)

    def inside(state: Any) -> Any:
        return [child.invoke(state) for _ in range(2)][-1]

    g = OURS.StateGraph(State)
    for name, node in {
        "node": child, "method": Holder().node, "object": Holder(), "async": awaiting, "inside": inside,
        "none": lambda state: {},
    }.items():  # fmt: skip
        g.add_node(name, node)
    g.add_edge(OURS.START, "node")
    assert dict(g.compile().get_subgraphs()) == dict.fromkeys(["node", "method", "object", "async", "inside"], child)


def test_subgraphs_are_found_by_namespace() -> None:
    graph = nested(OURS, twice_nested).compile()
    names = ["child", "child|inner"]
    assert [name for name, _ in graph.get_subgraphs()] == names[:1]
    assert [name for name, _ in graph.get_subgraphs(recurse=True)] == names
    assert [name for name, _ in graph.get_subgraphs(namespace="child")] == names[:1]
    assert [name for name, _ in graph.get_subgraphs(namespace="child|inner")] == []
    assert [name for name, _ in graph.get_subgraphs(namespace="child|inner", recurse=True)] == names[1:]
    assert list(graph.get_subgraphs(namespace="nothing", recurse=True)) == []


def test_a_subgraph_without_checkpoints_is_not_listed() -> None:
    g = graph_of(OURS, "a")
    g.add_node("child", hinted(OURS).compile(checkpointer=False))
    g.add_edge(OURS.START, "child")
    assert list(g.compile().get_subgraphs()) == []


def test_a_graph_in_a_notebook_is_legible_on_a_white_and_on_a_dark_page() -> None:
    g = graph_of(OURS, "a", "b")
    g.add_node("child", hinted(OURS).compile())
    g.add_edge(OURS.START, "a")
    g.add_edge("a", "child")
    g.add_conditional_edges("child", lambda state: "yes", {"yes": "b", "no": OURS.END})
    lines = to_dot(structure(g.compile())).splitlines()
    on_the_page = [
        line for line in lines if line.startswith(("graph ", "edge ")) or '"START"' in line or '"END"' in line
    ]
    assert len(on_the_page) == 6, "two defaults, and START and END outside and inside"
    for line in on_the_page:
        colours = re.findall(r'color="(#\w+)"', line)
        assert colours
        for colour in colours:
            assert contrast(colour, "#ffffff") >= 4.5
            assert contrast(colour, "#111111") >= 4


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""

    def light(colour: str) -> float:
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lights = sorted([light(one), light(other)])
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def test_an_error_handler_is_drawn_beside_its_node() -> None:
    def handler(state: Any) -> OURS.Command[Literal["b"]]:
        return OURS.Command(goto="b")

    g = OURS.StateGraph(State)
    g.add_node("a", lambda state: {}, error_handler=handler)
    g.add_node("b", lambda state: {})
    g.add_edge(OURS.START, "a")
    shape = structure(g.compile())
    (found,) = (node for node in shape.nodes if node.kind == "handler")
    assert (found.path, found.name) == ("__error_handler__a", "on error")
    edges = {(edge.source, edge.target, edge.conditional) for edge in shape.edges}
    assert {("a", found.path, True), (found.path, "b", True)} <= edges
    assert "on error" in to_dot(shape)


def test_the_drawing_of_an_entrypoint_begins_at_its_start() -> None:
    @stepgraph.entrypoint()
    def order(items: list) -> int:
        return len(items)

    shape = structure(order)
    assert [(edge.source, edge.target) for edge in shape.edges] == [("__start__", "order"), ("order", "__end__")]
    assert "__start__ ─> order" in text_form(shape)
    inside = structure(OURS.StateGraph(State).add_node("a", order).add_edge(OURS.START, "a").compile())
    assert ("a/__start__", "a/order") in [(edge.source, edge.target) for edge in inside.edges]
