from __future__ import annotations

import threading

import pytest

from stepgraph.core.types import START
from stepgraph.debug import HeldError, debug
from stepgraph.graph.builder import StateGraph
from tests.debug.support import SECONDS, State, finished, held


def test_the_same_graph_name_gives_the_same_session(support):
    dbg = support.debug()
    stop = dbg.stop("after:draft")
    again = support.debug(support.graph())
    assert again is dbg
    assert again.stops == [stop]
    assert support.debug(name="another") is not dbg


def test_graphs_that_nobody_named_are_told_apart_by_their_nodes(support):
    other = StateGraph(State).add_node("else", lambda state: {}).add_edge(START, "else").compile()
    first = support.debug(support.graph(name="LangGraph"))
    assert first.name == "State"
    assert support.debug(other).name == "State 2"
    assert support.debug(support.graph(name="LangGraph")) is first


def test_a_newly_compiled_graph_takes_the_place_of_the_old_one(support):
    dbg = support.debug()
    finished(dbg.start({"question": "a"}))
    builder = StateGraph(State).add_node("draft", lambda state: {"answer": "new code"}).add_edge(START, "draft")
    support.debug(builder.compile(name="support"))
    assert finished(dbg.start({"question": "b"})).result["answer"] == "new code"
    assert {node.path for node in dbg.shape.nodes} == {"__start__", "draft", "__end__"}


@pytest.mark.parametrize("thing", [StateGraph(State), 5])
def test_only_a_compiled_graph_can_be_debugged(thing):
    with pytest.raises(TypeError, match="debug\\(\\) takes a compiled graph"):
        debug(thing)


def test_attaching_changes_nothing_about_the_graph(support):
    graph = support.graph(interrupt_before=["send"])
    support.debug(graph)
    assert graph.checkpointer is None
    assert graph.plan.interrupt_before == {"send"}


def test_a_thread_that_is_held_is_not_started_again(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    first = dbg.start({"question": "a"}, thread="t1")
    held(first)
    with pytest.raises(HeldError) as caught:
        dbg.start({"question": "b"}, thread="t1")
    assert "Run run-1 is held at after:draft (request r1). It is dbg.runs[0]" in str(caught.value)
    second = dbg.start({"question": "b"}, thread="t1", replace=True)
    assert first.status == "cancelled"
    assert held(second)[0].state["question"] == "b"


def test_a_thread_whose_node_does_not_end_is_not_replaced(support, monkeypatch):
    from stepgraph.debug import session as sessions

    monkeypatch.setattr(sessions, "REPLACE_SECONDS", 0.05)
    free, started = threading.Event(), threading.Event()

    def work(state):
        started.set()
        free.wait(SECONDS)

    dbg = support.debug(StateGraph(State).add_node(work).add_edge(START, "work").compile(name="busy"))
    run = dbg.start({"question": "a"}, thread="t1")
    assert started.wait(SECONDS)
    with pytest.raises(HeldError, match="cancel\\(force=True\\)"):
        dbg.start({"question": "b"}, thread="t1", replace=True)
    free.set()
    assert finished(run).status == "done"  # nothing was left to cancel


def test_each_start_without_a_thread_has_its_own(support):
    dbg = support.debug()
    runs = [finished(dbg.start({"question": name})) for name in "ab"]
    assert [run.thread for run in runs] == ["run-1", "run-2"]
    assert [run.result["messages"][0] for run in runs] == ["classified"] * 2
    assert [row["status"] for row in dbg.threads()] == ["done", "done"]


def test_a_thread_goes_on_with_new_input_or_none(support):
    dbg = support.debug()
    finished(dbg.start({"question": "a"}, thread="t1"))
    again = finished(dbg.start({"question": "b"}, thread="t1"))
    assert len(again.result["messages"]) == 6
    assert again.result["answer"] == "about b"


def test_the_config_reaches_the_graph(support):
    run = finished(support.debug().start({"question": "a"}, config={"recursion_limit": 1}))
    assert run.status == "failed"
    assert "Recursion limit of 1" in str(run.error)


def test_two_runs_are_held_at_once_and_decided_in_any_order(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    runs = [dbg.start({"question": name}) for name in "ab"]
    for run in runs:
        held(run)
    runs[1].go()
    assert finished(runs[1]).result["answer"] == "about b"
    assert runs[0].status == "held"
    runs[0].go()
    finished(runs[0])


def test_subscribers_hear_of_stops_runs_and_requests(support):
    dbg = support.debug()
    heard = []
    unsubscribe = dbg.subscribe(lambda kind, payload: heard.append(kind))
    dbg.stop("after:draft")
    run = dbg.start({"question": "a"})
    held(run)[0].approve()
    finished(run)
    assert heard.index("stops") < heard.index("runs")
    assert heard.count("requests") == 2
    unsubscribe()
    count = len(heard)
    dbg.stop("after:send")
    assert len(heard) == count


def test_a_failing_subscriber_is_removed_and_the_run_goes_on(support, caplog):
    dbg = support.debug()

    def broken(kind, payload):
        raise RuntimeError("broken panel")

    dbg.subscribe(broken)
    dbg.stop("before:draft")
    run = dbg.start({"question": "a"})
    held(run)
    run.hub.subscribe(broken)
    run.go()
    assert finished(run).status == "done"
    assert "broken panel" in caplog.text
    assert [str(error) for _, error in run.hub.failures] == ["broken panel"]


def test_sessions_may_be_used_from_many_threads(support):
    dbg = support.debug()
    runs = []

    def start(name):
        run = dbg.start({"question": name})
        runs.append(run)

    threads = [threading.Thread(target=start, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {finished(run).result["answer"] for run in runs} == {f"about {n}" for n in range(8)}
    assert len({run.thread for run in runs}) == len({run.id for run in runs}) == 8


def test_a_second_input_on_a_thread_has_the_steps_before_it_in_its_past(support):
    dbg = support.debug()
    finished(dbg.start({"question": "a"}, thread="t1"))
    run = finished(dbg.start({"question": "b"}, thread="t1"))
    assert [row.step for row in run.history()] == list(range(9))
    assert [row.step for row in run.history() if row.source == "input"] == [0, 4, 5]
    assert "  5  input\n  6  classify\n" in str(run)
    assert run.at(0).state["question"] == "a"
    assert run.at(5).state["question"] == "b"
    assert list(run.steps()["node"]) == 2 * ["classify", "draft", "send"]
    assert run.at(3).fork().thread == "t1~2"


def test_a_step_is_named_by_its_number(support):
    run = finished(support.debug().start({"question": "a"}))
    with pytest.raises(TypeError, match=r"run-1.at\('1'\): a superstep's number is wanted, got str"):
        run.at("1")
