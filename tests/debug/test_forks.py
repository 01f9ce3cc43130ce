"""Looking back and branching off: nothing that happened changes, and nothing runs again without need."""

from __future__ import annotations

import operator
from collections import Counter
from typing import Annotated, TypedDict

import pytest

from stepgraph.approve.judge import EditError
from stepgraph.core.types import START, Overwrite
from stepgraph.graph.builder import StateGraph
from stepgraph.run.context import interrupt
from tests.debug.support import finished, held


def test_at_shows_the_state_after_each_superstep(support):
    run = finished(support.debug().start({"question": "refund"}))
    assert run.at(0).state == {"question": "refund", "messages": []}
    assert run.at(1).state["messages"] == ["classified"]
    assert run.at(-1).state == run.result == run.state
    assert run.at(-1).state is not run.state
    assert [run.at(step).next for step in range(4)] == [("classify",), ("draft",), ("send",), ()]
    with pytest.raises(ValueError, match="run-1 has no step 9; it has 0 to 3"):
        run.at(9)


def test_looking_back_gives_copies(support):
    run = finished(support.debug().start({"question": "refund"}))
    run.at(1).state["messages"].append("changed by the reader")
    assert run.at(1).state["messages"] == ["classified"]


def test_a_fork_with_changed_keys_runs_the_rest_again_on_its_own_thread(support):
    run = finished(support.debug().start({"question": "refund"}, thread="t1"))
    fork = run.at(1).fork("another question", question="invoice")
    assert finished(fork).result["answer"] == "about invoice"
    assert (fork.thread, fork.branch, fork.note, fork.parent) == ("t1~2", "fork 1", "another question", (run, 1))
    assert run.result["answer"] == "about refund"
    assert support.calls == {"classify": 1, "draft": 2, "send": 2}
    assert run.tree() == fork.tree() == [run, fork]


def test_updates_of_a_fork_go_through_reducers_or_past_them(support):
    run = finished(support.debug().start({"question": "refund"}))
    assert finished(run.at(1).fork(messages=["noted"])).state["messages"][:2] == ["classified", "noted"]
    assert finished(run.at(1).fork(messages={"$set": []})).state["messages"] == ["drafted", "sent: about refund"]
    assert finished(run.at(1).fork(messages=Overwrite(["x"]))).state["messages"][0] == "x"
    with pytest.raises(EditError, match="score: Input should be a valid number"):
        run.at(1).fork(score="high")
    with pytest.raises(EditError, match="did you mean 'question'"):
        run.at(1).fork(qestion="x")
    assert len(run.tree()) == 4


def test_a_fork_without_changes_asks_again_and_runs_nothing_again(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)[0].edit({"answer": "first"})
    finished(run)
    fork = run.at(1).fork("decide differently")
    (request,) = held(fork)
    assert request.value["answer"] == "about refund"
    request.edit({"answer": "second"})
    assert finished(fork).result["answer"] == "second"
    assert support.calls == {"classify": 1, "draft": 1, "send": 2}
    assert fork.stats.reruns == 0
    assert fork.steps()["status"].tolist() == ["done", "carried", "done"]


def test_tasks_that_nobody_was_asked_about_are_taken_over(support):
    run = finished(support.debug().start({"question": "refund"}))
    fork = finished(run.at(1).fork())
    assert fork.result == run.result
    assert support.calls == {"classify": 1, "draft": 1, "send": 2}


def test_rerun_is_a_fork_on_which_the_node_runs_again(support):
    run = finished(support.debug().start({"question": "refund"}))
    finished(run.at(1).rerun())
    assert support.calls == {"classify": 1, "draft": 2, "send": 2}


def test_a_fork_knows_the_steps_before_it_and_can_be_forked_in_turn(support):
    run = finished(support.debug().start({"question": "refund"}))
    fork = finished(run.at(2).fork(score=0.1))
    again = finished(fork.at(1).fork(question="invoice"))
    assert [row.step for row in fork.history()] == [0, 1, 2, 3]
    assert fork.at(2).state["score"] == 0.1
    assert fork.at(0).state == run.at(0).state
    assert again.result["answer"] == "about invoice"
    assert [each.thread for each in run.tree()] == ["run-1", "run-1~2", "run-1~3"]


def test_forking_a_held_run_leaves_it_held(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    (request,) = held(run)
    fork = run.fork()
    held(fork)[0].skip()
    finished(fork)
    assert request.pending
    request.approve()
    assert finished(run).result["answer"] == "about refund"
    assert "answer" not in fork.result
    assert support.calls["draft"] == 1


class State(TypedDict, total=False):
    seen: Annotated[list[str], operator.add]


def test_finished_siblings_are_carried_into_the_fork_of_a_held_superstep():
    from stepgraph.debug import debug

    calls: Counter[str] = Counter()

    def node(name):
        def work(state: State) -> State:
            calls[name] += 1
            return {"seen": [name]}

        return work

    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, node(name)).add_edge(START, name)
    dbg = debug(builder.compile(name="parallel"))
    dbg.stop("after:b")
    dbg.stop("before:c")
    run = dbg.start({"seen": []})
    held(run, 2)
    fork = run.fork()
    for request in held(fork, 2):
        request.approve()
    assert finished(fork).result == {"seen": ["a", "b", "c"]}
    assert calls == {"a": 1, "b": 1, "c": 1}
    run.cancel()


def test_a_subgraph_in_the_middle_of_its_work_is_carried_too():
    from stepgraph.debug import debug

    calls: Counter[str] = Counter()

    def node(name):
        def work(state: State) -> State:
            calls[name] += 1
            return {"seen": [name]}

        return work

    inner = StateGraph(State).add_node("x", node("x")).add_node("y", node("y"))
    inner.add_edge(START, "x").add_edge("x", "y")
    graph = StateGraph(State).add_node("sub", inner.compile()).add_edge(START, "sub").compile(name="nested")
    dbg = debug(graph)
    dbg.stop("after:sub/y")
    run = dbg.start({"seen": []})
    held(run)
    fork = run.fork()
    (request,) = held(fork)
    request.edit({"seen": ["edited"]})
    assert finished(fork).result == {"seen": ["x", "edited"]}
    assert calls == {"x": 1, "y": 1}
    run.cancel()


def test_an_open_question_is_carried_under_its_new_name():
    from stepgraph.debug import debug

    def ask(state: State) -> State:
        return {"seen": [interrupt("who?")]}

    dbg = debug(StateGraph(State).add_node(ask).add_edge(START, "ask").compile(name="asking"))
    run = dbg.start({"seen": []})
    held(run)
    fork = run.fork()
    held(fork)[0].respond("forked")
    assert finished(fork).result == {"seen": ["forked"]}
    held(run)[0].respond("first")
    assert finished(run).result == {"seen": ["first"]}


def test_the_form_of_a_fork_has_schema_and_values(support):
    run = finished(support.debug().start({"question": "refund"}))
    form = run.at(1).form()
    assert form["value"] == {"question": "refund", "messages": ["classified"], "score": 0.5}
    assert form["schema"]["properties"]["score"] == {"type": "number"}
