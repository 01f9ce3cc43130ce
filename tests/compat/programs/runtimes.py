"""Runtime context, stores and what else nodes are given."""

import asyncio
from dataclasses import dataclass
from typing import Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_store
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime, get_runtime
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore


class State(TypedDict):
    out: str


@dataclass
class Context:
    user: str
    level: int = 1


def context(show: Any) -> None:
    def node(state: State, runtime: Runtime[Context]) -> State:
        return {"out": f"{runtime.context.user} {runtime.context.level} {get_runtime(Context).context.user}"}

    graph = StateGraph(State, context_schema=Context).add_node(node).add_edge(START, "node").compile()
    show(graph.invoke({"out": ""}, context=Context("ann", 2)), graph.invoke({"out": ""}, context={"user": "bob"}))
    show(list(graph.stream({"out": ""}, context={"user": "cy"})))
    show(asyncio.run(graph.ainvoke({"out": ""}, context={"user": "di"})))
    try:
        graph.invoke({"out": ""}, context={"level": 3})
    except TypeError as error:
        show(type(error).__name__)


def context_of_subgraphs(show: Any) -> None:
    def node(state: State, runtime: Runtime[Context]) -> State:
        return {"out": state["out"] + runtime.context.user}

    inner = StateGraph(State, context_schema=Context).add_node(node).add_edge(START, "node").compile()
    outer = StateGraph(State, context_schema=Context).add_node("inner", inner)
    outer.add_node("call", lambda s: inner.invoke(s)).add_edge(START, "inner").add_edge("inner", "call")
    show(outer.compile().invoke({"out": ">"}, context={"user": "eve"}))


def stores(show: Any) -> None:
    def write(state: State, *, store: BaseStore) -> State:
        store.put(("users", "u1"), "name", {"value": "fay"})
        return {"out": "written"}

    async def read(state: State, config: RunnableConfig, store: BaseStore) -> State:
        item = await store.aget(("users", config["configurable"]["user"]), "name")
        return {"out": item.value["value"]}

    def ambient(state: State, runtime: Runtime) -> State:
        return {"out": f"{state['out']} {len(get_store().search(('users',)))} {runtime.store is get_store()}"}

    builder = StateGraph(State).add_sequence([write, read, ambient]).add_edge(START, "write")
    store = InMemoryStore()
    graph = builder.compile(store=store)
    show(asyncio.run(graph.ainvoke({"out": ""}, {"configurable": {"user": "u1"}})))
    show([(item.namespace, item.key, item.value) for item in store.search(("users",))])


def execution(show: Any) -> None:
    def node(state: State, runtime: Runtime) -> State:
        info = runtime.execution_info
        return {"out": f"{info.node_attempt} {info.thread_id} {len(info.task_id)} {info.checkpoint_ns.split(':')[0]}"}

    graph = StateGraph(State).add_node(node).add_edge(START, "node").compile()
    show(graph.invoke({"out": ""}), graph.invoke({"out": ""}, {"configurable": {"thread_id": "t"}}))


def retries(show: Any) -> None:
    from langgraph.types import RetryPolicy

    tries: list[int] = []

    def flaky(state: State, runtime: Runtime) -> State:
        tries.append(runtime.execution_info.node_attempt)
        if len(tries) < 3:
            raise ConnectionError("no")
        return {"out": "ok"}

    policy = RetryPolicy(initial_interval=0.01, jitter=False)
    graph = StateGraph(State).add_node("flaky", flaky, retry_policy=policy).add_edge(START, "flaky").compile()
    show(graph.invoke({"out": ""}), tries)
