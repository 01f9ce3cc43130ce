"""Outcomes of a superstep's tasks are copied or encoded together: nobody may notice, and nothing may be lost."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import START, Command, CompiledStateGraph, Send, StateGraph
from stepgraph.core.errors import CheckpointError
from stepgraph.core.shelf import TaskShelf
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer, recent


class Gathered(TypedDict):
    out: Annotated[list[Any], operator.add]


def side_by_side(saver: Any, *nodes: Any, **options: Any) -> CompiledStateGraph:
    """Nodes a, b … at once."""
    graph = StateGraph(Gathered)
    for name, node in zip("abcdefgh", nodes, strict=False):
        graph.add_node(name, node).add_edge(START, name)
    return graph.compile(checkpointer=saver, **options)


def results(graph: CompiledStateGraph, place: int) -> dict[str, Any]:
    """What the tasks of a checkpoint have written, the newest being 0."""
    return {task.name: task.result for task in list(graph.get_state_history(thread="t"))[place].tasks}


class TestOutcomesOfParallelTasksAreTakenTogether:
    @pytest.fixture(params=["memory", "sqlite"])
    def saver(self, request: Any, tmp_path: Path) -> Iterator[Any]:
        opened = MemoryCheckpointer() if request.param == "memory" else SqliteCheckpointer(tmp_path / "runs.db")
        yield opened
        opened.close()

    def test_who_looks_in_the_midst_of_a_superstep_sees_what_is_over(self, saver: Any) -> None:
        seen: list[Any] = []
        graph = side_by_side(
            saver,
            lambda state: {"out": ["a"]},
            lambda state: {"out": ["b"]},
            lambda state: seen.append(results(graph, 0)),
        )
        graph.invoke({"out": []}, thread="t")

        assert seen == [{"a": {"out": ["a"]}, "b": {"out": ["b"]}, "c": None}]
        assert results(graph, 1) == {"a": {"out": ["a"]}, "b": {"out": ["b"]}, "c": {}}

    def test_a_failure_loses_nothing_of_its_siblings(self, saver: Any) -> None:
        ran: list[str] = []

        def fails(state: Any) -> Any:
            ran.append("b")
            if ran.count("b") == 1:
                raise ValueError("once")
            return {"out": ["b"]}

        def node(name: str) -> Any:
            return lambda state: ran.append(name) or {"out": [name]}

        graph = side_by_side(saver, node("a"), fails, node("c"))
        with pytest.raises(ValueError, match="once"):
            graph.invoke({"out": []}, thread="t")
        assert graph.invoke(None, thread="t") == {"out": ["a", "b", "c"]}
        assert ran == ["a", "b", "c", "b"]

    def test_what_cannot_be_stored_ends_its_own_task_only(self, saver: Any) -> None:
        ran: list[str] = []
        bad: list[Any] = [object()]

        def unstorable(state: Any) -> Any:
            ran.append("b")
            return {"out": [bad[0]]}

        graph = side_by_side(saver, lambda state: ran.append("a") or {"out": ["a"]}, unstorable)
        with pytest.raises(CheckpointError, match=r"payload.*object"):
            graph.invoke({"out": []}, thread="t")
        bad[0] = "b"
        assert graph.invoke(None, thread="t") == {"out": ["a", "b"]}
        assert ran == ["a", "b", "b"]

    def test_a_value_that_is_changed_in_the_next_superstep_stays_as_it_was(self, saver: Any) -> None:
        shared = [["first"]]
        graph = StateGraph(Gathered).add_node("a", lambda state: {"out": shared}).add_node("b", lambda state: None)
        graph.add_node("c", lambda state: shared[0].append("changed"))
        graph.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c")
        app = graph.compile(checkpointer=saver)
        app.invoke({"out": []}, thread="t")

        assert results(app, 2)["a"] == {"out": [["first"]]}

    @pytest.mark.parametrize("count", [3, 50])
    def test_outcomes_of_sends_have_the_ids_that_listeners_hear(self, saver: Any, count: int) -> None:
        accounts = []
        for thread, mode in (("t", "values"), ("u", "tasks")):
            graph = StateGraph(Gathered).add_node("node", lambda state: {"out": [state]})
            graph.add_conditional_edges(START, lambda _: [Send("node", {"n": n}) for n in range(count)], ["node"])
            app = graph.compile(checkpointer=saver)
            heard = [chunk["id"] for chunk in app.stream({"out": []}, thread=thread, stream_mode=mode) if "id" in chunk]
            tasks = list(app.get_state_history(thread=thread))[1].tasks
            accounts.append([(task.path, task.result) for task in tasks])
            if heard:
                assert {task.id for task in tasks} == set(heard)

        assert accounts[0] == accounts[1]
        assert len(accounts[0]) == count

    def test_threads_that_go_on_at_once_lose_nothing(self, saver: Any) -> None:
        entered = Barrier(2, timeout=10)

        def meets(state: Any) -> Any:
            entered.wait()
            return {"out": ["b"]}

        graph = side_by_side(saver, lambda state: {"out": ["a"]}, meets)
        runs = [Thread(target=graph.invoke, args=({"out": []},), kwargs={"thread": "t"}) for _ in range(2)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()

        outcomes = [[task.result for task in shown.tasks] for shown in graph.get_state_history(thread="t")]
        assert outcomes.count([{"out": ["a"]}, {"out": ["b"]}]) == 2

    def test_other_results_than_plain_ones_are_kept_too(self, saver: Any) -> None:
        graph = StateGraph(Gathered).add_node("a", lambda state: {"out": [(1, {2}), b"x"]})
        graph.add_node("b", lambda state: Command(update={"out": ["b"]}, goto=Send("c", {"n": (1,)})))
        graph.add_node("c", lambda state: {"out": [state]})
        app = graph.add_edge(START, "a").add_edge(START, "b").compile(checkpointer=saver)
        app.invoke({"out": []}, thread="t")

        assert results(app, 2) == {"a": {"out": [(1, {2}), b"x"]}, "b": {"out": ["b"]}}
        assert results(app, 1) == {"c": {"out": [{"n": (1,)}]}}

    def test_a_huge_number_is_kept(self, saver: Any) -> None:
        graph = side_by_side(saver, lambda state: {"out": [1 << 20000]}, lambda state: {"out": [2**70, -(2**63)]})
        graph.invoke({"out": []}, thread="t")

        assert results(graph, 1) == {"a": {"out": [1 << 20000]}, "b": {"out": [2**70, -(2**63)]}}

    def test_what_cannot_be_put_together_is_recorded_one_by_one(
        self, saver: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def raises(*_: Any) -> None:
            raise RuntimeError("dictionary changed size during iteration")

        monkeypatch.setattr(recent, "outcome_lines", raises)
        monkeypatch.setattr(TaskShelf, "outcomes", raises)
        ran: list[str] = []

        def fails(state: Any) -> Any:
            ran.append("b")
            if ran.count("b") == 1:
                raise ValueError("once")
            return {"out": ["b"]}

        graph = side_by_side(saver, lambda state: ran.append("a") or {"out": ["a"]}, fails)
        with pytest.raises(ValueError, match="once"):
            graph.invoke({"out": []}, thread="t")
        assert graph.invoke(None, thread="t") == {"out": ["a", "b"]}
        assert ran == ["a", "b", "b"]

    def test_a_node_that_returns_a_graph_is_recorded_once(self, saver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        inner = StateGraph(Gathered).add_node("x", lambda state: {"out": ["x"]}).add_edge(START, "x").compile()
        recorded: list[str] = []
        real = type(saver).save_record

        def told(self: Any, thread: str, ns: str, checkpoint: str, record: Any) -> Any:
            if not ns:
                recorded.append(record.node)
            return real(self, thread, ns, checkpoint, record)

        monkeypatch.setattr(type(saver), "save_record", told)
        graph = side_by_side(saver, lambda state: inner, lambda state: {"out": ["b"]})
        graph.invoke({"out": []}, thread="t")

        assert recorded == ["a"]


def test_while_one_node_runs_long_what_the_others_made_is_in_the_file(tmp_path: Path) -> None:
    path, seen, pause = tmp_path / "runs.db", [], Event()

    def runs_long(state: Any) -> None:
        with SqliteCheckpointer(path) as other:
            for _ in range(2000):
                found = other.load("t", "")
                if found is not None and found.records:
                    seen.extend(found.records)
                    return
                pause.wait(0.005)

    with SqliteCheckpointer(path) as saver:
        side_by_side(saver, lambda state: {"out": ["a"]}, runs_long).invoke({"out": []}, thread="t")

    assert [(record.node, record.payload[0]) for record in seen] == [("a", (("out", ["a"]),))]


def test_a_superstep_of_many_tasks_takes_few_lines(tmp_path: Path) -> None:
    graph = StateGraph(Gathered).add_node("node", lambda state: {"out": [state]})
    graph.add_conditional_edges(START, lambda _: [Send("node", n) for n in range(1000)], ["node"])
    with SqliteCheckpointer(tmp_path / "runs.db") as saver:
        saver._committer._armed = True  # its thread sleeps
        graph.compile(checkpointer=saver).invoke({"out": []}, thread="t")
        saver.flush()
        blocks = [data for (data,) in saver._file.rows("SELECT data FROM block ORDER BY key", ())]
    lines = [json.loads(line) for data in blocks for line in data.split(b"\n")]

    together = [line for line in lines if isinstance(line, list) and line[0] == "outcomes"]
    assert len(together) == 4
    assert sum(len(line[2]) for line in together) == 1000
    assert sum(map(len, blocks)) < 60 * 1000
