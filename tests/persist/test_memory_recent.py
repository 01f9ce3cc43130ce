"""Checkpoints of simple values wait unencoded in memory until somebody reads: nobody may notice."""

from __future__ import annotations

import operator
from threading import Barrier, Thread
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import START, CompiledStateGraph, Send, StateGraph
from stepgraph.core.checkpoint import Checkpoint, Control, Record
from stepgraph.core.errors import CheckpointError
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


class Gathered(TypedDict):
    out: Annotated[list[Any], operator.add]


def side_by_side(*nodes: Any, **options: Any) -> CompiledStateGraph:
    """Nodes a, b … at once."""
    graph = StateGraph(Gathered)
    for name, node in zip("abcdefgh", nodes, strict=False):
        graph.add_node(name, node).add_edge(START, name)
    return graph.compile(checkpointer=MemoryCheckpointer(), **options)


def results(graph: CompiledStateGraph, place: int) -> dict[str, Any]:
    """What the tasks of a checkpoint have written, the newest being 0."""
    return {task.name: task.result for task in list(graph.get_state_history(thread="t"))[place].tasks}


class TestOutcomesOfParallelTasksAreTakenTogether:
    def test_who_looks_in_the_midst_of_a_superstep_sees_what_is_over(self) -> None:
        seen: list[Any] = []
        graph = side_by_side(
            lambda state: {"out": ["a"]}, lambda state: {"out": ["b"]}, lambda state: seen.append(results(graph, 0))
        )
        graph.invoke({"out": []}, thread="t")

        assert seen == [{"a": {"out": ["a"]}, "b": {"out": ["b"]}, "c": None}]
        assert results(graph, 1) == {"a": {"out": ["a"]}, "b": {"out": ["b"]}, "c": {}}

    def test_a_failure_loses_nothing_of_its_siblings(self) -> None:
        ran: list[str] = []

        def fails(state: Any) -> Any:
            ran.append("b")
            if ran.count("b") == 1:
                raise ValueError("once")
            return {"out": ["b"]}

        def node(name: str) -> Any:
            return lambda state: ran.append(name) or {"out": [name]}

        graph = side_by_side(node("a"), fails, node("c"))
        with pytest.raises(ValueError, match="once"):
            graph.invoke({"out": []}, thread="t")
        assert graph.invoke(None, thread="t") == {"out": ["a", "b", "c"]}
        assert ran == ["a", "b", "c", "b"]

    def test_what_cannot_be_stored_ends_its_own_task_only(self) -> None:
        ran: list[str] = []
        bad: list[Any] = [object()]

        def unstorable(state: Any) -> Any:
            ran.append("b")
            return {"out": [bad[0]]}

        graph = side_by_side(lambda state: ran.append("a") or {"out": ["a"]}, unstorable)
        with pytest.raises(CheckpointError, match=r"payload.*object"):
            graph.invoke({"out": []}, thread="t")
        bad[0] = "b"
        assert graph.invoke(None, thread="t") == {"out": ["a", "b"]}
        assert ran == ["a", "b", "b"]

    def test_a_value_that_is_changed_in_the_next_superstep_stays_as_it_was(self) -> None:
        shared = [["first"]]
        graph = StateGraph(Gathered).add_node("a", lambda state: {"out": shared}).add_node("b", lambda state: None)
        graph.add_node("c", lambda state: shared[0].append("changed"))
        graph.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c")
        app = graph.compile(checkpointer=MemoryCheckpointer())
        app.invoke({"out": []}, thread="t")

        assert results(app, 2)["a"] == {"out": [["first"]]}

    @pytest.mark.parametrize("count", [3, 50])
    def test_outcomes_of_sends_have_the_ids_that_listeners_hear(self, count: int) -> None:
        accounts = []
        for mode in ("values", "tasks"):
            graph = StateGraph(Gathered).add_node("node", lambda state: {"out": [state]})
            graph.add_conditional_edges(START, lambda _: [Send("node", {"n": n}) for n in range(count)], ["node"])
            app = graph.compile(checkpointer=MemoryCheckpointer())
            heard = [chunk["id"] for chunk in app.stream({"out": []}, thread="t", stream_mode=mode) if "id" in chunk]
            tasks = list(app.get_state_history(thread="t"))[1].tasks
            accounts.append([(task.path, task.result) for task in tasks])
            if heard:
                assert {task.id for task in tasks} == set(heard)

        assert accounts[0] == accounts[1]
        assert len(accounts[0]) == count

    def test_threads_that_go_on_at_once_lose_nothing(self) -> None:
        entered = Barrier(2, timeout=10)

        def meets(state: Any) -> Any:
            entered.wait()
            return {"out": ["b"]}

        graph = side_by_side(lambda state: {"out": ["a"]}, meets)
        runs = [Thread(target=graph.invoke, args=({"out": []},), kwargs={"thread": "t"}) for _ in range(2)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()

        outcomes = [[task.result for task in shown.tasks] for shown in graph.get_state_history(thread="t")]
        assert outcomes.count([{"out": ["a"]}, {"out": ["b"]}]) == 2
