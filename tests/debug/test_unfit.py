"""Updates that can't be put together: a person who sits at a debugger mends them, and no node runs again."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph.approve.judge import EditError
from stepgraph.approve.text import request_text
from stepgraph.core.errors import DecisionError, InvalidUpdateError
from stepgraph.core.types import END, START, Send
from stepgraph.debug import debug
from stepgraph.debug.run import Run
from stepgraph.graph.builder import StateGraph
from tests.debug.support import finished, held


class State(TypedDict, total=False):
    answer: str
    total: Annotated[int, operator.add]
    items: Annotated[list[str], operator.add]
    end: str


def graph(support: Any, left: dict[str, Any], right: dict[str, Any], name: str = "pair", **options: Any) -> Any:
    """left and right side by side, then end."""

    def body(name: str, update: dict[str, Any]) -> Any:
        def node(state: State) -> dict[str, Any]:
            support.calls[name] += 1
            return update

        return node

    builder = StateGraph(State)
    builder.add_node("left", body("left", left)).add_node("right", body("right", right))
    builder.add_node("end", lambda state: {"end": repr(state.get("answer"))})
    builder.add_edge(START, "left").add_edge(START, "right").add_edge(["left", "right"], "end").add_edge("end", END)
    return builder.compile(name=name, **options)


BOTH = {"answer": "l", "items": ["a"]}, {"answer": "r", "items": ["b"]}


@pytest.mark.parametrize("spec", ["error", "error:right", "step"])
def test_two_writers_of_a_plain_key_are_asked_about_with_what_they_wrote(support, spec):
    dbg = support.debug(graph(support, *BOTH))
    dbg.stop(spec)
    run = dbg.start({"total": 1})
    (request,) = held(run)
    assert (request.title, request.step, request.allow) == ("step", 1, ("edit", "reject", "skip", "suspend"))
    assert isinstance(request.error, InvalidUpdateError)
    assert list(request.pause.unfit) == ["answer"]
    answer, items = request.changes
    assert answer.writers == (("left#0@1", "l"), ("right#0@1", "r"))
    assert items.new == ["a", "b"], "what can be put together is shown as ever"
    assert "  answer: can't be put together: left@1 'l', right@1 'r'" in request_text(request).splitlines()
    assert request.value == {"answer": "r", "items": ["a", "b"]}
    request.edit({"answer": "both"})
    for each in [] if spec != "step" else held(run):
        each.approve()
    assert finished(run).result == {"answer": "both", "items": ["a", "b"], "total": 1, "end": "'both'"}
    assert support.calls == {"left": 1, "right": 1}
    assert run.stats.reruns == 0


def test_without_such_a_stop_the_run_fails_as_ever(support):
    dbg = support.debug(graph(support, *BOTH))
    dbg.stop("error:end")
    dbg.stop("error:left", when=lambda q: False)
    dbg.stop("error", log="seen")
    run = finished(dbg.start({}))
    assert isinstance(run.error, InvalidUpdateError)
    assert "Key 'answer' at superstep 1, written by 'left', 'right'" in str(run.error)
    assert "seen" in run.stdout


def test_a_task_may_write_something_else_or_nothing(support):
    dbg = support.debug(graph(support, {"answer": "l", "items": ["a"]}, {"answer": "r", "items": "oops"}))
    dbg.stop("error")
    run = dbg.start({"items": ["first"]})
    (request,) = held(run)
    assert list(request.pause.unfit) == ["answer", "items"]
    with pytest.raises(
        EditError, match=r"items: this can't be put together and needs a value: the reducer add raised .*str"
    ) as told:
        request.edit({"answer": {"$writes": {"right": {"$drop": True}}}})
    assert "items" in str(told.value)
    with pytest.raises(EditError, match=r"items\.\$writes\.rigth: no such writer \(did you mean 'right'\?\)"):
        request.edit({"answer": "x", "items": {"$writes": {"rigth": ["b"]}}})
    with pytest.raises(EditError, match=r"items: .*list"):
        request.edit({"answer": "x", "items": {"$writes": {"right": 3}}})
    with pytest.raises(EditError, match="answer: it keeps one value, and several tasks write to it"):
        request.edit({"answer": {"$writes": {"left": "L"}}, "items": ["b"]})
    request.edit({"answer": {"$writes": {"right": {"$drop": True}}}, "items": {"$writes": {"right@1": ["b"]}}})
    result = finished(run).result
    assert (result["answer"], result["items"]) == ("l", ["first", "a", "b"])


def test_the_updates_of_one_task_may_be_dropped(support):
    dbg = support.debug(graph(support, *BOTH))
    dbg.stop("error")
    run = dbg.start({})
    (request,) = held(run)
    request.skip(["left"])
    result = finished(run).result
    assert (result["answer"], result["items"]) == ("r", ["b"])
    assert [row.decisions for row in run.history()] == [(), ("skip",), ()]


def test_a_skip_that_does_not_mend_it_is_refused(support):
    def fan(state: State) -> list[Send]:
        return [Send("work", {"n": n}) for n in range(3)]

    builder = StateGraph(State).add_node("work", lambda given: {"answer": str(given["n"])})
    dbg = support.debug(builder.add_conditional_edges(START, fan, ["work"]).compile(name="fan"))
    dbg.stop("error")
    run = dbg.start({})
    (request,) = held(run)
    first = request.pause.tasks[0].id
    with pytest.raises(DecisionError, match="key 'answer' still can't be put together: it keeps one value"):
        request.skip([first])
    with pytest.raises(EditError, match="several tasks of this name write to it"):
        request.edit({"answer": {"$writes": {"work": "x"}}})
    request.skip()
    assert finished(run).result is None


@pytest.mark.parametrize("verb", ["approve", "redirect"])
def test_what_can_not_mend_it_is_refused(support, verb):
    dbg = support.debug(graph(support, *BOTH))
    dbg.stop("step")
    run = dbg.start({})
    (request,) = held(run)
    with pytest.raises(DecisionError, match=f"`{verb}` is not allowed here: these updates can't be put together"):
        request.redirect("end") if verb == "redirect" else request.approve()
    with pytest.raises(DecisionError, match="a question that going on can't answer"):
        run.go()
    request.reject("no")
    assert isinstance(finished(run).error, InvalidUpdateError), "the failure itself is what ends the run"


def test_a_gate_that_allows_nothing_of_it_lets_it_fail(support):
    dbg = support.debug(graph(support, *BOTH))
    dbg.gate("error", allow="rerun respond")
    run = dbg.start({})
    (request,) = held(run)
    assert request.allow == ("suspend", "reject")
    request.reject()
    assert finished(run).status == "failed"


def test_a_reducer_that_refuses_a_lone_tasks_update_is_asked_about(support):
    def lone(state: State) -> dict[str, Any]:
        support.calls["lone"] += 1
        return {"items": 3, "answer": "kept"}

    builder = StateGraph(State).add_node(lone).add_edge(START, "lone")
    dbg = support.debug(builder.compile(name="alone"))
    dbg.stop("error:lone")
    run = dbg.start({"items": ["first"]})
    (request,) = held(run)
    assert (request.title, isinstance(request.error, TypeError)) == ("step", True)
    request.edit({"items": {"$append": ["3"]}})
    assert finished(run).result == {"items": ["first", "3"], "answer": "kept", "total": 0}
    assert support.calls["lone"] == 1


def test_a_key_whose_update_is_dropped_keeps_its_value_or_has_none(support, tmp_path):
    dbg = support.debug(graph(support, *BOTH, checkpointer=f"sqlite:///{tmp_path}/runs.db"))
    dbg.stop("error")
    run = dbg.start({"total": 1}, thread="t1")
    held(run)[0].edit({"answer": {"$drop": True}})
    assert finished(run).result == {"total": 1, "items": ["a", "b"], "end": "None"}
    assert run.at(1).state == {"total": 1, "items": ["a", "b"]}


def reopened(run: Run) -> Run:
    """The run in what stands for another process: its session is forgotten."""
    session, thread = run.session, run.thread
    run.rest()
    session.close()
    return debug(session.graph).open(thread)


@pytest.mark.parametrize("lone", [False, True])
def test_left_undecided_it_is_asked_again_and_no_node_runs_again(support, lone, tmp_path):
    updates = ({"answer": "l"}, {"items": 3}) if lone else BOTH
    url = f"sqlite:///{tmp_path}/runs.db"
    dbg = support.debug(graph(support, *updates, checkpointer=url))
    dbg.stop("error")
    run = dbg.start({"items": ["first"]}, thread="t1")
    held(run)[0].suspend(by="ana")
    assert finished(run).status == "suspended"
    again = dbg.open("t1")
    (request,) = held(again)
    key = "items" if lone else "answer"
    assert (request.title, list(request.pause.unfit)) == ("step", [key])
    request.edit({key: ["x"] if lone else "x"})
    assert finished(again).result[key] == (["x"] if lone else "x")
    assert support.calls == {"left": 1, "right": 1}


def test_inside_a_subgraph_too(support):
    inner = graph(support, *BOTH, name="inner")
    outer = StateGraph(State).add_node("sub", inner).add_edge(START, "sub").compile(name="outer")
    dbg = support.debug(outer)
    dbg.stop("error:sub/left")
    run = dbg.start({})
    (request,) = held(run)
    assert (request.title, request.ns != ()) == ("step:sub", True)
    request.edit({"answer": "mended"})
    assert finished(run).result["answer"] == "mended"


@pytest.mark.parametrize("handled", [False, True])
def test_a_stop_at_error_that_does_not_apply_leaves_a_failure_as_it_is(support, handled):
    """It used to run the node again, and again."""

    def bad(state: State) -> State:
        support.calls["bad"] += 1
        raise ValueError("no")

    def mend(state: State) -> State:
        return {"answer": "by the handler"}

    builder = StateGraph(State).add_node("bad", bad, error_handler=mend if handled else None).add_edge(START, "bad")
    dbg = support.debug(builder.compile(name="bad"))
    dbg.stop("error", when=lambda q: False)
    dbg.stop("error:**", log="it failed: {q.error}")
    run = finished(dbg.start({}))
    assert str(run.error) == ("None" if handled else "no")
    assert run.state.get("answer") == ("by the handler" if handled else None)
    assert support.calls["bad"] == 1
    assert run.stdout.count("it failed: no") == 1
