"""A stop never runs node code again: counted in the nodes, for every shape of graph and any order of decisions."""

from __future__ import annotations

import operator
import random
from collections import Counter
from typing import Annotated, TypedDict

import pytest

from stepgraph.core.types import END, START, Send
from stepgraph.graph.builder import StateGraph
from tests.debug.support import finished, held

PLACES = ("plan", "before:**", "after:**", "edge:**", "step:**", "committed:**")


class State(TypedDict, total=False):
    seen: Annotated[list[str], operator.add]
    round: int


class Shapes:
    """Graphs whose nodes count their calls in `calls`."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def node(self, name: str, *, slow: bool = False):
        def work(state: State) -> State:
            self.calls[name] += 1
            return {"seen": [name]}

        async def awaited(state: State) -> State:
            import asyncio

            await asyncio.sleep(0)
            self.calls[name] += 1
            return {"seen": [name]}

        return awaited if slow else work

    def parallel(self, slow: bool = False):
        builder = StateGraph(State)
        for name in "abc":
            builder.add_node(name, self.node(name, slow=slow)).add_edge(START, name)
        builder.add_node("join", self.node("join", slow=slow)).add_edge(list("abc"), "join")
        return builder.compile(name="parallel")

    def nested(self, slow: bool = False):
        inner = StateGraph(State).add_node("x", self.node("x", slow=slow)).add_node("y", self.node("y", slow=slow))
        inner.add_edge(START, "x").add_edge("x", "y")
        builder = StateGraph(State).add_node("sub", inner.compile()).add_node("after", self.node("after", slow=slow))
        builder.add_node("beside", self.node("beside", slow=slow)).add_edge(START, "sub").add_edge(START, "beside")
        return builder.add_edge("sub", "after").compile(name="nested")

    def fanned(self, slow: bool = False):
        builder = StateGraph(State).add_node("split", self.node("split", slow=slow))
        builder.add_node("part", self.node("part", slow=slow)).add_edge(START, "split").add_edge("part", END)
        builder.add_conditional_edges("split", lambda state: [Send("part", {"round": n}) for n in range(4)], ["part"])
        return builder.compile(name="fanned")

    def looped(self, slow: bool = False):
        def again(state: State) -> str:
            return "turn" if len(state["seen"]) < 3 else END

        builder = StateGraph(State).add_node("turn", self.node("turn", slow=slow)).add_edge(START, "turn")
        return builder.add_conditional_edges("turn", again, ["turn", END]).compile(name="looped")


@pytest.mark.parametrize("slow", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("shape", ["parallel", "nested", "fanned", "looped"])
def test_stops_everywhere_and_any_order_of_decisions_run_each_body_once(support, shape, slow):
    plain = Shapes()
    expected = getattr(plain, shape)(False).invoke({"seen": []})
    watched = Shapes()
    dbg = support.debug(getattr(watched, shape)(slow))
    for place in PLACES:
        dbg.stop(place)
    run = dbg.start({"seen": []})
    order = random.Random(7)
    while not run.ended:
        pending = list(run.pending())
        if pending:
            order.choice(pending).approve()
        else:
            run.wait(0.01)
    assert run.error is None
    assert run.result == expected
    assert watched.calls == plain.calls
    assert run.stats.reruns == 0
    assert run.stats.decisions == len(run.inbox.all()) > 10


def test_parallel_tasks_go_on_as_soon_as_their_own_request_is_decided(support):
    shapes = Shapes()
    dbg = support.debug(shapes.parallel())
    dbg.stop("before:*")
    run = dbg.start({"seen": []})
    requests = {request.node: request for request in held(run, 3)}
    done = dbg.stop("after:b")
    requests["b"].approve()
    (after,) = [request for request in held(run, 3) if request.place == "after"]
    assert after.stop is done
    assert shapes.calls == {"b": 1}


def test_a_request_inside_a_subgraph_names_its_path(support):
    dbg = support.debug(Shapes().nested())
    dbg.stop("after:sub/x")
    (request,) = held(dbg.start({"seen": []}))
    assert (request.title, request.step) == ("after:sub/x", 1)
    assert request.state == {"seen": []}
    assert request.changes[0].new == ["x"]


def test_async_nodes_that_wait_for_a_person_hold_up_nobody_else(support):
    """One parallel async node blocks in `interrupt()`; a sync sibling is decided and ends meanwhile."""
    from stepgraph.run.context import interrupt

    shapes = Shapes()

    async def asks(state: State) -> State:
        shapes.calls["asks"] += 1
        return {"seen": [interrupt("who?")]}

    builder = StateGraph(State).add_node(asks).add_node("b", shapes.node("b"))
    dbg = support.debug(builder.add_edge(START, "asks").add_edge(START, "b").compile(name="asking"))
    dbg.stop("before:b")
    dbg.stop("after:b")
    run = dbg.start({"seen": []})
    requests = {request.title: request for request in held(run, 2)}
    requests["before:b"].approve()
    next(request for request in held(run, 2) if request.title == "after:b").approve()
    requests["interrupt:asks"].respond("ana")
    assert finished(run).result == {"seen": ["ana", "b"]}
    assert shapes.calls == {"asks": 1, "b": 1}


@pytest.mark.parametrize("slow", [False, True], ids=["sync", "async"])
def test_a_node_may_run_a_loop_of_its_own(support, slow):
    import asyncio

    async def inner() -> str:
        await asyncio.sleep(0)
        return "done"

    def work(state: State) -> State:
        return {"seen": [asyncio.run(inner())]}

    builder = StateGraph(State).add_node(work).add_edge(START, "work")
    if slow:
        builder.add_node("other", Shapes().node("other", slow=True)).add_edge("work", "other")
    run = finished(support.debug(builder.compile(name="loops")).start({"seen": []}))
    assert run.error is None
    assert run.result["seen"][0] == "done"


def test_all_async_nodes_of_a_run_share_one_loop(support):
    import asyncio

    loops = set()

    def node(name):
        async def work(state: State) -> State:
            loops.add(asyncio.get_running_loop())
            return {"seen": [name]}

        return work

    builder = StateGraph(State)
    for name in ("first", "b", "c", "last"):
        builder.add_node(name, node(name))
    builder.add_edge(START, "first").add_edge("first", "b").add_edge("first", "c").add_edge(["b", "c"], "last")
    run = finished(support.debug(builder.compile(name="loops")).start({"seen": []}))
    assert run.result["seen"] == ["first", "b", "c", "last"]
    assert len(loops) == 1


def test_a_graph_called_from_node_code_is_held_live_too(support):
    shapes = Shapes()
    inner = shapes.looped()

    def calls(state: State) -> State:
        shapes.calls["calls"] += 1
        return inner.invoke({"seen": []})

    dbg = support.debug(StateGraph(State).add_node(calls).add_edge(START, "calls").compile(name="caller"))
    dbg.stop("after:**")
    run = dbg.start({"seen": []})
    titles = []
    while not run.ended:
        for request in run.pending():
            titles.append(request.title)
            request.approve()
        run.wait(0.01)
    assert run.error is None
    assert titles == ["after:calls/turn"] * 3 + ["after:calls"]
    assert shapes.calls == {"turn": 3, "calls": 1}
