"""LangGraph's own stores and caches in graphs: through nodes, tools and functions, with expiry."""

import asyncio
import operator
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

from langgraph.cache.memory import InMemoryCache
from langgraph.cache.sqlite import SqliteCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_store
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime, get_runtime
from langgraph.store.base import BaseStore, GetOp, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore
from langgraph.store.sqlite.aio import AsyncSqliteStore
from langgraph.types import CachePolicy, Send
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


def plain(item: Any) -> Any:
    return item and (item.namespace, item.key, item.value, getattr(item, "score", None))


def remember(s: State, store: BaseStore) -> Any:
    store.put(("users", "ann"), "likes", {"food": "pears"})
    store.put(("users", "bob"), "likes", {"food": "nuts", "n": 1})
    return {"log": [plain(store.get(("users", "ann"), "likes"))]}


def look(s: State, runtime: Runtime) -> Any:
    store: Any = runtime.store
    found = [plain(each) for each in store.search(("users",), filter={"n": 1})]
    same = get_store() is store is get_runtime().store
    return {"log": [found, sorted(store.list_namespaces(prefix=("users",))), same]}


async def alook(s: State) -> Any:
    store = get_store()
    await store.aput(("users", "cyd"), "likes", {"food": "figs"})
    found = await store.abatch(
        [GetOp(("users", "cyd"), "likes"), SearchOp(("users",), limit=9), PutOp(("users", "bob"), "likes", None)]
    )
    left = [plain(each) for each in await store.asearch(("users",))]
    return {"log": [plain(found[0]), sorted(map(repr, map(plain, found[1]))), found[2], sorted(map(repr, left))]}


def graph(store: Any, *nodes: Any, **options: Any) -> Any:
    return StateGraph(State).add_sequence(nodes).add_edge(START, nodes[0].__name__).compile(store=store, **options)


def stores(show: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "memories.db")
        with SqliteStore.from_conn_string(file) as kept:
            kept.setup()
            for store in (InMemoryStore(), kept):
                show(graph(store, remember, look).invoke({"log": []}))
                show(asyncio.run(graph(store, remember, look).ainvoke({"log": []})))
        show(asyncio.run(graph(InMemoryStore(), remember, look, alook).ainvoke({"log": []})))

        async def asynchronously() -> Any:
            async with AsyncSqliteStore.from_conn_string(file) as store:
                await store.setup()
                return await graph(store, alook).ainvoke({"log": []})

        show(asyncio.run(asynchronously()))


def inside(show: Any) -> None:
    """Graphs and functions inside have the outer store, unless they have their own."""
    outer, own = InMemoryStore(), InMemoryStore()

    @task
    def noted(x: int) -> Any:
        get_store().put(("tasks",), str(x), {"x": x})
        return len(get_store().search(("tasks",)))

    def calls(s: State) -> Any:
        return {"log": [noted(1).result(), noted(2).result()]}

    for store in (None, own):
        app = graph(outer, calls)
        below = StateGraph(State).add_node("remember", remember).add_edge(START, "remember").compile(store=store)
        g = StateGraph(State).add_node("below", below).add_node("calls", app).add_edge(START, "below")
        show(g.add_edge("below", "calls").compile(store=outer).invoke({"log": []}))
        show(sorted(map(plain, outer.search(()))), sorted(map(plain, own.search(()))))

    @entrypoint(store=outer)
    def flow(x: int, *, store: BaseStore) -> Any:
        return [noted(x).result(), len(store.search(()))]

    show(flow.invoke(7))


def meaning(show: Any) -> None:
    """A search by meaning, with an embedding that counts letters."""

    def embed(texts: list[str]) -> list[list[float]]:
        return [[float(text.count(letter)) for letter in "abcdefghij"] for text in texts]

    store = InMemoryStore(index={"dims": 10, "embed": embed, "fields": ["text"]})

    def node(s: State, *, store: BaseStore) -> Any:
        for text in ("aaab", "ccd", "ddde"):
            store.put(("texts",), text, {"text": text})
        return {"log": [[item.key for item in store.search(("texts",), query="ddd")]]}

    show(graph(store, node).invoke({"log": []}))


def expiring(show: Any) -> None:
    """What a store forgets after a time, and the thread that sweeps it away."""
    with SqliteStore.from_conn_string(":memory:", ttl={"default_ttl": 0.5 / 60, "refresh_on_read": True}) as store:
        store.setup()

        def write(s: State, *, store: BaseStore) -> Any:
            store.put(("a",), "short", {"x": 1})
            store.put(("a",), "long", {"x": 2}, ttl=100)
            return {"log": [plain(store.get(("a",), "short"))]}

        app = graph(store, write)
        show(app.invoke({"log": []}))
        time.sleep(2.2)  # LangGraph's stores read the clock of the database, which no test can turn
        store.sweep_ttl()
        show(plain(store.get(("a",), "short")), plain(store.get(("a",), "long")))
        app.invoke({"log": []})
        sweeping = store.start_ttl_sweeper(sweep_interval_minutes=1)
        show(store.stop_ttl_sweeper(timeout=5), sweeping.done() or sweeping.cancelled() or True)


def caches(show: Any) -> None:
    """Results are kept for equal inputs, forgotten when told to or in time; by nodes, Sends and functions."""
    calls: list[Any] = []

    def node(s: State) -> Any:
        calls.append("node")
        return {"log": ["node"]}

    def each(x: Any) -> Any:
        calls.append(x)
        return {"log": [x]}

    @task(cache_policy=CachePolicy())
    def double(x: int) -> int:
        calls.append(("double", x))
        return 2 * x

    with tempfile.TemporaryDirectory() as folder:
        for number, cache in enumerate((InMemoryCache(), SqliteCache(path=str(Path(folder) / "c.db")))):
            calls.clear()
            g = StateGraph(State).add_node("node", node, cache_policy=CachePolicy(ttl=1))
            g.add_node("each", each, cache_policy=CachePolicy()).add_edge(START, "node")
            g.add_conditional_edges("node", lambda s: [Send("each", n) for n in (1, 2, 3)])
            app = g.compile(cache=cache, checkpointer=InMemorySaver())
            for run in range(3):
                config: Any = {"configurable": {"thread_id": str(run)}}
                show(app.invoke({"log": []}, config), sorted(map(repr, calls)))
                calls.clear()
            show([chunk for chunk in app.stream({"log": []}, {"configurable": {"thread_id": "s"}}) if "node" in chunk])
            show(asyncio.run(app.ainvoke({"log": []}, {"configurable": {"thread_id": "a"}})), calls)
            app.clear_cache(nodes=["each"])
            show(app.invoke({"log": []}, {"configurable": {"thread_id": "c"}}), sorted(map(repr, calls)))
            calls.clear()
            asyncio.run(app.aclear_cache())
            show(app.invoke({"log": []}, {"configurable": {"thread_id": "d"}}), sorted(map(repr, calls)))
            calls.clear()
            time.sleep(1.1)  # the same of its caches, whose time to live is in whole seconds
            show(app.invoke({"log": []}, {"configurable": {"thread_id": "e"}}), calls)
            calls.clear()

            @entrypoint(cache=cache)
            def flow(x: int) -> Any:
                return [double(x).result(), double(x + 1).result()]

            show(flow.invoke(number), flow.invoke(number), calls)
            double.clear_cache(cache)
            show(flow.invoke(number), calls)
            cache.set({(("own",), "k"): ("v", None)})
            show(cache.get([(("own",), "k")]), asyncio.run(cache.aget([(("own",), "none")])))
