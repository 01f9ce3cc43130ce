"""Runs that nobody looks at go straight on, and give and store what the whole way gives and stores."""

from __future__ import annotations

import gc
import logging
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from stepgraph import START, Command, Send, StateGraph, interrupt
from stepgraph.core.errors import GraphDrained
from stepgraph.core.policies import RunControl
from stepgraph.graph import engines
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.persist import MemoryCheckpointer
from stepgraph.run.sync import SyncDriver
from tests.differential.random_programs import build, graph_spec
from tests.run.lone import PROGRAMS, State, account, one, spoken

LAB: Any = SimpleNamespace(graph=StateGraph, START=START, Command=Command, Send=Send, interrupt=interrupt)
SEEDS, BATCH = 400, 50
LIMIT = 20


def whole(app: CompiledStateGraph, given: Any, limit: int = LIMIT, **config: Any) -> Any:
    """What the engine gives under the driver of all sync runs."""

    def call() -> Any:
        outcome = SyncDriver().run(app.engine(given, {"recursion_limit": limit, **config}).run())
        asked = {"__interrupt__": list(outcome.interrupts)} if outcome.interrupts else {}
        return {**outcome.values, **asked} if isinstance(outcome.values, dict) else outcome.values

    return account(call)


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "DEFAULT_RECURSION_LIMIT", LIMIT)


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


class Whole(MemoryCheckpointer):
    """One that is handed every checkpoint, as what somebody replaced a method of is."""


def stored(app: CompiledStateGraph) -> list[Any]:
    """The thread's history, without ids and times."""
    return [
        (
            *(each.step, each.source, each.values, each.control, each.seen, each.versions, each.metadata),
            *((record.kind, record.node, record.path) for record in each.records),
        )
        for each in app.checkpointer.history("t", "")
    ]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_call_stores_what_the_whole_way_stores(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "stepgraph")
    given: dict[str, Any] = {"log": [1]} if "reducer" in name else {"n": 1}
    config = {"recursion_limit": LIMIT, "configurable": {"thread_id": "t"}, "metadata": {"user": "x"}}
    ours, theirs = PROGRAMS[name](), PROGRAMS[name]()
    ours.checkpointer, theirs.checkpointer = MemoryCheckpointer(), Whole()

    for _ in range(2):  # on a new thread, and on one that has ended or is to go on
        assert account(lambda: ours.invoke(given, config)) == whole(theirs, given, **config)
        assert stored(ours) == stored(theirs) != []


@pytest.mark.parametrize("name", ["an error", "a question", "a router that fails"])
def test_a_call_with_the_id_of_the_stored_run_goes_on_with_it(name: str) -> None:
    config = {"configurable": {"thread_id": "t"}, "metadata": {"run_id": "r"}}
    app = PROGRAMS[name]()
    app.checkpointer = MemoryCheckpointer()
    account(lambda: app.invoke({"n": 1}, config))
    steps = len(stored(app))

    account(lambda: app.invoke({"n": 2}, config))

    assert len(stored(app)) == steps
    assert all("__start__" not in each[2] or each[2]["__start__"] == {"n": 1} for each in stored(app))


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_call_keeps_to_the_durability_that_its_config_lends(durability: str) -> None:
    config = {"configurable": {"thread_id": "t", "__pregel_durability": durability}}
    ours, theirs = one(lambda state: {"n": 2}), one(lambda state: {"n": 2})
    ours.checkpointer, theirs.checkpointer = MemoryCheckpointer(), MemoryCheckpointer()

    assert account(lambda: ours.invoke({"n": 1}, config)) == whole(theirs, {"n": 1}, **config)
    assert stored(ours) == stored(theirs)
    assert len(stored(ours)) == (1 if durability == "exit" else 4)


@pytest.mark.parametrize("checkpointer", [None, MemoryCheckpointer()], ids=["none", "memory"])
def test_a_call_ends_where_the_control_that_its_config_lends_asks_for_it(checkpointer: Any) -> None:
    control = RunControl()
    app = one(lambda state: control.request_drain("enough"))
    app.checkpointer = checkpointer
    lent = SimpleNamespace(store=None, context=None, control=control)
    config = {"configurable": {"thread_id": "t", "__pregel_runtime": lent}}

    with pytest.raises(GraphDrained, match="enough"):
        app.invoke({"n": 1}, config)


def test_a_checkpoint_that_cannot_be_stored_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    app = one(lambda state: {"n": 2})
    app.checkpointer = MemoryCheckpointer()
    save = app.checkpointer.save

    def full(thread: str, ns: str, checkpoint: Any) -> None:
        if checkpoint.step == 1:
            raise OSError("no space left")
        save(thread, ns, checkpoint)

    monkeypatch.setattr(app.checkpointer, "save", full)

    with pytest.raises(OSError, match="no space left"):
        app.invoke({"n": 1}, thread="t")
    assert [each[0] for each in stored(app)] == [0, -1]


@pytest.mark.parametrize("limit", range(1, 8))
def test_the_recursion_limit_counts_the_same_supersteps(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "DEFAULT_RECURSION_LIMIT", limit)
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
