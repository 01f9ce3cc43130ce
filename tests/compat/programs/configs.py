"""Runtime, context and config: what nodes and graphs inside get of their caller's."""

# ruff: noqa: B023  what is made in a loop runs at once

import asyncio
import operator
from dataclasses import dataclass
from typing import Annotated, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config, get_store, get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime, get_runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import Send
from pydantic import BaseModel
from typing_extensions import TypedDict


class Log(TypedDict):
    log: Annotated[list, operator.add]


def kind(call: Any) -> Any:
    try:
        return call()
    except BaseException as error:
        return type(error).__name__


def thread(name: str = "t", **more: Any) -> Any:
    return {"configurable": {"thread_id": name, **more}}


def public(config: Any) -> Any:
    """Of a config, what LangGraph's users read."""
    configurable = {key: value for key, value in (config.get("configurable") or {}).items() if not key.startswith("__")}
    drop = (
        "checkpoint_ns",
        "checkpoint_map",
        "checkpoint_id",
        "langgraph_checkpoint_ns",
        "langgraph_path",
        "lc_versions",
        "ls_integration",
    )
    configurable = {key: value for key, value in configurable.items() if key not in drop}
    metadata = {key: value for key, value in (config.get("metadata") or {}).items() if key not in drop}
    return {
        "configurable": configurable,
        "metadata": dict(sorted(metadata.items())),
        "tags": sorted(config.get("tags") or ()),
        "limit": config.get("recursion_limit"),
        "concurrency": config.get("max_concurrency"),
        "run_name": config.get("run_name"),
    }


def lone(node: Any, **compiled: Any) -> Any:
    return StateGraph(Log).add_node("a", node).add_edge(START, "a").compile(**compiled)


def what_a_node_sees(show: Any) -> None:
    seen: list[Any] = []

    def node(s: Log, config: RunnableConfig) -> dict:
        seen.append(public(config))
        return {}

    for given in (
        {},
        {
            "tags": ["t"],
            "metadata": {"m": 1, "nested": {"x": 1}},
            "run_name": "named",
            "recursion_limit": 9,
            "max_concurrency": 3,
        },
        {
            "configurable": {
                "thread_id": "t",
                "user": "u",
                "n": 3,
                "flag": True,
                "obj": [1],
                "_hidden": 1,
                "__private": 2,
            }
        },
        {"foo": "bar"},
        {"configurable": {"thread_id": 5}},
    ):
        for app in (lone(node), lone(node, checkpointer=InMemorySaver())):
            seen.clear()
            try:
                found: Any = app.invoke({"log": []}, given)
            except (ValueError, KeyError):
                found = "refused"
            show((found, seen))
    seen.clear()
    lone(node).with_config({"tags": ["bound"], "metadata": {"b": 1}, "configurable": {"k": 1}}).invoke(
        {"log": []}, {"tags": ["t"], "metadata": {"m": 1}}
    )
    show(seen)


def metadata_of_checkpoints(show: Any) -> None:
    app = lone(lambda s: {}, checkpointer=InMemorySaver())
    config = {
        "configurable": {
            "thread_id": "t",
            "user": "u",
            "n": 3,
            "f": 1.5,
            "flag": True,
            "obj": [1],
            "none": None,
            "__private": 2,
        },
        "metadata": {"m": 1, "list": [1], "user": "of metadata"},
        "tags": ["x"],
        "run_name": "named",
    }
    app.invoke({"log": []}, config)
    for each in app.get_state_history(thread()):
        show(
            {
                key: value
                for key, value in each.metadata.items()
                if key not in ("run_id", "lc_versions", "ls_integration")
            }
        )


def graphs_inside(show: Any) -> None:
    """A graph that a node calls inherits; with a thread of its own it is no subgraph."""
    seen: list[Any] = []

    def inner(s: Log, config: RunnableConfig, runtime: Runtime) -> dict:
        configurable = config["configurable"]
        seen.append(
            (public(config), "|" in configurable.get("checkpoint_ns", ""), runtime.context, runtime.store is not None)
        )
        return {"log": ["inner"]}

    low = lone(inner)
    own = lone(inner, checkpointer=InMemorySaver())

    @dataclass
    class Context:
        user: str

    def ways(config: RunnableConfig) -> Any:
        return {
            "bare": lambda s: low.invoke(s),
            "config": lambda s: low.invoke(s, config),
            "tags": lambda s: low.invoke(s, {"tags": ["more"], "metadata": {"i": 1}}),
            "thread": lambda s: own.invoke(s, thread("other", extra=1)),
            "context": lambda s: low.invoke(s, context={"own": 1}),
            "user": lambda s: low.invoke(s, {"configurable": {"user": "inner"}}),
            "empty": lambda s: low.invoke(s, context=None),
        }

    for way in ("bare", "config", "tags", "thread", "context", "user", "empty"):
        seen.clear()

        def outer(s: Log, config: RunnableConfig) -> dict:
            ways(config)[way](s)
            return {"log": ["outer"]}

        app = StateGraph(Log, context_schema=Context).add_node("outer", outer).add_edge(START, "outer")
        app = app.compile(checkpointer=InMemorySaver(), store=InMemoryStore())
        given = {**thread(user="u"), "tags": ["top"], "metadata": {"m": 1}, "recursion_limit": 50}
        show((way, kind(lambda: app.invoke({"log": []}, given, context={"user": "c"})), seen))


def contexts(show: Any) -> None:
    @dataclass
    class Data:
        user: str
        n: int = 1

    class Model(BaseModel):
        user: str
        n: int = 1

    class Dict(TypedDict):
        user: str

    seen: list[Any] = []

    def node(s: Log, runtime: Runtime) -> dict:
        seen.append((type(runtime.context).__name__, runtime.context, get_runtime().context == runtime.context))
        return {}

    for schema in (Data, Model, Dict, None):
        app = StateGraph(Log, context_schema=schema).add_node("a", node).add_edge(START, "a").compile()
        for given in (
            {"user": "u"},
            Data("d"),
            Model(user="m"),
            None,
            {"user": "u", "x": 1},
            {},
            {"n": "3", "user": "u"},
            5,
        ):
            seen.clear()
            show((kind(lambda: app.invoke({"log": []}, context=given)), seen))
        seen.clear()
        show(kind(lambda: app.invoke({"log": []}, {"configurable": {"user": "by configurable"}})), seen)


def where_am_i(show: Any) -> None:
    seen: list[Any] = []

    def node(s: Any, runtime: Runtime) -> dict:
        info = runtime.execution_info
        seen.append(
            (
                info.checkpoint_id is not None,
                info.checkpoint_ns.count("|"),
                info.task_id is not None,
                info.thread_id,
                info.node_attempt,
                info.node_first_attempt_time is not None,
                runtime.previous,
                runtime.control is not None,
            )
        )
        return {"log": [1]}

    app = StateGraph(Log).add_node("a", node).add_node("sub", lone(node)).add_edge(START, "a")
    app = app.add_conditional_edges("a", lambda s: [Send("sub", {"log": []})])
    app.compile(checkpointer=InMemorySaver()).invoke({"log": []}, thread())
    app.compile().invoke({"log": []})
    asyncio.run(app.compile().ainvoke({"log": []}, {"run_id": "12345678-1234-1234-1234-123456789012"}))
    show(seen)


def from_anywhere(show: Any) -> None:
    seen: list[Any] = []

    def helper() -> None:
        writer = get_stream_writer()
        writer({"user": get_config()["configurable"].get("user")})
        seen.append((get_store() is not None, get_runtime().context))

    def node(s: Log) -> dict:
        helper()
        RunnableLambda(lambda _: helper()).invoke(1)
        return {"log": ["n"]}

    async def anode(s: Log) -> dict:
        helper()
        await RunnableLambda(lambda _: helper()).ainvoke(1)
        await asyncio.gather(asyncio.to_thread(helper), asyncio.create_task(asyncio.sleep(0)))
        return {"log": ["n"]}

    store = InMemoryStore()
    show(
        list(
            lone(node, store=store).stream(
                {"log": []}, {"configurable": {"user": "u"}}, stream_mode=["custom", "updates"]
            )
        )
    )

    async def listed() -> list[Any]:
        app = lone(anode, store=store)
        return [
            each
            async for each in app.astream(
                {"log": []}, {"configurable": {"user": "u"}}, stream_mode=["custom", "updates"]
            )
        ]

    show(asyncio.run(listed()), seen)
    show(kind(get_config), kind(get_store), kind(get_stream_writer), kind(get_runtime))
    show(lone(node).invoke({"log": []}))


def what_handlers_hear(show: Any) -> None:
    """Names, tags and metadata of the runs in a graph, as tracers get them."""

    class Runs(BaseCallbackHandler):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def on_chain_start(
            self,
            serialized: Any,
            inputs: Any,
            *,
            run_id: Any,
            parent_run_id: Any = None,
            tags: Any = None,
            metadata: Any = None,
            **more: Any,
        ) -> None:
            kept = {
                key: value
                for key, value in (metadata or {}).items()
                if key in ("langgraph_step", "langgraph_node", "langgraph_triggers", "langgraph_path", "m")
            }
            self.seen.append((more.get("name"), parent_run_id is None, sorted(tags or ()), kept))

    inner = lone(lambda s: {"log": ["in"]})
    g = StateGraph(Log).add_node("a", lambda s: {"log": ["a"]}, metadata={"m": "node"}).add_node("sub", inner)
    app = g.add_edge(START, "a").add_conditional_edges("a", lambda s: "sub", ["sub"]).compile(name="whole")
    for run in (lambda c: app.invoke({"log": []}, c), lambda c: asyncio.run(app.ainvoke({"log": []}, c))):
        runs = Runs()
        run({"callbacks": [runs], "tags": ["top"], "metadata": {"m": "call"}})
        show(runs.seen)


WHOLE = {
    "configurable": {"thread_id": "t", "__mine": 1, "user": "ada", "run_id": "r", "graph_id": "g", "task_id": "k"},
    "metadata": {"m": 1, "thread_id": "named so"},
    "tags": ["t"],
    "run_name": "whole",
    "recursion_limit": 77,
}


def with_a_graph_inside(checkpointer: Any = None) -> Any:
    inner = lone(lambda s: {"log": [AIMessage("inner", id="m1")]})
    g = StateGraph(Log).add_node("a", lambda s: {"log": [AIMessage("outer", id="m2")]}, metadata={"of": "a"})
    g.add_node("sub", inner, metadata={"of": "sub"}).add_edge(START, "a").add_edge("a", "sub")
    return g.compile(checkpointer=checkpointer)


def what_a_saver_is_given(show: Any) -> None:
    class Saver(InMemorySaver):
        def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
            seen.append(("put", public(config), metadata["source"], metadata["step"]))
            return super().put(config, checkpoint, metadata, new_versions)

        def put_writes(self, config: Any, writes: Any, task_id: Any, task_path: Any = "") -> None:
            seen.append(("writes", public(config), sorted(key for key, _ in writes)))
            super().put_writes(config, writes, task_id, task_path)

        def get_tuple(self, config: Any) -> Any:
            if looking:
                seen.append(("get", public(config)))
            return super().get_tuple(config)

    seen: list[Any] = []
    looking = True
    app = with_a_graph_inside(Saver())
    for durability in ("sync", "exit"):
        app.invoke({"log": []}, {**WHOLE, "configurable": {**WHOLE["configurable"], "thread_id": durability}})
        for each in sorted(seen, key=str):
            show(each)
        seen.clear()
    looking = False
    app.update_state(WHOLE, {"log": ["edit"]}, as_node="a")
    show(seen)


def what_streams_tell_of_the_config(show: Any) -> None:
    for checkpointer in (None, InMemorySaver()):
        app = with_a_graph_inside(checkpointer)
        for _, mode, told in app.stream({"log": []}, WHOLE, stream_mode=["tasks", "messages"], subgraphs=True):
            if mode == "messages":
                message, metadata = told
                show(message.content, public({"metadata": metadata}))
            elif "input" in told:
                show(told["name"], sorted(told.get("metadata", {}).items(), key=str))
        for told in app.stream({"log": []}, WHOLE, stream_mode="debug"):
            if told["type"] == "checkpoint":
                show(sorted(told["payload"]["config"]["configurable"]), sorted(told["payload"]["metadata"]))


def what_metadata_says_of_a_replay(show: Any) -> None:
    seen: list[Any] = []
    known: dict[str, str] = {}

    def look(name: str) -> Any:
        def node(s: Log, config: RunnableConfig) -> dict:
            found = config["metadata"].get("checkpoint_id")
            seen.append((name, known.get(found, found), config["configurable"].get("checkpoint_id")))
            return {"log": [name]}

        return node

    called = lone(look("called"))

    def calling(s: Log) -> dict:
        return called.invoke({"log": []})

    graph = StateGraph(Log).add_node("calling", calling).add_node("inner", lone(look("inner")))
    graph.add_node("last", look("last")).add_edge(START, "calling").add_edge("calling", "inner")
    app = graph.add_edge("inner", "last").compile(checkpointer=InMemorySaver())
    app.invoke({"log": []}, thread())
    history = list(app.get_state_history(thread()))
    known.update({each.config["configurable"]["checkpoint_id"]: f"step {each.metadata['step']}" for each in history})
    show(seen)
    for each in history[1:-1]:
        seen.clear()
        app.invoke(None, each.config)
        show(each.next, seen)
    seen.clear()
    changed = app.update_state(history[2].config, {"log": ["edited"]})
    known[changed["configurable"]["checkpoint_id"]] = "edited"
    app.invoke(None, changed)
    show(seen)


def configs_of_graphs_added_as_nodes(show: Any) -> None:
    heard: list[Any] = []
    seen: list[Any] = []

    class Hearing(BaseCallbackHandler):
        def on_chain_start(self, serialized: Any, inputs: Any, **told: Any) -> None:
            heard.append((told.get("name"), sorted(told.get("tags") or ()), (told.get("metadata") or {}).get("mine")))

    def leaf(s: Log, config: RunnableConfig) -> dict:
        found = public(config)
        seen.append({**found, "own": config["configurable"].get("own"), "who": config["configurable"].get("who")})
        return {"log": ["leaf"]}

    given = {
        "metadata": {"mine": 1, "who": "inner"},
        "tags": ["inner", "both"],
        "recursion_limit": 7,
        "max_concurrency": 2,
        "configurable": {"own": 3, "who": "inner"},
        "run_name": "named",
    }
    around = {"metadata": {"who": "outer"}, "tags": ["both", "outer"], "configurable": {"who": "outer"}}
    for callbacks in (None, [Hearing()]):
        inner = lone(leaf).with_config({**given, "callbacks": callbacks} if callbacks else given)
        middle = StateGraph(Log).add_node("inner", inner).add_edge(START, "inner").compile()
        outer = StateGraph(Log).add_node("middle", middle).add_edge(START, "middle").compile()
        for app in (middle, outer):
            for config in ({}, around, {"recursion_limit": 9, "max_concurrency": 5}):
                parts = app.stream({"log": []}, config, stream_mode="tasks", subgraphs=True)
                show([(len(ns), part["name"], part.get("metadata")) for ns, part in parts])
                asyncio.run(app.ainvoke({"log": []}, config))
                app.invoke({"log": []}, config)
                show(seen, heard)
                seen.clear()
                heard.clear()
    kept = StateGraph(Log).add_node("inner", lone(leaf).with_config(given), destinations=None).add_edge(START, "inner")
    app = kept.compile(checkpointer=InMemorySaver(), interrupt_after=["inner"])
    app.invoke({"log": []}, {**around, **thread(**around["configurable"])})
    saved = list(app.checkpointer.list({"configurable": {"thread_id": "t"}}))
    show(
        [
            (bool(each.config["configurable"]["checkpoint_ns"]), each.metadata.get("mine"), each.metadata.get("who"))
            for each in sorted(saved, key=lambda each: each.config["configurable"]["checkpoint_ns"])
        ]
    )
