"""Short supersteps wait as rows, and are read as the checkpoints that they are."""

from __future__ import annotations

import asyncio
import operator
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import START, StateGraph
from stepgraph.core.errors import CheckpointError
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer, memory, recent, sqlite
from stepgraph.persist.commit import Committer

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    n: int
    text: str
    some: list[int]


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with MemoryCheckpointer() if request.param == "memory" else SqliteCheckpointer(tmp_path / "a.db") as made:
        yield made


def chain(*bodies: Any, saver: Any = None) -> Any:
    g = StateGraph(State).add_sequence([(f"n{place}", body) for place, body in enumerate(bodies)])
    return g.add_edge(START, "n0").compile(checkpointer=saver or MemoryCheckpointer())


def one_more(state: State) -> State:
    return {"n": state["n"] + 1}


def rows(app: Any) -> list[Any]:
    log = app.checkpointer._logs["t", ""]
    return [each for each in log.recent if type(each) is tuple]


def test_a_run_that_nobody_looks_at_leaves_rows_only() -> None:
    app = chain(one_more, one_more)
    app.invoke({"n": 0}, CONFIG)

    log = app.checkpointer._logs["t", ""]
    assert len(rows(app)) == len(log.recent) == 4
    assert (log.weight, app.checkpointer._waiting) == (5, 5)  # the input counts its value too

    found = list(app.get_state_history(CONFIG))
    assert [each.values.get("n") for each in found] == [2, 1, 0, None]
    assert [each.next for each in found] == [(), ("n1",), ("n0",), ("__start__",)]
    assert [each.metadata["source"] for each in found] == ["loop", "loop", "loop", "input"]
    assert rows(app) == []
    assert (log.weight, app.checkpointer._waiting) == (0, 0)


def test_a_value_that_is_changed_later_does_not_change_what_waits(saver: Any) -> None:
    some = [1]

    def hands_out(state: State) -> State:
        return {"some": some}

    def changes(state: State) -> State:
        some.append(2)
        state["some"].append(3)
        return {"text": "x" * 600}

    app = chain(hands_out, changes, lambda state: {"text": "short"}, saver=saver)
    given = {"n": 0, "text": "a"}
    app.invoke(given, CONFIG)
    given["n"] = 7

    found = [each.values for each in app.get_state_history(CONFIG)]
    assert [each.get("some") for each in found] == [[1], [1], [1], None, None]
    assert [each.get("n") for each in found] == [0, 0, 0, 0, None]
    assert [each.get("text") for each in found] == ["short", "x" * 600, "a", "a", None]


def test_nodes_may_read_and_change_their_own_thread_on_the_way(saver: Any) -> None:
    seen = []

    def reads(state: State) -> State:
        seen.append([each.values.get("n") for each in app.get_state_history(CONFIG)])
        return one_more(state)

    def changes(state: State) -> State:
        app.update_state(CONFIG, {"text": "meanwhile"}, as_node="n0")
        return one_more(state)

    app = chain(one_more, reads, one_more, changes, one_more, saver=saver)
    assert app.invoke({"n": 0}, CONFIG) == {"n": 5}
    assert seen == [[1, 0, None]]
    found = [(each.values.get("n"), each.values.get("text")) for each in app.get_state_history(CONFIG)]
    assert found == [(5, None), (4, None), (3, "meanwhile"), (3, None), (2, None), (1, None), (0, None), (None, None)]


def test_a_thread_that_is_deleted_under_a_run_ends_it(saver: Any) -> None:
    def deletes(state: State) -> State:
        app.checkpointer.delete("t")
        return one_more(state)

    app = chain(one_more, deletes, one_more, saver=saver)
    with pytest.raises(CheckpointError, match=r"the parent checkpoint .* is not stored"):
        app.invoke({"n": 0}, CONFIG)
    assert getattr(saver, "_waiting", 0) == 0
    assert saver.load("t", "") is None


@pytest.mark.parametrize("places", ["ab", "ba", "abc"])
def test_a_thread_that_is_deleted_under_parallel_tasks_leaves_no_record_behind(saver: Any, places: str) -> None:
    g = StateGraph(State)
    for name in places:
        g.add_node(name, lambda _, name=name: saver.delete("t") if name == "b" else {"n": 1} if name == "a" else {})
        g.add_edge(START, name)
    g.add_node("last", one_more).add_edge([*places], "last")
    app = g.compile(checkpointer=saver)
    with pytest.raises(CheckpointError, match=r"Thread 't'.* is not stored"):
        app.invoke({"n": 0}, CONFIG)

    assert app.get_state(CONFIG).values == {}
    assert list(app.get_state_history(CONFIG)) == saver.threads() == saver.namespaces("t") == []


def test_two_runs_of_one_thread_at_once_store_both(saver: Any) -> None:
    async def turn(state: State) -> State:
        await asyncio.sleep(0)
        return one_more(state)

    app = chain(turn, turn, turn, saver=saver)

    async def both() -> Any:
        return await asyncio.gather(app.ainvoke({"n": 0}, CONFIG), app.ainvoke({"n": 100}, CONFIG))

    assert asyncio.run(both()) == [{"n": 3}, {"n": 103}]
    stored = {each.values.get("n") for each in app.checkpointer.history("t", "")}
    assert {0, 1, 2, 3, 100, 101, 102, 103} <= stored


def test_not_more_than_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_WAITING", 100)
    g = StateGraph(State).add_node("n0", one_more).add_edge(START, "n0")
    g.add_conditional_edges("n0", lambda state: "n0" if state["n"] < 500 else "__end__")
    app = g.compile(checkpointer=MemoryCheckpointer())
    most = 0

    def counted(state: State) -> State:
        nonlocal most
        most = max(most, len(rows(app)))
        return one_more(state)

    app.plan.nodes["n0"].body = counted
    app.invoke({"n": 0}, {**CONFIG, "recursion_limit": 1000})

    assert 60 < most <= 200
    assert len(list(app.get_state_history(CONFIG))) == 502


@pytest.mark.parametrize("kind", [MemoryCheckpointer, SqliteCheckpointer])
def test_whoever_replaces_save_is_handed_every_checkpoint(kind: Any) -> None:
    seen = []

    class Counting(kind):
        def save(self, thread: str, ns: str, checkpoint: Any) -> None:
            seen.append(checkpoint.step)
            super().save(thread, ns, checkpoint)

    app = chain(one_more, one_more)
    app.checkpointer = Counting() if kind is MemoryCheckpointer else Counting(":memory:")
    app.invoke({"n": 0}, CONFIG)

    assert seen == [-1, 0, 1, 2]


class Around:
    """A checkpointer of a program's own that hands most of its work on to another one."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.seen: list[int] = []

    def save(self, thread: str, ns: str, checkpoint: Any) -> None:
        self.seen.append(checkpoint.step)
        self.inner.save(thread, ns, checkpoint)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_a_checkpointer_around_another_one_is_handed_every_checkpoint(saver: Any) -> None:
    app = chain(one_more, one_more)
    app.checkpointer = Around(saver)
    app.invoke({"n": 0}, CONFIG)

    assert app.checkpointer.seen == [-1, 0, 1, 2]


def test_a_method_that_is_replaced_for_all_is_called(saver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, save = [], type(saver).save

    def counted(self: Any, thread: str, ns: str, checkpoint: Any) -> None:
        seen.append(checkpoint.step)
        save(self, thread, ns, checkpoint)

    monkeypatch.setattr(type(saver), "save", counted)
    chain(one_more, saver=saver).invoke({"n": 0}, CONFIG)

    assert seen == [-1, 0, 1]


def test_what_was_settled_on_the_way_is_not_counted_as_waiting_for_ever() -> None:
    app = chain(one_more, lambda state: {"text": "x" * 100_000}, one_more)
    for thread in range(20):
        app.invoke({"n": 0}, {"configurable": {"thread_id": f"t{thread}"}})
        app.get_state({"configurable": {"thread_id": f"t{thread}"}})

    assert app.checkpointer._waiting == sum(log.weight for log in app.checkpointer._logs.values()) == 0


@pytest.mark.parametrize("made", [None, "async"])
def test_a_run_that_can_not_save_has_told_what_waits(made: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def more(state: State) -> State:
        return one_more(state)

    app = chain(*([more] * 2 if made else [one_more] * 2), lambda state: {"text": object()})
    held: list[Any] = []
    monkeypatch.setattr(MemoryCheckpointer, "stepped", lambda self, steps, weight: held.append(weight))
    call = (lambda: asyncio.run(app.ainvoke({"n": 0}, CONFIG))) if made else (lambda: app.invoke({"n": 0}, CONFIG))
    with pytest.raises(CheckpointError):
        call()
    assert held == [3, 2]


def test_graphs_inside_leave_rows_in_their_namespaces(saver: Any) -> None:
    inner = StateGraph(State).add_node("in", one_more).add_node("out", one_more)
    inner.add_edge(START, "in").add_edge("in", "out")
    outer = StateGraph(State).add_node("sub", inner.compile()).add_node("end", one_more)
    app = outer.add_edge(START, "sub").add_edge("sub", "end").compile(checkpointer=saver)

    assert app.invoke({"n": 0}, CONFIG) == {"n": 3}
    (ns,) = [each for each in app.checkpointer.namespaces("t") if each]
    inside = list(app.checkpointer.history("t", ns))
    assert [each.values.get("n") for each in inside] == [2, 1, 0, None]
    assert all(set(each.metadata["parents"]) == {""} for each in inside)


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_what_waits_is_in_the_file_while_the_next_node_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.db"

    def looks(state: State) -> State:
        with SqliteCheckpointer(path) as other:
            until(lambda: (found := other.load("t", "")) is not None and found.values.get("n") == state["n"])
        return one_more(state)

    with SqliteCheckpointer(path) as saver:
        app = chain(looks, one_more, looks, looks, saver=saver)
        assert app.invoke({"n": 0}, CONFIG) == {"n": 4}
        saver.flush()  # a second run finds the thread, and no row is told twice
        assert app.invoke({"n": 10}, CONFIG) == {"n": 14}
        found = [each.values.get("n") for each in app.get_state_history(CONFIG)]
        assert found == [14, 13, 12, 11, 10, 4, 4, 3, 2, 1, 0, None]


def test_a_disk_that_fails_ends_the_run_and_loses_nothing_that_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Committer, batch: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    def breaks(state: State) -> State:
        if state.get("text") == "break":
            saver.flush()
            broken.setattr(Committer, "_commit", full)
        return {"n": state["n"] + 1, "text": "broken"}

    def waits(state: State) -> State:
        if Committer._commit is full:
            until(lambda: saver._trouble.error)
        return one_more(state)

    with SqliteCheckpointer(tmp_path / "a.db") as saver:
        app = chain(breaks, waits, one_more, saver=saver)
        with monkeypatch.context() as broken, pytest.raises(CheckpointError, match="disk is full"):
            app.invoke({"n": 0, "text": "break"}, CONFIG)
        until(lambda: saver._trouble.error is None)  # it is tried again
        assert [each.values.get("n") for each in app.get_state_history(CONFIG)] == [1, 0, None]
        assert app.invoke(None, CONFIG) == {"n": 3, "text": "broken"}


def test_runs_that_begin_at_once_on_a_new_thread_store_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Barrier(2)
    lacks = SqliteCheckpointer.lacks

    def both_look(self: SqliteCheckpointer, thread: str, ns: str) -> bool:
        found = lacks(self, thread, ns)
        with suppress(BrokenBarrierError):  # the later one looks again when it is refused
            looking.wait(5)
        return found

    with SqliteCheckpointer(tmp_path / "a.db") as saver:
        app = chain(one_more, one_more, saver=saver)
        monkeypatch.setattr(SqliteCheckpointer, "lacks", both_look)
        with ThreadPoolExecutor(2) as threads:
            assert sorted(each["n"] for each in threads.map(lambda n: app.invoke({"n": n}, CONFIG), (0, 10))) == [2, 12]
        stored = {each.values.get("n") for each in saver.history("t", "")}
        assert {0, 1, 2, 10, 11, 12} <= stored


def test_a_run_that_is_overtaken_before_its_first_row_goes_on_behind_the_other(saver: Any) -> None:
    app = chain(one_more, saver=saver)
    steps, late = type(saver).steps, [True]

    def overtaken(self: Any, *given: Any) -> Any:
        found = steps(self, *given)
        if late:
            late.clear()
            chain(one_more, saver=saver).invoke({"n": 100}, {**CONFIG, "metadata": {"who": "the other"}})
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(saver), "steps", overtaken)
        assert app.invoke({"n": 0}, {**CONFIG, "recursion_limit": 50}) == {"n": 1}
    found = list(saver.history("t", ""))
    assert [each.values.get("n") for each in found] == [1, 0, 101, 101, 100, None]
    assert [each.metadata.get("who") for each in found] == [None] * 3 + ["the other"] * 3


def test_threads_are_dropped_again_and_closed_files_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_LOGS", 20)
    with SqliteCheckpointer(tmp_path / "a.db") as saver:
        app = chain(one_more, saver=saver)
        for thread in range(100):
            app.invoke({"n": 0}, {"configurable": {"thread_id": f"t{thread}"}})
            saver.flush()
        assert len(saver._logs) <= 20
        assert len(saver.threads()) == 100
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(CheckpointError, match="is closed"):
        app.invoke({"n": 0}, CONFIG)
    assert not list(tmp_path.iterdir())


def test_logs_that_are_dropped_while_a_node_runs_are_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drops(state: State) -> State:
        saver.flush()
        saver._forget()
        assert ("t", "") not in saver._logs
        return one_more(state)

    with SqliteCheckpointer(tmp_path / "a.db") as saver:
        app = chain(one_more, drops, one_more, drops, one_more, saver=saver)
        other = {"configurable": {"thread_id": "later"}}
        chain(one_more, saver=saver).invoke({"n": 0}, other)
        saver._logs["later", ""].used = 1 << 40  # the other half is dropped
        assert app.invoke({"n": 0}, CONFIG) == {"n": 5}
        assert not saver._logs["t", ""].gone
        found = [each.values.get("n") for each in app.get_state_history(CONFIG)]
        assert found == [5, 4, 3, 2, 1, 0, None]


class Collected(TypedDict, total=False):
    seen: Annotated[list[str], operator.add]


def deleting(saver: Any, other: Any, at: str) -> Any:
    """Three nodes beside each other, then one; the node `at` deletes the thread by way of `other`."""

    def node(name: str) -> Any:
        def body(_: Collected) -> Collected:
            if name == at and other is not None:
                saver.flush()
                other.delete("t")
            return {"seen": [name]}

        return body

    g = StateGraph(Collected)
    for name in ("a", "b", "c"):
        g.add_node(name, node(name)).add_edge(START, name)
    return g.add_node("d", node("d")).add_edge(["a", "b", "c"], "d").compile(checkpointer=saver)


@pytest.mark.parametrize("at", ["b", "d"])
def test_a_thread_that_is_deleted_beside_parallel_tasks_can_be_begun_again(saver: Any, at: str) -> None:
    with pytest.raises(CheckpointError, match=r"checkpoint .* is not stored"):
        deleting(saver, saver, at).invoke({"seen": []}, CONFIG)
    assert (saver.load("t", ""), saver.threads(), saver.namespaces("t")) == (None, [], [])

    assert deleting(saver, None, "").invoke({"seen": []}, CONFIG) == {"seen": ["a", "b", "c", "d"]}
    assert len(saver.threads()) == 1


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs end before anything is written that is not flushed."""
    monkeypatch.setattr("stepgraph.persist.commit.DELAY", 60.0)


@pytest.mark.usefixtures("unhurried")
def test_only_the_thread_that_another_process_deletes_hears_of_it(tmp_path: Path) -> None:
    with SqliteCheckpointer(tmp_path / "a.db") as saver, SqliteCheckpointer(tmp_path / "a.db") as other:
        deleting(saver, other, "b").invoke({"seen": []}, CONFIG)
        saver._committer.settle_all()
        saver._committer.write()
        good = deleting(saver, None, "")
        for durability in ("async", "sync", "exit"):
            assert good.invoke({"seen": []}, thread=durability, durability=durability)["seen"] == ["a", "b", "c", "d"]
            assert len(list(good.get_state_history(thread=durability))) == (1 if durability == "exit" else 4)
        assert {each.thread for each in saver.threads()} == {"async", "sync", "exit"}
        with pytest.raises(CheckpointError, match="Thread 't' was deleted by another process"):
            good.get_state(thread="t")
        assert good.invoke({"seen": []}, CONFIG) == {"seen": ["a", "b", "c", "d"]}


@pytest.mark.usefixtures("unhurried")
def test_lines_of_a_thread_that_was_made_again_are_not_added_to_the_new_one(tmp_path: Path) -> None:
    with SqliteCheckpointer(tmp_path / "a.db") as saver, SqliteCheckpointer(tmp_path / "a.db") as other:
        deleting(saver, other, "b").invoke({"seen": []}, CONFIG)
        chain(one_more, saver=other).invoke({"n": 0}, CONFIG)
        other.flush()
        with pytest.raises(CheckpointError, match="Thread 't' was deleted by another process"):
            saver.flush()
        assert [each.values.get("n") for each in saver.history("t", "")] == [1, 0, None]


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("call", ["flush", "close"])
def test_what_can_not_be_stored_is_told_at_the_end_though_nobody_goes_on(tmp_path: Path, call: str) -> None:
    saver, other = SqliteCheckpointer(tmp_path / "a.db"), SqliteCheckpointer(tmp_path / "a.db")
    for thread in ("t", "u"):
        chain(one_more, saver=saver).invoke({"n": 0}, thread=thread)
    saver.flush()

    def deletes(_: State) -> State:
        for each in ("t", "u"):
            other.delete(each)
        return {}

    chain(one_more, deletes, saver=saver).invoke({"n": 0}, CONFIG)
    chain(one_more, saver=saver).invoke({"n": 0}, thread="v")
    with pytest.raises(CheckpointError, match="Thread 't' was deleted"):
        getattr(saver, call)()
    other.close()
    with SqliteCheckpointer(tmp_path / "a.db") as again:
        assert [each.thread for each in again.threads()] == ["v"]


def test_a_value_that_is_too_large_for_the_file_holds_no_other_thread_back(tmp_path: Path) -> None:
    with SqliteCheckpointer(tmp_path / "a.db") as saver:
        app = chain(one_more, saver=saver)
        app.invoke({"n": 0}, thread="large")
        saver.flush()
        saver._file._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000)
        app.invoke({"text": "".join(map(chr, range(300, 60_000)))}, thread="large")
        app.invoke({"n": 7}, thread="good")
        assert app.get_state(thread="good").values == {"n": 8}
        with pytest.raises(CheckpointError, match=r"Thread 'large': .* too big"):
            app.invoke({"n": 3}, thread="large")
        assert app.get_state(thread="large").values == {"n": 1}
        assert app.invoke({"n": 3}, thread="large") == {"n": 4}
        assert len(list(app.get_state_history(thread="large"))) == 6


def test_a_row_that_can_not_be_stored_ends_its_own_thread_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follow = recent.follow

    def fails(tip: Any, waiting: Any, place: int, lines: Any, ids: Any) -> int:
        if any(each[6].get("text") == "bad" for each in waiting if len(each) > 2):
            raise ValueError("never")
        return follow(tip, waiting, place, lines, ids)

    with SqliteCheckpointer(tmp_path / "a.db") as saver:
        monkeypatch.setattr(recent, "follow", fails)
        app = chain(one_more, saver=saver)
        app.invoke({"n": 0, "text": "bad"}, thread="bad")
        for thread in ("good", "better"):
            app.invoke({"n": 0}, thread=thread, durability="sync")
            assert app.get_state(thread=thread).values == {"n": 1}
        with pytest.raises(CheckpointError, match="Thread 'bad': cannot store a step: ValueError: never"):
            app.invoke({"n": 0}, thread="bad")
        assert app.invoke({"n": 5}, thread="bad")["n"] == 6
