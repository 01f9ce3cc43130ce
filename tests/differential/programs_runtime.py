"""Programs whose nodes ask for more than the state: config, runtime, context, writer; nodes of every kind."""

import functools
import operator
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Optional

from langchain_core.runnables import RunnableConfig, RunnableLambda
from pydantic import BaseModel
from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.registry import program


class Log(TypedDict):
    log: Annotated[list, operator.add]
    count: int


@dataclass
class User:
    name: str
    age: int = 1


class Account(BaseModel):
    owner: str


def shown(config: Any) -> Any:
    """A config without what only one engine has: private keys, handlers."""
    found = {key: value for key, value in config.items() if key != "callbacks"}
    found["configurable"] = {k: v for k, v in config["configurable"].items() if not k.startswith("__")}
    found["configurable"]["checkpoint_map"] = len(config["configurable"].get("checkpoint_map") or ())
    return found


def one(lab: Lab, node: Any, name: str = "node", schema: Any = Log, **options: Any) -> Any:
    g = lab.graph(schema)
    g.add_node(name, node, **options)
    g.add_edge(lab.START, name)
    g.add_edge(name, lab.END)
    return g


@program
def ask_for_everything(lab: Lab) -> None:
    """Every parameter that can be asked for, by position or by keyword only."""

    def node(s: Log, config: RunnableConfig, *, runtime: Any, store: Any = "none", writer=None, previous=0) -> Any:
        writer({"count": s["count"]})
        info = runtime.execution_info
        lab.note("asked", (shown(config), runtime.context, store, previous, runtime.server_info))
        lab.note("info", (info.node_attempt, info.thread_id, info.run_id, info.checkpoint_ns, info.task_id))
        lab.note("same", info.task_id in config["configurable"]["checkpoint_ns"])
        lab.note("none", (runtime.store, runtime.previous, runtime.drain_requested, runtime.heartbeat()))
        return {"log": ["node"]}

    lab.compile(one(lab, node, metadata={"kind": "node"}))
    lab.run({"log": [], "count": 3}, {"tags": ["t"], "metadata": {"m": 1}, "recursion_limit": 7})


@program
def ask_with_string_annotations(lab: Lab) -> None:
    def node(s: Log, config: "RunnableConfig", writer: "StreamWriter") -> Any:  # noqa: F821  only its text counts
        writer(config["metadata"]["langgraph_node"])
        return {"log": ["node"]}

    def optional(s: Log, config: "Optional[RunnableConfig]" = None, *, store: "BaseStore" = 5) -> Any:  # noqa: F821, UP045
        lab.note("config", (config is None, store))
        return {"log": ["optional"]}

    def union(s: Log, config: RunnableConfig | None = None) -> Any:
        lab.note("config", config is None)
        return {"log": ["union"]}

    g = lab.graph(Log)
    g.add_sequence([("node", node), ("optional", optional), ("union", union)])
    g.add_edge(lab.START, "node")
    lab.compile(g)
    lab.run({"log": []})


@program
def routers_ask_too(lab: Lab) -> None:
    def choose(s: Log, config: RunnableConfig, runtime: Any) -> str:
        lab.note("router", (config["configurable"].get("x"), runtime.context))
        return "b" if runtime.context else lab.END

    g = lab.graph(Log)
    g.add_node("a", lambda s: {"log": ["a"]})
    g.add_node("b", lambda s: {"log": ["b"]})
    g.add_edge(lab.START, "a")
    g.add_conditional_edges("a", choose)
    lab.compile(g)
    lab.run({"log": []}, {"configurable": {"thread_id": "t", "x": 1}}, context={"go": True})
    lab.run({"log": []}, {"configurable": {"thread_id": "t", "x": 2}})


@program
def a_context_for_each_schema(lab: Lab) -> None:
    for schema, given in (
        (User, {"name": "ann"}),
        (User, User("bob", 3)),
        (Account, {"owner": "eve"}),
        (Log, {"count": 1}),
        (None, {"free": 1}),
        (User, None),
    ):

        def node(s: Log, runtime: Any) -> Any:
            lab.note("context", runtime.context)
            lab.note("again", lab.get_runtime().context)
            return {"log": [1]}

        g = lab.graph(Log, context_schema=schema)
        g.add_node("node", node)
        g.add_edge(lab.START, "node")
        lab.compile(g)
        lab.run({"log": []}, context=given)


@program
def a_context_that_does_not_fit(lab: Lab) -> None:
    g = lab.graph(Log, context_schema=User)
    g.add_node("node", lambda s: {"log": [1]})
    g.add_edge(lab.START, "node")
    lab.compile(g)
    lab.invoke({"log": []}, context={"nobody": 1})


@program(sync_only=True)
def a_graph_inside_inherits(lab: Lab) -> None:
    """Called with nothing, with the node's own config, and with additions; and added as a node."""

    def inner(s: Log, config: RunnableConfig, runtime: Any) -> Any:
        lab.note("inner", (shown(config), runtime.context))
        return {"log": ["inner"]}

    inside = one(lab, inner, "inner", metadata={"deep": 1}).compile()

    def outer(s: Log, config: RunnableConfig) -> Any:
        inside.invoke(s)
        inside.invoke(s, config)
        inside.invoke(s, {"tags": ["a", "b"], "metadata": {"u": 1}, "extra": 3, "configurable": {"z": 1}})
        inside.invoke(s, context={"own": True})
        inside.with_config({"tags": ["w"]}).invoke(s)
        return {"log": ["outer"]}

    g = lab.graph(Log)
    g.add_node("outer", outer, metadata={"m": 1})
    g.add_node("sub", inside, metadata={"sub": 1})
    g.add_edge(lab.START, "outer")
    g.add_edge("outer", "sub")
    lab.compile(g)
    config = {"configurable": {"thread_id": "t", "user": "u"}, "tags": ["a"], "metadata": {"k": 1}, "top": 7}
    lab.run({"log": [], "count": 1}, config, context={"c": 1})


@program(needs_saver=True, sync_only=True)
def a_graph_inside_on_a_thread_of_its_own(lab: Lab) -> None:
    """A thread_id of its own makes it no subgraph: it keeps nothing of the configurable around it."""
    inside: list[Any] = []

    def inner(s: Log, config: RunnableConfig, runtime: Any) -> Any:
        lab.note("inner", (shown(config), runtime.context))
        return {"log": ["inner"]}

    def outer(s: Log) -> Any:
        inside[0].invoke(s, {"configurable": {"thread_id": "own"}})
        return {"log": ["outer"]}

    inside.append(one(lab, inner, "inner").compile(checkpointer=lab.checkpointer))
    lab.compile(one(lab, outer, "outer", metadata={"m": 1}))
    config = {"configurable": {"thread_id": "t", "user": "u"}, "tags": ["a"]}
    lab.run({"log": [], "count": 1}, config, context={"c": 1})
    lab.note("own", [(s.values, s.metadata["step"]) for s in inside[0].get_state_history(_thread("own"))])


def _thread(name: str) -> Any:
    return {"configurable": {"thread_id": name}}


class Counter:
    """A callable object, and one with methods for nodes."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, s: Log) -> Any:
        self.calls += 1
        return {"log": [f"call {self.calls}"]}

    def method(self, s: Log, config: RunnableConfig) -> Any:
        return {"log": [config["metadata"]["langgraph_node"]]}

    @staticmethod
    def static(_: Log) -> Any:
        return {"log": ["static"]}


class Awaited:
    async def __call__(self, s: Log) -> Any:
        return {"log": ["awaited"]}


def add(amount: int, s: Log, *, by: int = 1) -> Any:
    return {"log": [amount * by]}


@program
def nodes_of_every_kind(lab: Lab) -> None:
    """Names are taken from what was added."""
    counter = Counter()
    g = lab.graph(Log)
    g.add_node(counter.method)
    g.add_node(Counter.static)
    g.add_node(counter)
    g.add_node(functools.partial(add, 2, by=3))
    g.add_node("lambda", lambda s: {"log": ["lambda"]})
    g.add_node(RunnableLambda(lambda s: {"log": ["runnable"]}, name="ran"))
    g.add_edge(lab.START, "method")
    for before, after in zip(
        ("method", "static", "Counter", "partial", "lambda"),
        ("static", "Counter", "partial", "lambda", "ran"),
        strict=True,
    ):
        g.add_edge(before, after)
    lab.compile(g)
    lab.run({"log": []})


@program
def runnables_get_the_config(lab: Lab) -> None:
    def ran(s: Log, config: RunnableConfig) -> Any:
        return {"log": [config["configurable"]["x"], config["metadata"]["langgraph_node"]]}

    chain = RunnableLambda(lambda s: {"n": s["count"]}) | RunnableLambda(lambda s: {"count": s["n"] + 1})
    g = lab.graph(Log)
    g.add_node("ran", RunnableLambda(ran))
    g.add_node("chain", chain)
    g.add_node("both", {"count": lambda s: s["count"] * 2, "log": RunnableLambda(lambda s: ["both"])})
    g.add_edge(lab.START, "ran")
    g.add_edge("ran", "chain")
    g.add_conditional_edges("chain", RunnableLambda(lambda s: "both", name="choose"), ["both"])
    lab.compile(g)
    lab.run({"log": [], "count": 1}, {"configurable": {"thread_id": "t", "x": 5}})


@program(sync_only=True)
def generators_as_nodes(lab: Lab) -> None:
    """The last thing that a generator yields is its update; what can be added is added up."""

    def dicts(s: Log) -> Iterator[Any]:
        yield {"log": ["first"]}
        yield {"log": ["second"]}

    def nothing(s: Log) -> Iterator[Any]:
        yield from ()

    g = lab.graph(Log)
    g.add_node(dicts)
    g.add_node(nothing)
    g.add_edge(lab.START, "dicts")
    g.add_edge("dicts", "nothing")
    lab.compile(g)
    lab.run({"log": []})


@program(sync_only=True)
def generators_that_add_up(lab: Lab) -> None:
    def words(s: list) -> Iterator[list]:
        yield ["a"]
        yield ["b"]

    lab.compile(one(lab, words, schema=Annotated[list, operator.add]))
    lab.run(["x"])


@program
def async_callables_and_generators(lab: Lab) -> None:
    """Only an async driver runs these in LangGraph."""
    if lab.calls == "sync":
        lab.compile(one(lab, lambda s: {"log": ["sync"]}))
        lab.run({"log": []})
        return

    async def streamed(s: Log) -> AsyncIterator[Any]:
        yield {"log": ["first"]}
        yield {"log": ["second"]}

    g = lab.graph(Log)
    g.add_node(streamed)
    g.add_node("object", Awaited())
    g.add_node("partial", functools.partial(_later, 5))
    g.add_edge(lab.START, "streamed")
    g.add_edge("streamed", "object")
    g.add_edge("object", "partial")
    lab.compile(g)
    lab.run({"log": []})


async def _later(amount: int, s: Log) -> Any:
    return {"log": [amount]}
