"""The fold: events in, who does what out; the same for live, recorded and unknown events."""

from __future__ import annotations

from typing import Any, NamedTuple

from stepgraph.core.events import (
    Decided,
    Event,
    Paused,
    RunFinished,
    RunStarted,
    TaskEmitted,
    TaskFailed,
    TaskFinished,
    TaskStarted,
)
from stepgraph.core.types import Pause, Send
from stepgraph.panels.fold import OUTPUT, RunView, fold, fold_quietly, recall


def started(task: str, node: str, ns: tuple[str, ...] = ()) -> TaskStarted:
    return TaskStarted(ns, 1, 0.0, task, node, 0, {}, (), 1, {})


def finished(task: str, node: str, ns: tuple[str, ...] = (), **more: Any) -> TaskFinished:
    given = {"writes": (("a", 1),), "routes": ("next",), "carried": False, **more}
    return TaskFinished(ns, 1, 0.0, task, node, 0, **given)


def paused(request: str, node: str, task: str) -> Paused:
    return Paused((), 1, 0.0, request, Pause("after", (), 1, node=node, task=task))


def decided(request: str, node: str, verb: str) -> Decided:
    return Decided((), 1, 0.0, request, "after", node, "t", verb, None, None)


def view_of(*events: Any) -> RunView:
    view = RunView()
    fold(view, enumerate(events))
    return view


def test_a_node_runs_is_held_and_is_done() -> None:
    view = view_of(started("t", "draft"))
    assert view.nodes["draft"].state == "running"
    fold(view, [(1, paused("r1", "draft", "t"))])
    assert view.nodes["draft"].state == "held"
    fold(view, [(2, decided("r1", "draft", "approve")), (3, finished("t", "draft"))])
    assert (view.nodes["draft"].state, view.nodes["draft"].count) == ("done", 1)


def test_two_tasks_of_a_node_are_told_apart() -> None:
    view = view_of(started("t1", "work"), started("t2", "work"), finished("t1", "work"))
    assert view.nodes["work"].running == 1
    assert view.nodes["work"].state == "running"


def test_a_retry_is_not_a_second_task() -> None:
    view = view_of(started("t", "work"), started("t", "work"), finished("t", "work"))
    assert (view.nodes["work"].running, view.nodes["work"].count) == (0, 1)


def test_a_failure_and_a_skip_are_seen() -> None:
    failed = TaskFailed((), 1, 0.0, "t", "work", 0, ValueError("no\nmore"))
    view = RunView()
    rows = fold(view, [(0, started("t", "work")), (1, failed)])
    assert view.nodes["work"].state == "failed"
    assert rows[1][5] == "ValueError: no"
    skipped = view_of(
        started("t", "work"), paused("r", "work", "t"), decided("r", "work", "skip"), finished("t", "work")
    )
    assert skipped.nodes["work"].state == "skipped"


def test_an_outcome_from_a_record_counts_no_run() -> None:
    assert view_of(finished("t", "work", carried=True)).nodes["work"].count == 0


def test_nodes_of_subgraphs_have_paths_without_task_ids() -> None:
    view = view_of(
        started("t", "plan", ("research:1f2e", "inner:77")), finished("t", "plan", ("research:1f2e", "inner:77"))
    )
    assert list(view.nodes) == ["research/inner/plan"]
    assert view.edges == {("research/inner/plan", "research/inner/next"): 1}


def test_traffic_is_counted_by_edge_also_for_sends() -> None:
    view = view_of(finished("t", "split", routes=(Send("work", 1), Send("work", 2), "other")))
    assert view.edges == {("split", "work"): 2, ("split", "other"): 1}


def test_an_end_leaves_nothing_running() -> None:
    end = RunFinished((), 1, 9.0, "failed", (), ValueError("x"))
    view = view_of(RunStarted((), 0, 1.0, "run", "g", "t", False), started("t", "work"), end)
    assert (view.nodes["work"].state, view.started, view.ended) == ("", 1.0, 9.0)


def test_unknown_events_are_ignored_and_still_listed() -> None:
    class Later(NamedTuple):
        ns: tuple[str, ...]
        step: int
        time: float

    event: Event = Later((), 3, 0.5)  # type: ignore[assignment]  # as from a newer file
    view = RunView()
    assert fold(view, [(7, event)]) == [[7, 0.5, "Later", "", 3, ""]]
    assert view.nodes == {}


def test_output_is_bounded_and_numbered_through() -> None:
    many = [TaskEmitted((), 1, 0.0, "t", "n", "stdout", f"{i}\n") for i in range(OUTPUT + 10)]
    view = view_of(*many)
    assert len(view.output) == OUTPUT
    assert (view.output[0][0], view.output[-1][0]) == (10, OUTPUT + 9)


def test_folding_quietly_gives_the_same_view() -> None:
    events = list(
        enumerate(
            [
                RunStarted((), 0, 1.0, "run", "g", "t", False),
                started("t1", "work"),
                TaskEmitted((), 1, 0.0, "t1", "work", "stdout", "x"),
                finished("t1", "work", routes=("a", "b")),
                started("t2", "draft"),
                paused("r1", "draft", "t2"),
                decided("r1", "draft", "skip"),
                finished("t2", "draft"),
            ]
        )
    )
    loud, quiet = RunView(), RunView()
    fold(loud, events)
    fold_quietly(quiet, events)
    assert quiet == loud


def test_what_ran_before_the_first_event_is_recalled_without_the_start() -> None:
    view = RunView()
    recall(view, ["__start__", "draft"])
    recall(view, ["draft"])
    assert {path: (node.state, node.count) for path, node in view.nodes.items()} == {"draft": ("done", 2)}


def test_what_functions_return_and_keep_is_told_in_words() -> None:
    def told(*writes: tuple[str, Any]) -> Any:
        return fold(RunView(), [(0, finished("t", "a", writes=writes, routes=()))])[0][5]

    assert told(("__return__", 1)) == "returned"
    assert told(("__end__", 1), ("__previous__", 1)) == "gave the result, kept a value for the next run"
    assert told(("a", 1), ("a", 2), ("b", 1)) == "wrote a, b"
    assert told() == "wrote nothing"


def test_why_reads_are_not_known_is_told() -> None:
    def told(payload: Any) -> Any:
        return fold(RunView(), [(0, TaskEmitted((), 1, 0.0, "t", "a", "reads", payload))])[0][5]

    assert told("a Send brought it") == "what it read is not known: a Send brought it"
    assert told(["x", "y"]) == "read x, y"
