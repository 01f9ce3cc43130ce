"""LangGraph's caches: what one engine has cached, the other finds."""

from __future__ import annotations

import asyncio
import operator
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from langgraph.cache.memory import InMemoryCache
from langgraph.cache.redis import RedisCache
from langgraph.cache.sqlite import SqliteCache
from typing_extensions import TypedDict

from stepgraph.cache import InMemoryCache as OwnCache
from tests.differential.engines import Engine, ours, reference

ENGINES = (reference(), ours())
calls: Counter[str] = Counter()


class State(TypedDict, total=False):
    n: int
    log: Annotated[list[Any], operator.add]
    extra: dict[str, Any]


class Part(TypedDict):
    n: int


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


class Redis:
    """As much of a client of Redis as RedisCache uses. The time to live is only kept."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.seconds: dict[str, int] = {}

    def mget(self, keys: list[str]) -> list[bytes | None]:
        return [self.held.get(key) for key in keys]

    def pipeline(self) -> Redis:
        return self

    def set(self, key: str, value: bytes) -> None:
        self.held[key] = value

    def setex(self, key: str, seconds: int, value: bytes) -> None:
        self.held[key], self.seconds[key] = value, seconds

    def execute(self) -> None:
        """Nothing waits."""

    def keys(self, pattern: str) -> list[str]:
        return [key for key in self.held if key.startswith(pattern.removesuffix("*"))]

    def delete(self, *keys: str) -> None:
        for key in keys:
            del self.held[key]


@pytest.fixture(params=["memory", "sqlite", "redis"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "memory":
        yield InMemoryCache()
        return
    if request.param == "redis":
        yield RedisCache(Redis())
        return
    made: Any = SqliteCache(path=str(tmp_path / "cache.db"))
    yield made
    made._conn.close()


@pytest.fixture(params=[(0, 1), (1, 0)], ids=["langgraph first", "ours first"])
def engines(request: pytest.FixtureRequest) -> tuple[Engine, Engine]:
    first, second = request.param
    return ENGINES[first], ENGINES[second]


def square(state: State) -> Any:
    calls["square"] += 1
    return {"log": [state["n"] ** 2]}


def part(state: Part) -> Any:
    calls["part"] += 1
    return {"log": [state["n"] + 1]}


def silent(state: State) -> Any:
    calls["silent"] += 1


def picked(state: State) -> Any:
    return {"log": ["picked"]}


def build(engine: Engine, cache: Any) -> Any:
    """A node of each kind of result: an update, a part of the state, nothing, Commands, a router, Sends and a join."""

    def commands(state: State) -> Any:
        calls["commands"] += 1
        return engine.Command(update={"log": ["commanded"]}, goto=["picked", engine.Send("part", {"n": 7})])

    def route(state: State) -> str:
        calls["route"] += 1
        return "end" if state["n"] > 5 else "silent"

    g = engine.StateGraph(State)
    policy = engine.CachePolicy()
    for each in (square, part, silent, commands):
        g.add_node(each.__name__, each, cache_policy=policy)
    g.add_node("picked", picked)
    g.add_node("joined", picked)
    g.add_edge(engine.START, "square")
    g.add_edge(engine.START, "commands")
    g.add_conditional_edges("square", route, {"end": engine.END, "silent": "silent"})
    g.add_edge(["square", "commands"], "joined")
    return g.compile(cache=cache)


def test_the_other_engine_runs_nothing_again(cache: Any, engines: tuple[Engine, Engine]) -> None:
    first, second = (build(each, cache) for each in engines)
    want = first.invoke({"n": 3, "log": [], "extra": {"b": [1], "a": {"x": None}}})
    counted = Counter(calls)
    got = list(second.stream({"n": 3, "log": [], "extra": {"b": [1], "a": {"x": None}}}, stream_mode="values"))[-1]
    assert got == want
    assert calls == counted
    assert second.invoke({"n": 9, "log": []})["log"] != want["log"]
    assert calls["square"] == 2


def test_what_the_key_function_gives_is_the_same_key(cache: Any, engines: tuple[Engine, Engine]) -> None:
    for which, engine in enumerate(engines):
        g = engine.StateGraph(State)
        g.add_node("square", square, cache_policy=engine.CachePolicy(key_func=lambda state: str(state["n"] % 2)))
        g.add_edge(engine.START, "square")
        assert g.compile(cache=cache).invoke({"n": 1 + 2 * which, "log": []})["log"] == [1]
    assert calls["square"] == 1


def test_keys_in_another_order_are_the_same_input(cache: Any, engines: tuple[Engine, Engine]) -> None:
    """The state's keys come in the graph's order, in whatever order they were written."""
    for engine in engines:
        g = engine.StateGraph(State)
        g.add_node("late", lambda state: {"n": 3})
        g.add_node("square", square, cache_policy=engine.CachePolicy())
        g.add_edge(engine.START, "late").add_edge("late", "square")
        g.compile(cache=cache).invoke({"extra": {}, "log": []})
    assert calls["square"] == 1


def test_tasks_and_entrypoints_share_too(cache: Any, engines: tuple[Engine, Engine]) -> None:
    def work(x: int, *, by: int = 1) -> int:
        calls["work"] += 1
        return x * by

    async def later(x: int) -> int:
        calls["later"] += 1
        return x

    def flow(x: int) -> Any:
        calls["flow"] += 1
        return [tasks["work"](x, by=2).result(), tasks["work"](x, by=3).result()]

    tasks: dict[str, Any] = {}
    for engine in engines:
        tasks["work"] = engine.task(cache_policy=engine.CachePolicy())(work)
        tasks["later"] = engine.task(cache_policy=engine.CachePolicy())(later)
        made = engine.entrypoint(cache=cache)(flow)
        assert made.invoke(2) == [4, 6]

        async def awaited(x: int) -> Any:
            return await tasks["later"](x)

        assert asyncio.run(engine.entrypoint(cache=cache)(awaited).ainvoke(5)) == 5
    assert calls == {"work": 2, "later": 1, "flow": 2}
    tasks["work"].clear_cache(cache)
    made.invoke(2)
    assert calls["work"] == 4


def test_an_entrypoints_result_is_shared(cache: Any, engines: tuple[Engine, Engine]) -> None:
    def flow(x: int) -> Any:
        calls["flow"] += 1
        return {"x": [x]}

    for engine in engines:
        assert engine.entrypoint(cache=cache, cache_policy=engine.CachePolicy())(flow).invoke(2) == {"x": [2]}
    assert calls["flow"] == 1


def test_clearing_the_cache_of_one_engines_graph_clears_the_others(cache: Any, engines: tuple[Engine, Engine]) -> None:
    first, second = (build(each, cache) for each in engines)
    first.invoke({"n": 3, "log": []})
    second.clear_cache(["square"])
    first.invoke({"n": 3, "log": []})
    assert calls["square"] == 2
    assert calls["commands"] == 1
    asyncio.run(second.aclear_cache())
    first.invoke({"n": 3, "log": []})
    assert calls["commands"] == 2


def test_async_calls_find_what_sync_ones_have_kept(cache: Any, engines: tuple[Engine, Engine]) -> None:
    first, second = (build(each, cache) for each in engines)
    want = first.invoke({"n": 3, "log": []})
    counted = Counter(calls)
    assert asyncio.run(second.ainvoke({"n": 3, "log": []})) == want
    assert calls == counted


def test_async_functions_of_one_name_are_told_apart(cache: Any) -> None:
    engine = ENGINES[1]

    def graph(action: Any) -> Any:
        g = engine.StateGraph(State)
        g.add_node("node", action, cache_policy=engine.CachePolicy())
        g.add_edge(engine.START, "node")
        return g.compile(cache=cache)

    async def one(state: State) -> Any:
        return {"log": ["one"]}

    async def two(state: State) -> Any:
        return {"log": ["two"]}

    found = [asyncio.run(graph(each).ainvoke({"n": 1, "log": []}))["log"] for each in (one, two, one)]
    assert found == [["one"], ["two"], ["one"]]


def _module(name: str, function: Callable[..., Any]) -> Any:
    made = type(function)(function.__code__, function.__globals__, function.__name__)
    made.__module__ = name
    return made


@pytest.mark.parametrize("kind", ["own", "theirs"])
def test_a_namespace_is_the_function_and_the_nodes_name(kind: str) -> None:
    """Another node's name, another function or another module has results of its own."""
    cache: Any = OwnCache() if kind == "own" else InMemoryCache()
    engine = ENGINES[1]

    def run(name: str, action: Any) -> int:
        g = engine.StateGraph(State)
        g.add_node(name, action, cache_policy=engine.CachePolicy())
        g.add_edge(engine.START, name)
        before = calls["square"]
        g.compile(cache=cache).invoke({"n": 3, "log": []})
        return calls["square"] - before

    assert [run("a", square), run("a", square)] == [1, 0]
    assert run("b", square) == 1
    assert run("a", _module("elsewhere", square)) == 1
    assert run("a", square) == 0


def test_the_namespaces_and_keys_are_langgraphs() -> None:
    class Noting(InMemoryCache[Any]):
        def __init__(self) -> None:
            super().__init__()
            self.pairs: list[Any] = []

        def set(self, pairs: Any) -> None:
            self.pairs.extend(pairs.items())
            super().set(pairs)

    found = []
    for engine in ENGINES:
        noting = Noting()
        build(engine, noting).invoke({"n": 3, "log": []})
        found.append(sorted((key, sorted(channel for channel, _ in value), ttl) for key, (value, ttl) in noting.pairs))
    assert found[0] == found[1]
    assert {key[0] for key, _, _ in found[0]} >= {("__pregel_ns_writes", f"{__name__}.square", "square")}


def test_redis_is_told_how_long_results_live() -> None:
    known = []
    for engine in ENGINES:
        client = Redis()
        g = engine.StateGraph(State).add_node("square", square, cache_policy=engine.CachePolicy(ttl=7))
        g.add_edge(engine.START, "square").compile(cache=RedisCache(client)).invoke({"n": 3, "log": []})
        known.append(client.seconds)
    assert known[0] == known[1]
    assert list(known[0].values()) == [7]
