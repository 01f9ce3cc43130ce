from __future__ import annotations

import threading

import pytest

from stepgraph.core.types import START, Command
from stepgraph.debug import HeldError, debug
from stepgraph.debug import session as sessions
from stepgraph.debug.session import Session
from stepgraph.graph.builder import StateGraph
from stepgraph.graph.functional import entrypoint
from stepgraph.persist.memory import MemoryCheckpointer
from stepgraph.run.context import interrupt
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


def test_an_entrypoint_that_nobody_named_is_called_after_its_function():
    @entrypoint()
    def order(items: list) -> dict:
        return {"items": len(items)}

    @entrypoint()
    def refund(items: list) -> dict:
        return {"items": -len(items)}

    assert [debug(order).name, debug(refund).name] == ["order", "refund"]
    assert debug(order) is debug(order)


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


class TestThreadLeftUndecided:
    """A new input would throw away what people were asked."""

    @pytest.fixture
    def another(self, support, monkeypatch):
        """A session as another process has it: it shares the checkpointer only."""
        saver = MemoryCheckpointer()

        def make(graph: StateGraph | None = None) -> Session:
            monkeypatch.setattr(sessions, "_sessions", {})
            made = support.graph(checkpointer=saver) if graph is None else graph.compile(name="g", checkpointer=saver)
            return support.debug(made)

        return make

    @pytest.mark.parametrize("spec", ["plan", "before:draft", "after:draft", "edge:draft", "step", "committed"])
    def test_it_is_not_started_again_but_reopened_or_replaced(self, another, spec):
        first = another()
        first.stop(spec, once=True)
        held(first.start({"question": "a"}, thread="t1"))
        dbg = another()
        with pytest.raises(HeldError) as caught:
            dbg.start({"question": "b"}, thread="t1")
        assert f"Thread 't1' was left undecided at {spec}, and a new input" in str(caught.value)
        assert "dbg.open('t1')" in str(caught.value)
        assert dbg.runs == []
        run = dbg.open("t1")
        held(run)
        run = dbg.start({"question": "b"}, thread="t1", replace=True)
        assert finished(run).result["answer"] == "about b"
        assert finished(another().start({"question": "c"}, thread="t1")).result["answer"] == "about c"

    def test_a_question_inside_a_subgraph_counts(self, another):
        inner = StateGraph(State).add_node("plan", lambda state: {"answer": "x"}).add_edge(START, "plan").compile()
        builder = StateGraph(State).add_node("research", inner).add_edge(START, "research")
        first = another(builder)
        first.stop("after:research/plan", once=True)
        run = first.start({"question": "a"}, thread="t1")
        (request,) = held(run)
        with pytest.raises(HeldError, match=r"undecided at after:research/plan, and"):
            another(builder).start({"question": "b"}, thread="t1")
        request.approve()
        finished(run)
        assert finished(another(builder).start({"question": "b"}, thread="t1")).status == "done"

    def test_what_node_code_asked_without_a_debugger_counts_until_it_is_answered(self, another):
        builder = (
            StateGraph(State).add_node("asks", lambda state: {"answer": interrupt("who?")}).add_edge(START, "asks")
        )
        dbg = another(builder)
        dbg.graph.invoke({"question": "a"}, {"configurable": {"thread_id": "t1"}})
        with pytest.raises(HeldError, match=r"undecided at interrupt:asks, and"):
            dbg.start({"question": "b"}, thread="t1")
        dbg.graph.invoke(Command(resume="ana"), {"configurable": {"thread_id": "t1"}})
        run = dbg.start({"question": "b"}, thread="t1")
        held(run)[0].respond("bo")
        assert finished(run).result["answer"] == "bo"

    def test_suspended_here_counts_but_cancelled_or_failed_here_does_not(self, another):
        dbg = another()
        stop = dbg.stop("after:draft")
        run = dbg.start({"question": "a"}, thread="t1")
        held(run)[0].suspend()
        assert finished(run).status == "suspended"
        with pytest.raises(HeldError, match="undecided at after:draft"):
            dbg.start({"question": "b"}, thread="t1")
        run.go()
        held(run)
        finished(run.cancel())
        run = dbg.start({"question": "b"}, thread="t1")
        held(run)[0].reject("no")
        assert finished(run).status == "failed"
        dbg.remove(stop)
        assert finished(dbg.start({"question": "c"}, thread="t1")).result["answer"] == "about c"
        assert finished(another().start({"question": "d"}, thread="t1")).result["answer"] == "about d"


def test_forks_and_their_parents_are_told_by_what_is_stored_and_not_by_names(support):
    dbg = support.debug()
    run = finished(dbg.start({"question": "a"}, thread="user~42"))
    fork = finished(run.at(1).fork(question="b"))
    again = finished(fork.at(2).fork())
    assert [fork.thread, again.thread] == ["user~42~2", "user~42~3"]
    assert [each.branch for each in run.tree()] == ["main", "fork 1", "fork 2"]
    parents = {row["thread"]: row["parent"] for row in dbg.threads()}
    assert parents == {"user~42": None, "user~42~2": "user~42", "user~42~3": "user~42~2"}
