"""What a run tells about its tasks: prints, logs, reads, changes in place, rows and statistics."""

from __future__ import annotations

import asyncio
import logging
import operator
import subprocess
import sys
from threading import Barrier
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph.core.events import TaskEmitted
from stepgraph.core.types import START
from stepgraph.debug import capture
from stepgraph.debug.ledger import KEEP_TEXT, Ledger
from stepgraph.debug.probe import Reads
from stepgraph.graph.builder import StateGraph
from tests.debug.support import SECONDS, finished, held


class State(TypedDict, total=False):
    a: str
    b: str
    rows: list[dict[str, Any]]
    log: Annotated[list[str], operator.add]


def parallel(node):
    builder = StateGraph(State)
    for name in "xyz":
        builder.add_node(name, node(name)).add_edge(START, name)
    return builder.compile(name="parallel")


def outputs(run):
    return {row.node: "".join(text for _, text in row.output) for row in run.ledger.rows()}


def test_prints_of_parallel_nodes_go_to_their_own_tasks_and_to_the_cell(support, capsys):
    together = Barrier(3, timeout=SECONDS)

    def node(name):
        def work(state):
            for line in range(3):
                together.wait()
                print(name, line, end="")
                together.wait()
                print("!")

        return work

    run = finished(support.debug(parallel(node)).start({"a": "1"}))
    assert run.error is None
    assert outputs(run) == {name: f"{name} 0!\n{name} 1!\n{name} 2!\n" for name in "xyz"}
    shown = capsys.readouterr().out
    assert all(shown.count(f"{name} {line}") == 1 for name in "xyz" for line in range(3))


def test_prints_of_async_nodes_are_told_apart(support):
    def node(name):
        async def work(state):
            print("start", name)
            await asyncio.sleep(0)
            print("end", name)

        return work

    run = finished(support.debug(parallel(node)).start({"a": "1"}))
    assert outputs(run) == {name: f"start {name}\nend {name}\n" for name in "xyz"}


def test_logs_and_stderr_are_kept_with_their_kind(support):
    def work(state):
        logging.getLogger("my.node").warning("careful %d", 1)
        print("bad", file=sys.stderr)
        sys.stdout.write("no line end")

    run = finished(support.debug(parallel(lambda name: work)).start({"a": "1"}))
    row = run.ledger.rows()[0]
    assert sorted(row.output) == [
        ("log", "WARNING my.node: careful 1\n"),
        ("stderr", "bad\n"),
        ("stdout", "no line end"),
    ]


def test_the_output_is_ours_only_while_a_run_lives(support):
    before = sys.stdout
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)
    assert isinstance(sys.stdout, capture.Tee)
    run.go()
    finished(run)
    assert sys.stdout is before


def test_printing_while_runs_come_and_go_does_not_crash_the_process():
    code = """
import os, sys, threading
sys.stdout = open(os.devnull, "w")
sys.setswitchinterval(1e-5)
from stepgraph.debug import capture
done = threading.Event()
def printing():
    while not done.is_set():
        print("a", "b", "c", "d")
threads = [threading.Thread(target=printing) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(5000):
    capture.install()()
done.set()
for thread in threads:
    thread.join()
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_old_output_makes_way_for_new():
    ledger = Ledger()
    for _ in range(3):
        ledger.take(0, TaskEmitted((), 1, 0.0, "t", "n", "stdout", "x" * (KEEP_TEXT // 2)))
    assert len(ledger.text()) == KEEP_TEXT


def test_reads_are_the_keys_that_the_node_looked_at(support):
    def work(state):
        return {"log": [state["a"] + state.get("b", "")]}

    run = finished(support.debug(parallel(lambda name: work)).start({"a": "1", "rows": []}))
    assert run.steps()["reads"].tolist() == [["a", "b"]] * 3


@pytest.mark.parametrize(
    ("use", "seen"),
    [
        (lambda state: state["a"], {"a"}),
        (lambda state: "b" in state, {"b"}),
        (lambda state: {**state}, {"a", "b"}),
        (lambda state: dict(state), {"a", "b"}),
        (lambda state: list(state), {"a", "b"}),
        (lambda state: state.copy(), {"a", "b"}),
        (lambda state: state | {"c": 1}, {"a", "b"}),
        (lambda state: state.pop("a"), {"a"}),
        (lambda state: state == {}, {"a", "b"}),
        (lambda state: state.items(), {"a", "b"}),
        (lambda state: len(state), set()),
    ],
)
def test_every_way_of_reading_a_dict_is_noticed(use, seen):
    state = Reads({"a": 1, "b": 2})
    use(state)
    assert state.seen == seen
    assert type(state.copy()) is dict


def test_a_node_that_changes_its_input_in_place_is_told(support):
    def work(state):
        state["rows"][1]["name"] = "changed"
        return {"log": ["done"]}

    graph = StateGraph(State).add_node(work).add_edge(START, "work").compile(name="rude")
    run = finished(support.debug(graph).start({"rows": [{"name": "a"}, {"name": "b"}]}))
    assert run.ledger.rows()[0].in_place == ("rows[1].name",)


def test_steps_is_a_table_of_tasks(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)[0].edit({"answer": "edited"})
    table = finished(run).steps()
    assert list(table.columns) == [
        "step", "node", "path", "status", "started", "seconds", "reads", "writes", "decision",
    ]  # fmt: skip
    assert table["node"].tolist() == ["classify", "draft", "send"]
    assert table["decision"].tolist() == [None, "edit", None]
    assert table["writes"][1] == {"answer": "edited", "messages": ["drafted"]}
    assert str(table["started"].dt.tz) == "UTC"
    assert (table["seconds"] >= 0).all()


def test_pandas_is_imported_only_when_a_table_is_wanted():
    code = "import sys, stepgraph.debug; print('pandas' in sys.modules, 'pydantic' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False"]


def test_time_spent_thinking_is_not_running_time(support, monkeypatch):
    from stepgraph.core.events import Decided, Paused, StepStarted, TaskFinished, TaskInfo, TaskStarted
    from stepgraph.core.types import Pause

    ledger = Ledger()
    pause = Pause("after", (), 1, node="n", task="t")
    for event in (
        StepStarted((), 1, 0.0, (TaskInfo("t", "n", 0, ()),)),
        TaskStarted((), 1, 10.0, "t", "n", 0, {}, (), 1, {}),
        Paused((), 1, 12.0, "r1", pause),
        Decided((), 1, 100.0, "r1", "after", "n", "t", "approve", None, None),
        TaskFinished((), 1, 101.0, "t", "n", 0, (), (), False),
    ):
        ledger.take(0, event)
    (row,) = ledger.rows()
    assert row.seconds == 3.0


def test_a_run_has_a_stable_text_form(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)
    assert str(run).splitlines() == [
        "◆ support · run-1 · branch main · held",
        "  0  input",
        "  1  classify",
        "◆ held after:draft, superstep 2 (request r1): stop s1",
        "  answer: – → 'about refund'",
        "  messages: +1 (add) ['drafted']",
        "  allowed: approve edit reject skip redirect suspend",
        "  not durable: the graph has no checkpointer, so the run ends with this process",
    ]
    assert run._repr_mimebundle_()["text/plain"] == str(run)
