"""`run.audit()`: who decided what, also in a process that was not there."""

from __future__ import annotations

import json
import operator
import subprocess
import sys
from pathlib import Path
from typing import Annotated, TypedDict

import pytest

from stepgraph.core.errors import CheckpointError
from stepgraph.core.types import START, Send
from stepgraph.debug import session as sessions
from stepgraph.graph.builder import StateGraph
from tests.debug import decided
from tests.debug.support import State, finished, held

pytest.importorskip("pandas")
ROOT = Path(__file__).parents[2]


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


def test_a_second_process_tells_every_decision_at_every_place_in_its_order(tmp_path):
    db = str(tmp_path / "runs.db")
    command = [sys.executable, "-m", "tests.debug.decided", db]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    told = json.loads(done.stdout)
    dbg = decided.session(db)
    long, refused = (dbg.open(thread) for thread in ("long", "refused"))
    assert [decided.rows_of(long), decided.rows_of(refused)] == told
    assert [(row["step"], row["place"], row["path"], row["verb"], row["by"]) for row in told[0]] == [
        (1, "plan", "", "edit", "ana"),
        (1, "plan", "", "approve", "ana"),
        (1, "before", "first", "edit", "bo"),
        (1, "after", "first", "edit", "cy"),
        (1, "step", "", "edit", "ana"),
        (1, "committed", "", "edit", "bo"),
        (2, "plan", "", "approve", "bo"),
        (2, "interrupt", "asks", "respond", "bo"),
        (2, "error", "fails", "rerun", "ana"),
        (2, "step", "", "skip", "cy"),
        (2, "committed", "", "approve", "cy"),
        (3, "plan", "", "approve", "cy"),
        (1, "after", "sub/x", "skip", "ana"),
        (3, "edge", "sub", "redirect", "bo"),
        (3, "step", "", "approve", "ana"),
        (3, "committed", "", "approve", "ana"),
    ]
    shown = {(row["place"], row["path"]): (row["proposed"], row["decided"], row["then"]) for row in told[0][:14]}
    assert shown["before", "first"] == ({}, {"n": 8}, None)
    assert shown["after", "first"] == ({"log": ["first"]}, {"log": ["edited"]}, None)
    assert shown["interrupt", "asks"] == ({"why": "who?"}, "ana", None)
    assert shown["error", "fails"] == ("ValueError: not now", {}, None)
    assert shown["edge", "sub"][2] == "__end__"
    assert [(row["place"], row["verb"], row["then"]) for row in told[1]] == [
        ("plan", "suspend", None),
        ("plan", "approve", None),
        ("before", "reject", "stop"),
    ]
    assert all(row["reason"] == f"because of {row['place']}{row['path'] and ':' + row['path']}" for row in told[0])
    refused.cancel()


def test_a_decision_that_cannot_be_recorded_is_the_error_of_the_run(support, monkeypatch):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    (request,) = held(run)

    def full(*_):
        raise CheckpointError("the disk is full")

    monkeypatch.setattr(run.saver, "save_record", full)
    request.approve()
    assert str(finished(run).error) == "the disk is full"
    assert run.status == "failed"


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
    assert list(run.audit().columns) == [
        "step", "place", "path", "verb", "by", "reason", "then", "time", "proposed", "decided",
    ]  # fmt: skip
    assert run.audit().empty


def test_parallel_tasks_of_one_node_are_told_apart(support):
    class Words(TypedDict, total=False):
        words: Annotated[list[str], operator.add]

    inner = StateGraph(Words).add_node("in", lambda state: {"words": ["i"]}).add_edge(START, "in").compile()
    builder = StateGraph(Words).add_node("w", lambda word: {"words": [word]}).add_node("sub", inner)
    sends = [Send("w", "a"), Send("w", "b"), Send("sub", {"words": []}), Send("sub", {"words": []})]
    graph = builder.add_conditional_edges(START, lambda state: sends, ["w", "sub"]).compile(name="fan")
    dbg = support.debug(graph)
    dbg.gate("after:**")
    run = dbg.start({"words": []})
    while not run.settle():
        for request in run.pending():
            request.approve()
    told = ["w", "w#1", "sub", "sub#1", "sub/in", "sub#1/in"]
    assert sorted(run.steps()["path"]) == sorted(told)
    assert sorted(run.audit()["path"]) == sorted(told)
