"""Graphs for simulation: random ones, and small ones of which every order can be tried."""

import operator
from random import Random
from typing import Annotated, Any

from typing_extensions import TypedDict

from stepgraph import END, START, CachePolicy, Command, RetryPolicy, Send, StateGraph, TimeoutPolicy, interrupt
from stepgraph.cache import InMemoryCache
from stepgraph.graph.compiled import CompiledStateGraph
from tests.differential.engines import ours
from tests.differential.lab import Lab
from tests.differential.random_programs import LONG, build, graph_spec


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]
    count: Annotated[int, operator.add]


def random_graph(seed: int, saver: Any) -> CompiledStateGraph:
    """A random graph with questions, Sends, commands, joins, deferred nodes and subgraphs; nothing in it fails."""
    rng = Random(seed)
    spec = graph_spec(rng, depth=seed % 2, asks=seed % 3 != 0, fails=False, plain=False)
    app: CompiledStateGraph = build(Lab(ours(), "sync", None), spec).compile(checkpointer=saver)
    return app


def random_graph_with_policies(seed: int, saver: Any) -> CompiledStateGraph:
    """The same with nodes that fail a few times or for good, and retries, error handlers, a cache and timeouts.

    Whether a failure was one of the node's own or put in its place never shows in the results. Questions and subgraphs
    are not cached: two equal tasks at once would then be asked about once or twice, as it happens.
    """
    rng = Random(seed)
    spec = graph_spec(rng, depth=seed % 2, asks=seed % 3 != 0, fails=True, plain=False)
    g = build(Lab(ours(), "sync", None), spec)
    names = [node.name for node in spec.nodes]
    for node in spec.nodes:
        settings: dict[str, Any] = {"retry_policy": RetryPolicy(max_attempts=9)}
        action = g.nodes.pop(node.name).action
        if node.does in ("none", "tags", "count") or rng.random() < 0.15:
            action = broken
            settings["retry_policy"] = RetryPolicy(max_attempts=rng.choice((1, 2)))
            settings["error_handler"] = repairing(node.name, rng.choice(("log", "go", "ask")), rng.choice(names))
        elif node.child is None and not node.does.startswith("ask") and rng.random() < 0.6:
            settings["cache_policy"] = CachePolicy()
        g.add_node(node.name, action, defer=node.defer, destinations=node.goes or None, **settings)
    made: CompiledStateGraph = g.compile(checkpointer=saver, cache=InMemoryCache())
    for each in made.plan.nodes.values():
        if each.body is not None and rng.random() < 0.3:  # `add_node` takes a timeout for async nodes only
            each.timeout, each.lean = TimeoutPolicy(run_timeout=60), False
    return made


def broken(state: Any) -> Any:
    """A node that always fails."""
    raise ConnectionError("always")


def repairing(name: str, how: str, target: str) -> Any:
    """An error handler that logs, goes elsewhere or asks first."""

    def handler(state: Any) -> Any:
        answer = interrupt(f"repair {name}?") if how == "ask" else None
        update = {"log": [f"{name} repaired {answer}"], "count": 1}
        return Command(update=update, goto=target if how == "go" and len(state.get("log", ())) < LONG else ())

    return handler


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


def failing_and_cached(saver: Any) -> CompiledStateGraph:
    """A node that fails twice, one that an error handler stands in for, and equal tasks whose result is cached."""
    failures: list[str] = []

    def flaky(state: Log) -> Any:
        if len(failures) < 2:
            failures.append("flaky")
            raise ConnectionError("twice")
        return {"log": ["flaky"], "count": 1}

    g = StateGraph(Log)
    g.add_node("flaky", flaky, retry_policy=RetryPolicy(max_attempts=9))
    handler = repairing("broken", "go", "end")
    g.add_node("broken", broken, retry_policy=RetryPolicy(max_attempts=2), error_handler=handler)
    g.add_node("square", lambda n: {"log": [n * n], "count": n}, cache_policy=CachePolicy())
    g.add_node("end", _logging("end"))
    g.add_conditional_edges(
        START, lambda state: ["flaky", "broken", Send("square", 3), Send("square", 3)], ["flaky", "broken", "square"]
    )
    g.add_edge("flaky", "end")
    return g.compile(checkpointer=saver, cache=InMemoryCache())


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


SMALL = {
    "fan and join": fan_and_join,
    "Sends and commands": sends_and_commands,
    "two subgraphs": two_subgraphs,
    "failing and cached": failing_and_cached,
}
INPUTS: list[Any] = [{"log": ["in"], "count": 1}, {"log": ["again"], "count": 0}]
