"""`run.audit()`: who decided what, also in a process that was not there."""

from __future__ import annotations

import pytest

from stepgraph.core.types import START
from stepgraph.debug import session as sessions
from stepgraph.graph.builder import StateGraph
from tests.debug.support import State, finished, held

pytest.importorskip("pandas")


def test_an_edit_is_told_with_the_proposal_it_replaced(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)[0].edit({"answer": "no"}, by="ana", reason="too kind")
    finished(run)
    (row,) = run.audit().to_dict("records")
    assert (row["step"], row["place"], row["path"], row["verb"]) == (2, "after", "draft", "edit")
    assert (row["by"], row["reason"]) == ("ana", "too kind")
    assert row["proposed"] == {"answer": "about refund", "messages": ["drafted"]}
    assert row["decided"] == {"answer": "no", "messages": ["drafted"]}


def test_a_skip_leaves_nothing_of_the_proposal(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)[0].skip(by="ana")
    finished(run)
    (row,) = run.audit().to_dict("records")
    assert row["proposed"]["answer"] == "about refund"
    assert row["decided"] == {}


def test_rejections_and_decisions_at_other_places_are_told_in_their_order(support):
    dbg = support.debug()
    dbg.stop("before:classify")
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)[0].approve(by="bo")
    held(run)[0].reject("no", by="ana")
    finished(run)
    rows = run.audit()
    assert list(rows["path"]) == ["classify", "draft"]
    assert list(rows["verb"]) == ["approve", "reject"]
    assert rows["decided"][1] == {}


def test_tasks_of_one_superstep_are_told_in_the_same_order_whoever_was_decided_first(support):
    def graph():
        builder = StateGraph(State)
        for name in ("a", "b", "c"):
            builder.add_node(name, lambda state: {"messages": ["hello"]}).add_edge(START, name)
        return builder.compile(name="three")

    dbg = support.debug(graph())
    dbg.stop("after:*")
    run = dbg.start({"question": "refund"})
    for request in sorted(held(run, 3), key=lambda each: each.node, reverse=True):
        request.approve()
    finished(run)
    assert list(run.audit()["path"]) == ["a", "b", "c"]


def test_what_another_process_decided_is_told_from_the_checkpointer(support, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    dbg = support.debug(support.graph(checkpointer=url))
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"}, thread="t")
    held(run)[0].edit({"answer": "no"}, by="ana")
    finished(run)
    run.saver.flush()

    monkeypatch.setattr(sessions, "_sessions", {})
    reopened = support.debug(support.graph(checkpointer=url)).open("t")
    assert reopened is not run
    assert reopened.audit().to_dict("records") == run.audit().to_dict("records")


def test_a_fork_has_the_decisions_made_before_it_and_its_own(support):
    dbg = support.debug()
    dbg.stop("after:*")
    run = dbg.start({"question": "refund"})
    held(run)[0].approve(by="ana")
    held(run)[0].approve(by="ana")
    fork = run.at(1).fork("again", question="delivery")
    held(fork)[0].edit({"answer": "soon"}, by="bo")
    rows = fork.audit()
    assert list(rows["path"]) == ["classify", "draft"]
    assert list(rows["by"]) == ["ana", "bo"]
    assert rows["decided"][1]["answer"] == "soon"


def test_a_run_without_decisions_has_an_empty_audit_with_the_same_columns(support):
    run = finished(support.debug().start({"question": "refund"}))
    assert list(run.audit().columns) == ["step", "place", "path", "verb", "by", "reason", "proposed", "decided"]
    assert run.audit().empty
