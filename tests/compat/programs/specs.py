"""Nodes and conditional edges of a builder made, replaced and called by hand."""

import asyncio
import operator
from dataclasses import fields, is_dataclass, replace
from typing import Annotated, Any, Literal

from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph._internal._runnable import RunnableCallable, coerce_to_runnable
from langgraph.graph import END, START, StateGraph
from langgraph.graph._branch import BranchSpec
from langgraph.graph._node import StateNodeSpec
from langgraph.pregel._write import PASSTHROUGH, ChannelWrite, ChannelWriteEntry
from langgraph.runtime import Runtime
from langgraph.types import CachePolicy, Command, RetryPolicy, Send, TimeoutPolicy, TracePolicy
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


class Part(TypedDict):
    log: list


def a(state: State) -> Any:
    return {"log": ["a"]}


def b(state: State, config: RunnableConfig) -> Any:
    return {"log": [config["metadata"]["langgraph_node"]]}


async def later(state: Part, runtime: Runtime) -> Any:
    return {"log": ["later", runtime.context]}


def nodes(show: Any) -> None:
    """What `add_node` keeps of its arguments."""
    builder = StateGraph(State)
    builder.add_node(a).add_node("b", b, metadata={"m": 1}, retry_policy=RetryPolicy(max_attempts=2), defer=True)
    builder.add_node("later", later, timeout=3, cache_policy=CachePolicy(ttl=1), retry_policy=[RetryPolicy()])
    builder.add_node("to", a, destinations=("a", "b"), trace_policy=TracePolicy())
    builder.add_node("named", a, destinations={"a": "first"}, error_handler=lambda s, error: {"log": ["h"]})
    builder.add_node("lambda", RunnableLambda(a), input_schema=Part)
    for name, spec in builder.nodes.items():
        show(name, spec.metadata, getattr(spec.input_schema, "__name__", 0), spec.retry_policy, spec.is_error_handler)
        show(spec.error_handler_node, spec.ends, spec.defer, spec.timeout, spec.trace_policy is None)
        show(spec.cache_policy and spec.cache_policy.ttl, type(spec.runnable).__name__, spec.runnable.get_name())
    show(builder.nodes["a"], builder.nodes["b"].runnable, builder.nodes["to"], builder.nodes["lambda"].defer)
    show(is_dataclass(StateNodeSpec), [each.name for each in fields(StateNodeSpec)])
    show(builder.nodes["a"] == replace(builder.nodes["a"]), builder.nodes["a"] == builder.nodes["b"])


def made(show: Any) -> None:
    """A builder whose nodes are put there without `add_node`."""
    builder = StateGraph(State)
    builder.nodes["x"] = StateNodeSpec(coerce_to_runnable(a, name="x", trace=False), None, State, None, None)
    builder.nodes["y"] = StateNodeSpec(
        runnable=coerce_to_runnable(b, name="y", trace=False), metadata={"k": 1}, input_schema=State,
        retry_policy=RetryPolicy(), cache_policy=None, ends=("x",), defer=True, timeout=None, trace_policy=None,
    )  # fmt: skip
    builder.nodes["z"] = StateNodeSpec(RunnableLambda(a), {}, State, None, None, False, None, {"x": "again"})
    builder.add_edge(START, "x").add_edge("x", "y").add_edge("y", "z")
    graph = builder.compile()
    show(graph.invoke({"log": []}), asyncio.run(graph.ainvoke({"log": []})))
    show(graph.get_graph().draw_mermaid().split("\n")[7:], graph.nodes["y"].retry_policy, graph.nodes["y"].metadata)
    for wrong in ((), (a,), (a, None, State, None, None, False, None, (), False, None, None, 1)):
        try:
            StateNodeSpec(*wrong)
        except TypeError as error:
            show(type(error).__name__)


def replaced(show: Any) -> None:
    """Specs of added nodes, changed or replaced before the graph is compiled."""

    def build() -> Any:
        return StateGraph(State).add_node(a).add_node(b).add_edge(START, "a").add_edge("a", "b")

    def says(word: str) -> Any:
        return coerce_to_runnable(lambda state: {"log": [word]}, name="a", trace=False)

    builder = build()
    builder.nodes["a"] = replace(builder.nodes["a"], runnable=says("replaced"))
    show(builder.compile().invoke({"log": []}))
    builder = build()
    builder.nodes["b"] = replace(builder.nodes["b"], metadata={"own": 1}, defer=True)
    show(builder.compile().invoke({"log": []}), builder.compile().nodes["b"].metadata, builder.nodes["b"].defer)
    builder = build()
    builder.nodes["a"].runnable = says("set")
    builder.nodes["a"].retry_policy, builder.nodes["a"].metadata = RetryPolicy(max_attempts=5), {"set": 1}
    builder.nodes["b"].runnable.func = lambda state, config: {"log": ["inner"]}
    compiled = builder.compile()
    show(compiled.invoke({"log": []}), compiled.nodes["a"].retry_policy[0].max_attempts, compiled.nodes["a"].metadata)
    copied = replace(builder.nodes["b"])
    builder.nodes["b"] = copied
    show(builder.compile().invoke({"log": []}))
    for name, spec in list(builder.nodes.items()):

        def wrapped(state: Any, config: RunnableConfig, spec: Any = spec, name: str = name) -> Any:
            found = spec.runnable.invoke(state, config)
            return {"log": [name, *found["log"]]}

        builder.nodes[name] = replace(spec, runnable=RunnableCallable(wrapped, name=name, trace=False))
    show(builder.compile().invoke({"log": []}))
    failed: list[int] = []

    async def shaky(state: State) -> Any:
        failed.append(1)
        if len(failed) < 3:
            raise ConnectionError
        return {"log": [len(failed)]}

    builder = StateGraph(State).add_node("n", shaky).add_edge(START, "n")
    builder.nodes["n"].retry_policy = [RetryPolicy(initial_interval=0.001)]
    builder.nodes["n"].timeout = TimeoutPolicy(run_timeout=5)
    show(asyncio.run(builder.compile().ainvoke({"log": []})))


def choose(state: State) -> Literal["b", "c"]:
    return "c" if "c" in state["log"] else "b"


def branches(show: Any) -> None:
    """What `add_conditional_edges` keeps, and conditional edges put there by hand."""
    builder = StateGraph(State).add_node(a).add_node(b).add_node("c", a).add_edge(START, "a")
    builder.add_conditional_edges("a", choose).add_conditional_edges("b", lambda s: END, {END: END})
    builder.add_conditional_edges("c", RunnableLambda(choose, name="lambda"), ["b", "c"])
    for source, found in builder.branches.items():
        for name, spec in found.items():
            show(
                source, name, spec.ends, spec.input_schema, type(spec.path).__name__, len(spec), isinstance(spec, tuple)
            )
            show(spec._fields, spec._replace(ends=None).ends, spec._asdict()["ends"])
    show(builder.branches["nowhere"], BranchSpec._fields, BranchSpec._field_defaults)
    path = coerce_to_runnable(choose, name="choose", trace=True)
    for path_map in (None, ["b"], {"b": "c", "c": "b"}):
        for infer in (False, True):
            show(BranchSpec.from_path(path, path_map, infer)[1:], BranchSpec.from_path(path, path_map)[1:])
    show(BranchSpec.from_path(RunnableLambda(choose), None, infer_schema=True).ends)
    by_hand = StateGraph(State).add_node(a).add_node("b", a).add_node("c", a).add_edge(START, "a")
    by_hand.branches["a"]["mine"] = BranchSpec(path=path, ends=None)
    by_hand.branches["b"]["other"] = BranchSpec(RunnableLambda(lambda state: ["x", Send("c", state)]), {"x": END})
    graph = by_hand.compile()
    show(graph.invoke({"log": []}), asyncio.run(graph.ainvoke({"log": ["c"]})), graph.get_graph().draw_mermaid())
    first = by_hand.branches["a"]["mine"]
    by_hand.branches["a"]["mine"] = first._replace(path=RunnableLambda(lambda state: "c"), ends={"c": "c"})
    show(by_hand.compile().invoke({"log": []}))
    path, ends, schema = by_hand.branches["a"]["mine"]
    show(path.invoke({}), ends, schema)


def run_by_hand(show: Any) -> None:
    """`run` makes a writer of a conditional edge."""
    sent: list[Any] = []
    config: Any = {"configurable": {"__pregel_send": sent.extend}}

    def writer(targets: Any, static: bool) -> Any:
        show((targets, static))
        return [each if isinstance(each, Send) else ChannelWriteEntry(f"to:{each}", None) for each in targets]

    for answer in ("b", ["b", "c"], ("c",), Send("b", 1), [Send("b", 1), "c"]):
        for ends in (None, {"b": "B", "c": END}):
            spec = BranchSpec(RunnableLambda(lambda given, answer=answer: answer), ends)
            made = spec.run(writer)
            show(type(made).__name__, ChannelWrite.is_writer(made), ChannelWrite.get_static_writes(made))
            show(made.invoke("in", config), sent, asyncio.run(made.ainvoke("in", config)))
            sent.clear()
    seen: list[Any] = []
    for schema in (None, Part):
        spec = BranchSpec(RunnableLambda(lambda given: seen.append(given) or "b"), None, schema)
        made = spec.run(writer, lambda config: {"read": 1})
        made.invoke({"in": 2}, config)
        spec.run(writer, reader=lambda config: 7).invoke({"in": 2}, config)
    show(seen)
    nothing = BranchSpec(RunnableLambda(lambda given: "b"), None).run(lambda targets, static: [])
    passing = BranchSpec(RunnableLambda(lambda given: "b"), None).run(
        lambda targets, static: [ChannelWriteEntry("x", PASSTHROUGH), ChannelWriteEntry("y", 2)]
    )
    sent.clear()
    show(nothing.invoke(3, config), passing.invoke(4, config), sent)
    for answer in (None, START, [None], Send(END, 1)):
        spec = BranchSpec(RunnableLambda(lambda given, answer=answer: answer), None)
        try:
            spec.run(writer).invoke(1, config)
        except Exception as error:
            show(repr(error))


def commands(show: Any) -> None:
    def goes(state: State) -> Command[Literal["b", "__end__"]]:
        return Command(goto="b")

    builder = StateGraph(State).add_node(goes).add_node(b).add_edge(START, "goes")
    show(builder.nodes["goes"].ends, builder.nodes["b"].ends)
    builder.nodes["goes"].ends = None
    show(builder.compile().get_graph().draw_mermaid().split("\n")[6:])
