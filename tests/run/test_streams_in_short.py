"""A stream that wants no more than updates takes the short way too, and shows what it shows among the details."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from stepgraph import START, Command, Send, StateGraph, interrupt
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.persist import MemoryCheckpointer
from tests.differential.random_programs import build, graph_spec
from tests.run.lone import PROGRAMS

LAB: Any = SimpleNamespace(graph=StateGraph, START=START, Command=Command, Send=Send, interrupt=interrupt)
SEEDS, BATCH = 80, 40
SYNC_ONLY = ("an interrupted kernel",)
"""Under asyncio it would end the loop."""
WAYS = [(name, way) for name in PROGRAMS for way in ("sync", "async") if way == "sync" or name not in SYNC_ONLY]


async def chunks_of(stream: Any, found: list[Any]) -> None:
    async for chunk in stream:
        found.append(chunk)


def shown(app: CompiledStateGraph, given: Any, modes: Any, way: str) -> list[Any]:
    """The chunks of up to two runs, the error that ends them, and the thread's history, without ids."""
    config = {"recursion_limit": 20, "configurable": {"thread_id": "t"}}
    found: list[Any] = []
    for _ in range(2 if app.checkpointer else 1):
        try:
            if way == "sync":
                for chunk in app.stream(given, config, stream_mode=modes):
                    found.append(chunk)
            else:
                asyncio.run(chunks_of(app.astream(given, config, stream_mode=modes), found))
        except (Exception, KeyboardInterrupt, asyncio.CancelledError) as error:  # noqa: BLE001  whatever comes is compared
            found.append((type(error).__name__, str(error)))
        waiting = app.get_state(config).interrupts if app.checkpointer else ()
        given = Command(resume={each.id: 4 for each in waiting}) if waiting else None
    if app.checkpointer:
        found += [
            (each.values, each.next, each.metadata, [(task.name, task.error, task.result) for task in each.tasks])
            for each in app.get_state_history(config)
        ]
    return [without_ids(each) for each in found if not isinstance(each, tuple) or each[0] != "debug"]


def without_ids(chunk: Any) -> Any:
    if isinstance(chunk, tuple) and len(chunk) == 2 and isinstance(chunk[1], dict) and "__interrupt__" in chunk[1]:
        return chunk[0], [each.value for each in chunk[1]["__interrupt__"]]
    return chunk


def random_graph(seed: int, saved: bool) -> CompiledStateGraph:
    """The seed's graph: the same each time it is made."""
    rng = Random(seed)
    spec = graph_spec(rng, depth=seed % 2, asks=saved, fails=rng.random() < 0.3, plain=rng.random() < 0.3)
    made: CompiledStateGraph = build(LAB, spec).compile()
    return made


def both(make: Callable[[], CompiledStateGraph], given: Any, way: str, *, saved: bool) -> list[list[Any]]:
    """What a stream of updates shows, and what it shows of them among the details."""
    savers = [MemoryCheckpointer() if saved else None for _ in range(2)]
    return [
        shown(make().copy({"checkpointer": saver}), given, modes, way)
        for saver, modes in zip(savers, (["updates", "custom"], ["updates", "custom", "debug"]), strict=True)
    ]


def left_over(some: list[Any], others: list[Any]) -> list[Any]:
    """What only one list has. The order may differ: slow siblings and called functions end when they end."""
    rest = list(others)
    return [each for each in some if each not in rest or rest.remove(each)] + rest


@pytest.mark.parametrize("saved", [False, True], ids=["not saved", "saved"])
@pytest.mark.parametrize(("name", "way"), WAYS)
def test_updates_of_lone_nodes_are_the_same(name: str, saved: bool, way: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "stepgraph")

    alone, others = both(PROGRAMS[name], {"log": [1]} if "reducer" in name else {"n": 1}, way, saved=saved)

    assert left_over(alone, others) == []


@pytest.mark.parametrize("saved", [False, True], ids=["not saved", "saved"])
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_updates_of_random_graphs_are_the_same(first: int, saved: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "stepgraph")
    for seed in range(first, first + BATCH):
        alone, others = both(partial(random_graph, seed, saved), {"log": ["in"], "count": 1}, "sync", saved=saved)

        assert left_over(alone, others) == [], f"seed {seed}"


def test_the_chunks_of_a_stream_come_before_the_next_node_runs() -> None:
    ran: list[str] = []
    g = StateGraph(dict)
    g.add_sequence([(name, lambda state, name=name: ran.append(name)) for name in ("a", "b", "c")]).add_edge(START, "a")

    seen = [(chunk, list(ran)) for chunk in g.compile().stream({}, stream_mode="updates")]

    assert seen == [({"a": None}, ["a"]), ({"b": None}, ["a", "b"]), ({"c": None}, ["a", "b", "c"])]
