"""The debugger on a graph whose threads are kept by a checkpointer of LangGraph's."""

from __future__ import annotations

import pytest

from stepgraph.debug import session as sessions
from tests.debug.support import finished, held

pytest.importorskip("pandas")
memory = pytest.importorskip("langgraph.checkpoint.memory")


def test_a_run_is_held_decided_and_told_at_every_place(support):
    dbg = support.debug(support.graph(checkpointer=memory.InMemorySaver()))
    for place in ("plan", "before:draft", "after:draft", "edge:draft", "step", "committed"):
        dbg.stop(place, once=True)
    run = dbg.start({"question": "refund"}, thread="t")
    assert not run.durable
    while not run.ended:
        for request in run.pending():
            request.edit({"answer": "edited"}) if request.place == "after" else request.approve(by="ana")
        run.wait(0.01)
    assert run.error is None
    assert run.result["messages"][-1] == "sent: edited"
    assert list(run.audit()["place"]) == ["plan", "step", "committed", "before", "after", "edge"]
    assert support.calls == {"classify": 1, "draft": 1, "send": 1}


def test_a_held_run_is_reopened_where_it_was(support, monkeypatch):
    saver = memory.InMemorySaver()
    dbg = support.debug(support.graph(checkpointer=saver))
    dbg.stop("after:draft")
    left = dbg.start({"question": "refund"}, thread="t")
    held(left)
    monkeypatch.setattr(sessions, "_sessions", {})
    dbg = support.debug(support.graph(checkpointer=saver))
    assert [(row["thread"], row["status"]) for row in dbg.threads()] == [("t", "suspended")]
    run = dbg.open("t")
    (request,) = held(run)
    assert (request.title, request.why) == ("after:draft", "reopened: stop s1")
    request.edit({"answer": "edited"}, by="bo")
    assert finished(run).result["messages"][-1] == "sent: edited"
    assert list(run.steps()["node"]) == ["classify", "draft", "send"]
    assert list(run.audit()["by"]) == ["bo"]
    assert support.calls == {"classify": 1, "draft": 1, "send": 1}


def test_a_fork_on_a_thread_of_its_own_is_refused_with_what_to_do_instead(support):
    dbg = support.debug(support.graph(checkpointer=memory.InMemorySaver()))
    run = finished(dbg.start({"question": "refund"}))
    with pytest.raises(NotImplementedError, match=r"Fork in place with `graph.update_state"):
        run.fork()
