"""Graphs for simulation: random ones, and small ones of which every order can be tried."""

import operator
from random import Random
from typing import Annotated, Any

from typing_extensions import TypedDict

from stepgraph import END, START, Command, Send, StateGraph, interrupt
from stepgraph.graph.compiled import CompiledStateGraph
from tests.differential.engines import ours
from tests.differential.lab import Lab
from tests.differential.random_programs import build, graph_spec


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]
    count: Annotated[int, operator.add]


def random_graph(seed: int, saver: Any) -> CompiledStateGraph:
    """A random graph with questions, Sends, commands, joins, deferred nodes and subgraphs; nothing in it fails."""
    rng = Random(seed)
    spec = graph_spec(rng, depth=seed % 2, asks=seed % 3 != 0, fails=False, plain=False)
    app: CompiledStateGraph = build(Lab(ours(), "sync", None), spec).compile(checkpointer=saver)
    return app


def _logging(name: str) -> Any:
    return lambda state: {"log": [name], "count": 1}


def fan_and_join(saver: Any) -> CompiledStateGraph:
    """Three parallel nodes, one with a router, and a join."""
    g = StateGraph(Log)
    for name in ("a", "b", "c", "join", "extra"):
        g.add_node(name, _logging(name))
    for name in ("a", "b", "c"):
        g.add_edge(START, name)
    g.add_conditional_edges("b", lambda state: "extra" if len(state["log"]) < 4 else END, ["extra", END])
    g.add_edge(["a", "b", "c"], "join")
    return g.compile(checkpointer=saver)


def sends_and_commands(saver: Any) -> CompiledStateGraph:
    """Tasks made by Sends beside one made by an edge, which goes on by a Command."""
    g = StateGraph(Log)
    g.add_node("work", lambda n: {"log": [n], "count": n})
    g.add_node("boss", lambda state: Command(update={"log": ["boss"]}, goto=[Send("work", 7), "end"]))
    g.add_node("end", _logging("end"))
    g.add_conditional_edges(START, lambda state: [Send("work", 1), Send("work", 2), "boss"], ["work", "boss"])
    g.add_edge("work", "end")
    return g.compile(checkpointer=saver)


def two_subgraphs(saver: Any) -> CompiledStateGraph:
    """Two subgraphs side by side, one of which asks."""
    inner = StateGraph(Log)
    inner.add_node("x", _logging("x"))
    inner.add_node("y", lambda state: {"log": [interrupt("y?")]})
    inner.add_edge(START, "x")
    inner.add_edge("x", "y")
    other = StateGraph(Log)
    other.add_node("z", _logging("z"))
    other.add_edge(START, "z")
    g = StateGraph(Log)
    g.add_node("asks", inner.compile())
    g.add_node("quiet", other.compile())
    g.add_edge(START, "asks")
    g.add_edge(START, "quiet")
    return g.compile(checkpointer=saver)


SMALL = {"fan and join": fan_and_join, "Sends and commands": sends_and_commands, "two subgraphs": two_subgraphs}
INPUTS: list[Any] = [{"log": ["in"], "count": 1}, {"log": ["again"], "count": 0}]
