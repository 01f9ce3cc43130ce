"""Runs that nobody looks at and nothing stores go straight on, and give what the whole way gives."""

from __future__ import annotations

import asyncio
import gc
import logging
import operator
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextvars import ContextVar
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.runnables import RunnableLambda

from stepgraph import END, START, Command, Send, StateGraph, entrypoint, get_config, get_runtime, interrupt, task
from stepgraph.graph import compiled
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.run.sync import SyncDriver
from tests.differential.random_programs import build, graph_spec

LAB: Any = SimpleNamespace(graph=StateGraph, START=START, Command=Command, Send=Send, interrupt=interrupt)
SEEDS, BATCH = 400, 50
LIMIT = 20
spoken: ContextVar[str] = ContextVar("spoken", default="nothing")


class State(TypedDict, total=False):
    n: int
    text: str


class Log(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]


@task
def double(n: int) -> int:
    return 2 * n


@task
def fails(n: int) -> int:
    raise ConnectionError(n)


def one(body: Callable[[Any], Any], schema: Any = State, then: Any = None) -> CompiledStateGraph:
    """A node `first`, a router if there is one, and a node `last`."""
    g = StateGraph(schema).add_node("first", body).add_node("last", lambda state: {}).add_edge(START, "first")
    if then is not None:
        g.add_conditional_edges("first", then)
    else:
        g.add_edge("first", "last")
    return g.compile()


def raising(kind: type[BaseException], *args: Any) -> Callable[[Any], Any]:
    def body(state: Any) -> Any:
        raise kind(*args)

    return body


def calls_and_does_not_wait(state: Any) -> Any:
    double(state["n"])
    return {"n": 1}


def calls_what_fails(state: Any) -> Any:
    fails(state["n"])
    return {"n": 1}


def changes_its_context(state: Any) -> Any:
    before = spoken.get()
    spoken.set("something")
    return {"text": before}


def looks_around(state: Any) -> Any:
    config, runtime = get_config(), get_runtime()
    metadata = {key: value for key, value in config["metadata"].items() if key != "langgraph_checkpoint_ns"}
    return {"text": f"{metadata} {runtime.store} {runtime.context} {sorted(config['configurable'])}"}


PROGRAMS: dict[str, Callable[[], CompiledStateGraph]] = {
    "an update": lambda: one(lambda state: {"n": state["n"] + 1}),
    "no update": lambda: one(lambda state: None),
    "a key that the state has not": lambda: one(lambda state: {"n": 2, "other": 3}),
    "no dict": lambda: one(lambda state: 7),
    "a reducer": lambda: one(lambda state: {"log": [2]}, Log),
    "a reducer that refuses": lambda: one(lambda state: {"log": 2}, Log),
    "an error": lambda: one(raising(KeyError, "no")),
    "an interrupted kernel": lambda: one(raising(KeyboardInterrupt)),
    "a cancelled future": lambda: one(raising(CancelledError)),
    "a cancelled coroutine": lambda: one(raising(asyncio.CancelledError)),
    "a stopped iterator": lambda: one(raising(StopIteration, 3)),
    "a question": lambda: one(lambda state: {"n": interrupt("how many?")}),
    "a command": lambda: one(lambda state: Command(update={"n": 5}, goto="last")),
    "a command for a parent that is not there": lambda: one(lambda state: Command(graph=Command.PARENT, goto="x")),
    "a command to an unknown node": lambda: one(lambda state: Command(goto="nowhere")),
    "Sends": lambda: one(lambda state: Command(goto=[Send("last", {}), Send("last", {})])),
    "a router": lambda: one(lambda state: {"n": 3}, then=lambda state: "last" if state["n"] == 3 else END),
    "a router to the end": lambda: one(lambda state: {"n": 3}, then=lambda state: END),
    "a router that fails": lambda: one(lambda state: {"n": 3}, then=raising(ValueError, "no way")),
    "a loop": lambda: one(lambda state: {"n": state["n"] + 1}, then=lambda s: "first" if s["n"] < 9 else "last"),
    "a loop without end": lambda: one(lambda state: {"n": state["n"] + 1}, then=lambda state: "first"),
    "a Runnable as the result": lambda: one(lambda state: RunnableLambda(lambda given: {"n": given["n"] + 7})),
    "a failing Runnable as the result": lambda: one(lambda state: RunnableLambda(raising(OSError, "within"))),
    "a context of its own": lambda: one(changes_its_context),
    "a call that goes on": lambda: one(calls_and_does_not_wait),
    "a call that fails": lambda: one(calls_what_fails),
    "a call inside": lambda: one(lambda state: {"n": double(state["n"]).result()}),
    "a graph inside": lambda: one(lambda state: one(lambda inner: {"n": inner["n"] + 5}).invoke(state)),
    "a failing graph inside": lambda: one(lambda state: one(raising(OSError, "deep")).invoke(state)),
    "what nodes can see": lambda: one(looks_around),
    "a function": lambda: entrypoint()(lambda given: double(given["n"]).result()),
}


def account(call: Callable[[], Any]) -> Any:
    """What a call gives, or what it raises, with what is told of it."""
    try:
        result = call()
        asked = result.pop("__interrupt__", ()) if isinstance(result, dict) else ()
        return result, [each.value for each in asked]  # their ids are the run's
    except (Exception, KeyboardInterrupt, asyncio.CancelledError) as error:  # noqa: BLE001  whatever comes is compared
        notes = [note.partition("' and id")[0] for note in getattr(error, "__notes__", ())]
        return type(error).__name__, str(error), notes, type(error.__cause__).__name__


def whole(app: CompiledStateGraph, given: Any, limit: int = LIMIT) -> Any:
    """What the engine gives under the driver of all sync runs."""

    def call() -> Any:
        outcome = SyncDriver().run(app.engine(given, {"recursion_limit": limit}).run())
        asked = {"__interrupt__": list(outcome.interrupts)} if outcome.interrupts else {}
        return {**outcome.values, **asked} if isinstance(outcome.values, dict) else outcome.values

    return account(call)


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "DEFAULT_RECURSION_LIMIT", LIMIT)


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_call_gives_what_the_whole_way_gives(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "stepgraph")
    given: dict[str, Any] = {"log": [1]} if "reducer" in name else {"n": 1}
    app = PROGRAMS[name]()

    bare = account(lambda: app.invoke(given))

    assert app.plan.straight
    assert bare == whole(app, given)
    assert bare == account(lambda: app.invoke(given, {"recursion_limit": LIMIT, "tags": ["x"]}))
    assert spoken.get() == "nothing"


@pytest.mark.parametrize("limit", range(1, 8))
def test_the_recursion_limit_counts_the_same_supersteps(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "DEFAULT_RECURSION_LIMIT", limit)
    g = StateGraph(State).add_sequence([(f"n{each}", lambda state: {"n": state["n"] + 1}) for each in range(4)])
    app = g.add_edge(START, "n0").compile()

    assert account(lambda: app.invoke({"n": 0})) == whole(app, {"n": 0}, limit)


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_random_graphs_give_the_same_either_way(first: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "stepgraph")
    given = {"log": ["in"], "count": 1}
    for seed in range(first, first + BATCH):
        rng = Random(seed)
        spec = graph_spec(rng, depth=rng.choice((0, 1)), asks=False, fails=rng.random() < 0.3, plain=seed % 2 == 0)

        bare = account(partial(build(LAB, spec).compile().invoke, given))

        assert bare == whole(build(LAB, spec).compile(), given), f"seed {seed}"


@pytest.mark.parametrize("given", [None, {}, Command(goto="last"), {"other": 1}, {"n": 1, "other": 2}, [("n", 1)], 5])
def test_inputs_of_other_kinds_are_taken_or_refused_as_they_are_elsewhere(given: Any) -> None:
    app = one(lambda state: {"text": str(state)})

    assert account(lambda: app.invoke(given)) == whole(app, given)


def test_the_callers_input_is_not_the_result_nor_changed() -> None:
    given = {"n": 1}

    result = one(lambda state: {"text": "b"}).invoke(given)

    assert (given, result) == ({"n": 1}, {"n": 1, "text": "b"})


@pytest.mark.parametrize("config", [None, {"tags": ["x"]}])
def test_a_run_leaves_nothing_for_the_garbage_collector(config: Any) -> None:
    app = one(lambda state: {"n": 3}, then=lambda state: "last")
    app.invoke({"n": 0}, config)
    gc.collect()
    gc.disable()
    try:
        app.invoke({"n": 0}, config)

        assert gc.collect() == 0
    finally:
        gc.enable()
