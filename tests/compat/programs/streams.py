"""Streams of every mode, nested and async, and langchain-core's event streams."""

import asyncio
import operator
from threading import Event
from typing import Annotated, Any, TypedDict

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.channels import EphemeralValue, LastValue
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import push_message
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import Command, Send


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


def nested() -> Any:
    def deep(state: Log) -> dict[str, Any]:
        get_stream_writer()("deep says")
        return {"log": ["deep"]}

    inner = StateGraph(Log).add_node(deep).add_edge(START, "deep").compile()
    outer = StateGraph(Log).add_node("inner", inner).add_node("last", lambda s: {"log": ["last"]})
    return outer.add_edge(START, "inner").add_edge("inner", "last").compile()


def short(ns: Any) -> Any:
    return tuple(part.split(":")[0] for part in ns)


def modes(show: Any) -> None:
    graph = nested()
    for mode in ("values", "updates", "custom", "tasks", "debug"):
        chunks = list(graph.stream({"log": ["in"]}, stream_mode=mode))
        if mode in ("tasks", "debug"):
            chunks = [plainly(chunk) for chunk in chunks]
        show(mode, chunks)
        show(len(list(graph.stream({"log": []}, stream_mode=mode, subgraphs=True))))
    show(
        [
            (short(ns), mode)
            for ns, mode, _ in graph.stream({"log": []}, stream_mode=["updates", "custom"], subgraphs=True)
        ]
    )


def plainly(chunk: Any) -> Any:
    payload = chunk.get("payload", chunk)
    return chunk.get("type"), payload.get("name"), payload.get("triggers"), payload.get("result"), payload.get("error")


def async_modes(show: Any) -> None:
    async def main() -> None:
        graph = nested()
        found = [(short(ns), chunk) async for ns, chunk in graph.astream({"log": []}, subgraphs=True)]
        show(found)
        show([chunk async for chunk in graph.astream({"log": []}, stream_mode=["custom", "values"])])

    asyncio.run(main())


def version_two(show: Any) -> None:
    graph = nested()
    parts = list(graph.stream({"log": []}, stream_mode=["updates", "values"], version="v2"))
    show([(part["type"], part["ns"], part["data"]) for part in parts])
    output = graph.invoke({"log": []}, version="v2")
    show(output.value, output.interrupts)


def tokens_of_subgraphs(show: Any) -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("a b"), AIMessage("c d")]))

    def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    inner = StateGraph(MessagesState).add_node(ask).add_edge(START, "ask").compile()
    graph = StateGraph(MessagesState).add_node("sub", inner).add_edge(START, "sub").compile()
    show([(c.content, m["langgraph_node"]) for c, m in graph.stream({"messages": []}, stream_mode="messages")])
    found = graph.stream({"messages": []}, stream_mode="messages", subgraphs=True)
    show([(short(ns), c.content, m["langgraph_node"]) for ns, (c, m) in found])


def events_of(graph: Any, input: Any, **options: Any) -> Any:
    async def main() -> Any:
        found = []
        async for event in graph.astream_events(input, **options):
            where = event["metadata"].get("langgraph_node"), event["metadata"].get("langgraph_step")
            found.append((event["event"], event["name"], sorted(event["tags"]), where, len(event["parent_ids"])))
        return found

    return asyncio.run(main())


def events(show: Any) -> None:
    show(*events_of(nested(), {"log": []}, version="v2"))
    show(*events_of(nested(), {"log": []}, version="v2", include_names=["last"]))
    fan = StateGraph(Log).add_node("one", lambda s: {"log": [str(s)]})
    fan.add_conditional_edges(START, lambda s: [Send("one", 1), Send("one", 2)], ["one"])
    show(sorted(map(str, events_of(fan.compile(), {"log": []}, version="v2"))))


def events_of_runnables(show: Any) -> None:
    builder = StateGraph(Log)
    builder.add_node("chain", RunnableLambda(lambda s: s["log"]) | RunnableLambda(lambda log: {"log": [str(len(log))]}))
    builder.add_node("go", lambda s: Command(goto="end"))
    builder.add_node("end", lambda s: {"log": ["end"]})
    builder.add_edge(START, "chain").add_edge("chain", "go")
    show(*events_of(builder.compile(), {"log": ["x"]}, version="v2"))


def logs(show: Any) -> None:
    async def main() -> None:
        graph = StateGraph(Log).add_node("a", lambda s: {"log": ["a"]}).add_edge(START, "a").compile()
        final = None
        async for patch in graph.astream_log({"log": []}):
            final = patch if final is None else final + patch
        show(final.state["final_output"], sorted(final.state["logs"]))

    asyncio.run(main())


def a_graph_in_a_chain(show: Any) -> None:
    graph = StateGraph(Log).add_node("a", lambda s: {"log": ["a"]}).add_edge(START, "a").compile()
    chain = RunnableLambda(lambda x: {"log": [x]}).with_config(run_name="first") | graph
    show(*events_of(chain, "x", version="v2"))


class Total(TypedDict):
    total: int


def lost(state: Total) -> str:
    raise LookupError("no way from here")


def streams_of_failures(show: Any) -> None:
    def half_done(state: MessagesState) -> Any:
        push_message(AIMessage("so far", id="far"))
        raise LookupError("no further")

    talk = StateGraph(MessagesState).add_node("talk", half_done).add_edge(START, "talk").compile()
    routed = StateGraph(Total).add_node("add", lambda s: {"total": 5}).add_edge(START, "add")
    routed.add_conditional_edges("add", lost)
    handled = StateGraph(Total).add_node("add", lambda s: {"total": 5}, error_handler=lambda s: {})
    handled.add_edge(START, "add").add_conditional_edges("add", lost)
    outer = StateGraph(Total).add_node("inner", routed.compile()).add_edge(START, "inner").compile()
    modes: list[Any] = ["updates", "values", "messages", ["updates", "values"], "tasks"]
    for graph, given, of in (
        (talk, {"messages": []}, modes),
        (routed.compile(), {"total": 0}, modes),
        (handled.compile(), {"total": 0}, modes[:-1]),  # the start of a handler is told here alone
        (outer, {"total": 0}, modes),
    ):
        for mode in of:
            try:
                for chunk in graph.stream(given, stream_mode=mode, subgraphs=True):
                    show((mode, short(chunk[0]), str(chunk[1:])))
            except LookupError as error:
                show(str(error))


def as_they_come(show: Any) -> None:
    """A reader gets what one function or node has written while another one waits for the reader."""
    for kind in ("graph", "eager", "entrypoint"):
        for mode in ("updates", "custom", ["updates", "custom"]):
            read, found = Event(), []

            def first(x: Any) -> Any:
                get_stream_writer()("first")
                return {"log": ["first"]} if isinstance(x, dict) else x

            def second(x: Any, read: Event = read, found: list[bool] = found) -> Any:
                found.append(read.wait(0.3))
                return {"log": ["second"]} if isinstance(x, dict) else x

            app, given = waiting(kind, first, second)
            chunks = []
            for chunk in app.stream(given, stream_mode=mode):
                chunks.append(str(chunk))
                if "first" in chunks[-1]:
                    read.set()
            show(kind, mode, found if kind != "graph" else [], sorted(chunks))


def waiting(kind: str, first: Any, second: Any) -> tuple[Any, Any]:
    if kind == "graph":
        g = StateGraph(Log).add_node(first).add_node(second).add_edge(START, "first").add_edge(START, "second")
        return g.compile(), {"log": []}
    if kind == "eager":
        nodes: Any = {
            "first": NodeBuilder().subscribe_only("in").do(first).write_to("a"),
            "second": NodeBuilder().subscribe_only("in").do(second).write_to("b"),
        }
        channels: Any = {"in": EphemeralValue(int), "a": LastValue(int), "b": LastValue(int)}
        return Pregel(
            nodes=nodes, channels=channels, input_channels="in", output_channels=["a", "b"], stream_eager=True
        ), 3
    calls = [task(first), task(second)]

    @entrypoint()
    def flow(x: int) -> Any:
        return [each.result() for each in [call(x) for call in calls]]

    return flow, 1
