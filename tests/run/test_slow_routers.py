"""Sync routers under an event loop: short ones are called on it, those that took long twice are called beside it."""

from __future__ import annotations

import asyncio
from threading import get_ident
from typing import Any, TypedDict

import pytest

from stepgraph import END, START, StateGraph
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.run import bodies


class State(TypedDict):
    n: int


async def one_more(state: State) -> State:
    return {"n": state["n"] + 1}


def in_the_loop(where: list[int]) -> CompiledStateGraph:
    """A router behind START, and one behind a node that is run three times; `where` gets the threads of their calls."""

    def first(state: State) -> str:
        where.append(get_ident())
        return "more"

    def again(state: State) -> str:
        where.append(get_ident())
        return "more" if state["n"] < 3 else END

    graph = StateGraph(State).add_node("more", one_more)
    graph.add_conditional_edges(START, first, ["more"])
    return graph.add_conditional_edges("more", again, ["more", END]).compile()


def test_short_routers_are_called_on_the_loop() -> None:
    where: list[int] = []
    app = in_the_loop(where)

    assert asyncio.run(app.ainvoke({"n": 0})) == {"n": 3}
    assert set(where) == {get_ident()}
    assert app.plan.nodes["more"].lean


@pytest.mark.parametrize("debugged", [False, True])
def test_routers_that_took_long_are_called_beside_the_loop(monkeypatch: pytest.MonkeyPatch, debugged: bool) -> None:
    monkeypatch.setattr(bodies, "SLOW", -1.0)
    where: list[int] = []
    app = in_the_loop(where)

    async def run() -> Any:
        if debugged:  # every superstep goes the whole way
            return [chunk async for chunk in app.astream({"n": 0}, stream_mode="debug")] and {"n": 3}
        return await app.ainvoke({"n": 0})

    assert asyncio.run(run()) == {"n": 3}
    assert [each == get_ident() for each in where] == [True, True, True, False]
    assert asyncio.run(run()) == {"n": 3}
    assert [each == get_ident() for each in where[4:]] == [True, False, False, False]
    assert asyncio.run(run()) == {"n": 3}
    assert get_ident() not in where[8:]


def test_one_delay_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    where: list[int] = []
    app = in_the_loop(where)
    app.plan.nodes["more"].delays = 1

    assert asyncio.run(app.ainvoke({"n": 0})) == {"n": 3}
    assert set(where) == {get_ident()}
    monkeypatch.setattr(bodies, "SLOW", -1.0)
    assert asyncio.run(app.ainvoke({"n": 0})) == {"n": 3}
    assert not app.plan.nodes["more"].lean


def test_what_a_slow_router_raises_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SLOW", -1.0)

    def stops(state: State) -> str:
        if state["n"] < 3:
            return "more"
        raise StopIteration

    graph = StateGraph(State).add_node("more", one_more).add_edge(START, "more")
    app = graph.add_conditional_edges("more", stops, ["more", END]).compile()

    with pytest.raises(RuntimeError, match="node 'more' raised StopIteration"):
        asyncio.run(app.ainvoke({"n": 0}))


async def done() -> str:
    return END


def by_run(state: State) -> str:
    return asyncio.run(done())


def by_a_runner(state: State) -> str:
    runner = asyncio.Runner()
    try:
        return runner.run(done())
    finally:
        if asyncio._get_running_loop() is None:
            runner.close()


def by_a_loop(state: State) -> str:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(done())
    finally:
        loop.close()


def first(state: State) -> str:
    return asyncio.run(done()) and "more"


@pytest.mark.parametrize("router", [by_run, by_a_runner, by_a_loop])
@pytest.mark.parametrize("listens", [False, True])
@pytest.mark.parametrize("beside", [False, True])
def test_a_router_may_run_an_event_loop_of_its_own(router: Any, listens: bool, beside: bool) -> None:
    ran: list[int] = []

    async def more(state: State) -> None:
        ran.append(state["n"])

    graph = StateGraph(State).add_node("more", more).add_conditional_edges("more", router, [END])
    graph.add_conditional_edges(START, first, ["more"])
    if beside:
        graph.add_node("other", one_more).add_edge(START, "other")
    app = graph.compile()

    async def run() -> Any:
        if listens:
            return [chunk async for chunk in app.astream({"n": 0}, stream_mode="values")][-1]
        return await app.ainvoke({"n": 0})

    assert asyncio.run(run()) == asyncio.run(run()) == {"n": int(beside)}
    assert ran == [0, 0]
    assert not app.plan.nodes["more"].lean


def test_a_router_that_fails_otherwise_is_called_once() -> None:
    calls: list[int] = []

    def fails(state: State) -> str:
        calls.append(state["n"])
        raise RuntimeError("the event loop is running late")

    app = StateGraph(State).add_node("more", one_more).add_edge(START, "more").add_conditional_edges("more", fails)
    with pytest.raises(RuntimeError, match="running late"):
        asyncio.run(app.compile().ainvoke({"n": 0}))
    assert calls == [1]
