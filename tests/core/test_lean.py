"""The short way of tasks that nobody looks at gives what the whole way gives: random graphs, both ways."""

from __future__ import annotations

import asyncio
import logging
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from stepgraph import START, Command, Send, StateGraph, interrupt
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.run.aio import AsyncDriver
from stepgraph.run.sync import SyncDriver
from tests.differential.random_programs import build, graph_spec
from tests.simulation.model import ModelCheckpointer

LAB: Any = SimpleNamespace(graph=StateGraph, START=START, Command=Command, Send=Send, interrupt=interrupt)
SEEDS, BATCH = 200, 25


def app(seed: int, saver: Any) -> CompiledStateGraph:
    """The seed's graph: the same each time it is made."""
    rng = Random(seed)
    asks, fails = saver is not None and rng.random() < 0.4, saver is not None and rng.random() < 0.3
    spec = graph_spec(rng, depth=rng.choice((0, 1)), asks=asks, fails=fails, plain=rng.random() < 0.2)
    compiled: CompiledStateGraph = build(LAB, spec).compile(checkpointer=saver)
    return compiled


def account(seed: int, *, saved: bool, listened: bool, loop: bool) -> list[Any]:
    """Results or errors of up to four runs of the seed's graph, and the thread's history."""
    graph = app(seed, ModelCheckpointer() if saved else None)
    told: list[Any] = []
    given: Any = {"log": ["in"], "count": 1}
    for _ in range(4 if saved else 1):
        config: dict[str, Any] = {"recursion_limit": 20, "configurable": {"thread_id": "t"} if saved else {}}
        engine = graph.engine(given, config, emit=(lambda event: None) if listened else None)
        try:
            outcome = asyncio.run(AsyncDriver().run(engine.run())) if loop else SyncDriver().run(engine.run())
            told.append((outcome.status, outcome.values, sorted(str(each.value) for each in outcome.interrupts)))
        except Exception as error:  # noqa: BLE001  whatever a graph raises is compared
            told.append((type(error).__name__, str(error)))
        pending = graph.get_state(thread="t").interrupts if saved else ()
        given = Command(resume={each.id: f"<{each.value}>" for each in pending}) if pending else None
    if saved:
        told += [
            (
                shown.values,
                shown.next,
                shown.metadata,
                [(task.name, failure(task), task.result) for task in shown.tasks],
            )
            for shown in graph.get_state_history(thread="t")
        ]
    return told


def failure(task: Any) -> str | None:
    """A task's error. Whether a failure beside it cancelled it first, or it had ended, depends on helper threads."""
    return None if task.error == "CancelledError()" else task.error


@pytest.mark.parametrize("loop", [False, True], ids=["sync", "asyncio"])
@pytest.mark.parametrize("saved", [False, True], ids=["not saved", "saved"])
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_a_listener_changes_nothing(first: int, saved: bool, loop: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "stepgraph")
    for seed in range(first, first + BATCH):
        lean = account(seed, saved=saved, listened=False, loop=loop)

        assert account(seed, saved=saved, listened=True, loop=loop) == lean, f"seed {seed}"
