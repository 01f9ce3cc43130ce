"""Checkpoints of simple values wait unencoded in memory until somebody reads: nobody may notice."""

from __future__ import annotations

import operator
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import START, CompiledStateGraph, StateGraph
from stepgraph.core.checkpoint import Checkpoint, Control, Extend, Record
from stepgraph.core.errors import CheckpointError
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer, memory
from stepgraph.persist.log import LogCheckpointer

METADATA: dict[str, str] = {}


def simple(number: int, value: object) -> Checkpoint:
    parent = f"00000000-0000-6000-8000-{number - 1:012x}" if number else None
    identity = f"00000000-0000-6000-8000-{number:012x}"
    return Checkpoint(identity, parent, number, "loop", 1.0, number, {"n": value}, Control(("a",)), ("a",), METADATA)


class Count(TypedDict):
    n: int


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


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


CHANGES: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "a list": (["before"], lambda value: value.append("after")),
    "a dict": ({"a": 1}, lambda value: value.update(b=2)),
    "lists in a list": ([["before"]], lambda value: value[0].append("after")),
    "a list in a dict": ({"a": ["before"]}, lambda value: value["a"].append("after")),
    "a long list": (list(range(300)), lambda value: value.append("after")),
    "a dict that an Extend brings": (Extend(({"a": 1},)), lambda value: value.items[0].update(a=2)),
    "a tuple with a list": ((["before"],), lambda value: value[0].append("after")),
    "a set": ({1}, lambda value: value.add(2)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_value_that_changes_later_is_stored_as_it_was(name: str) -> None:
    value, change = CHANGES[name]
    before, value = deepcopy(value), deepcopy(value)
    checkpointer = MemoryCheckpointer()
    checkpointer.save("t", "", simple(0, [] if "Extend" in name else "first"))
    checkpointer.save("t", "", simple(1, value))
    change(value)

    found = checkpointer.load("t", "")

    assert found is not None
    assert found.values == {"n": list(before.items) if isinstance(before, Extend) else before}


@pytest.mark.parametrize("metadata", [{"a": 1}, {"a": {"b": 1}}, {"a": {"b": [1]}}])
def test_metadata_that_change_later_are_stored_as_they_were(metadata: dict[str, Any]) -> None:
    metadata = deepcopy(metadata)
    checkpoints = [replace(simple(number, number), metadata=metadata) for number in range(3)]
    before = deepcopy(metadata)
    checkpointer = MemoryCheckpointer()
    checkpointer.save("t", "", checkpoints[0])
    checkpointer.save("t", "", checkpoints[1])
    if type(metadata["a"]) is dict:
        metadata["a"]["b"] = "changed"
    metadata["c"] = "new"
    changed = deepcopy(metadata)
    checkpointer.save("t", "", checkpoints[2])

    assert [each.metadata for each in checkpointer.history("t", "")] == [changed, before, before]


@pytest.mark.parametrize("count", [1, 7])
def test_a_fork_starts_from_a_waiting_checkpoint(count: int) -> None:
    checkpointer = MemoryCheckpointer()
    for number in range(8):
        checkpointer.save("t", "", simple(number, number))
    fork = simple(100, "fork")
    fork.parent, fork.parent_thread = simple(count, count).id, "t"
    checkpointer.save("t~2", "", fork)

    assert next(checkpointer.history("t~2", "")).values == {"n": "fork"}


class Interrupting:
    """A method that fails the n-th time it is called, and works again after that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, at: int) -> None:
        whole = getattr(LogCheckpointer, name)
        self.calls = 0

        def call(*args: Any) -> Any:
            self.calls += 1
            if self.calls == at:
                raise KeyboardInterrupt
            return whole(*args)

        monkeypatch.setattr(LogCheckpointer, name, call)


@pytest.mark.parametrize("name", ["save", "save_record"])
@pytest.mark.parametrize("at", [1, 2, 5])
def test_a_failure_while_they_are_encoded_loses_nothing(monkeypatch: pytest.MonkeyPatch, name: str, at: int) -> None:
    whole, broken = MemoryCheckpointer(), MemoryCheckpointer()
    for checkpointer in (whole, broken):
        for number in range(6):
            checkpointer.save("t", "", simple(number, number))
            outcome = Record(f"task {number}", "outcome", ((("n", number + 1),), (), ()), "a", ())
            checkpointer.save_record("t", "", simple(number, number).id, outcome)
    expected = list(whole.history("t", ""))

    Interrupting(monkeypatch, name, at)
    with pytest.raises(KeyboardInterrupt):
        broken.load("t", "")
    broken.save("t", "", simple(6, 6))

    assert list(broken.history("t", ""))[1:] == expected


def test_a_failure_among_the_outcomes_of_a_step_loses_and_doubles_none(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = []
    for broken in (False, True):
        checkpointer = MemoryCheckpointer()
        graph = StateGraph(Log)
        for name in "abcd":
            graph.add_node(name, lambda state, name=name: {"log": [name]})
            graph.add_edge(START, name)
        app = graph.compile(checkpointer=checkpointer)
        app.invoke({"log": []}, thread="t")
        if broken:
            Interrupting(monkeypatch, "save_record", 3)
            with pytest.raises(KeyboardInterrupt):
                app.get_state(thread="t")
        assert app.get_state(thread="t").values == {"log": ["a", "b", "c", "d"]}
        lines.append(len(checkpointer._logs["t", ""].lines))
    assert lines[0] == lines[1] > 4


def test_what_can_not_be_encoded_does_not_trouble_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpointer = MemoryCheckpointer()
    checkpointer.save("bad", "", simple(0, 0))
    checkpointer.save("bad", "", simple(1, 1))
    whole = LogCheckpointer.save

    def save(self: Any, thread: str, ns: str, checkpoint: Checkpoint) -> None:
        if thread == "bad":
            raise CheckpointError("never")
        whole(self, thread, ns, checkpoint)

    monkeypatch.setattr(LogCheckpointer, "save", save)
    monkeypatch.setattr(memory, "_WAITING", 3)
    for number in range(10):
        checkpointer.save("good", "", simple(number, number))
    assert len(list(checkpointer.history("good", ""))) == 10
    with pytest.raises(CheckpointError, match="never"):
        checkpointer.load("bad", "")
