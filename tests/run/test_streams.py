"""The shapes of chunks: one mode or several, namespaces, keys, and modes that nobody knows."""

from __future__ import annotations

import asyncio
import gc
import operator
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import START, StateGraph, get_stream_writer
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.persist import MemoryCheckpointer
from stepgraph.run.streams import result_of, shown_update


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    x: int


def app() -> CompiledStateGraph:
    """a, then a subgraph with b, then c, which writes x only."""
    inner = StateGraph(State)
    inner.add_node("b", lambda state: {"log": ["b"]})
    inner.add_edge(START, "b")
    g = StateGraph(State)
    g.add_node("a", lambda state: {"log": ["a"]})
    g.add_node("child", inner.compile())
    g.add_node("c", lambda state: {"x": 1})
    g.add_edge(START, "a")
    g.add_edge("a", "child")
    g.add_edge("child", "c")
    return g.compile()


def chunks(way: str, **options: Any) -> list[Any]:
    """What a run streams, by stream or astream."""
    if way == "stream":
        return list(app().stream({"log": []}, **options))

    async def collect() -> list[Any]:
        return [chunk async for chunk in app().astream({"log": []}, **options)]

    return asyncio.run(collect())


WAYS = pytest.mark.parametrize("way", ["stream", "astream"])
UPDATES = [{"a": {"log": ["a"]}}, {"child": {"log": ["a", "b"]}}, {"c": {"x": 1}}]


@WAYS
def test_one_mode_gives_payloads_and_updates_are_the_default(way: str) -> None:
    assert chunks(way) == UPDATES
    assert chunks(way, stream_mode="updates") == UPDATES
    assert chunks(way, stream_mode="values")[-1] == {"log": ["a", "a", "b"], "x": 1}


@WAYS
def test_a_list_of_modes_gives_pairs_and_a_tuple_bare_payloads(way: str) -> None:
    found = chunks(way, stream_mode=["values", "updates"])
    assert [payload for mode, payload in found if mode == "updates"] == UPDATES
    assert {mode for mode, _ in found} == {"values", "updates"}
    assert chunks(way, stream_mode=("updates",)) == UPDATES


@WAYS
def test_subgraphs_put_the_namespace_in_front(way: str) -> None:
    found = chunks(way, subgraphs=True)
    assert [payload for ns, payload in found if not ns] == UPDATES
    ((ns, payload),) = [chunk for chunk in found if chunk[0]]
    assert ns[0].startswith("child:")
    assert payload == {"b": {"log": ["b"]}}
    triples = chunks(way, subgraphs=True, stream_mode=["updates"])
    assert [(mode, payload) for ns, mode, payload in triples if not ns] == [("updates", each) for each in UPDATES]


@WAYS
def test_output_keys_choose_what_values_and_updates_show(way: str) -> None:
    assert chunks(way, stream_mode="values", output_keys=["x"]) == [{"x": 1}]
    assert chunks(way, stream_mode="values", output_keys="x") == [1]
    assert chunks(way, output_keys=["x"]) == [{"a": None}, {"child": None}, {"c": {"x": 1}}]


@WAYS
def test_an_unknown_mode_is_refused_with_those_there_are(way: str) -> None:
    with pytest.raises(ValueError, match="Unknown stream mode 'value'; the modes are values, updates"):
        chunks(way, stream_mode="value")


@WAYS
def test_chunks_that_came_before_an_error_are_not_lost(way: str) -> None:
    g = StateGraph(State)
    g.add_node("good", lambda state: {"x": 1})
    g.add_node("bad", lambda state: 1 / 0)
    g.add_edge(START, "good")
    g.add_edge("good", "bad")
    found: list[Any] = []

    async def collect() -> None:
        async for chunk in g.compile().astream({"x": 0}):
            found.append(chunk)

    def run() -> None:
        if way == "astream":
            asyncio.run(collect())
        else:
            found.extend(g.compile().stream({"x": 0}))

    with pytest.raises(ZeroDivisionError):
        run()
    assert found == [{"good": {"x": 1}}]


@WAYS
def test_invoke_with_a_mode_gives_the_list_of_chunks(way: str) -> None:
    if way == "stream":
        assert app().invoke({"log": []}, stream_mode="updates") == UPDATES
    else:
        assert asyncio.run(app().ainvoke({"log": []}, stream_mode="updates")) == UPDATES


@pytest.mark.parametrize(
    ("writes", "update", "result"),
    [
        ((), None, {}),
        ((("a", 1),), {"a": 1}, {"a": 1}),
        ((("a", 1), ("a", 2)), [{"a": 1}, {"a": 2}], {"a": {"$writes": [1, 2]}}),
        ((("__root__", 5),), 5, {"__root__": 5}),
        ((("__root__", 5), ("__root__", 6)), [5, 6], {"__root__": {"$writes": [5, 6]}}),
    ],
)
def test_how_writes_are_shown(writes: Any, update: Any, result: Any) -> None:
    assert shown_update(writes) == update
    assert result_of(writes) == result


@pytest.mark.parametrize("mode", ["tasks", "debug"])
@WAYS
def test_all_tasks_of_a_superstep_are_announced_before_one_ends(way: str, mode: str) -> None:
    g = StateGraph(State)
    for name in ("a", "b", "c"):
        g.add_node(name, lambda state, name=name: {"log": [name]}).add_edge(START, name)
    g.add_node("last", lambda state: {"x": 1}).add_edge(["a", "b", "c"], "last")
    parallel = g.compile()

    async def collect() -> list[Any]:
        return [chunk async for chunk in parallel.astream({"log": []}, stream_mode=mode)]

    found = list(parallel.stream({"log": []}, stream_mode=mode)) if way == "stream" else asyncio.run(collect())
    payloads = [each["payload"] if mode == "debug" else each for each in found]
    told = [("starts" if "triggers" in each else "ends", each["name"]) for each in payloads if "name" in each]

    assert told[:3] == [("starts", "a"), ("starts", "b"), ("starts", "c")]
    assert sorted(told[3:6]) == [("ends", "a"), ("ends", "b"), ("ends", "c")]
    assert told[6:] == [("starts", "last"), ("ends", "last")]


@pytest.mark.parametrize("mode", ["debug", "checkpoints", ["values", "updates", "tasks"]])
def test_a_stream_may_be_closed_wherever_it_is(mode: Any) -> None:
    g = StateGraph(State)
    for name in ("a", "b"):
        g.add_node(name, lambda state, name=name: {"log": [name]})
    graph = g.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=MemoryCheckpointer())
    whole = len(list(graph.stream({"log": []}, thread="whole", stream_mode=mode)))
    assert whole > 3
    for count in range(1, whole):
        stream = graph.stream({"log": []}, thread=str(count), stream_mode=mode, durability="sync")
        for _ in range(count):
            next(stream)
        stream.close()
        rest = graph.invoke(None, thread=str(count))
        assert rest["log"] == ["a", "b"]


def test_a_run_that_fails_after_its_reader_has_gone_is_not_reported_as_an_error_of_the_loop() -> None:
    complaints: list[Any] = []

    async def read() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        failing = asyncio.Event()

        async def fails(state: State) -> State:
            get_stream_writer()("begins")
            failing.set()
            await asyncio.sleep(0)
            raise ValueError("nobody reads on")

        g = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}).add_node("b", fails)
        chunks = (
            g.add_edge(START, "a").add_edge("a", "b").compile().astream({"x": 1}, stream_mode=["updates", "custom"])
        )
        await anext(chunks)
        await anext(chunks)
        await failing.wait()
        if running := asyncio.all_tasks() - {asyncio.current_task()}:  # until the run has ended
            await asyncio.wait(running)
        await chunks.aclose()  # type: ignore[attr-defined]  # it is a generator
        gc.collect()

    asyncio.run(read())
    assert complaints == []
