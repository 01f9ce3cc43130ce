"""Checkpoints of simple values wait unencoded in memory until somebody reads: nobody may notice."""

from __future__ import annotations

from typing import TypedDict

import pytest

from stepgraph import START, CompiledStateGraph, StateGraph
from stepgraph.core.checkpoint import Checkpoint, Control, Record
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer

METADATA: dict[str, str] = {}


def simple(number: int, value: object) -> Checkpoint:
    parent = f"00000000-0000-6000-8000-{number - 1:012x}" if number else None
    identity = f"00000000-0000-6000-8000-{number:012x}"
    return Checkpoint(identity, parent, number, "loop", 1.0, number, {"n": value}, Control(("a",)), ("a",), METADATA)


class Count(TypedDict):
    n: int


def loop(checkpointer: object) -> CompiledStateGraph:
    graph = StateGraph(Count)
    graph.add_node("node", lambda state: {"n": state["n"] + 1})
    graph.add_edge(START, "node")
    graph.add_conditional_edges("node", lambda state: "node" if state["n"] < 20 else "__end__")
    return graph.compile(checkpointer=checkpointer)


def test_a_run_reads_back_as_from_a_file() -> None:
    accounts = []
    with_file = SqliteCheckpointer(":memory:")
    for checkpointer in (MemoryCheckpointer(), with_file):
        graph = loop(checkpointer)
        graph.invoke({"n": 0}, thread="t")
        history = list(graph.get_state_history(thread="t"))
        accounts.append(
            [(each.values, each.next, each.metadata, [task.result for task in each.tasks]) for each in history]
        )
    with_file.close()

    assert len(accounts[0]) == 22
    assert accounts[0] == accounts[1]


def test_waiting_checkpoints_are_found_by_id_and_carry_records() -> None:
    checkpointer = MemoryCheckpointer()
    for number in range(5):
        checkpointer.save("t", "", simple(number, number))
    newest = simple(4, 4).id
    checkpointer.save_record("t", "", newest, Record("task", "outcome", ((("n", 9),), (), ()), "a", ()))

    found = checkpointer.load("t", "", newest)

    assert found is not None
    assert found.values == {"n": 4}
    assert found.records[0].kind == "outcome"
    assert checkpointer.load("t", "", simple(2, 2).id).values == {"n": 2}  # type: ignore[union-attr]  # it is stored


def test_a_value_that_can_change_is_encoded_at_once() -> None:
    checkpointer = MemoryCheckpointer()
    changing = ["before"]
    checkpointer.save("t", "", simple(0, "first"))
    checkpointer.save("t", "", simple(1, changing))
    changing.append("after")

    found = checkpointer.load("t", "")

    assert found is not None
    assert found.values == {"n": ["before"]}


@pytest.mark.parametrize("count", [1, 7])
def test_a_fork_starts_from_a_waiting_checkpoint(count: int) -> None:
    checkpointer = MemoryCheckpointer()
    for number in range(8):
        checkpointer.save("t", "", simple(number, number))
    fork = simple(100, "fork")
    fork.parent, fork.parent_thread = simple(count, count).id, "t"
    checkpointer.save("t~2", "", fork)

    assert next(checkpointer.history("t~2", "")).values == {"n": "fork"}
