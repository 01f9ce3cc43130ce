"""How graphs are called: options that nobody knows, keys that are asked for, and what a question is made of."""

import asyncio
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import CachePolicy, ensure_valid_checkpointer, interrupt
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


def lent_to_a_call(show: Any) -> None:
    """A config may bring the checkpointer, the runtime, the cache and the durability of one call."""
    ran: list[Any] = []

    def node(state: State, runtime: Runtime[Any]) -> Any:
        ran.append(state["x"])
        store = runtime.store
        return {"y": (runtime.context, None if store is None else [each.value for each in store.search(())])}

    def graph(**options: Any) -> Any:
        builder = StateGraph(State).add_node("n", node, cache_policy=CachePolicy()).add_edge(START, "n")
        return builder.compile(**options)

    store, saver, other = InMemoryStore(), InMemorySaver(), InMemorySaver()
    store.put(("a",), "k", {"v": 1})
    thread = {"thread_id": "t"}
    lent: Any = {"configurable": {**thread, "__pregel_checkpointer": saver}}
    own: Any = {"configurable": thread}
    show(graph().invoke({"x": 1}, lent), graph().get_state(lent).values, len(list(saver.list(own))))
    show(sorted(graph().update_state(lent, {"x": 2})["configurable"]), graph(checkpointer=True).invoke({"x": 3}, lent))
    show(graph(checkpointer=other).invoke({"x": 1}, lent), len(list(other.list(own))), len(list(saver.list(own))))
    show(graph(checkpointer=False).invoke({"x": 1}, lent), len(list(saver.list(own))))
    runtime: Any = Runtime(context={"c": 1}, store=store)
    for options in ({}, {"store": InMemoryStore()}):
        show(graph(**options).invoke({"x": 1}, {"configurable": {"__pregel_runtime": runtime}}))
        show(graph(**options).invoke({"x": 1}, {"configurable": {"__pregel_runtime": runtime}}, context={"d": 2}))
    cached: Any = {"configurable": {"__pregel_cache": InMemoryCache()}}
    ran.clear()
    show(graph().invoke({"x": 7}, cached), graph().invoke({"x": 7}, cached), ran)
    at_exit: Any = {"configurable": {"thread_id": "u", "__pregel_durability": "exit"}}
    show(graph(checkpointer=saver).invoke({"x": 1}, at_exit))
    show(len(list(saver.list({"configurable": {"thread_id": "u"}}))))


def what_is_no_checkpointer(show: Any) -> None:
    builder = StateGraph(State).add_node("n", lambda s: s).add_edge(START, "n")
    given: Any
    for given in (InMemorySaver, object(), "saver"):
        for use in (lambda given: builder.compile(checkpointer=given), ensure_valid_checkpointer):
            try:
                use(given)
            except TypeError as error:
                show(str(error)[:30])
