"""Nodes with error handlers under the debugger: a rejection can be routed to the handler, from every place."""

from __future__ import annotations

import operator
from collections import Counter
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import NodeError, RetryPolicy
from stepgraph.core.errors import Rejected
from stepgraph.core.types import END, START
from stepgraph.graph.builder import StateGraph
from tests.debug.support import finished, held


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]


@pytest.fixture
def calls():
    return Counter()


def graph(calls: Counter[str], *, fails: bool = False, **options: Any) -> Any:
    def a(state: Log) -> Any:
        calls["a"] += 1
        if fails:
            raise ConnectionError("down")
        return {"log": ["a"]}

    def handler(state: Log, error: NodeError) -> Any:
        calls["handler"] += 1
        return {"log": [f"{type(error.error).__name__}: {error.error}"]}

    builder = StateGraph(Log)
    builder.add_node("a", a, error_handler=handler, **options)
    builder.add_node("b", lambda state: {"log": ["b"]})
    builder.add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: "b", ["b", END])
    return builder.compile(name="handled")


def decided(support: Any, app: Any, spec: str, decide: Any) -> Any:
    dbg = support.debug(app)
    dbg.stop(spec, once=True)
    run = dbg.start({"log": []})
    (request,) = held(run)
    decide(request)
    return finished(run)


@pytest.mark.parametrize(("place", "bodies"), [("before", 0), ("after", 1), ("edge", 1)])
def test_reject_can_be_routed_to_the_handler_which_runs_in_the_nodes_place(support, calls, place, bodies):
    run = decided(support, graph(calls), f"{place}:a", lambda q: q.reject("too dear", then="route", by="ana"))
    assert run.status == "done", run.error
    (said,) = run.result["log"]
    assert said.startswith("Rejected: Rejected by ana at a#0@1")
    assert said.endswith("too dear")
    assert calls == Counter(a=bodies, handler=1)


def test_a_failure_can_be_routed_or_left_to_stand(support, calls):
    run = decided(support, graph(calls, fails=True), "error", lambda q: q.reject("enough", then="route"))
    assert run.result["log"] == ["ConnectionError: down"]
    run = decided(support, graph(calls, fails=True), "error", lambda q: q.reject("enough"))
    assert run.status == "failed"
    assert isinstance(run.error, ConnectionError)
    assert calls == Counter(a=2, handler=1)


def test_reject_and_stop_does_not_call_the_handler(support, calls):
    run = decided(support, graph(calls), "after:a", lambda q: q.reject("no"))
    assert isinstance(run.error, Rejected)
    assert calls == Counter(a=1)


def test_the_handlers_own_update_can_be_gated(support, calls):
    run = decided(support, graph(calls, fails=True), "after:__error_handler__a", lambda q: q.edit({"log": ["mine"]}))
    assert run.result["log"] == ["mine"]
    assert calls == Counter(a=1, handler=1)


def test_a_person_is_asked_about_an_error_when_the_retries_are_used_up(support, calls):
    policy = RetryPolicy(initial_interval=0, jitter=False, max_attempts=3)
    app = graph(calls, fails=True, retry_policy=policy)
    run = decided(support, app, "error", lambda q: q.respond({"log": ["by hand"]}))
    assert run.result["log"] == ["by hand", "b"]
    assert calls == Counter(a=3)
    assert run.stats.retries == 2


def test_rerun_begins_the_attempts_anew(support, calls):
    policy = RetryPolicy(initial_interval=0, jitter=False, max_attempts=2)
    run = decided(support, graph(calls, fails=True, retry_policy=policy), "error", lambda q: q.rerun())
    assert run.result["log"] == ["ConnectionError: down"]
    assert calls == Counter(a=4, handler=1)


def test_a_held_handler_is_reopened_without_running_node_or_handler_again(support, calls, tmp_path):
    url = f"sqlite:///{tmp_path}/runs.db"
    dbg = support.debug(_saved(calls, url))
    dbg.stop("after:__error_handler__a", once=True)
    run = dbg.start({"log": []}, thread="t")
    (request,) = held(run)
    request.suspend()
    finished(run)
    again = dbg.open("t")
    (request,) = held(again)
    request.approve()
    assert finished(again).result["log"] == ["ConnectionError: down"]
    assert calls == Counter(a=1, handler=1)


def _saved(calls: Counter[str], url: str) -> Any:
    app = graph(calls, fails=True)
    return app.builder.compile(name="saved", checkpointer=url)
