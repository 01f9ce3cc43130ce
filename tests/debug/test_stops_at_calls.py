"""Stops at what no part of the graph is: functions that its code calls, and nodes of graphs that it calls."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import START, StateGraph, entrypoint, task
from stepgraph.core.inside import graphs_in
from stepgraph.debug import debug, places
from stepgraph.debug.places import called


class State(TypedDict, total=False):
    items: list[str]
    log: Annotated[list[Any], operator.add]


@task
def price(item: str) -> int:
    return len(item)


@task
def total(items: list[str]) -> int:
    return sum([price(item).result() for item in items])


def draft(state: State) -> State:
    return {"log": [price("draft").result()]}


report = StateGraph(State).add_node("draft", draft).add_edge(START, "draft").compile(name="report")
HIDDEN = {"function": price}


@entrypoint()
def order(items: list[str]) -> Any:
    found = total(items).result()
    return found, report.invoke({"items": items})["log"]


@entrypoint()
def secretive(items: list[str]) -> int:
    return HIDDEN["function"](items[0]).result()


def work(state: State) -> State:
    return {"log": [total(state["items"]).result()]}


working = StateGraph(State).add_node("work", work).add_edge(START, "work").compile(name="working")
around = StateGraph(State).add_node("order", secretive).add_edge(START, "order").compile(name="around")


def asked(graph: Any, given: Any, *stops: str) -> list[str]:
    """The titles of what is asked, all of it approved."""
    dbg = debug(graph)
    for stop in stops:
        dbg.stop(stop)
    run, titles = dbg.start(given), []
    for request in run.requests():
        titles.append(request.title)
        request.approve()
    assert run.status == "done", run.error
    return titles


def refused(graph: Any, stop: str) -> str:
    with pytest.raises(ValueError, match=r"the graph has no|is a called function") as raised:
        debug(graph).stop(stop)
    return str(raised.value)


def test_what_the_code_of_nodes_calls_is_known_by_name() -> None:
    assert called(order.plan) == (("total", "price", "order/price"), ("order/draft",))
    assert called(working.plan) == (("total", "price"), ())
    assert called(around.plan) == ((), ())


def test_a_graph_that_a_function_calls_is_below_all_that_has_led_to_it() -> None:
    @task
    def reported(items: list[str]) -> Any:
        return report.invoke({"items": items})["log"]

    @task
    def passed(items: list[str]) -> Any:
        return reported(items).result()

    @entrypoint()
    def ordering(items: list[str]) -> Any:
        return passed(items).result(), reported(items).result()

    inner = ["ordering/passed/reported/", "ordering/reported/"]
    assert sorted(called(ordering.plan).nodes) == [f"{path}draft" for path in inner]
    assert set(called(ordering.plan).functions) == {"passed", "reported", *(f"{path}price" for path in inner)}
    assert asked(ordering, ["a"], *(f"after:{path}draft" for path in inner)) == [f"after:{path}draft" for path in inner]


def test_many_graphs_that_call_each_other_are_looked_at_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[Any] = []

    def counted(source: Any) -> Any:
        looked_at.append(source)
        return graphs_in(source)

    monkeypatch.setattr(places, "graphs_in", counted)

    def made(number: int) -> Any:
        def each(n: int) -> Any:
            return (first, second, third, fourth)[n].invoke(number)

        return entrypoint()(each)

    first, second, third, fourth = (made(number) for number in range(4))
    assert len(called(first.plan).nodes) == 3
    assert len(looked_at) == 4


def test_what_calls_itself_is_looked_at_once() -> None:
    @task
    def again(n: int) -> int:
        return again(n - 1).result() if n else 0

    @entrypoint()
    def looking(n: int) -> Any:
        return again(n).result() or looking.invoke(n)

    assert called(looking.plan) == (("again", "looking/again"), ("looking/looking",))


def test_many_that_call_each_other_are_looked_at_in_a_moment() -> None:
    functions: list[Any] = []

    def made(number: int) -> Any:
        def each(n: int) -> Any:
            return (one, two, three, four, five, six)[n](number)

        return task(each, name=f"f{number}")

    functions += [made(number) for number in range(6)]
    one, two, three, four, five, six = functions

    @entrypoint()
    def many(n: int) -> Any:
        return one(n)

    assert sorted(called(many.plan).functions) == [f"f{number}" for number in range(6)]


@pytest.mark.parametrize(
    ("graph", "given", "stops", "titles"),
    [
        (order, ["a"], ["before:price"], ["before:price"]),
        (order, ["a"], ["before:total"], ["before:total"]),
        (order, ["a"], ["before:order/price"], ["before:order/price"]),
        (order, ["a"], ["after:order/draft", "step:order"], ["after:order/draft", "step:order"]),
        (working, {"items": ["a", "b"]}, ["before:price"], ["before:price", "before:price"]),
        (secretive, ["a"], ["before:price"], ["before:price"]),
    ],
)
def test_a_stop_there_holds(graph: Any, given: Any, stops: list[str], titles: list[str]) -> None:
    assert asked(graph, given, *stops) == titles


def test_a_function_that_is_known_has_no_notice() -> None:
    assert debug(order).stop("before:price").problem is None
    assert debug(working).gate("error:total", allow="respond").problem is None


def test_a_name_that_an_entrypoint_does_not_mention_is_taken_with_a_notice_until_it_is_called() -> None:
    dbg = debug(secretive)
    stop = dbg.stop("before:price")
    assert stop.problem == (
        "the graph names neither a node nor a function 'price': it stops where a function of that name is called"
    )
    assert "(did you mean 'price'?)" in (debug(order).stop("before:prise").problem or "")
    run = dbg.start(["a"])
    next(iter(run.requests())).approve()
    run.wait()
    assert (stop.hits, stop.problem) == (1, None)
    assert debug(around).stop("before:order/price").problem is not None


@pytest.mark.parametrize(
    ("graph", "stop", "told"),
    [
        (working, "before:prise", "has no node 'prise' (did you mean 'price'?). Known: work, total, price."),
        (order, "after:price", "is a called function, which has neither update nor edges. There are 'before:price'"),
        (order, "after:prices", "has no node 'prices'. Known: order, order/draft."),
        (order, "before:order/prise", "has no node 'order/prise' (did you mean 'order/price'?)"),
        (order, "step:orders", "has no subgraph 'orders' (did you mean 'order'?)"),
        (around, "before:elsewhere/price", "has no node 'elsewhere/price'"),
    ],
)
def test_other_names_are_refused(graph: Any, stop: str, told: str) -> None:
    assert told in refused(graph, stop)


def test_what_only_looks_like_a_function_is_none() -> None:
    odd = SimpleNamespace(_node=1, func=print)

    def looking(state: State) -> State:
        return odd.func(state)

    graph = StateGraph(State).add_node("looking", looking).add_edge(START, "looking").compile(name="odd")
    assert called(graph.plan) == ((), ())


def test_a_function_that_only_a_helper_calls_is_met_as_the_refusal_says() -> None:
    def helper(item: str) -> int:
        return price(item).result()

    def helped(state: State) -> State:
        return {"log": [helper("a")]}

    graph = StateGraph(State).add_node("helped", helped).add_edge(START, "helped").compile(name="helped")
    assert "is met by 'before:*', when=\"q.node == 'its name'\"" in refused(graph, "before:price")
    dbg = debug(graph)
    dbg.stop("before:*", when="q.node == 'price'")
    run, titles = dbg.start({"items": []}), []
    for request in run.requests():
        titles.append(request.title)
        request.approve()
    assert titles == ["before:price"]


def test_a_notice_follows_the_code() -> None:
    def made(function: Callable[..., Any]) -> Any:
        @entrypoint()
        def changing(n: int) -> Any:
            return function("a").result()

        return changing

    dbg = debug(made(price))
    stop = dbg.stop("before:price")
    assert stop.problem is None
    assert debug(made(total)) is dbg
    assert stop.problem is None, "it is called by that one"
    debug(made(HIDDEN["function"].__class__(str.upper, name="upper")))
    assert "names neither a node nor a function 'price'" in stop.problem
