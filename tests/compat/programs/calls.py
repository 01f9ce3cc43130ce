"""How graphs are called: options that nobody knows, keys that are asked for, and what a question is made of."""

import asyncio
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    x: int
    y: Any


class Ends(BaseCallbackHandler):
    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_chain_end(self, outputs: Any, *, parent_run_id: Any = None, **more: Any) -> None:
        if parent_run_id is None:
            self.told.append(outputs)


def strangers(show: Any) -> None:
    """An option that nobody knows is passed over."""
    builder = StateGraph(State, unknown=1).add_node("n", lambda s: {"x": s["x"] + 1}, unknown=2)
    graph = builder.add_edge(START, "n").compile()
    given: Any = {"x": 1}
    show(graph.invoke(given, unknown=3), list(graph.stream(given, unknown=3)), graph.batch([given], unknown=3))
    show(asyncio.run(graph.ainvoke(given, unknown=3)), graph.bind(stop=["."]).invoke(given))
    show((graph | RunnableLambda(lambda s: s["x"])).invoke(given, None, unknown=3))
    doubled = task(unknown=4)(lambda x: x * 2)
    show(entrypoint(unknown=5)(lambda x: doubled(x).result()).invoke(2))


def keys_that_handlers_hear_of(show: Any) -> None:
    builder = StateGraph(State).add_node("n", lambda s: {"x": 2, "y": "why"}).add_edge(START, "n")
    graph = builder.compile()
    for keys in ("x", ["y"], ["y", "x"], None):
        ends = Ends()
        config: Any = {"callbacks": [ends]}
        graph.invoke({"x": 1}, config, output_keys=keys)
        asyncio.run(graph.ainvoke({"x": 1}, config, output_keys=keys))
        list(graph.stream({"x": 1}, config, output_keys=keys, stream_mode="values"))
        show(ends.told)
    try:
        graph.invoke({"x": 1}, output_keys="z")
    except ValueError as error:
        show(str(error)[:21])


def what_a_question_raises(show: Any) -> None:
    def node(state: State) -> Any:
        try:
            return {"y": interrupt("why?")}
        except GraphInterrupt as error:
            show(type(error.args[0]).__name__, [each.value for each in error.args[0]])
            raise

    @task
    def ask() -> Any:
        return interrupt("from a task")

    @entrypoint(checkpointer=InMemorySaver())
    def flow(x: int) -> Any:
        try:
            return ask().result()
        except GraphInterrupt as error:
            show(type(error.args[0]).__name__, [each.value for each in error.args[0]])
            raise

    graph = StateGraph(State).add_node("n", node).add_edge(START, "n").compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    show(list(graph.invoke({"x": 1}, config)), list(flow.invoke(1, config)))


def messages_deep_inside(show: Any) -> None:
    """The stream of messages looks into a field and into a list there, and no deeper."""
    for value in (AIMessage("a", id="a"), [AIMessage("b", id="b")], {"deep": [AIMessage("c", id="c")]}, "text"):
        graph = StateGraph(State).add_node("n", lambda s, value=value: {"y": value}).add_edge(START, "n").compile()
        show([chunk.content for chunk, _ in graph.stream({"x": 1}, stream_mode="messages")])
