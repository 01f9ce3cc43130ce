"""Every verb at every place, against the engine itself, on both drivers."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from stepgraph import START, Send, StateGraph
from stepgraph.core.errors import InvalidUpdateError, Rejected
from stepgraph.core.types import Decision, Pause
from tests.core.gates import INPUT, Desk, ScriptedGate, State, drive
from tests.simulation.model import ModelCheckpointer

PLAIN = ["in", "draft saw start", "left saw left"]
OTHER: State = {"log": ["by hand"], "x": "right"}
RIGHT = ["in", "by hand", "right saw right"]
DRIVERS = pytest.mark.parametrize("loop", [False, True], ids=["sync", "asyncio"])
BODIES = pytest.mark.parametrize(
    ("loop", "is_async"), [(False, False), (True, False), (True, True)], ids=["sync", "asyncio", "coroutines"]
)

# place, decision, log at the end, how often draft ran
CASES: dict[str, tuple[str, Decision, list[str], int]] = {
    "before approve": ("before", Decision("approve"), PLAIN, 1),
    "before edit": ("before", Decision("edit", {"log": [], "x": "mine"}), ["in", "draft saw mine", "left saw left"], 1),
    "before respond": ("before", Decision("respond", OTHER), RIGHT, 0),
    "before skip": ("before", Decision("skip"), ["in"], 0),
    "before redirect": ("before", Decision("redirect", ["extra"]), ["in", "extra saw start"], 0),
    "after approve": ("after", Decision("approve"), PLAIN, 1),
    "after edit": ("after", Decision("edit", OTHER), RIGHT, 1),
    "after edit pairs": ("after", Decision("edit", [("log", ["1"]), ("log", ["2"])]), ["in", "1", "2"], 1),
    "after respond": ("after", Decision("respond", OTHER), RIGHT, 1),
    "after skip": ("after", Decision("skip"), ["in"], 1),
    "after redirect": ("after", Decision("redirect", "extra"), ["in", "draft saw start", "extra saw left"], 1),
    "after redirect to a Send": (
        "after",
        Decision("redirect", [Send("extra", {"x": "sent"})]),
        ["in", "draft saw start", "extra saw sent"],
        1,
    ),
    "after redirect to END": ("after", Decision("redirect", "__end__"), ["in", "draft saw start"], 1),
    "edge approve": ("edge", Decision("approve"), PLAIN, 1),
    "edge redirect": ("edge", Decision("redirect", ["right"]), ["in", "draft saw start", "right saw left"], 1),
    "edge edit": ("edge", Decision("edit", ["right"]), ["in", "draft saw start", "right saw left"], 1),
    "edge skip": ("edge", Decision("skip"), ["in", "draft saw start"], 1),
    "step approve": ("step", Decision("approve"), PLAIN, 1),
    "step edit": ("step", Decision("edit", {"log": ["new"], "x": "y"}), ["new", "left saw y"], 1),
    "step skip": ("step", Decision("skip"), ["in", "left saw start"], 1),
    "step redirect": ("step", Decision("redirect", ["extra"]), ["in", "draft saw start", "extra saw left"], 1),
    "plan approve": ("plan", Decision("approve"), PLAIN, 1),
    "plan edit": (
        "plan",
        Decision("edit", {"log": ["hand"], "x": "y"}),
        ["in", "hand", "draft saw y", "left saw left"],
        1,
    ),
    "plan redirect": ("plan", Decision("redirect", ["extra"]), ["in", "extra saw start"], 0),
    "committed approve": ("committed", Decision("approve"), PLAIN, 1),
    "committed edit": ("committed", Decision("edit", OTHER), ["in", "draft saw start", "by hand", "left saw right"], 1),
    "committed redirect": (
        "committed",
        Decision("redirect", ["right"]),
        ["in", "draft saw start", "right saw left"],
        1,
    ),
}
PLACES = ("plan", "before", "after", "edge", "step", "committed")


def gate_at(place: str, *decisions: Decision) -> ScriptedGate:
    """A gate at the draft task, or at its superstep."""
    node = "draft" if place in ("before", "after", "edge", "error", "interrupt") else None
    return ScriptedGate(place, *decisions, node=node, step=1)


@BODIES
@pytest.mark.parametrize("saved", [False, True], ids=["not saved", "saved"])
@pytest.mark.parametrize("case", CASES)
def test_each_verb_does_what_the_table_says(case: str, saved: bool, is_async: bool, loop: bool) -> None:
    place, decision, log, runs = CASES[case]
    desk = Desk(is_async=is_async, saver=ModelCheckpointer() if saved else None)
    gate = gate_at(place, decision)
    outcome = drive(desk.app, INPUT, gate, loop=loop)
    assert outcome.values["log"] == log
    assert desk.runs["draft"] == runs
    assert len(gate.pauses) == 1 + (case in ("plan edit", "plan redirect"))  # another plan is asked about too
    if saved:
        assert desk.app.get_state(thread="t").values["log"] == log


@DRIVERS
@pytest.mark.parametrize("place", PLACES)
def test_a_reject_stops_the_run_with_the_reason(place: str, loop: bool) -> None:
    desk = Desk(saver=ModelCheckpointer())
    with pytest.raises(Rejected) as caught:
        drive(desk.app, INPUT, gate_at(place, Decision("reject", reason="too long", by="ana")), loop=loop)
    assert "Rejected by ana" in str(caught.value)
    assert "too long" in str(caught.value)
    assert ("draft#0@1" if place in ("before", "after", "edge") else "superstep 1") in str(caught.value)
    state = desk.app.get_state(thread="t")
    assert state.metadata is not None
    assert state.metadata["step"] == (1 if place == "committed" else 0), "nothing is committed"


@DRIVERS
@pytest.mark.parametrize("place", PLACES)
def test_a_suspended_run_goes_on_in_another_process_without_running_bodies_again(place: str, loop: bool) -> None:
    saver = ModelCheckpointer()
    desk = Desk(saver=saver)
    outcome = drive(desk.app, INPUT, gate_at(place, Decision("suspend")), loop=loop)
    assert outcome.status == "interrupted"
    saver.crash()
    gate = gate_at(place)
    outcome = drive(desk.app, None, gate, loop=loop)
    assert (outcome.status, outcome.values["log"]) == ("done", PLAIN)
    assert desk.runs == {"draft": 1, "left": 1}
    assert len(gate.pauses) == (0 if place == "committed" else 1), "the same question is asked again"


@DRIVERS
@pytest.mark.parametrize("place", ["after", "edge", "step"])
def test_after_a_suspend_the_recorded_proposal_can_still_be_edited(place: str, loop: bool) -> None:
    desk = Desk(saver=ModelCheckpointer())
    drive(desk.app, INPUT, gate_at(place, Decision("suspend")), loop=loop)
    decision = {
        "after": Decision("edit", OTHER),
        "edge": Decision("redirect", ["right"]),
        "step": Decision("edit", {"log": ["whole"]}),
    }[place]
    outcome = drive(desk.app, None, gate_at(place, decision), loop=loop)
    assert (
        outcome.values["log"]
        == {
            "after": RIGHT,
            "edge": ["in", "draft saw start", "right saw left"],
            "step": ["whole", "left saw left"],
        }[place]
    )
    assert desk.runs["draft"] == 1


@DRIVERS
def test_a_rejected_update_may_be_tried_again_with_the_reason(loop: bool) -> None:
    desk = Desk()
    gate = gate_at("after", Decision("reject", reason="shorter", then="retry"))
    outcome = drive(desk.app, INPUT, gate, loop=loop)
    assert outcome.values["log"] == PLAIN
    assert desk.runs["draft"] == 2
    first, second = gate.pauses
    assert first.tasks[0].reason == "shorter"
    assert second.task == first.task


# decision at [error], log at the end, how often draft ran
ERRORS: dict[str, tuple[Decision, list[str], int]] = {
    "rerun": (Decision("rerun"), PLAIN, 2),
    "edit": (Decision("edit", {"log": [], "x": "mended"}), ["in", "draft saw mended", "left saw left"], 2),
    "respond": (Decision("respond", OTHER), RIGHT, 1),
    "skip": (Decision("skip"), ["in"], 1),
    "redirect": (Decision("redirect", ["extra"]), ["in", "extra saw start"], 1),
}


@DRIVERS
@pytest.mark.parametrize("verb", ERRORS)
def test_an_error_can_be_repaired(verb: str, loop: bool) -> None:
    decision, log, runs = ERRORS[verb]
    desk = Desk(failures=1, saver=ModelCheckpointer())
    gate = gate_at("error", decision)
    outcome = drive(desk.app, INPUT, gate, loop=loop)
    assert outcome.values["log"] == log
    assert desk.runs["draft"] == runs
    assert isinstance(gate.pauses[0].error, ConnectionError)


@DRIVERS
def test_a_rejected_error_is_the_nodes_own_error(loop: bool) -> None:
    desk = Desk(failures=1)
    with pytest.raises(ConnectionError, match="draft is down") as caught:
        drive(desk.app, INPUT, gate_at("error", Decision("reject")), loop=loop)
    assert "During task with name 'draft'" in "\n".join(caught.value.__notes__)


@DRIVERS
def test_an_error_may_be_suspended_and_run_again_later(loop: bool) -> None:
    desk = Desk(failures=1, saver=ModelCheckpointer())
    assert drive(desk.app, INPUT, gate_at("error", Decision("suspend")), loop=loop).status == "interrupted"
    assert drive(desk.app, None, None, loop=loop).values["log"] == PLAIN


@DRIVERS
def test_siblings_of_a_failed_task_end_while_a_person_decides(loop: bool) -> None:
    ran: list[str] = []

    def bad(state: State) -> State:
        ran.append("bad")
        if ran.count("bad") == 1:
            raise ConnectionError("down")
        return {"log": ["bad"]}

    g = StateGraph(State)
    g.add_node("bad", bad)
    g.add_node("good", lambda state: ran.append("good") or {"log": ["good"]})
    g.add_edge(START, "bad")
    g.add_edge(START, "good")
    outcome = drive(g.compile(), {"log": []}, ScriptedGate("error", Decision("rerun")), loop=loop)
    assert outcome.values["log"] == ["bad", "good"]
    assert sorted(ran) == ["bad", "bad", "good"]


@DRIVERS
def test_a_live_question_is_answered_where_it_was_asked(loop: bool) -> None:
    desk = Desk(asks=True)
    gate = gate_at("interrupt", Decision("respond", "an answer"))
    outcome = drive(desk.app, INPUT, gate, loop=loop)
    assert outcome.values["log"] == ["in", "an answer", "left saw left"]
    assert desk.runs["draft"] == 1, "a live answer runs nothing again"
    assert gate.pauses[0].interrupt is not None
    assert gate.pauses[0].interrupt.value == "what?"


@DRIVERS
def test_a_live_question_may_be_rejected_or_suspended(loop: bool) -> None:
    with pytest.raises(Rejected, match="Rejected at draft#0@1: never"):
        drive(Desk(asks=True).app, INPUT, gate_at("interrupt", Decision("reject", reason="never")), loop=loop)
    desk = Desk(asks=True, saver=ModelCheckpointer())
    outcome = drive(desk.app, INPUT, gate_at("interrupt", Decision("suspend")), loop=loop)
    assert [each.value for each in outcome.interrupts] == ["what?"]
    assert [each.value for each in desk.app.get_state(thread="t").interrupts] == ["what?"]


def test_a_gate_may_answer_later_from_any_thread() -> None:
    later: Future[Decision] = Future()

    class Later(ScriptedGate):
        def __call__(self, pause: Pause) -> Any:
            self.pauses.append(pause)
            later.set_result(Decision("edit", OTHER))
            return later

    gate = Later("after", node="draft")
    assert drive(Desk().app, INPUT, gate, loop=False).values["log"] == RIGHT


@DRIVERS
def test_parallel_tasks_are_asked_one_by_one_and_committed_together(loop: bool) -> None:
    g = StateGraph(State)
    for name in ("a", "b", "c"):
        g.add_node(name, lambda state, name=name: {"log": [name]})
        g.add_edge(START, name)
    gate = ScriptedGate("after")
    gate.decisions = []
    answers = {"a": Decision("skip"), "b": Decision("edit", {"log": ["B"]}), "c": Decision("approve")}

    class ByNode(ScriptedGate):
        def __call__(self, pause: Pause) -> Decision:
            self.pauses.append(pause)
            assert pause.values["log"] == [], "nothing is committed while others wait"
            return answers[pause.node or ""]

    gate = ByNode("after")
    assert drive(g.compile(), {"log": []}, gate, loop=loop).values["log"] == ["B", "c"]
    assert sorted(pause.node or "" for pause in gate.pauses) == ["a", "b", "c"]


@DRIVERS
@pytest.mark.parametrize("place", PLACES)
def test_gates_reach_into_subgraphs(place: str, loop: bool) -> None:
    desk = Desk()
    outer = StateGraph(State)
    outer.add_node("desk", desk.app)
    outer.add_edge(START, "desk")
    decision = {
        "plan": Decision("redirect", ["extra"]),
        "before": Decision("respond", OTHER),
        "after": Decision("edit", OTHER),
        "edge": Decision("redirect", ["extra"]),
        "step": Decision("edit", {"log": ["whole"]}),
        "committed": Decision("redirect", ["extra"]),
    }[place]

    class Inner(ScriptedGate):
        def wants(self, place: str, node: str | None, ns: tuple[str, ...]) -> bool:
            return bool(ns) and super().wants(place, node, ns)

    node = "draft" if place in ("before", "after", "edge") else None
    gate = Inner(place, decision, node=node, step=1)
    outcome = drive(outer.compile(), INPUT, gate, loop=loop)
    inside = {
        "plan": ["in", "extra saw start"],
        "before": RIGHT,
        "after": RIGHT,
        "edge": ["in", "draft saw start", "extra saw left"],
        "step": ["whole", "left saw left"],
        "committed": ["in", "draft saw start", "extra saw left"],
    }[place]
    assert outcome.values["log"] == ["in", *inside]
    assert gate.pauses[0].ns[0].startswith("desk:")


@DRIVERS
def test_a_suspended_subgraph_goes_on_inside(loop: bool) -> None:
    desk = Desk()
    outer = StateGraph(State)
    outer.add_node("desk", desk.app)
    outer.add_edge(START, "desk")
    app = outer.compile(checkpointer=ModelCheckpointer())
    assert drive(app, INPUT, ScriptedGate("after", Decision("suspend"), node="left"), loop=loop).status == "interrupted"
    outcome = drive(app, None, ScriptedGate("after", Decision("edit", {"log": ["L"]}), node="left"), loop=loop)
    assert outcome.values["log"] == ["in", "in", "draft saw start", "L"]
    assert desk.runs == {"draft": 1, "left": 1}


def test_what_a_pause_shows() -> None:
    shown: dict[str, Pause] = {}

    class Everywhere(ScriptedGate):
        def wants(self, place: str, node: str | None, ns: tuple[str, ...]) -> bool:
            return True

        def __call__(self, pause: Pause) -> Decision:
            if pause.step == 1:
                shown[pause.place] = pause
            return Decision()

    drive(Desk().app, INPUT, Everywhere("any"), loop=False)
    assert list(shown) == ["plan", "before", "after", "edge", "step", "committed"]
    assert [info.node for info in shown["plan"].tasks] == ["draft"]
    assert shown["before"].state == INPUT
    assert shown["after"].writes == (("log", ["draft saw start"]), ("x", "left"))
    assert shown["after"].result == {"log": ["in", "draft saw start"], "x": "left"}
    assert shown["after"].state == INPUT
    assert shown["edge"].routes == ("left",)
    assert set(shown["edge"].alternatives) == {"left", "right", "__end__"}
    assert shown["edge"].state["x"] == "left"
    assert shown["step"].result == {"log": ["in", "draft saw start"], "x": "left"}
    assert shown["step"].state == INPUT
    assert [info.node for info in shown["committed"].tasks] == ["left"]
    assert shown["committed"].state["x"] == "left"


def test_an_edit_of_an_unknown_key_is_refused_with_the_keys_there_are() -> None:
    with pytest.raises(InvalidUpdateError, match=r"Unknown state key 'y' in an edit at plan of superstep 1") as caught:
        drive(Desk().app, INPUT, gate_at("plan", Decision("edit", {"y": 1})), loop=False)
    assert "'log'" in str(caught.value)


def test_a_router_reads_the_decided_update_once() -> None:
    desk = Desk()
    drive(desk.app, INPUT, gate_at("after", Decision("edit", OTHER)), loop=False)
    assert desk.routed == 1


def test_places_that_nobody_wants_are_not_asked() -> None:
    gate = ScriptedGate("nowhere")
    assert drive(Desk().app, INPUT, gate, loop=False).values["log"] == PLAIN
    assert gate.pauses == []
