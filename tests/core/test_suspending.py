"""A suspended run goes on from a real store, in another engine, without running any body again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stepgraph import START, StateGraph
from stepgraph.core.types import Decision
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer
from tests.core.gates import ScriptedGate, State, drive

SUSPEND = Decision("suspend")
DRIVERS = pytest.mark.parametrize("loop", [False, True], ids=["sync", "asyncio"])
STORES = pytest.mark.parametrize("store", ["memory", "sqlite"])


class Store:
    """A checkpointer that may be opened again, as another process would."""

    def __init__(self, kind: str, directory: Path) -> None:
        self._path = str(directory / "runs.db") if kind == "sqlite" else None
        self.saver: Any = SqliteCheckpointer(self._path) if self._path else MemoryCheckpointer()

    def reopened(self) -> Any:
        if self._path:
            self.saver.close()
            self.saver = SqliteCheckpointer(self._path)
        return self.saver


def graph(runs: Counter[str], shape: str, saver: Any) -> CompiledStateGraph:
    """first, then left and right at once, then last; alone, or as the node `inside` of another graph."""

    def node(name: str) -> Any:
        def body(state: State) -> State:
            runs[name] += 1
            return {"log": [name]}

        return body

    built = StateGraph(State)
    for name in ("first", "left", "right", "last"):
        built.add_node(name, node(name))
    built.add_edge(START, "first").add_edge("first", "left").add_edge("first", "right")
    built.add_edge(["left", "right"], "last")
    if shape == "flat":
        return built.compile(checkpointer=saver)
    return StateGraph(State).add_node("inside", built.compile()).add_edge(START, "inside").compile(checkpointer=saver)


class InnerGate(ScriptedGate):
    """Asked in the innermost graph only."""

    def __init__(self, depth: int, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.depth = depth

    def wants(self, place: str, node: str | None, ns: tuple[str, ...]) -> bool:
        return len(ns) == self.depth and super().wants(place, node, ns)


LOG = ["first", "left", "right", "last"]
ONCE = {"first": 1, "left": 1, "right": 1, "last": 1}


@STORES
@DRIVERS
@pytest.mark.parametrize("shape", ["flat", "nested"])
@pytest.mark.parametrize(
    ("place", "node"),
    [
        ("plan", None),
        ("before", "left"),
        ("after", "left"),
        ("after", "first"),
        ("edge", "right"),
        ("edge", "first"),
        ("step", None),
        ("committed", None),
    ],
)
def test_no_body_runs_again(place: str, node: str | None, shape: str, loop: bool, store: str, tmp_path: Path) -> None:
    runs: Counter[str] = Counter()
    opened = Store(store, tmp_path)
    depth = 0 if shape == "flat" else 1
    step = None if node else 2

    first = drive(
        graph(runs, shape, opened.saver),
        {"log": ["in"]},
        InnerGate(depth, place, SUSPEND, node=node, step=step),
        loop=loop,
    )
    second = drive(graph(runs, shape, opened.reopened()), None, None, loop=loop)

    assert (first.status, second.status) == ("interrupted", "done")
    assert second.values["log"] == (["in", *LOG] if shape == "flat" else ["in", "in", *LOG])
    assert runs == ONCE


@STORES
@DRIVERS
def test_a_decided_sibling_stays_decided(loop: bool, store: str, tmp_path: Path) -> None:
    runs: Counter[str] = Counter()
    opened = Store(store, tmp_path)

    class Both(ScriptedGate):
        def __call__(self, pause: Any) -> Decision:
            return SUSPEND if pause.node == "left" else Decision("edit", {"log": ["by hand"]})

        def wants(self, place: str, node: str | None, ns: tuple[str, ...]) -> bool:
            return place == "after" and node in ("left", "right")

    drive(graph(runs, "flat", opened.saver), {"log": []}, Both("after"), loop=loop)
    gate = ScriptedGate("after")
    outcome = drive(graph(runs, "flat", opened.reopened()), None, gate, loop=loop)

    assert outcome.values["log"] == ["first", "left", "by hand", "last"]
    assert [pause.node for pause in gate.pauses] == ["left", "last"], "right was decided before"
    assert runs == ONCE


@DRIVERS
def test_a_run_may_be_suspended_at_every_place_in_turn(loop: bool, tmp_path: Path) -> None:
    runs: Counter[str] = Counter()
    opened = Store("sqlite", tmp_path)
    given: Any = {"log": []}
    for place in ("plan", "before", "after", "edge", "step"):
        outcome = drive(graph(runs, "flat", opened.saver), given, ScriptedGate(place, SUSPEND), loop=loop)
        assert outcome.status == "interrupted", place
        given = None
        opened.reopened()

    assert drive(graph(runs, "flat", opened.saver), None, None, loop=loop).values["log"] == LOG
    assert runs == ONCE


@DRIVERS
@pytest.mark.parametrize(
    ("decision", "log"),
    [
        (Decision("redirect", ["last"]), ["last"]),
        (Decision("respond", {"log": ["given"]}), ["given", "left", "right", "last"]),
        (Decision("skip"), ["left", "right", "last"]),
        (Decision("edit", {"log": ["other"]}), LOG),
    ],
)
@pytest.mark.parametrize("asked", ["before", "after"])
@pytest.mark.parametrize("then", ["after", "edge", "step", "committed"])
def test_what_was_decided_before_a_body_outlives_a_suspend_after_it(
    then: str, asked: str, decision: Decision, log: list[str], loop: bool
) -> None:
    runs: Counter[str] = Counter()
    saver = MemoryCheckpointer()

    class Gate(ScriptedGate):
        def wants(self, place: str, node: str | None, ns: tuple[str, ...]) -> bool:
            return place in ("before", then, asked)

        def __call__(self, pause: Any) -> Decision:
            if pause.step != 1:
                return Decision()
            return decision if pause.place == "before" else SUSPEND if pause.place == then else Decision()

    outcome = drive(graph(runs, "flat", saver), {"log": []}, Gate(""), loop=loop)
    asks = (then, decision.verb) != ("after", "redirect")  # there is no update to ask about
    assert outcome.status == ("interrupted" if asks else "done")
    if asks:
        outcome = drive(graph(runs, "flat", saver), None, None, loop=loop)

    assert outcome.values["log"] == log
    assert runs["first"] == (1 if decision.verb == "edit" else 0)
