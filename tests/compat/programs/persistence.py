"""Threads, histories and time travel on LangGraph's savers."""

import asyncio
import operator
import pickle
import sqlite3
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Overwrite, Send, interrupt


class Log(TypedDict):
    log: Annotated[list[str], operator.add]
    n: int


def build() -> StateGraph:
    builder = StateGraph(Log)
    builder.add_node("one", lambda s: {"log": ["one"], "n": s.get("n", 0) + 1})
    builder.add_node("two", lambda s: {"log": [f"two {interrupt('ok?')}"]})
    builder.add_node("three", lambda s: {"log": ["three"]})
    builder.add_edge(START, "one").add_edge("one", "two").add_edge("two", "three")
    return builder


def told(snapshot: Any) -> Any:
    return {
        "values": snapshot.values,
        "next": snapshot.next,
        "step": (snapshot.metadata or {}).get("step"),
        "source": (snapshot.metadata or {}).get("source"),
        "tasks": [(t.name, t.error, [i.value for i in t.interrupts], t.result) for t in snapshot.tasks],
        "ids": sorted(snapshot.config["configurable"]),
        "parent": snapshot.parent_config is not None,
    }


def journey(show: Any, graph: Any) -> None:
    config = {"configurable": {"thread_id": "t1"}}
    show(graph.invoke({"log": ["in"]}, config, stream_mode="updates"))
    show(told(graph.get_state(config)))
    show(graph.invoke(Command(resume="yes"), config))
    history = list(graph.get_state_history(config))
    show(*[told(each) for each in history])
    show([told(each)["step"] for each in graph.get_state_history(config, limit=2)])
    show([told(each)["step"] for each in graph.get_state_history(config, filter={"source": "loop"})])
    # fork: change what one wrote, and go on
    after_one = next(each for each in history if each.next == ("two",))
    fork = graph.update_state(after_one.config, {"log": ["edited"]})
    show(told(graph.get_state(fork)))
    show(graph.invoke(None, fork)["__interrupt__"][0].value, graph.invoke(Command(resume="forked"), config))
    # new input on the same thread
    show(graph.invoke({"log": ["again"]}, config)["log"], graph.get_state(config).next)


def in_memory(show: Any) -> None:
    journey(show, build().compile(checkpointer=InMemorySaver()))


def in_sqlite(show: Any) -> None:
    with SqliteSaver.from_conn_string(":memory:") as saver:
        journey(show, build().compile(checkpointer=saver))
        show([each.metadata["step"] for each in saver.list({"configurable": {"thread_id": "t1"}})])
    saver = SqliteSaver(sqlite3.connect(":memory:", check_same_thread=False))
    graph = build().compile(checkpointer=saver)
    show(len(list(graph.stream({"log": []}, {"configurable": {"thread_id": "2"}}, durability="exit"))))
    show(told(graph.get_state({"configurable": {"thread_id": "2"}})))


def async_sqlite(show: Any) -> None:
    async def main() -> None:
        async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
            graph = build().compile(checkpointer=saver)
            config = {"configurable": {"thread_id": "a"}}
            show([chunk async for chunk in graph.astream({"log": []}, config, stream_mode=["updates", "values"])])
            show(told(await graph.aget_state(config)))
            show(await graph.ainvoke(Command(resume="async"), config))
            show(*[told(each) async for each in graph.aget_state_history(config)])
            await graph.aupdate_state(config, {"n": 10})
            show(told(await graph.aget_state(config)))

    asyncio.run(main())


def failures_are_kept(show: Any) -> None:
    tries: list[str] = []

    def flaky(state: Log) -> Any:
        tries.append("flaky")
        if len(tries) < 3:
            raise RuntimeError("not yet")
        return {"log": ["flaky"]}

    def steady(state: Log) -> Any:
        tries.append("steady")
        return {"log": ["steady"]}

    builder = StateGraph(Log).add_node(flaky).add_node(steady).add_edge(START, "flaky").add_edge(START, "steady")
    graph = builder.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    for start in ({"log": []}, None, None):
        try:
            show(graph.invoke(start, config))
        except RuntimeError as error:
            show(str(error), "flaky" in graph.get_state(config).next)  # what its sibling left depends on who was first


def subgraph_states(show: Any) -> None:
    inner = StateGraph(Log).add_node("ask", lambda s: {"log": [interrupt("inner?")]}).add_edge(START, "ask")
    outer = StateGraph(Log).add_node("sub", inner.compile()).add_node("end", lambda s: {"log": ["end"]})
    graph = outer.add_edge(START, "sub").add_edge("sub", "end").compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    show(graph.invoke({"log": ["in"]}, config)["__interrupt__"][0].value)
    state = graph.get_state(config, subgraphs=True)
    show(told(state), told(state.tasks[0].state))
    show(graph.invoke(Command(resume="done"), config))


def several_questions(show: Any) -> None:
    def ask(name: str) -> Any:
        return lambda state: {"log": [f"{name}: {interrupt(name)}"]}

    builder = StateGraph(Log).add_node("a", ask("a")).add_node("b", ask("b"))
    graph = builder.add_edge(START, "a").add_edge(START, "b").compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    asked = graph.invoke({"log": []}, config)["__interrupt__"]
    show(sorted(each.value for each in asked))
    answers = {each.id: f"answer to {each.value}" for each in asked}
    show(graph.invoke(Command(resume=answers), config))


class Pickled:
    """A user's serializer."""

    def dumps_typed(self, value: Any) -> tuple[str, bytes]:
        return "pickled", pickle.dumps(value)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return pickle.loads(data[1])  # what this program has stored itself


def pickled_threads(show: Any) -> None:
    """Questions, Sends and Overwrites in a saver that pickles."""

    def ask(s: Log) -> Any:
        return {"log": [interrupt("first?"), interrupt("second?")]}

    g = StateGraph(Log)
    g.add_node("ask", ask)
    g.add_node("sent", lambda s: {"log": Overwrite([s["log"]])})
    g.add_edge(START, "ask")
    g.add_conditional_edges("ask", lambda s: [Send("sent", {"log": len(s["log"])})])
    app = g.compile(checkpointer=InMemorySaver(serde=Pickled()), interrupt_after=["ask"])
    for given in ({"log": []}, Command(resume="one"), Command(resume="two"), None):
        show(app.invoke(given, {"configurable": {"thread_id": "t"}}).get("log"))
        state = app.get_state({"configurable": {"thread_id": "t"}})
        show(state.next, [each.value for each in state.interrupts])
