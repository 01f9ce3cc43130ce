"""Nodes that return a Runnable: it runs on the node's input, and what it gives is the update."""

import asyncio
import operator
from typing import Annotated, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, RetryPolicy, Send, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


def step(s: State, config: RunnableConfig) -> dict:
    return {"log": [(config["metadata"]["langgraph_node"], list(s["log"]))]}


async def astep(s: State, config: RunnableConfig) -> dict:
    await asyncio.sleep(0)
    return step(s, config)


later = RunnableLambda(step, astep)


def plain(s: State) -> Any:
    return later


async def awaited(s: State) -> Any:
    return later | RunnableLambda(lambda update: {"log": [*update["log"], "piped"]})


def through_lambdas(s: State) -> Any:
    return RunnableLambda(lambda _: RunnableLambda(lambda s: {"log": [len(s["log"])]}))


def commanding(s: State) -> Any:
    return RunnableLambda(lambda _: Command(update={"log": ["command"]}, goto="end"))


def graph(*nodes: Any, **options: Any) -> Any:
    g = StateGraph(State).add_sequence(nodes).add_edge(START, nodes[0].__name__)
    g.add_node("end", lambda s: {"log": ["end"]})
    return g.compile(**options)


def ways(app: Any, config: Any = None) -> list[Any]:
    """What one graph gives, called in every way that it can be."""

    async def listed() -> list[Any]:
        return [each async for each in app.astream({"log": []}, config, stream_mode=["updates", "values"])]

    found: list[Any] = [asyncio.run(app.ainvoke({"log": []}, config)), asyncio.run(listed())]
    try:
        found += [app.invoke({"log": []}, config), list(app.stream({"log": []}, config, stream_mode=["values"]))]
    except TypeError as error:
        found.append(type(error).__name__)
    return found


def runnables(show: Any) -> None:
    show(ways(graph(plain, through_lambdas)), ways(graph(commanding)), ways(graph(plain, commanding)))
    app = graph(awaited, plain)
    show(asyncio.run(app.ainvoke({"log": []})))


def graphs(show: Any) -> None:
    """A graph that a node returns runs inside it, as one that the node calls."""
    inner = graph(plain)

    def outer(s: State) -> Any:
        return inner

    for options in ({}, {"checkpointer": InMemorySaver()}):
        app = graph(outer, plain, **options)
        show(ways(app, {"configurable": {"thread_id": "t"}}))
        show([chunk[1:] for chunk in app.stream({"log": []}, {"configurable": {"thread_id": "u"}},
              stream_mode=["updates"], subgraphs=True)])  # fmt: skip


def side_by_side(show: Any) -> None:
    """Parallel tasks, of which some go on and one fails."""

    def fan(s: State) -> Any:
        return [Send("each", {"log": [n]}) for n in range(4)]

    def each(s: State) -> Any:
        return later if s["log"][0] % 2 else {"log": ["even"]}

    def failing(s: State) -> Any:
        raise ValueError("no")

    def build(*more: Any) -> Any:
        g = StateGraph(State).add_node(each).add_conditional_edges(START, fan)
        for node in more:
            g.add_node(node).add_edge(START, node.__name__)
        return g.compile()

    show(build().invoke({"log": []}), asyncio.run(build().ainvoke({"log": []})))
    for call in (lambda app: app.invoke({"log": []}), lambda app: asyncio.run(app.ainvoke({"log": []}))):
        try:
            call(build(failing))
        except ValueError as error:
            show(error)


def questions_and_retries(show: Any) -> None:
    """What goes on may ask, and a policy tries the whole node again."""
    calls: list[str] = []

    def ask(s: State) -> Any:
        calls.append("ask")
        return RunnableLambda(lambda _: {"log": [interrupt("sure?")]})

    app = graph(ask, checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    show(app.invoke({"log": []}, config), app.invoke(Command(resume="yes"), config), calls)

    def flaky(s: State) -> Any:
        calls.append("flaky")

        def once(_: State) -> dict:
            if len(calls) < 5:
                raise ConnectionError("again")
            return {"log": ["well"]}

        return RunnableLambda(once)

    g = StateGraph(State).add_node(flaky, retry_policy=RetryPolicy(initial_interval=0.001)).add_edge(START, "flaky")
    show(g.compile().invoke({"log": []}), calls)


def traced(show: Any) -> None:
    class Runs(BaseCallbackHandler):
        def __init__(self) -> None:
            self.names: dict[Any, tuple[Any, Any]] = {}
            self.seen: list[Any] = []

        def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, parent_run_id: Any, **more: Any) -> None:
            self.names[run_id] = more["name"]
            self.seen.append((more["name"], self.names.get(parent_run_id), more["tags"]))

        def on_chain_end(self, outputs: Any, *, run_id: Any, **more: Any) -> None:
            self.seen.append(("end", self.names[run_id], outputs))

    for call in (lambda app, c: app.invoke({"log": []}, c), lambda app, c: asyncio.run(app.ainvoke({"log": []}, c))):
        runs = Runs()
        call(graph(plain, through_lambdas), {"callbacks": [runs]})
        show(runs.seen)


def no_runnable(show: Any) -> None:
    """Classes are no Runnables, and an update that can't be is refused."""

    def bad(s: State) -> Any:
        return RunnableLambda(lambda _: 42)

    def class_of_them(s: State) -> Any:
        return RunnableLambda

    for node in (bad, class_of_them):
        try:
            graph(node).invoke({"log": []})
        except Exception as error:
            show(type(error).__name__)
