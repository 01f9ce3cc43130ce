"""Runs of functions that entrypoints and nodes call, as callbacks hear of them; and callbacks as signs of life."""

import asyncio
import operator
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler, AsyncCallbackManager, BaseCallbackHandler, CallbackManager
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph._internal._runnable import RunnableCallable
from langgraph.callbacks import (
    GraphCallbackHandler,
    GraphInterruptEvent,
    GraphResumeEvent,
    get_async_graph_callback_manager_for_config,
    get_sync_graph_callback_manager_for_config,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import NodeTimeoutError
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, RetryPolicy, TimeoutPolicy, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


class Runs(BaseCallbackHandler):
    def __init__(self) -> None:
        self.names: dict[Any, str] = {}
        self.heard: list[Any] = []

    def on_chain_start(
        self, serialized: Any, inputs: Any, *, run_id: Any, parent_run_id: Any = None, **more: Any
    ) -> None:
        self.names[run_id] = more["name"]
        metadata = {key: value for key, value in (more["metadata"] or {}).items() if not key.endswith("_ns")}
        self.heard.append((more["name"], self.names.get(parent_run_id), inputs, more["tags"], metadata))

    def on_chain_end(self, outputs: Any, *, run_id: Any, **more: Any) -> None:
        self.heard.append(("end", self.names[run_id], outputs, more.get("tags")))

    def on_chain_error(self, error: BaseException, *, run_id: Any, **more: Any) -> None:
        self.heard.append(("error", self.names[run_id], type(error).__name__))


def heard(call: Any) -> list[Any]:
    """What callbacks hear of a call, and what it gives."""
    runs = Runs()
    config: Any = {
        "callbacks": [runs], "tags": ["z", "a"], "metadata": {"m": 1}, "configurable": {"thread_id": "t"}
    }  # fmt: skip
    try:
        result = call(config)
    except Exception as error:
        result = type(error).__name__
    return [result, *runs.heard]


@task
def outer(x: int) -> int:
    return inner(x).result() + 1


@task(name="given name")
def inner(x: int, *more: int, by: int = 2, **others: int) -> int:
    return RunnableLambda(lambda y: y * by, name="times").invoke(x)


@task
async def later(x: int, config: RunnableConfig) -> Any:
    await asyncio.sleep(0)
    return [await deeper(x), config["metadata"]["langgraph_node"]]


@task
async def deeper(x: int) -> int:
    return x


@task
def failing(x: int) -> int:
    raise ValueError(x)


def functions(show: Any) -> None:
    ran: list[int] = []

    @task(retry_policy=RetryPolicy(initial_interval=0.001))
    def flaky(x: int) -> int:
        ran.append(x)
        if len(ran) < 2:
            raise ConnectionError("again")
        return x

    @entrypoint()
    def flow(x: int) -> Any:
        found = [outer(x).result(), inner(x, 7, by=3, z=1).result(), flaky(1).result()]
        try:
            failing(x).result()
        except ValueError:
            found.append("failed")
        return found

    show(*heard(lambda config: flow.invoke(1, config)))
    ran.clear()
    show(*heard(lambda config: asyncio.run(flow.ainvoke(1, config))))

    @entrypoint()
    async def aflow(x: int) -> Any:
        return [await later(x), await outer(x)]

    show(*heard(lambda config: asyncio.run(aflow.ainvoke(1, config))))


def from_nodes(show: Any) -> None:
    def node(s: State) -> Any:
        return {"log": [outer(3).result()]}

    async def anode(s: State) -> Any:
        return {"log": [await later(4)]}

    app = StateGraph(State).add_node(node).add_edge(START, "node").compile()
    show(*heard(lambda config: app.invoke({"log": []}, config)))
    app = StateGraph(State).add_node(anode).add_edge(START, "anode").compile()
    show(*heard(lambda config: asyncio.run(app.ainvoke({"log": []}, config))))


def questions(show: Any) -> None:
    """A function that asks is told again when the run goes on, and one that has ended is not."""

    @task
    def ask(x: int) -> Any:
        return interrupt(x)

    @entrypoint(checkpointer=InMemorySaver())
    def flow(x: int) -> Any:
        done = outer(x).result()
        return entrypoint.final(value=[done, ask(x).result()], save=done)

    show(*heard(lambda config: flow.invoke(1, config)))
    show(*heard(lambda config: flow.invoke(Command(resume="yes"), config))[1:])


def as_events(show: Any) -> None:
    @entrypoint()
    async def flow(x: int) -> Any:
        return [await later(x), await outer(x)]

    async def listed() -> list[Any]:
        return [each async for each in flow.astream_events(1, version="v2")]

    found = asyncio.run(listed())
    for name in dict.fromkeys(each["name"] for each in found):  # chunks of the whole run come in between
        show(*((each["event"], name, each["tags"], each["data"]) for each in found if each["name"] == name))


def signs_of_life(show: Any) -> None:
    """What Runnables and models do in a node, or below it, keeps its idle timeout from passing."""
    rest = RunnableLambda(lambda _: None, func_rest)

    class Slow(GenericFakeChatModel):
        async def _astream(self, *args: Any, **options: Any) -> Any:
            async for chunk in super()._astream(*args, **options):
                await asyncio.sleep(0.2)
                yield chunk

    async def runnables(s: State) -> Any:
        for _ in range(4):
            await rest.ainvoke(None)
        return {"log": ["runnables"]}

    async def model(s: State) -> Any:
        tokens = Slow(messages=iter([AIMessage("a b c d")])).astream("?")
        return {"log": ["".join([str(chunk.content) async for chunk in tokens])]}

    async def silent(s: State) -> Any:
        await asyncio.sleep(1.2)
        return {"log": ["silent"]}

    @task
    async def resting() -> str:
        for _ in range(4):
            await rest.ainvoke(None)
        return "task"

    async def calls(s: State) -> Any:
        return {"log": [await resting()]}

    below = StateGraph(State).add_node(runnables).add_edge(START, "runnables").compile()

    async def graph(s: State) -> Any:
        return await below.ainvoke(s)

    async def take(node: Any, refresh: Any, **config: Any) -> Any:
        policy = TimeoutPolicy(idle_timeout=0.7, refresh_on=refresh)
        app = StateGraph(State).add_node(node, timeout=policy).add_edge(START, node.__name__).compile()
        try:
            return await app.ainvoke({"log": []}, config)
        except NodeTimeoutError as error:
            return error.kind

    async def all_of_them() -> list[Any]:
        await model({"log": []})  # what it loads the first time takes long
        nodes = (runnables, model, silent, calls, graph)
        runs = [take(node, refresh) for node in nodes for refresh in ("auto", "heartbeat")]
        return await asyncio.gather(*runs, take(model, "auto", callbacks=[Runs()]))

    show(*asyncio.run(all_of_them()))


async def func_rest(_: Any) -> None:
    await asyncio.sleep(0.3)


class Notes(GraphCallbackHandler):
    def __init__(self) -> None:
        self.told: list[str] = []

    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        self.told.append(event.status)

    def on_resume(self, event: GraphResumeEvent) -> None:
        self.told.append(event.status)


class AsyncNotes(Notes, AsyncCallbackHandler):
    async def on_interrupt(self, event: GraphInterruptEvent) -> None:  # type: ignore[override]  # handlers may be async
        self.told.append("async")


def generators(show: Any) -> None:
    def yields(s: State) -> Any:
        yield {"log": [1]}
        yield {"log": [2]}

    def calls(s: State, config: RunnableConfig) -> Any:
        yield RunnableLambda(lambda x: {"log": [x]}).with_config(run_name="called").invoke(3, config)

    def fails(s: State) -> Any:
        yield {"log": [1]}
        raise ValueError

    def chooses(s: State) -> Any:
        yield Command(goto=END, update={"log": [4]})

    async def ayields(s: State) -> Any:
        yield {"log": [1]}
        yield {"log": [2]}

    async def afails(s: State) -> Any:
        yield {"log": [1]}
        raise ValueError

    for node in (yields, partial(yields), calls, fails, chooses, ayields, afails):
        builder = StateGraph(State).add_node("n", node).add_node("m", lambda s: None).add_edge(START, "n")
        graph = builder.add_conditional_edges("n", lambda s: "m", ["m"]).compile()
        if node not in (ayields, afails):
            show(heard(lambda config, graph=graph: graph.invoke({"log": []}, config)))
        show(heard(lambda config, graph=graph: asyncio.run(graph.ainvoke({"log": []}, config))))


def managers(show: Any) -> None:
    """Programs may tell graph handlers themselves."""
    run, other = UUID(int=1), UUID(int=2)
    paused = GraphInterruptEvent(run, "pending", "c", (), ())
    for callbacks in (None, Notes(), [Notes(), Runs()], CallbackManager([Runs(), Notes()], tags=["x"])):
        manager = get_sync_graph_callback_manager_for_config({"callbacks": callbacks}, run_id=run)
        manager.on_interrupt(paused)
        manager.on_resume(GraphResumeEvent(run, "pending", "c", ()))
        found = [handler.told for handler in manager.handlers]
        show((found, manager.is_async, manager.tags, manager.run_id, manager.copy(run_id=other).run_id))
        again = get_async_graph_callback_manager_for_config({"callbacks": manager})
        asyncio.run(again.on_interrupt(paused))
        show((len(again.handlers), again.is_async, again.run_id, [handler.told for handler in again.handlers]))
    notes = AsyncNotes()
    manager = get_async_graph_callback_manager_for_config({"callbacks": AsyncCallbackManager([notes])}, run_id=run)
    asyncio.run(manager.on_interrupt(paused))
    asyncio.run(manager.on_resume(GraphResumeEvent(run, "pending", "c", ())))
    show(notes.told)
    for wrong in ("handler", 3):
        try:
            get_sync_graph_callback_manager_for_config({"callbacks": wrong})
        except TypeError:
            show((wrong, "refused"))
    try:
        manager.copy(run_id="1")
    except TypeError:
        show("no UUID")


def runnables_as_routers(show: Any) -> None:
    """A Runnable in a router's place reports its own run; one that does not trace reports none."""

    class Number(TypedDict):
        n: int

    def go(s: Any) -> str:
        return "b"

    async def later(s: Any) -> str:
        return "b"

    routers = {
        "lambda": RunnableLambda(go),
        "both": RunnableLambda(go, afunc=later),
        "chain": RunnableLambda(go) | (lambda name: name),
        "callable": RunnableCallable(go, later),
        "silent": RunnableCallable(go, later, trace=False),
    }
    for name, router in routers.items():
        for source in ("a", START):
            g = StateGraph(Number).add_node("a", lambda s: {"n": 1}).add_node("b", lambda s: {"n": 2})
            g.add_conditional_edges(source, router, ["b", END])
            if source == "a":
                g.add_edge(START, "a")
            app = g.compile()
            app.get_graph()
            show(name, source, app.invoke({"n": 0}), asyncio.run(app.ainvoke({"n": 0})))

            async def events(app: Any = app) -> list[Any]:
                found = [each async for each in app.astream_events({"n": 0}, version="v2")]
                return [(each["event"], each["name"], sorted(each["tags"]), len(each["parent_ids"])) for each in found]

            show(sorted(map(str, asyncio.run(events()))))
