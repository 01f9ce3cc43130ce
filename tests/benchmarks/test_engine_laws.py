"""Laws of speed that do not depend on the clock: calls a superstep, and nothing paid for what nobody uses."""

from __future__ import annotations

import argparse
import cProfile
import gc
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

import pytest

from stepgraph import START, StateGraph
from tests.benchmarks.engine import named

ROOT = Path(__file__).parents[2]


class Count(TypedDict):
    n: int


def built(length: int) -> StateGraph:
    graph = StateGraph(Count)
    previous = START
    for position in range(length):
        graph.add_node(f"n{position}", lambda state: {"n": state["n"] + 1})
        graph.add_edge(previous, f"n{position}")
        previous = f"n{position}"
    return graph


def calls_within(act: Callable[[], object]) -> int:
    """Python-level calls; none of what listens to the garbage collector, as hypothesis does."""
    profile = cProfile.Profile(builtins=False)
    gc.disable()
    try:
        profile.enable()
        act()
        profile.disable()
    finally:
        gc.enable()
    return sum(entry.callcount for entry in profile.getstats())


def calls_of(length: int, **options: object) -> int:
    """Python-level calls of one run of a chain."""
    graph = built(length).compile()
    return calls_within(lambda: graph.invoke({"n": 0}, **options))


def test_a_superstep_without_listeners_takes_at_most_25_calls() -> None:
    calls = (calls_of(1000) - calls_of(100)) / 900

    assert calls <= 25


def test_a_call_of_one_node_takes_at_most_25_calls() -> None:
    assert calls_of(1) <= 25


def alone(program: str) -> int:
    """The number that a program prints in a process of its own, where no other test has loaded anything."""
    laws = "from tests.benchmarks.test_engine_laws import awaited_calls, calls_of\n"
    told = subprocess.run([sys.executable, "-c", laws + program], capture_output=True, text=True, check=True, cwd=ROOT)
    return int(told.stdout)


def test_a_call_takes_as_few_where_langchain_is_loaded() -> None:
    assert alone("import langchain_core.runnables\ncalls_of(1)\nprint(calls_of(1))") <= 25


def awaited_calls() -> int:
    """Python-level calls of one awaited run of one node."""

    async def node(state: Count) -> Count:
        return {"n": state["n"] + 1}

    graph = StateGraph(Count).add_node("node", node).add_edge(START, "node").compile()

    def call() -> None:
        with suppress(StopIteration):  # it never waits, so no loop is needed
            graph.ainvoke({"n": 0}).send(None)

    call()  # the first one loads asyncio
    return calls_within(call)


def test_an_awaited_call_of_one_node_takes_at_most_36_calls() -> None:
    assert alone("print(awaited_calls())") <= 36


def test_compiling_takes_at_most_4_calls_a_node() -> None:
    calls = (calls_within(built(1000).compile) - calls_within(built(100).compile)) / 900

    assert calls <= 4


def test_a_superstep_in_a_stream_of_updates_takes_at_most_25_calls() -> None:
    def calls_streaming(length: int) -> int:
        graph = built(length).compile()
        return calls_within(lambda: list(graph.stream({"n": 0}, stream_mode="updates")))

    assert (calls_streaming(1000) - calls_streaming(100)) / 900 <= 25


def test_a_stream_takes_at_most_120_calls_to_its_first_update() -> None:
    graph = built(1000).compile()

    assert calls_within(lambda: next(graph.stream({"n": 0}, stream_mode="updates"))) <= 120


def test_shapes_are_asked_for_by_name_or_its_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    def names(*wanted: str) -> list[str]:
        return [shape.name for shape in named([*wanted], argparse.ArgumentParser())]

    assert names("chain of 10 ") == ["chain of 10"]
    assert names("chain", "loop") == ["chain of 10", "chain of 1000", "loop of 1000"]
    assert len(names("")) > 10
    with pytest.raises(SystemExit):
        names("chain of 11")
    assert "'chain of 11': no shape's name begins so. There are 'chain of 10', " in capsys.readouterr().err
