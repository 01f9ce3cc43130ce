"""Stops and called functions: asked about before they run and when they fail, with results as values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import START, StateGraph, entrypoint, interrupt, task
from stepgraph.approve.judge import EditError
from stepgraph.debug import debug
from stepgraph.persist import MemoryCheckpointer


class State(TypedDict):
    log: Annotated[list[Any], operator.add]


@task
def double(n: int, *, more: int = 0) -> int:
    return 2 * n + more


@task
def broken(n: int) -> int:
    raise ValueError(f"no {n}")


def calling(function: Any) -> Any:
    """A graph whose node calls `function` and catches what it raises."""

    def work(state: State) -> Any:
        try:
            return {"log": [function(4).result()]}
        except Exception as error:  # noqa: BLE001  whatever the call raises is what is looked at
            return {"log": [repr(error)]}

    return StateGraph(State).add_node("work", work).add_edge(START, "work").compile(name="calling")


def decided(app: Any, stop: str, decide: Callable[[Any], Any]) -> tuple[list[str], Any]:
    """What was asked, and the log, where questions about functions are decided so and all others are approved."""
    dbg = debug(app)
    for each in list(dbg.stops):
        dbg.remove(each)
    dbg.stop(stop)
    run, asked = dbg.start({"log": []}), []
    for request in run.requests():
        asked.append(request.title)
        if request.node == "work":
            request.approve()
        else:
            decide(request)
    assert run.stats.reruns == 0
    return asked, run.result["log"]


@pytest.mark.parametrize("place", ["after", "edge"])
@pytest.mark.parametrize("pattern", ["*", "**"])
def test_a_function_has_neither_update_nor_edges_to_be_asked_about(place: str, pattern: str) -> None:
    assert decided(calling(double), f"{place}:{pattern}", pytest.fail) == ([f"{place}:work"], [8])


@pytest.mark.parametrize(
    ("decide", "result"),
    [
        (lambda request: request.approve(), 8),
        (lambda request: request.edit(((5,), {"more": 1})), 11),
        (lambda request: request.respond(77), 77),
        (lambda request: request.respond({"a": "dict"}), {"a": "dict"}),
        (lambda request: request.skip(), None),
        (lambda request: request.reject("not now"), "Rejected('Rejected at double#0@1: not now')"),
    ],
    ids=["approve", "edit", "respond", "respond with a dict", "skip", "reject"],
)
def test_a_call_can_be_decided_before_it_is_made(decide: Callable[[Any], Any], result: Any) -> None:
    assert decided(calling(double), "before:**", decide) == (["before:work", "before:double"], [result])


def test_an_edit_that_is_no_call_is_refused() -> None:
    def decide(request: Any) -> None:
        for wrong in (8, (8,), {"n": 8}, [[8], {}]):
            with pytest.raises(
                EditError, match=r"the arguments of the function are wanted, as in \(\(1, 2\), \{'key': 3\}\)"
            ):
                request.edit(wrong)
        request.edit(((8,), {}))

    assert decided(calling(double), "before:**", decide)[1] == [16]


@pytest.mark.parametrize(
    ("decide", "result"),
    [
        (lambda request: request.respond(77), 77),
        (lambda request: request.skip(), None),
        (lambda request: request.reject("let it be"), "ValueError('no 4')"),
    ],
    ids=["respond", "skip", "reject"],
)
def test_a_call_that_failed_can_be_given_a_result(decide: Callable[[Any], Any], result: Any) -> None:
    assert decided(calling(broken), "error", decide) == (["error:broken"], [result])


def test_a_thread_that_was_left_inside_a_function_goes_on_without_more_questions() -> None:
    @task
    def asks() -> Any:
        return interrupt("which?")

    @entrypoint(checkpointer=MemoryCheckpointer())
    def left(n: int) -> list[Any]:
        return [double(n).result(), asks().result()]

    dbg = debug(left)
    first = dbg.start(3, thread="t")
    next(iter(first.requests())).suspend()
    first.wait()
    again, asked = dbg.open("t"), []
    for request in again.requests():
        asked.append(request.title)
        request.respond("this")
    assert (asked, again.result) == (["interrupt:left"], [6, "this"])
