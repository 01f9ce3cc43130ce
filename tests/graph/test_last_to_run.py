"""Who an edit without `as_node` is in the name of, where that is not simply who ran last."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest

from stepgraph import START, StateGraph
from stepgraph.core.checkpoint import Checkpoint
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer
from stepgraph.run.ids import RunIds


class State(TypedDict, total=False):
    n: int


def one_more(state: State) -> State:
    return {"n": state["n"] + 1}


def three() -> Any:
    g = StateGraph(State).add_sequence([(name, one_more) for name in "abc"]).add_edge(START, "a")
    return g.compile(checkpointer=MemoryCheckpointer())


def test_on_a_fork_on_another_thread_it_is_who_ran_before_the_fork() -> None:
    app = three()
    app.invoke({"n": 0}, thread="t")
    (at,) = [each for each in app.checkpointer.history("t", "") if each.control.next == ("b",)]
    root = Checkpoint(
        RunIds()(), at.id, at.step, "fork", at.time, at.version + 1, {"n": 10}, at.control, (), at.metadata,
        parent_thread="t", parent_ns="",
    )  # fmt: skip
    app.checkpointer.save("branch", "", root)

    config = app.update_state({"configurable": {"thread_id": "branch"}}, {"n": 50})

    assert app.get_state(config).next == ("b",)
    assert app.invoke(None, config) == {"n": 52}


@pytest.mark.parametrize("saver", [MemoryCheckpointer, lambda: SqliteCheckpointer(":memory:")])
def test_after_many_edits_no_history_is_walked(saver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app = three()
    app.checkpointer = saver()
    config: Any = {"configurable": {"thread_id": "t"}}
    app.invoke({"n": 0}, config, interrupt_after="b")
    for number in range(30):
        app.update_state(config, {"n": number})
    walked: list[Any] = []
    history = type(app.checkpointer).history

    def counted(self: Any, *args: Any, **options: Any) -> Any:
        for each in history(self, *args, **options):
            walked.append(each.id)
            yield each

    monkeypatch.setattr(type(app.checkpointer), "history", counted)
    app.update_state(config, {"n": 100})

    assert app.get_state(config).next == ("c",)
    assert len(walked) <= 3
