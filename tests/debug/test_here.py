"""`where="here"`: a run on the current event loop, with no thread at all."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections import Counter, deque
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph.core.types import END, START, Send
from stepgraph.debug import presence
from stepgraph.graph.builder import StateGraph
from stepgraph.run import threads
from stepgraph.run.context import interrupt
from tests.debug.support import SECONDS


class State(TypedDict, total=False):
    seen: Annotated[list[Any], operator.add]
    n: int


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch):
    """As in a host without threads."""

    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.setattr(threads.pool, "idle", deque())


class Bodies:
    def __init__(self):
        self.calls: Counter[str] = Counter()

    def node(self, name, *, is_async=False):
        def work(state: State) -> State:
            self.calls[name] += 1
            return {"seen": [name]}

        async def awaited(state: State) -> State:
            await asyncio.sleep(0)
            return work(state)

        return awaited if is_async else work

    def graph(self, is_async):
        inner = StateGraph(State).add_node("x", self.node("x", is_async=is_async)).add_node("y", self.node("y"))
        inner.add_edge(START, "x").add_edge(START, "y")
        builder = StateGraph(State).add_node("sub", inner.compile()).add_node("beside", self.node("beside"))
        builder.add_node("split", self.node("split", is_async=is_async)).add_node("part", self.node("part"))
        builder.add_edge(START, "sub").add_edge(START, "beside").add_edge(["sub", "beside"], "split")
        builder.add_conditional_edges("split", lambda state: [Send("part", {"n": n}) for n in range(3)], ["part", END])
        return builder.compile(name="here")


async def decided(run, decide=lambda request: request.approve()):
    """Each request decided as it comes, and the result."""
    async with asyncio.timeout(SECONDS):
        async for request in run.requests():
            decide(request)
        return await run


@pytest.mark.parametrize("is_async", [False, True])
def test_every_place_is_held_and_no_body_runs_without_leave_or_in_a_thread(support, is_async):
    bodies = Bodies()
    dbg = support.debug(bodies.graph(is_async), where="here")
    for place in ("plan", "before:**", "after:**", "edge:**", "step:**", "committed:**"):
        dbg.stop(place)

    async def main():
        run = dbg.start({"seen": []})
        result = await decided(run)
        assert sorted(result["seen"]) == ["beside", "part", "part", "part", "split", "x", "y"]
        assert run.stats.reruns == 0
        assert run.stats.decisions > 30
        fork = run.at(1).fork()
        assert (await decided(fork))["seen"][-3:] == ["part"] * 3

    asyncio.run(main())
    # on the branch `before:**` asks about split again, so its body runs once more when that is approved
    assert bodies.calls == {"x": 1, "y": 1, "beside": 1, "split": 2, "part": 6}


def test_the_loop_has_its_turn_between_two_sync_bodies(support):
    beats = []

    def turn(state: State) -> State:
        return {"n": state["n"] + 1}

    builder = StateGraph(State).add_node(turn).add_edge(START, "turn")
    builder.add_conditional_edges("turn", lambda state: "turn" if state["n"] < 50 else END, ["turn", END])
    dbg = support.debug(builder.compile(name="turns"), where="here")

    async def main():
        async def beat():
            while True:
                beats.append(run.ledger.step)
                await asyncio.sleep(0)

        run = dbg.start({"n": 0})
        beating = asyncio.create_task(beat())
        assert (await run)["n"] == 50
        beating.cancel()

    asyncio.run(main())
    assert len(set(beats)) > 40


@pytest.mark.parametrize("is_async", [False, True])
def test_a_node_that_asks_is_entered_again_and_says_so(support, is_async):
    calls = Counter()

    def asks(state: State) -> State:
        calls["asks"] += 1
        return {"seen": [interrupt("first?"), interrupt("second?")]}

    async def asks_async(state: State) -> State:
        await asyncio.sleep(0)
        return asks(state)

    bodies = Bodies()
    inner = StateGraph(State).add_node("asks", asks_async if is_async else asks).add_edge(START, "asks").compile()
    builder = StateGraph(State).add_node("sub", inner).add_node("beside", bodies.node("beside"))
    builder.add_node("last", bodies.node("last")).add_edge(START, "sub").add_edge(START, "beside")
    dbg = support.debug(builder.add_edge(["sub", "beside"], "last").compile(name="asking"), where="here")
    asked = []

    def answer(request):
        asked.append((request.title, request.question, request.why))
        request.respond(f"answer {len(asked)}")

    async def main():
        run = dbg.start({"seen": []})
        result = await decided(run, answer)
        assert result["seen"] == ["beside", "answer 1", "answer 2", "last"]
        assert (run.stats.reruns, run.stats.interrupts) == (0, 2)

    asyncio.run(main())
    assert [each[:2] for each in asked] == [("interrupt:sub/asks", "first?"), ("interrupt:sub/asks", "second?")]
    assert all("its body is entered again" in each[2] for each in asked)
    assert (calls, bodies.calls) == ({"asks": 3}, {"beside": 1, "last": 1})


def test_a_graph_that_node_code_calls_is_held_only_where_it_can_be_awaited(support):
    bodies = Bodies()
    inner = StateGraph(State).add_node("x", bodies.node("x")).add_edge(START, "x").compile()

    async def awaits(state: State) -> State:
        return await inner.ainvoke({"seen": []})

    def blocks(state: State) -> State:
        return inner.invoke({"seen": []})

    async def main(node, name):
        dbg = support.debug(StateGraph(State).add_node(node).add_edge(START, name).compile(name=name), where="here")
        dbg.stop("after:**")
        return await decided(dbg.start({"seen": []}))

    assert asyncio.run(main(awaits, "awaits"))["seen"] == ["x"]
    with pytest.raises(RuntimeError, match=r"on the event loop, where nobody can answer .* use `await graph.ainvoke"):
        asyncio.run(main(blocks, "blocks"))


def test_parallel_nodes_of_a_called_graph_run_in_turn_where_there_are_no_threads():
    bodies = Bodies()
    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, bodies.node(name)).add_edge(START, name)
    assert builder.compile().invoke({"seen": []})["seen"] == ["a", "b", "c"]


def test_a_blocking_wait_on_the_loop_is_refused(support):
    dbg = support.debug(where="here")
    dbg.stop("after:draft")

    async def main():
        run = dbg.start({"question": "refund"})
        for wait in (run.wait, run.settle):
            with pytest.raises(RuntimeError, match=r"is running\. It works on this event loop .*: `await run`"):
                wait()
        await decided(run)
        assert run.wait()

    asyncio.run(main())


def test_a_start_without_a_loop_is_refused(support):
    dbg = support.debug(where="here")
    with pytest.raises(RuntimeError, match="none is running here: start the run in a notebook"):
        dbg.start({"question": "refund"})
    assert dbg.runs == []


def test_a_policy_waits_for_a_front_end_without_a_thread(support, monkeypatch):
    monkeypatch.setattr(presence, "may_appear", lambda: True)
    monkeypatch.setattr(presence, "_nobody", False)
    monkeypatch.setattr(presence, "ANSWER_SECONDS", 0.01)
    dbg = support.debug(where="here")
    dbg.stop("after:draft")

    async def main():
        run = dbg.start({"question": "refund"}).unattended("approve")
        async with asyncio.timeout(SECONDS):
            return await run

    assert asyncio.run(main())["answer"] == "about refund"
