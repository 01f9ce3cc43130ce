"""Cache policies: a node that had the same input before does not run, and what it returned then counts."""

from __future__ import annotations

import asyncio
import operator
from collections import Counter
from typing import Annotated, Any, ClassVar

import pytest
from typing_extensions import TypedDict

from stepgraph import END, START, CachePolicy, Command, RetryPolicy, Send, StateGraph, interrupt
from stepgraph.cache import InMemoryCache, SqliteCache
from stepgraph.core import caching, registry
from stepgraph.persist import MemoryCheckpointer


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]
    n: int


calls: Counter[str] = Counter()
CONFIG: Any = {"configurable": {"thread_id": "t"}}


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


@pytest.fixture(params=["memory", "sqlite"])
def cache(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    if request.param == "memory":
        yield InMemoryCache()
        return
    made = SqliteCache(path=str(tmp_path / "cache.db"))
    yield made
    made.close()


def square(state: Log) -> Any:
    calls["square"] += 1
    return {"log": [state["n"] ** 2]}


def graph(node: Any = square, **options: Any) -> StateGraph:
    g = StateGraph(Log)
    g.add_node("square", node, **{"cache_policy": CachePolicy(), **options})
    g.add_edge(START, "square")
    return g


def test_the_same_input_runs_the_node_once(cache: Any) -> None:
    app = graph().compile(cache=cache)
    assert [app.invoke({"log": [], "n": n})["log"] for n in (3, 3, 4, 3)] == [[9], [9], [16], [9]]
    assert calls["square"] == 2


def test_on_a_running_loop_and_with_async_nodes_too(cache: Any) -> None:
    async def square(state: Log) -> Any:
        calls["square"] += 1
        return {"log": [state["n"] ** 2]}

    app = graph(square).compile(cache=cache)

    async def main() -> Any:
        return [(await app.ainvoke({"log": [], "n": 3}))["log"] for _ in range(3)]

    assert asyncio.run(main()) == [[9]] * 3
    assert app.invoke({"log": [], "n": 3})["log"] == [9]
    assert calls["square"] == 1


def test_streams_say_that_it_came_from_the_cache(cache: Any) -> None:
    app = graph().compile(cache=cache)
    first = list(app.stream({"log": [], "n": 3}, stream_mode=["updates", "tasks"]))
    again = list(app.stream({"log": [], "n": 3}, stream_mode=["updates", "tasks"]))
    assert [payload for mode, payload in first if mode == "updates"] == [{"square": {"log": [9]}}]
    assert [payload for mode, payload in again if mode == "updates"] == [
        {"square": {"log": [9]}, "__metadata__": {"cached": True}}
    ]
    assert [sorted(payload) for mode, payload in again if mode == "tasks"] == [["id", "input", "name", "triggers"]]


def test_what_is_cached_is_a_copy(cache: Any) -> None:
    app = graph(lambda state: {"log": [[state["n"]]]}).compile(cache=cache)
    app.invoke({"log": [], "n": 1})["log"][0].append("changed")
    assert app.invoke({"log": [], "n": 1})["log"] == [[1]]


def test_routes_are_cached_with_the_update(cache: Any) -> None:
    def route(state: Log) -> str:
        calls["route"] += 1
        return "b"

    g = graph(lambda state: Command(update={"log": ["a"]}, goto=Send("c", {"log": [], "n": 7})))
    g.add_node("b", lambda state: {"log": ["b"]})
    g.add_node("c", lambda state: {"log": [state["n"]]})
    g.add_conditional_edges("square", route, ["b", END])
    app = g.compile(cache=cache)
    results = [app.invoke({"log": [], "n": 1})["log"] for _ in range(2)]
    assert results == [["a", "b", 7]] * 2
    assert calls["route"] == 1


def test_results_get_too_old() -> None:
    now = [1000.0]
    cache = InMemoryCache(clock=lambda: now[0])
    app = graph(cache_policy=CachePolicy(ttl=10)).compile(cache=cache)
    for moment in (1000.0, 1009.0, 1010.0):
        now[0] = moment
        app.invoke({"log": [], "n": 3})
    assert calls["square"] == 2


def test_an_own_key_says_what_counts_as_the_same(cache: Any) -> None:
    policy = CachePolicy(key_func=lambda state: str(state["n"] % 10))
    app = graph(cache_policy=policy).compile(cache=cache)
    assert [app.invoke({"log": [], "n": n})["log"] for n in (3, 13, 4)] == [[9], [9], [16]]


def test_clearing_forgets_the_named_nodes_or_all(cache: Any) -> None:
    g = graph()
    g.add_node("other", square, cache_policy=CachePolicy())
    g.add_edge("square", "other")
    app = g.compile(cache=cache)
    app.invoke({"log": [], "n": 3})
    assert calls["square"] == 2
    app.clear_cache(["other"])
    app.invoke({"log": [], "n": 3})
    assert calls["square"] == 3
    asyncio.run(app.aclear_cache())
    app.invoke({"log": [], "n": 3})
    assert calls["square"] == 5


def test_without_a_cache_there_is_nothing_to_clear_and_nothing_is_kept() -> None:
    app = graph().compile()
    with pytest.raises(ValueError, match="No cache is set for this graph"):
        app.clear_cache()
    for _ in range(2):
        app.invoke({"log": [], "n": 3})
    assert calls["square"] == 2


def test_failures_and_questions_are_never_kept(cache: Any) -> None:
    def node(state: Log) -> Any:
        calls["node"] += 1
        if calls["node"] == 1:
            raise ConnectionError
        return {"log": [interrupt("who?")]}

    app = graph(node, retry_policy=RetryPolicy(initial_interval=0, jitter=False)).compile(
        MemoryCheckpointer(), cache=cache
    )
    app.invoke({"log": [], "n": 1}, CONFIG)
    assert app.invoke(Command(resume="ana"), CONFIG)["log"] == ["ana"]
    assert calls["node"] == 3


def test_a_default_policy_is_for_nodes_and_not_for_handlers(cache: Any) -> None:
    def handler(state: Log) -> Any:
        calls["handler"] += 1
        return {"log": ["handled"]}

    def fails(state: Log) -> Any:
        calls["fails"] += 1
        raise ConnectionError

    g = graph(cache_policy=None)
    g.add_node("fails", fails, error_handler=handler)
    g.add_edge(START, "fails")
    app = g.set_node_defaults(cache_policy=CachePolicy()).compile(cache=cache)
    for _ in range(2):
        assert app.invoke({"log": [], "n": 3})["log"] == ["handled", 9]
    assert calls == {"square": 1, "fails": 2, "handler": 2}


@pytest.mark.parametrize("own", [False, True])
def test_a_subgraph_can_be_cached_and_its_nodes_use_its_own_cache_alone(cache: Any, own: bool) -> None:
    outer = StateGraph(Log)
    outer.add_node("child", graph().compile(cache=cache if own else None), cache_policy=CachePolicy())
    outer.add_edge(START, "child")
    app = outer.compile(cache=cache)
    for _ in range(2):
        assert app.invoke({"log": [], "n": 3})["log"] == [9]
    assert calls["square"] == 1
    app.clear_cache(["child"])
    app.invoke({"log": [], "n": 3})
    assert calls["square"] == (1 if own else 2)


def test_langgraphs_own_caches_work_too(tmp_path: Any) -> None:
    memory = pytest.importorskip("langgraph.cache.memory")
    sqlite = pytest.importorskip("langgraph.cache.sqlite")
    for made in (memory.InMemoryCache(), sqlite.SqliteCache(path=str(tmp_path / "theirs.db"))):
        calls.clear()
        app = graph().compile(cache=made)
        for _ in range(2):
            assert app.invoke({"log": [], "n": 3})["log"] == [9]
        assert calls["square"] == 1


def test_sends_are_cached_by_what_they_bring(cache: Any) -> None:
    def work(n: int) -> Any:
        calls["work"] += 1
        return {"log": [n]}

    g = StateGraph(Log)
    g.add_node("work", work, cache_policy=CachePolicy())
    g.add_conditional_edges(START, lambda state: [Send("work", n) for n in (1, 2, 3)], ["work"])
    app = g.compile(cache=cache)
    for _ in range(2):
        assert app.invoke({"log": [], "n": 0})["log"] == [1, 2, 3]
    assert calls["work"] == 3


def test_caches_of_another_library_are_used_in_the_words_that_are_registered_for_it() -> None:
    class Theirs(caching.Words):
        def key(self, task: Any) -> str:
            return f"theirs: {task.input['n']}"

    class Foreign(InMemoryCache):
        keys: ClassVar[list[Any]] = []

        def set(self, pairs: Any) -> None:
            self.keys += [key for _, key in pairs]
            super().set(pairs)

    Foreign.__module__ = "a.library.of.caches"
    g = StateGraph(Log)
    g.add_node("double", lambda state: {"log": [2 * state["n"]]}, cache_policy=CachePolicy())
    g.add_edge(START, "double")
    app = g.compile(cache=Foreign())
    registry.cache_words.register("a.library.of.caches", Theirs)
    try:
        app.invoke({"n": 3, "log": []})
    finally:
        registry.cache_words.remove("a.library.of.caches")
    assert Foreign.keys == ["theirs: 3"]
    app.invoke({"n": 4, "log": []})
    assert len(Foreign.keys) == 2
    assert not Foreign.keys[1].startswith("theirs")
