"""Bad nodes, routers, reducers and endings: each has a clear message, and nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, TypedDict

import pytest

from stepgraph.approve.judge import EditError
from stepgraph.core.types import END, START
from stepgraph.graph.builder import StateGraph
from tests.debug.left import Shapes
from tests.debug.support import burden, finished, held

ROOT = Path(__file__).parents[2]


def picky(value: list[int], update: list[int]) -> list[int]:
    if any(each < 0 for each in update):
        raise ValueError("no negative numbers")
    return value + update


class State(TypedDict, total=False):
    n: int
    numbers: Annotated[list[int], picky]


def graph(node, route=None, name="faulty"):
    builder = StateGraph(State).add_node("work", node).add_node("spare", lambda state: {"n": -1})
    builder.add_edge(START, "work")
    if route is not None:
        builder.add_conditional_edges("work", route, ["spare", END])
    return builder.compile(name=name)


def test_a_node_that_raises_fails_the_run_with_its_own_error(support):
    def work(state):
        raise KeyError("missing")

    run = finished(support.debug(graph(work)).start({"n": 1}))
    assert run.status == "failed"
    assert isinstance(run.error, KeyError)
    assert "During task with name 'work'" in run.error.__notes__[0]
    assert run.state["n"] == 1
    assert "✗ KeyError: 'missing'" in str(run)
    assert run.steps()["status"].tolist() == ["failed"]


@pytest.mark.parametrize("quiet", [{"when": "False"}, {"hits": 2}, {"log": "failed: {q.error}"}])
def test_a_stop_at_errors_that_asks_nobody_leaves_the_error_as_it_is(support, quiet):
    calls = []

    def work(state):
        calls.append("work")
        raise ValueError("no")

    dbg = support.debug(graph(work))
    dbg.stop("error", **quiet)
    run = finished(dbg.start({"n": 1}))
    assert (run.status, str(run.error), calls) == ("failed", "no", ["work"])
    assert run.stats.asked == 0
    assert ("failed: no" in run.stdout) == ("log" in quiet)


def test_an_error_that_nobody_is_asked_about_goes_to_its_handler_with_what_the_body_had_returned(support):
    """The router fails; the body is over, and its answer counts before the handler's."""

    def work(state):
        return {"numbers": [1]}

    def route(state):
        raise ValueError("no way")

    def rescue(state):
        return {"numbers": [2]}

    results = []
    for stops in ([], ["error"]):
        builder = StateGraph(State).add_node("work", work, error_handler=rescue).add_edge(START, "work")
        dbg = support.debug(builder.add_conditional_edges("work", route, [END]).compile(name=f"rescued {stops}"))
        for stop in stops:
            dbg.stop(stop, when="False")
        results.append(finished(dbg.start({"n": 1})).result)
    assert results[0] == results[1] == {"n": 1, "numbers": [1, 2]}


def test_a_router_that_raises_is_asked_again_alone(support):
    calls = []

    def work(state):
        calls.append("work")
        return {"n": 2}

    def route(state):
        calls.append("route")
        if calls.count("route") < 2:
            raise RuntimeError("no way")
        return "spare"

    dbg = support.debug(graph(work, route))
    dbg.stop("error:work")
    run = dbg.start({"n": 1})
    (request,) = held(run)
    assert "no way" in str(request.error)
    request.rerun()
    assert finished(run).result["n"] == -1
    assert calls == ["work", "route", "route"]


def test_an_edit_that_the_router_cannot_handle_is_held_at_error_and_can_be_redirected(support):
    def route(state):
        return {1: "spare"}[state["n"]]

    dbg = support.debug(graph(lambda state: {"n": 1}, route))
    dbg.stop("after:work", once=True)
    dbg.stop("error")
    run = dbg.start({"n": 0})
    (request,) = held(run)
    assert request.preview({"n": 1}).routes == ("spare",)
    effect = request.preview({"n": 7})
    assert (effect.routes, effect.trouble) == (None, "route raised KeyError: 7")
    request.edit({"n": 7})
    (failed,) = held(run)
    assert (failed.title, repr(failed.error)) == ("error:work", "KeyError(7)")
    failed.redirect("spare")
    assert finished(run).result["n"] == -1


def test_a_reducer_that_raises_on_an_edit_refuses_it(support):
    dbg = support.debug(graph(lambda state: {"numbers": [1]}))
    dbg.stop("after:work")
    run = dbg.start({"n": 0})
    (request,) = held(run)
    with pytest.raises(EditError, match="numbers: the reducer picky raised ValueError: no negative numbers"):
        request.edit({"numbers": [-1]})
    request.approve()
    assert finished(run).result["numbers"] == [1]


@pytest.mark.parametrize("place", ["after:work", "step", "error"])
def test_a_reducer_that_raises_names_key_node_and_superstep(support, place):
    dbg = support.debug(graph(lambda state: {"numbers": [-1]}))
    dbg.stop(place)
    run = dbg.start({"n": 0})
    while not run.ended:
        for request in run.pending():
            request.approve() if request.place == "after" else request.reject("give up")
        run.wait(0.01)
    assert run.status == "failed"
    assert isinstance(run.error, ValueError)
    assert any("'numbers' at superstep 1" in note and "'work'" in note for note in run.error.__notes__)


def test_an_interrupted_wait_leaves_the_run_held_and_usable(tmp_path):
    """A kernel's ■ while a script or cell waits: SIGINT in another process."""
    code = """
import signal, sys
from tests.debug.left import Shapes
from tests.debug.support import held, finished
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background hands down that it is ignored
dbg = Shapes(sys.argv[1]).session("chain")
dbg.stop("after:b")
run = dbg.start({"seen": []}, thread="t1")
held(run)
run.attend("a person", "block")
try:
    print("waiting", flush=True)
    run.wait()
except KeyboardInterrupt:
    print(run.status, run.pending()[0].title, flush=True)
run.go()
print(finished(run).result["seen"], flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "runs.db")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert out.splitlines() == ["held after:b", "['a', 'b', 'c']"]


@pytest.mark.parametrize("busy", ["held", "running"])
def test_a_process_that_ends_with_a_live_run_ends_soon_and_leaves_it_suspended(tmp_path, busy):
    code = """
import sys, threading, time
from tests.debug.left import Shapes
from tests.debug.support import held
shapes = Shapes(sys.argv[1])
dbg = shapes.session("chain")
if sys.argv[2] == "held":
    dbg.stop("after:b")
    run = dbg.start({"seen": []}, thread="t1")
    held(run)
else:
    started = threading.Event()
    def forever(state):
        started.set()
        threading.Event().wait()
    shapes.node = lambda name: forever
    run = shapes.session("parallel").start({"seen": []}, thread="t1")
    started.wait()
import atexit
atexit.register(lambda: print("ended as", run.status, flush=True))  # runs before those registered earlier
print("ending", time.time(), flush=True)
"""
    load = burden()
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "runs.db"), busy],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    ended = time.time()
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert ended - float(lines[0].split()[1]) < 2 * load
    if busy == "held":
        shapes = Shapes(str(tmp_path / "runs.db"))
        run = shapes.session("chain").open("t1")
        held(run)[0].approve()
        assert finished(run).result == {"seen": ["a", "b", "c"]}
        assert shapes.calls() == {"a": 1, "b": 1, "c": 1}


def test_at_the_end_of_the_process_a_held_run_is_suspended_and_its_request_closed(support):
    from stepgraph.debug import lifetime

    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "a"})
    (request,) = held(run)
    lifetime._rest()
    assert run.status == "suspended"
    assert request.closed == "the process ended; the run can be reopened"


def test_a_state_that_cannot_be_stored_fails_the_run_with_its_path(support):
    import threading

    dbg = support.debug(graph(lambda state: {"n": threading.Lock()}))
    run = finished(dbg.start({"n": 1}))
    assert run.status == "failed"
    assert "lock" in str(run.error)
    assert run.state == {"n": 1, "numbers": []}


def test_a_proposal_that_its_reducer_refuses_can_be_mended(support):
    dbg = support.debug(graph(lambda state: {"numbers": [-1]}))
    dbg.stop("after:work")
    run = dbg.start({"n": 0})
    (request,) = held(run)
    assert str(request.error) == "no negative numbers"
    request.edit({"numbers": [1]})
    assert finished(run).result["numbers"] == [1]
