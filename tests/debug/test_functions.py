"""Stops and called functions: asked about before they run and when they fail, with results as values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Protocol, TypedDict

import pytest

from stepgraph import START, Send, StateGraph, entrypoint, interrupt, task
from stepgraph.approve.judge import EditError
from stepgraph.approve.text import request_text
from stepgraph.core.errors import DecisionError
from stepgraph.debug import debug
from stepgraph.panels.card import card
from stepgraph.persist import MemoryCheckpointer
from tests.debug.support import finished, held


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
        (lambda request: request.edit({"n": 5}), 10),
        (lambda request: request.edit({"more": 1}), 9),
        (lambda request: request.respond(77), 77),
        (lambda request: request.skip(), None),
        (lambda request: request.reject("not now"), "Rejected('Rejected at double#0@1: not now')"),
    ],
    ids=["approve", "edit", "edit by name", "edit of a default", "respond", "skip", "reject"],
)
def test_a_call_can_be_decided_before_it_is_made(decide: Callable[[Any], Any], result: Any) -> None:
    assert decided(calling(double), "before:**", decide) == (["before:work", "before:double"], [result])


def test_an_edit_that_is_no_call_is_refused() -> None:
    def decide(request: Any) -> None:
        for wrong in (8, (8,), [[8], {}]):
            with pytest.raises(
                EditError, match=r"the arguments of the function are wanted, by name as in \{'n': 3\}, or as in \(\("
            ):
                request.edit(wrong)
        with pytest.raises(EditError, match=r"unknown argument \(did you mean 'more'\?\). Known here: n, more"):
            request.edit({"mor": 8})
        with pytest.raises(EditError, match=r"n: .*valid integer"):
            request.edit({"n": "eight"})
        request.edit(((8,), {}))

    assert decided(calling(double), "before:**", decide)[1] == [16]


def test_a_result_that_is_a_dict_is_no_update_of_the_state() -> None:
    @task
    def untold(n):  # type: ignore[no-untyped-def]  # what a function without annotations gets and gives is anything
        return n

    decide = lambda request: request.respond({"a": "dict"})  # noqa: E731  it is one word
    assert decided(calling(untold), "before:**", decide)[1] == [{"a": "dict"}]


def test_a_result_of_another_type_than_the_function_promises_is_refused() -> None:
    def decide(request: Any) -> None:
        with pytest.raises(EditError, match="valid integer"):
            request.respond("many")
        request.respond(3)

    assert decided(calling(double), "before:**", decide)[1] == [3]


def test_a_called_function_goes_back_to_its_caller_and_nowhere_else() -> None:
    def decide(request: Any) -> None:
        assert "redirect" not in request.allow
        with pytest.raises(DecisionError, match="`redirect` is not allowed here: a called function goes back to its"):
            request.redirect("work")
        request.approve()

    assert decided(calling(double), "before:**", decide)[1] == [8]


def test_the_arguments_of_a_call_are_known_by_name() -> None:
    @task
    def placed(place: str, *items: int, speed: float = 1.0, **more: str) -> str:
        return f"{place} {items} {speed} {more}"

    @entrypoint()
    def packing(n: int) -> str:
        return placed("hall", 1, 2, colour="red").result()

    dbg = debug(packing)
    dbg.stop("before:*", when="place == 'hall' and items[0] == 1")
    run = dbg.start(1)
    by_hand = next(each for each in run.requests() if each.node == "placed" or each.approve())
    given = {"place": "hall", "items": (1, 2), "more": {"colour": "red"}}
    assert by_hand.arguments == given
    assert by_hand.value == {**given, "items": [1, 2]}
    assert list(by_hand.schema["properties"]) == ["place", "items", "more", "speed"]
    assert by_hand.schema["properties"]["items"]["items"] == {"type": "integer"}
    assert by_hand.respond_schema == {"type": "string"}
    assert "input: {'place': 'hall'" in request_text(by_hand)
    (changed,) = by_hand.preview({"items": [3]}).changes
    assert (changed.key, changed.old, changed.new) == ("items", (1, 2), (3,))
    by_hand.edit({"items": [3], "speed": 2, "more": {"$drop": True}})
    run.wait()
    assert run.result == "hall (3,) 2.0 {}"


def test_what_an_edit_leaves_alone_is_the_very_object_that_was_given() -> None:
    own = ["own"]

    @task
    def kept(given: list[str], n: int = 0) -> bool:
        return given is own and n == 1

    @entrypoint()
    def keeping(n: int) -> bool:
        return kept(own, n=n).result()

    dbg = debug(keeping)
    dbg.stop("before:*")
    run = dbg.start(0)
    for request in run.requests():
        request.edit({"n": 1}) if request.node == "kept" else request.approve()
    assert run.result is True


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


class Speaks(Protocol):
    def speak(self) -> str: ...


def sayer(given: Any, *, times: Any = 1) -> str:
    return f"{given} {times}"


sayer.__annotations__.update(given="whoever speaks", times="how often", **{"return": "what was said"})


def protocol(n: int, who: Speaks | None = None) -> Speaks | None:
    return who


def spread(items: Iterable[int]) -> Iterable[int]:
    return [*items]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("function", "edit", "edited", "given"),
    [
        (sayer, {"times": 2}, "4 2", "anything"),
        (protocol, {"n": 5}, None, None),
        (spread, {"items": [1, 2]}, [1, 2], [3]),
    ],
)
def test_annotations_that_are_no_types_refuse_nothing(function: Any, edit: Any, edited: Any, given: Any) -> None:
    called = task(function)

    def looked_at(request: Any) -> None:
        assert card(request)["schema"]["properties"].keys() >= edit.keys()
        request.edit(edit)

    assert decided(calling(called), "before:**", looked_at)[1] == [edited]
    assert decided(calling(called), "before:**", lambda request: request.respond(given))[1] == [given]


def test_a_name_in_an_annotation_is_that_of_the_function_and_no_other() -> None:
    def untold(n: int) -> Any:
        return n

    untold.__annotations__["return"] = "Problem"  # the library has a class of this name
    assert decided(calling(task(untold)), "before:**", lambda request: request.respond(3))[1] == [3]


def either(first: int, /, second: int = 2, *items: int, **more: int) -> Any:
    return (first, second, items, more)


def placed(first: int, second: int = 2, third: int = 3, /) -> Any:
    return (first, second, third)


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "edit", "result"),
    [
        (either, (1,), {}, {"items": [3]}, (1, 2, (3,), {})),
        (either, (1,), {"second": 5}, {"items": [3]}, (1, 5, (3,), {})),
        (
            either,
            (1,),
            {"more": 5, "items": 6, "first": 7},
            {"first": 4},
            (4, 2, (), {"more": 5, "items": 6, "first": 7}),
        ),
        (either, (1, 5, 6), {}, {"second": {"$drop": True}}, (1, 2, (6,), {})),
        (placed, (1,), {}, {"third": 7}, (1, 2, 7)),
    ],
)
def test_an_edited_call_reaches_each_parameter(function: Any, args: Any, kwargs: Any, edit: Any, result: Any) -> None:
    called = task(function)

    def work(state: State) -> Any:
        return {"log": [called(*args, **kwargs).result()]}

    app = StateGraph(State).add_node("work", work).add_edge(START, "work").compile(name="reaching")
    assert decided(app, "before:**", lambda request: request.edit(edit))[1] == [result]


def test_operations_on_arguments_are_taken_or_refused_in_words() -> None:
    @task
    def anything(n: Any) -> Any:
        return n

    def decide(request: Any) -> None:
        for wrong, told in (
            ({"$append": [5]}, r"n: \$append is no operation here\. Operations: \$set, \$drop"),
            ({"$drp": True}, r"n: \$drp is no operation \(did you mean '\$drop'\?\)"),
            ({"$drop": True}, "n: this can't be left out: the function has no default for it"),
        ):
            with pytest.raises(EditError, match=told):
                request.edit({"n": wrong})
        request.edit({"n": {"$set": {"$append": 5}}})

    assert decided(calling(anything), "before:**", decide)[1] == [{"$append": 5}]


@pytest.mark.parametrize(
    ("edit", "told", "mended"),
    [
        ({"n": {"$append": [5]}}, r"n: \$append is no operation here\. Operations: \$set, \$drop", {"n": {"$set": 5}}),
        ({"n": {"$st": 5}}, r"n: \$st is no operation \(did you mean '\$set'\?\)", {"n": 5}),
    ],
)
def test_operations_on_the_argument_of_a_send_are_taken_or_refused_too(edit: Any, told: str, mended: Any) -> None:
    graph = StateGraph(State).add_node("worker", lambda given: {"log": [given]})
    graph.add_conditional_edges(START, lambda _: [Send("worker", {"n": 1, "more": 2})], ["worker"])
    dbg = debug(graph.compile(name="sending"))
    dbg.stop("before:worker")
    run = dbg.start({"log": []})
    (request,) = held(run)
    with pytest.raises(EditError, match=told):
        request.edit(edit)
    request.edit({**mended, "more": {"$drop": True}})
    assert finished(run).result["log"] == [{"n": 5}]


@pytest.mark.parametrize(("when", "asked"), [("more == 0", True), ("more > 0", False)])
def test_a_condition_knows_the_defaults_of_what_was_not_given(when: str, asked: bool) -> None:
    dbg = debug(calling(double))
    stop = dbg.stop("before:double", when=when)
    run, titles = dbg.start({"log": []}), []
    for request in run.requests():
        titles.append(request.title)
        request.approve()
    assert (titles, stop.problem) == (["before:double"] * asked, None)


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
