"""Going on, stopping and waiting: the verbs of a run."""

from __future__ import annotations

import asyncio
import sys
import threading
from threading import Event
from typing import TypedDict

import pytest

from stepgraph.core.errors import Cancelled, DecisionError
from stepgraph.core.types import START
from stepgraph.debug import HeldError, lifetime, waiting
from stepgraph.graph.builder import StateGraph
from tests.debug.support import SECONDS, finished, held


class State(TypedDict, total=False):
    n: int


def lone(node, name="lone"):
    return StateGraph(State).add_node("work", node).add_edge(START, "work").compile(name=name)


def nested():
    inner = StateGraph(State).add_node("x", lambda state: {"n": 1}).add_node("y", lambda state: {"n": 2})
    inner.add_edge(START, "x").add_edge("x", "y")
    builder = StateGraph(State).add_node("sub", inner.compile()).add_node("last", lambda state: {"n": 3})
    return builder.add_edge(START, "sub").add_edge("sub", "last").compile(name="nested")


def test_start_returns_at_once_and_the_run_goes_on_beside(support):
    free = Event()
    run = support.debug(lone(lambda state: free.wait(SECONDS) and {"n": 1})).start({"n": 0})
    assert run.status == "running"
    free.set()
    assert finished(run).result == {"n": 1}


def test_next_runs_one_superstep_after_the_other_over_subgraphs(support):
    dbg = support.debug(nested())
    dbg.stop("plan", once=True)
    run = dbg.start({"n": 0})
    seen = []
    held(run)
    while not run.ended:
        run.next()
        while not run.pending() and not run.ended:
            run.wait(0.01)
        seen += [(request.title, request.step, request.why) for request in run.pending()]
    assert seen == [("committed", 1, "next step"), ("committed", 2, "next step")]
    assert run.result == {"n": 3}


def test_into_stops_inside_a_subgraph_and_out_leaves_it(support):
    dbg = support.debug(nested())
    dbg.stop("plan", once=True)
    run = dbg.start({"n": 0})
    held(run)
    run.into()
    assert [(request.place, request.path) for request in held(run)] == [("plan", "sub")]
    run.next()
    assert [(request.place, request.path, request.step) for request in held(run)] == [("committed", "sub", 1)]
    run.out()
    assert [(request.place, request.path) for request in held(run)] == [("committed", "")]
    run.go()
    assert finished(run).status == "done"


def test_pause_holds_at_the_next_place(support):
    started, free = Event(), Event()

    def work(state):
        started.set()
        free.wait(SECONDS)
        return {"n": 1}

    run = support.debug(lone(work)).start({"n": 0})
    assert started.wait(SECONDS)
    told = []
    run.on_change(lambda: told.append(run.ordered))
    run.pause()
    assert told == ["pause"]
    free.set()
    (request,) = held(run)
    assert (request.title, request.why) == ("after:work", "paused by hand")
    assert run.ordered is None


def test_going_on_never_answers_a_gate_for_a_person(support):
    dbg = support.debug()
    dbg.gate("after:draft", allow="approve reject")
    run = dbg.start({"question": "refund"})
    held(run)
    for verb in (run.go, run.next, run.into, run.out):
        with pytest.raises(DecisionError, match=r"a question that going on can't answer \(gate g1\)"):
            verb()
    assert run.status == "held"


def test_go_in_any_other_status_does_nothing(support):
    run = finished(support.debug().start({"question": "refund"}))
    assert run.go() is run.next() is run.pause() is run.cancel() is run
    assert run.status == "done"


def test_cancel_of_a_held_run_ends_it_and_closes_its_request(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    (request,) = held(run)
    run.cancel()
    assert finished(run).status == "cancelled"
    assert isinstance(run.error, Cancelled)
    with pytest.raises(DecisionError, match="no longer pending"):
        request.approve()


def test_cancel_waits_for_a_sync_node_and_starts_no_further_one(support):
    started, free, later = Event(), Event(), Event()

    def work(state):
        started.set()
        free.wait(SECONDS)
        return {"n": 1}

    builder = StateGraph(State).add_node("work", work).add_node("later", lambda state: later.set())
    run = support.debug(builder.add_edge(START, "work").add_edge("work", "later").compile(name="two")).start({"n": 0})
    assert started.wait(SECONDS)
    run.cancel()
    assert (run.status, run.ordered) == ("running", "cancel")
    free.set()
    assert finished(run).status == "cancelled"
    assert run.state == {"n": 1}
    assert not later.is_set()


def test_cancel_ends_an_async_node_where_it_waits(support):
    started, cleaned = Event(), Event()

    async def work(state):
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    run = support.debug(lone(work)).start({"n": 0})
    assert started.wait(SECONDS)
    run.cancel()
    assert finished(run).status == "cancelled"
    assert cleaned.wait(SECONDS)


def test_a_runaway_node_is_ended_by_force(support):
    started, ended = Event(), Event()

    def work(state):
        started.set()
        try:
            while True:
                pass
        finally:
            ended.set()

    run = support.debug(lone(work)).start({"n": 0})
    assert started.wait(SECONDS)
    run.cancel()
    assert not run.wait(0.05)
    run.cancel(force=True)
    assert finished(run).status == "cancelled"
    assert ended.wait(SECONDS)


def test_await_gives_the_state_or_raises_the_runs_error(support):
    async def both():
        dbg = support.debug()
        assert (await dbg.start({"question": "refund"}))["answer"] == "about refund"
        dbg.gate("after:draft")
        run = dbg.start({"question": "refund"})
        answer = asyncio.create_task(reject(run))
        with pytest.raises(Exception, match="no good"):
            await run
        await answer

    async def reject(run):
        async for request in run.requests():
            request.reject("no good")

    asyncio.run(both())


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(waiting, "GRACE_SECONDS", 0.0)


def test_waiting_on_the_main_thread_for_an_answer_that_cannot_come_says_so(support, impatient):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)
    with pytest.raises(HeldError) as caught:
        run.wait()
    assert "Run run-1 is held at after:draft (request r1)" in str(caught.value)
    assert "run.unattended(policy)" in str(caught.value)
    assert run.status == "held"

    async def wait():
        await run

    with pytest.raises(HeldError, match="nobody who could answer is there"):
        asyncio.run(wait())
    leave = run.attend("the panel", "idle")
    with pytest.raises(HeldError, match="the panel can answer only while no cell runs"):
        asyncio.run(wait())
    leave()
    run.go()
    run.wait()


def test_waiting_goes_on_while_another_thread_answers(support, impatient):
    dbg = support.debug()
    dbg.stop("after:**")
    run = dbg.start({"question": "refund"})
    bot = threading.Thread(target=lambda: [request.approve() for request in run.requests()])
    bot.start()
    while not run.inbox.attended:
        pass
    assert run.wait(SECONDS)
    bot.join(SECONDS)
    assert run.stats.decisions == 3


def test_wait_gives_up_after_its_timeout(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)
    run.attend("a bot", "block")
    assert run.wait(0.01) is False


def test_a_run_on_the_current_loop_needs_no_thread_of_its_own(support):
    async def main():
        loop = asyncio.get_running_loop()
        seen = []

        async def work(state):
            seen.append(asyncio.get_running_loop() is loop)
            return {"n": 1}

        dbg = support.debug(lone(work), where="here")
        dbg.stop("after:work")
        run = dbg.start({"n": 0})
        async for request in run.requests():
            request.edit({"n": 5})
        assert await run == {"n": 5}
        assert seen == [True]

    asyncio.run(main())


def test_thread_switches_are_short_only_while_a_run_lives(support):
    before = sys.getswitchinterval()
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)
    assert sys.getswitchinterval() == pytest.approx(lifetime.SWITCH_SECONDS)
    run.go()
    finished(run)
    assert lifetime.alive() == 0
    assert sys.getswitchinterval() == pytest.approx(before)


@pytest.mark.parametrize("policy", ["approve", lambda q: q.edit({"answer": "x"}), lambda q: "approve"])
def test_an_unattended_run_is_decided_by_its_policy(support, policy):
    dbg = support.debug()
    dbg.gate("after:draft")
    run = dbg.start({"question": "refund"}).unattended(policy)
    assert finished(run).status == "done"
    assert run.inbox.all()[0].decided is not None


@pytest.mark.parametrize(
    ("policy", "problem", "message"),
    [
        ("aprove", ValueError, r"unattended\('aprove'\): .*did you mean 'approve'\?.*function of the request"),
        ("edit", ValueError, "no verb that can decide by itself"),
        (3, TypeError, "a verb or a function of the request is wanted"),
    ],
)
def test_a_policy_that_can_decide_nothing_is_refused_at_once(support, policy, problem, message):
    run = support.debug().start({"question": "refund"})
    with pytest.raises(problem, match=message):
        run.unattended(policy)
    assert finished(run).status == "done"


def test_a_policy_that_returns_nothing_leaves_the_run_held(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"}).unattended(lambda q: None)
    held(run)
    assert run.status == "held"


def test_a_policy_is_silent_where_a_front_end_has_answered(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)
    run.attended = True
    run.unattended("approve")
    assert run.status == "held"
