"""Small things wait in SQLite's logs until they are written: nobody may notice, and nothing may be lost."""

from __future__ import annotations

import asyncio
import json
import math
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any, TypedDict

import pytest

from stepgraph import START, Command, RetryPolicy, StateGraph, interrupt
from stepgraph.core.checkpoint import REMOVED, Checkpoint, Control, Extend, Record, Stored
from stepgraph.core.errors import CheckpointError
from stepgraph.persist import SqliteCheckpointer, fast, recent, rows
from stepgraph.persist.codec import write

METADATA: dict[str, Any] = {"source": "test", "parents": {"": "x"}}


@pytest.fixture
def checkpointer(tmp_path: Path) -> Iterator[SqliteCheckpointer]:
    opened = SqliteCheckpointer(tmp_path / "runs.db")
    opened._committer._armed = True  # its thread sleeps: things wait until somebody flushes
    yield opened
    opened.close()


def name_of(number: int) -> str:
    return f"00000000-0000-6000-8000-{number:012x}"


def saved(checkpointer: SqliteCheckpointer, number: int, changes: dict[str, Any], **more: Any) -> None:
    parent = name_of(number - 1) if number else None
    given = {"metadata": METADATA, **more}
    checkpointer.save(
        "t",
        "",
        Checkpoint(name_of(number), parent, number, "loop", 1.0, number, changes, Control(("a",)), ("a",), **given),
    )


def values(checkpointer: SqliteCheckpointer) -> list[dict[str, Any]]:
    return [each.values for each in checkpointer.history("t", "")][::-1]


def waiting(checkpointer: SqliteCheckpointer) -> int:
    return len(checkpointer._logs["t", ""].recent)


def test_what_a_node_changes_in_place_after_its_checkpoint_is_not_stored(checkpointer: SqliteCheckpointer) -> None:
    whole, item, nested = [1], {"role": "user"}, {"inner": [1]}
    saved(checkpointer, 0, {"whole": whole, "grown": []})
    saved(checkpointer, 1, {"grown": Extend((item,)), "nested": nested})
    checkpointer.save_record("t", "", name_of(1), Record("task", "outcome", ((("whole", whole),), ("a",), ()), "a", ()))
    whole.append(2)
    item["role"] = "changed"
    nested["inner"].append(2)
    assert waiting(checkpointer) == 3

    found = checkpointer.load("t", "")

    assert found is not None
    assert found.values == {"whole": [1], "grown": [{"role": "user"}], "nested": {"inner": [1]}}
    assert found.records[0].payload == ((("whole", [1]),), ("a",), ())


def test_lists_grow_and_keys_go_while_all_waits(checkpointer: SqliteCheckpointer) -> None:
    saved(checkpointer, 0, {"log": Extend((0,)), "gone": {"a": 1}})
    saved(checkpointer, 1, {"log": Extend((1, "two")), "gone": REMOVED})
    saved(checkpointer, 2, {"log": Extend(()), "n": None})
    saved(checkpointer, 3, {"log": [9], "n": math.inf})
    saved(checkpointer, 4, {"log": Extend(([2**70, "\ud83d"],))})
    assert waiting(checkpointer) == 5

    assert values(checkpointer) == [
        {"log": [0], "gone": {"a": 1}},
        {"log": [0, 1, "two"]},
        {"log": [0, 1, "two"], "n": None},
        {"log": [9], "n": math.inf},
        {"log": [9, [2**70, "\ud83d"]], "n": math.inf},
    ]


def test_what_waits_is_settled_before_what_cannot_wait(checkpointer: SqliteCheckpointer) -> None:
    saved(checkpointer, 0, {"n": 0})
    saved(checkpointer, 1, {"n": 1})
    saved(checkpointer, 2, {"n": (1, b"2")})
    saved(checkpointer, 3, {"n": "x" * 600})
    saved(checkpointer, 4, {"n": "x" * 601})

    assert [each["n"] for each in values(checkpointer)] == [0, 1, (1, b"2"), "x" * 600, "x" * 601]


def test_a_fork_starts_from_a_checkpoint_that_waits(checkpointer: SqliteCheckpointer) -> None:
    for number in range(8):
        saved(checkpointer, number, {"n": number})
    fork = Checkpoint(name_of(99), name_of(5), 6, "fork", 2.0, 9, {}, Control(()), (), {}, "t", "")

    checkpointer.save("t~2", "", fork)

    assert next(checkpointer.history("t~2", "")).values == {"n": 5}


def test_metadata_of_another_type_is_not_taken_for_the_same(checkpointer: SqliteCheckpointer) -> None:
    for number, metadata in enumerate(({"a": 1}, {"a": True}, {"a": True}, {"a": {"b": 1}}, {"a": {"b": True}})):
        saved(checkpointer, number, {"n": number}, metadata=metadata)

    found = [each.metadata for each in checkpointer.history("t", "")][::-1]

    assert repr(found) == "[{'a': 1}, {'a': True}, {'a': True}, {'a': {'b': 1}}, {'a': {'b': True}}]"


@pytest.mark.parametrize("call", range(1, 7))
def test_an_interrupt_while_lines_are_made_loses_nothing(
    checkpointer: SqliteCheckpointer, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """Ctrl-C reaches the main thread wherever it is, for example in `flush`."""
    for number in range(6):
        saved(checkpointer, number, {"n": number})
        checkpointer.save_record("t", "", name_of(number), Record(f"{number}", "outcome", ((), (), ()), "a", ()))
    calls = iter(range(1, 100))

    def interrupted(row: Any) -> bytes:
        if next(calls) == call:
            raise KeyboardInterrupt
        return write(row).encode()

    monkeypatch.setattr(fast, "dumps", None)
    monkeypatch.setattr(rows, "line_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpointer.flush()
    saved(checkpointer, 6, {"n": 6})

    history = list(checkpointer.history("t", ""))[::-1]
    assert [each.values["n"] for each in history] == list(range(7))
    assert [[record.task for record in each.records] for each in history[:6]] == [[f"{n}"] for n in range(6)]


def test_what_cannot_be_made_a_line_is_told_to_who_saves_next(
    checkpointer: SqliteCheckpointer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(row: Any) -> bytes:
        raise MemoryError

    saved(checkpointer, 0, {"n": 0})
    with monkeypatch.context() as patched:
        patched.setattr(rows, "line_of", failing)
        checkpointer._committer.settle_all()

    with pytest.raises(CheckpointError, match="Thread 't': cannot store a step: MemoryError"):
        saved(checkpointer, 1, {"n": 1})


def test_only_so_many_things_wait_in_a_log(checkpointer: SqliteCheckpointer) -> None:
    for number in range(1000):
        saved(checkpointer, number, {"n": number})
        assert waiting(checkpointer) <= recent._BATCH

    assert len(values(checkpointer)) == 1000


def test_a_dropped_checkpointer_writes_what_waits(tmp_path: Path) -> None:
    opened = SqliteCheckpointer(tmp_path / "runs.db")
    opened._committer._armed = True
    saved(opened, 0, {"n": 0})
    saved(opened, 1, {"n": 1})
    del opened

    again = SqliteCheckpointer(tmp_path / "runs.db")
    assert values(again) == [{"n": 0}, {"n": 1}]
    again.close()


def test_many_namespaces_are_made_at_once_beside_known_ones(checkpointer: SqliteCheckpointer, tmp_path: Path) -> None:
    def begun(opened: SqliteCheckpointer, ns: str) -> None:
        opened.save(
            "t", ns, Checkpoint(name_of(0), None, 0, "input", 1.0, 1, {"ns": ns}, Control(("a",)), (), METADATA)
        )

    other = SqliteCheckpointer(tmp_path / "runs.db")
    begun(other, "n:150")
    other.close()
    for number in range(300):
        begun(checkpointer, f"n:{number}")
    checkpointer.flush()

    for number in (0, 127, 128, 150, 299):
        found = checkpointer.load("t", f"n:{number}")
        assert found is not None
        assert found.values == {"ns": f"n:{number}"}
    assert len(list(checkpointer.history("t", "n:150"))) == 2
    assert len(checkpointer.namespaces("t")) == 300


def test_the_file_tells_the_same_as_an_immediate_save(tmp_path: Path) -> None:
    told = []
    for flushing in (False, True):
        opened = SqliteCheckpointer(tmp_path / f"{flushing}.db")
        opened._committer._armed = True
        for number in range(40):
            saved(opened, number, {"n": number, "log": Extend((number,)) if number else []})
            if flushing:
                opened.flush()
        opened.close()
        with sqlite3.connect(tmp_path / f"{flushing}.db") as connection:
            lines = [
                line
                for (data,) in connection.execute("SELECT data FROM block ORDER BY key")
                for line in data.split(b"\n")
            ]
        told.append([json.loads(line) for line in lines])
    assert told[0] == told[1]


class Counting(SqliteCheckpointer):
    """Counts what is loaded, by the namespace's node."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.loads: list[str] = []

    def load(self, thread: str, ns: str, checkpoint_id: str | None = None) -> Stored | None:
        self.loads.append(ns.partition(":")[0])
        return super().load(thread, ns, checkpoint_id)


class Asked(TypedDict):
    answer: str


class TestGraphsInTasks:
    @pytest.fixture
    def saver(self) -> Iterator[Counting]:
        opened = Counting()
        yield opened
        opened.close()

    def outer(self, saver: Counting, node: Callable[[Any], Any], **more: Any) -> Any:
        inner = StateGraph(Asked).add_node("first", lambda _: {"answer": "none"}).add_node("asks", node)
        inner.add_edge(START, "first").add_edge("first", "asks")
        graph = StateGraph(Asked).add_node("inner", inner.compile(), **more).add_edge(START, "inner")
        return graph.compile(checkpointer=saver)

    @pytest.mark.parametrize("is_async", [False, True])
    def test_are_looked_for_only_where_there_may_be_something(self, saver: Counting, is_async: bool) -> None:
        graph = self.outer(saver, lambda _: {"answer": interrupt("?")})

        def invoke(given: Any) -> Any:
            config = {"configurable": {"thread_id": "t"}}
            return asyncio.run(graph.ainvoke(given, config)) if is_async else graph.invoke(given, config)

        invoke({"answer": ""})
        assert saver.loads == ([] if is_async else [""])
        assert invoke(Command(resume="yes")) == {"answer": "yes"}
        assert saver.loads.count("inner") == 1
        saver.loads.clear()
        invoke({"answer": ""})
        assert saver.loads == [""]

    def test_go_on_from_their_own_checkpoint_when_they_are_tried_again(self, saver: Counting) -> None:
        runs = []

        def failing(state: Any) -> Any:
            runs.append(state["answer"])
            if len(runs) == 1:
                raise ValueError
            return {"answer": "second"}

        policy = RetryPolicy(initial_interval=0, max_attempts=2, retry_on=ValueError)
        graph = self.outer(saver, failing, retry_policy=policy)

        assert graph.invoke({"answer": ""}, thread="t") == {"answer": "second"}
        assert saver.loads == ["", "inner"]
        assert runs == ["none", "none"]


def test_the_thread_that_writes_survives_whatever_is_raised(tmp_path: Path) -> None:
    raised = Event()
    with SqliteCheckpointer(tmp_path / "runs.db") as opened:
        settle = opened._committer.settle

        def once(log: Any) -> None:
            if not raised.is_set():
                raised.set()
                raise RuntimeError("dictionary changed size during iteration")
            settle(log)

        opened._committer.settle = once
        saved(opened, 0, {"n": 0})
        assert raised.wait(10)
        while opened._trouble.error is None:
            raised.wait(0.001)
        with pytest.raises(CheckpointError, match="changed size"):
            saved(opened, 1, {"n": 1})
        saved(opened, 1, {"n": 1})
        thread = opened._committer._thread

        assert thread is not None
        assert thread.is_alive()
        assert values(opened) == [{"n": 0}, {"n": 1}]


def test_a_log_that_was_dropped_while_somebody_held_it_is_taken_up_again(checkpointer: SqliteCheckpointer) -> None:
    saved(checkpointer, 0, {"n": 0})
    checkpointer.flush()
    log = checkpointer._logs.pop(("t", ""))
    log.dropped = log.gone = True
    real = checkpointer._logs
    checkpointer._logs = Stale(log, real)  # who looked just before still finds it
    saved(checkpointer, 1, {"n": 1})
    checkpointer._logs = real
    saved(checkpointer, 2, {"n": 2})

    assert real["t", ""] is log
    assert values(checkpointer) == [{"n": 0}, {"n": 1}, {"n": 2}]


class Stale(dict[tuple[str, str], Any]):
    """Logs at hand as they were a moment ago."""

    def __init__(self, log: Any, real: dict[tuple[str, str], Any]) -> None:
        super().__init__()
        self.log, self.real = log, real

    def get(self, key: Any, default: Any = None) -> Any:
        return self.log

    def setdefault(self, key: Any, default: Any = None) -> Any:
        return self.real.setdefault(key, default)
