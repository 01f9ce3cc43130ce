"""Awaited runs that nobody looks at go straight on, and give and store what the whole way gives and stores."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any

import pytest

from stepgraph import START, Send, StateGraph
from stepgraph.core.plan import Plan
from stepgraph.graph import engines
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer
from stepgraph.run.aio import AsyncDriver
from tests.run.lone import PROGRAMS, State, account, spoken
from tests.run.test_straight import LIMIT, Whole, stored

Program = Callable[[], CompiledStateGraph]
WAIT_IN_SYNC_CODE = {"a graph inside", "a failing graph inside", "a call inside"}
"""Programs that wait for something in sync code, which a coroutine must not do."""


def at_once(function: Callable[..., Any]) -> Any:
    async def node(state: Any) -> Any:
        return function(state)

    return node


def later(function: Callable[..., Any]) -> Any:
    async def node(state: Any) -> Any:
        await asyncio.sleep(0)
        result = function(state)
        await asyncio.sleep(0)
        return result

    return node


class Awaited:
    """An awaitable that is no coroutine."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call

    def __await__(self) -> Generator[Any, Any, Any]:
        yield
        return self._call()


def elsewhere(function: Callable[..., Any]) -> Any:
    def node(state: Any) -> Awaitable[Any]:
        return Awaited(partial(function, state))

    return node


def rebuilt(name: str, made: Callable[..., Any]) -> CompiledStateGraph:
    """The program with async bodies."""
    app = PROGRAMS[name]()
    for node in app.plan.nodes.values():
        if node.body is not None and not node.is_async:
            node.body, node.is_async, node.twin = made(node.body), True, None
    app.plan.has_async = True
    return app


def called(call: Callable[[], Any]) -> Any:
    """`account` of a coroutine. What ends a loop by itself is told by its class."""
    return account(lambda: asyncio.run(call()))


async def whole(app: CompiledStateGraph, given: Any, **config: Any) -> Any:
    """What the engine gives under the driver of all awaited runs."""
    outcome = await AsyncDriver().run(app.engine(given, {"recursion_limit": LIMIT, **config}).run())
    asked = {"__interrupt__": list(outcome.interrupts)} if outcome.interrupts else {}
    return {**outcome.values, **asked} if isinstance(outcome.values, dict) else outcome.values


@pytest.fixture(autouse=True)
def limited(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(engines, "DEFAULT_RECURSION_LIMIT", LIMIT)
    caplog.set_level(logging.CRITICAL, "stepgraph")


NAMES = [name for name in PROGRAMS if name not in WAIT_IN_SYNC_CODE]
MADE = {made.__name__: made for made in (at_once, later, elsewhere)}


@pytest.mark.parametrize("how", MADE)
@pytest.mark.parametrize("name", NAMES)
def test_a_call_gives_and_stores_what_the_whole_way_does(name: str, how: str) -> None:
    given: dict[str, Any] = {"log": [1]} if "reducer" in name else {"n": 1}
    config = {"recursion_limit": LIMIT, "configurable": {"thread_id": "t"}, "metadata": {"user": "x"}}
    bare, ours, theirs = (rebuilt(name, MADE[how]) for _ in range(3))
    ours.checkpointer, theirs.checkpointer = MemoryCheckpointer(), Whole()
    assert called(lambda: bare.ainvoke(given)) == called(lambda: whole(bare, given))

    for _ in range(2):  # on a new thread, and on one that has ended or is to go on
        assert called(lambda: ours.ainvoke(given, config)) == called(lambda: whole(theirs, given, **config))
        assert stored(ours) == stored(theirs) != []
    assert spoken.get() == "nothing"


def chain(*bodies: Any) -> StateGraph[Any]:
    return StateGraph(State).add_sequence(
        [(f"n{place}", body) for place, body in enumerate(bodies)]
    ).add_edge(START, "n0")  # fmt: skip


async def one_more(state: State) -> State:
    return {"n": state["n"] + 1}


def one_more_in_a_thread(state: State) -> State:
    return {"n": state["n"] + 1}


@pytest.mark.parametrize("saver", [None, MemoryCheckpointer, lambda: SqliteCheckpointer(":memory:")])
def test_sync_nodes_and_fan_outs_are_reached_on_the_way(saver: Any) -> None:
    g = chain(one_more, one_more_in_a_thread, one_more)
    g.add_node("each", one_more_in_a_thread)
    g.add_conditional_edges("n2", lambda state: [Send("each", {"n": state["n"]})], ["each"])
    app = g.compile(checkpointer=saver and saver())

    assert asyncio.run(app.ainvoke({"n": 0}, thread="t")) == {"n": 4}
    if saver is not None:
        assert [each.values.get("n") for each in app.get_state_history(thread="t")] == [4, 3, 2, 1, 0, None]


def test_a_cancelled_call_raises_what_cancelled_it_and_keeps_what_had_ended() -> None:
    began = asyncio.Event()

    async def waits(state: State) -> State:
        began.set()
        await asyncio.sleep(60)
        return {"n": -1}

    app = chain(one_more, waits, one_more).compile(checkpointer=MemoryCheckpointer())

    async def cancelled() -> Any:
        run = asyncio.ensure_future(app.ainvoke({"n": 0}, thread="t"))
        await began.wait()
        run.cancel("enough")
        return await run

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    shown = app.get_state(thread="t")
    assert (shown.values, shown.next) == ({"n": 1}, ("n1",))


def test_a_body_may_limit_its_time_and_is_closed_with_the_call() -> None:
    closed = []
    waiting = asyncio.Event()

    async def limits(state: State) -> State:
        try:
            async with asyncio.timeout(0):
                await asyncio.sleep(60)
        except TimeoutError:
            closed.append("limited")
        return {"n": 1}

    async def waits(state: State) -> State:
        waiting.set()
        try:
            await asyncio.sleep(60)
        finally:
            closed.append("closed")
        return {}

    app = chain(limits, waits).compile()

    async def cancelled() -> None:
        run = asyncio.ensure_future(app.ainvoke({"n": 0}))
        await waiting.wait()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

    asyncio.run(cancelled())
    assert closed == ["limited", "closed"]


def test_the_programs_go_straight() -> None:
    plan: Plan = rebuilt("an update", at_once).plan
    assert plan.straight
    assert plan.has_async
