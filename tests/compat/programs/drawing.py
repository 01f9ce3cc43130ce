"""Drawings of graphs."""

import operator
from typing import Annotated, Any, Literal, TypedDict

from langgraph.func import entrypoint
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


def node(name: str) -> Any:
    return lambda state: {"log": [name]}


def mermaid_text(show: Any) -> None:
    def hop(state: Log) -> Command[Literal["left", "__end__"]]:
        return Command(goto="left")

    def choose(state: Log) -> Literal["left", "right"]:
        return "left"

    builder = StateGraph(Log)
    builder.add_node("left", node("left"))
    builder.add_node("right", node("right"), metadata={"kind": "r"})
    builder.add_node("start", node("start"))
    builder.add_node(hop)
    builder.add_edge(START, "start")
    builder.add_conditional_edges("start", choose)
    builder.add_conditional_edges("right", lambda s: "again", {"again": "start", "stop": END})
    builder.add_edge("left", "hop")
    drawing = builder.compile().get_graph()
    show(drawing.draw_mermaid())
    show(sorted((edge.source, edge.target, edge.conditional, str(edge.data)) for edge in drawing.edges))
    show(list(drawing.nodes), [each.name for each in drawing.nodes.values()])
    show(drawing.to_json())
    show(drawing.first_node().id, drawing.last_node() and drawing.last_node().id)


def subgraphs_opened(show: Any) -> None:
    deep = StateGraph(Log).add_node("d", node("d")).add_edge(START, "d").compile()
    inner = StateGraph(Log).add_node("i", node("i")).add_node("deep", deep).add_edge(START, "i").add_edge("i", "deep")
    outer = StateGraph(Log).add_node("inner", inner.compile()).add_node("o", node("o"))
    outer.add_edge(START, "inner").add_edge("inner", "o")
    graph = outer.compile(interrupt_before=["o"])
    for xray in (False, 1, True):
        show(graph.get_graph(xray=xray).draw_mermaid(), graph.get_graph(xray=xray).to_json())
    show([(name, type(each).__name__ != "") for name, each in graph.get_subgraphs(recurse=True)])


def a_function(show: Any) -> None:
    flow = entrypoint()(lambda n: n)
    show(flow.get_graph().draw_mermaid(), flow.get_graph(xray=True).to_json())


def classes_in_json(show: Any) -> None:
    from langchain_core.runnables import Runnable, RunnableLambda

    class Local(Runnable):
        def invoke(self, input: Any, config: Any = None, **given: Any) -> Any:
            return {}

    graph = StateGraph(dict).add_node("local", Local()).add_node("lambda", RunnableLambda(lambda s: {}))
    drawn = graph.add_edge(START, "local").add_edge("local", "lambda").compile().get_graph().to_json()
    show([each["data"]["id"][-1] for each in drawn["nodes"] if each["id"] in ("local", "lambda")])
