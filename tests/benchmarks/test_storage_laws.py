"""Laws of storage that hold on any machine: bytes and calls, no clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypedDict

import pytest

from stepgraph import END, START, StateGraph
from stepgraph.core.checkpoint import Checkpointer, Extend
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer
from tests.benchmarks.storage import bytes_of
from tests.contract.checkpointer import Story, counted

Changes = Callable[[int], Mapping[str, Any]]
Bytes = Callable[[Changes, int], int]


def appended(n: int) -> Mapping[str, Any]:
    """A message of 150 bytes, besides the counter that most loops have."""
    message = {"role": "user", "content": f"{n:0121}"}
    return {"messages": Extend((message,)) if n else [message]}


def nested(n: int) -> Mapping[str, Any]:
    """A message of 100 bytes in containers, which memory keeps apart from its lines, in a list that is rebuilt."""
    return {"messages": [{"content": [{"text": f"{each:020}{part}"} for part in range(40)]} for each in range(n + 1)]}


def replaced(n: int) -> Mapping[str, Any]:
    """The same as a reducer that nobody knows gives it: the whole list each time."""
    return {"messages": [{"role": "user", "content": f"{each:0121}"} for each in range(n + 1)]}


def one_of_thousand(n: int) -> Mapping[str, Any]:
    """A state of 1,000 keys, one written a step."""
    return {f"key{n % 1000}": n} if n else {f"key{each}": each for each in range(1000)}


def counted_up(n: int) -> Mapping[str, Any]:
    return {"n": n}


def in_memory(changes: Changes, steps: int) -> int:
    checkpointer = MemoryCheckpointer()
    story = Story(checkpointer)
    for n in range(steps):
        story.save(changes(n))
    assert story.load().version == steps
    return bytes_of(checkpointer)


@pytest.fixture(params=["memory", "file", "file, a commit a step"])
def size(request: pytest.FixtureRequest, tmp_path: Path) -> Bytes:
    """Bytes that a story of so many steps takes."""
    if request.param == "memory":
        return in_memory
    number = itertools.count()

    def in_file(changes: Changes, steps: int) -> int:
        path = tmp_path / f"{next(number)}.db"
        checkpointer = SqliteCheckpointer(path)
        story = Story(checkpointer)
        for n in range(steps):
            story.save(changes(n))
            if request.param != "file":
                checkpointer.flush()
        checkpointer.close()
        return path.stat().st_size

    return in_file


def test_five_thousand_messages_take_at_most_two_and_a_half_megabytes(size: Bytes) -> None:
    assert size(appended, 5000) <= 2.5e6


def test_a_step_of_a_wide_state_takes_at_most_a_hundred_bytes(size: Bytes) -> None:
    assert size(one_of_thousand, 4000) - size(one_of_thousand, 1000) <= 3000 * 100


def test_a_step_of_a_small_state_takes_at_most_a_hundred_bytes(size: Bytes) -> None:
    assert size(counted_up, 4000) - size(counted_up, 1000) <= 3000 * 100


@pytest.mark.parametrize("changes", [appended, one_of_thousand, counted_up], ids=lambda each: each.__name__)
def test_twice_the_steps_take_at_most_twice_the_bytes(size: Bytes, changes: Changes) -> None:
    """Over a whole cycle of keyframes, of which each is three times as far as the last."""
    small, middle, large = size(changes, 600), size(changes, 1800), size(changes, 5400)
    page = 4096  # a file has whole ones, and how full the last block of a commit is depends on when that came
    assert large - middle <= 3 * 1.1 * (middle - small + page)


def test_a_list_that_an_unknown_reducer_grows_is_stored_by_its_items(size: Bytes) -> None:
    assert (
        size(replaced, 600) <= 600 * 500 + 40_960
    )  # as for five thousand messages above; whole lists would take 27 MB


def test_a_list_of_big_new_objects_is_stored_by_what_is_new_in_it(size: Bytes) -> None:
    assert size(nested, 120) <= 120 * 4500 + 40_960  # each message is about 1,500 bytes; whole lists would take 11 MB


def test_a_fork_on_another_thread_takes_no_copy_of_the_state(tmp_path: Path) -> None:
    checkpointer = MemoryCheckpointer()
    story = Story(checkpointer)
    for n in range(1000):
        story.save(appended(n))
    for fork in range(100):
        branch = Story(checkpointer, f"t~{fork}", run=f"1f0c8d2e-77a0-6b1c-{fork:04x}")
        branch.save({"n": fork}, parent=story.ids[999], parent_thread="t", parent_ns="")
        assert len(branch.values()["messages"]) == 1000
    forks = [log.lines for log in checkpointer._logs.values() if log.thread != "t"]
    assert max(len(line) for lines in forks for line in lines) < 300


def test_a_step_makes_few_calls() -> None:
    """Not one a key of the state, a node of the graph or a step of the past."""
    for checkpointer in (MemoryCheckpointer(), SqliteCheckpointer(":memory:")):
        story = Story(checkpointer)
        for n in range(300):
            story.save(one_of_thousand(n))
        calls = sorted(counted(lambda n=n, story=story: story.save({"key5": n})) for n in range(100))
        assert calls[50] <= 15  # the story's own three among them
        checkpointer.close()


def test_a_save_to_a_file_makes_no_call_of_the_file() -> None:
    """It hands over; the commit is another thread's."""

    class Locked(SqliteCheckpointer):
        pass

    checkpointer: Checkpointer = Locked(":memory:")
    story = Story(checkpointer)
    story.save({"n": 0})
    checkpointer.flush()
    used: list[str] = []
    file = checkpointer._file  # type: ignore[attr-defined]  # the class made above
    with file.lock:
        file._connection.set_trace_callback(used.append)
        for n in range(50):
            story.save({"n": n, "log": [n]})
        assert used == []
    checkpointer.close()


def test_get_state_of_a_random_step_costs_the_same_in_a_long_run() -> None:
    """Under a millisecond for a small state; also where it shows what a node returned, which the next step tells."""
    for checkpointer in (MemoryCheckpointer(), SqliteCheckpointer(":memory:")):
        calls: dict[int, int] = {}
        for length in (300, 3000):
            graph = loop_of(length).compile(checkpointer)
            graph.invoke({"n": 0}, thread=str(length))
            configs = [shown.config for shown in graph.get_state_history(thread=str(length))][:: length // 9]
            shown = [graph.get_state(config) for config in configs]
            assert [each.tasks[0].result for each in shown[1:-1]] == [
                {"n": each.values["n"] + 1} for each in shown[1:-1]
            ]
            calls[length] = max(counted(lambda each=each, graph=graph: graph.get_state(each)) for each in configs)
        assert calls[3000] <= 2 * calls[300]
        checkpointer.close()


def loop_of(length: int) -> StateGraph:
    graph = StateGraph(Count).add_node("more", lambda state: {"n": state["n"] + 1}).add_edge(START, "more")
    return graph.add_conditional_edges("more", lambda state: "more" if state["n"] < length else END, ["more", END])


class Count(TypedDict):
    n: int
