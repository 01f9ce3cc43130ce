"""What runs next and what a superstep does to the state, as pure functions."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import END, START, Send, StateGraph, UntrackedValue
from stepgraph.core.channels import EphemeralValue
from stepgraph.core.checkpoint import REMOVED, Extend, Stored
from stepgraph.core.combining import combine, in_order, preview
from stepgraph.core.errors import InvalidUpdateError
from stepgraph.core.plan import Plan
from stepgraph.core.recorded import records_of
from stepgraph.core.request import Request
from stepgraph.core.state import State, advance, ready
from stepgraph.core.task import Scope, Task
from stepgraph.core.types import MISSING


class Keys(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    x: int
    flash: Annotated[str, EphemeralValue(str)]
    secret: Annotated[str, UntrackedValue(str)]


def plan_of(*edges: tuple[Any, str], deferred: tuple[str, ...] = ()) -> Plan:
    """A plan of nodes a to d with these edges; a list as source is an AND-join."""
    g = StateGraph(Keys)
    for name in "abcd":
        g.add_node(name, lambda state: None, defer=name in deferred)
    g.add_edge(START, "a")
    for source, target in edges:
        g.add_edge(source, target)
    return g.compile().plan


def scope_of(plan: Plan) -> Scope:
    return Scope(plan, Request({}, {}, lambda: 0.0, lambda: "0"), None)


def state_of(plan: Plan, *following: str, sends: tuple[Send, ...] = (), **values: Any) -> State:
    state = State(plan)
    state.values.update(values)
    state.next, state.sends, state.step = following, sends, 1
    return state


def task_of(plan: Plan, name: str, *writes: tuple[str, Any], to: tuple[Any, ...] = (), key: int = -1) -> Task:
    """A finished task with these writes and routes."""
    task = Task(plan.nodes[name], scope_of(plan), 1, key, {})
    task.writes, task.routes, task.routed = writes, to, True
    return task


def step(plan: Plan, state: State, *tasks: Task) -> dict[str, Any]:
    """Combine and apply; returns the changes."""
    ordered = in_order(tasks)
    changes, _ = combine(plan, state.values, ordered)
    advance(plan, state, ordered, changes)
    return changes


class TestReady:
    def test_sends_come_first_by_position_then_nodes_and_each_has_its_index(self) -> None:
        plan = plan_of()
        state = state_of(plan, "a", "b", sends=(Send("b", 1), Send("c", 2), Send("b", 3)), x=0)
        tasks = ready(plan, state, scope_of(plan))
        assert [(task.name, task.key, task.index) for task in tasks] == [
            ("b", 0, 0), ("c", 1, 0), ("b", 2, 1), ("a", -1, 0), ("b", -1, 2),
        ]  # fmt: skip
        assert [task.input for task in tasks[:3]] == [1, 2, 3]
        assert tasks[3].input == {"log": [], "x": 0}

    def test_inputs_are_shallow_copies(self) -> None:
        plan = plan_of()
        state = state_of(plan, "a", "b", x=0)
        one, other = ready(plan, state, scope_of(plan))
        assert one.input is not other.input
        assert one.input is not state.values
        assert one.input["log"] is state.values["log"]

    def test_a_send_to_nobody_is_logged_and_left_out(self, caplog: pytest.LogCaptureFixture) -> None:
        plan = plan_of()
        tasks = ready(plan, state_of(plan, sends=(Send("nobody", 1), Send("b", 2))), scope_of(plan))
        assert [(task.name, task.key) for task in tasks] == [("b", 1)]
        assert "Send to unknown node 'nobody' in superstep 1" in caplog.text

    def test_task_ids_depend_on_place_and_checkpoint_and_on_nothing_else(self) -> None:
        plan = plan_of()
        scopes = [scope_of(plan) for _ in range(3)]
        scopes[0].checkpoint = scopes[1].checkpoint = "c1"
        scopes[2].checkpoint = "c2"
        state = state_of(plan, "a", "b", sends=(Send("a", 1),))
        ids = [[task.id for task in ready(plan, state, scope)] for scope in scopes]
        assert ids[0] == ids[1]
        assert len(set(ids[0])) == 3
        assert set(ids[0]).isdisjoint(ids[2])


class TestCombine:
    def test_updates_are_folded_by_node_name_and_then_by_position_of_sends(self) -> None:
        plan = plan_of()
        tasks = [
            task_of(plan, "a", ("log", ["send1"]), key=1), task_of(plan, "d", ("log", ["d"])),
            task_of(plan, "b", ("log", ["b"])),
        ]  # fmt: skip
        sends = [task_of(plan, "c", ("log", ["send0"]), key=0), tasks[0]]
        changes, groups = combine(plan, {"log": ["in"]}, in_order([*sends, *tasks[1:]]))
        assert changes == {"log": ["in", "b", "d", "send0", "send1"]}
        assert groups == {"log": [["b"], ["d"], ["send0"], ["send1"]]}

    def test_it_changes_nothing(self) -> None:
        plan, values = plan_of(), {"log": ["in"], "x": 1}
        combine(plan, values, [task_of(plan, "a", ("log", ["a"]), ("x", 2))])
        assert values == {"log": ["in"], "x": 1}

    def test_two_writers_of_a_plain_key_are_named_with_key_and_superstep(self) -> None:
        plan = plan_of()
        with pytest.raises(InvalidUpdateError) as caught:
            combine(plan, {}, [task_of(plan, "a", ("x", 1)), task_of(plan, "b", ("x", 2))])
        text = str(caught.value)
        assert "At key 'x': Can receive only one value per step" in text
        assert "Key 'x' at superstep 1, written by 'a', 'b'" in text

    def test_a_reducer_that_raises_is_named_with_key_and_writers(self) -> None:
        plan = plan_of()
        with pytest.raises(TypeError) as caught:
            combine(plan, {"log": []}, [task_of(plan, "a", ("log", 5)), task_of(plan, "b", ("x", 5))])
        assert "Key 'log' at superstep 1, written by 'a': the reducer add raised." in caught.value.__notes__

    def test_preview_agrees_with_it(self) -> None:
        plan, values = plan_of(), {"log": ["in"], "x": 1}
        writes = (("log", ["a"]), ("log", ["b"]), ("x", 2))
        changes, _ = combine(plan, values, [task_of(plan, "a", *writes)])
        assert preview(plan, values, writes) == changes


class TestAdvance:
    def test_routes_of_all_tasks_are_next_once_each_by_name(self) -> None:
        plan = plan_of()
        state = state_of(plan, "a", "b")
        step(plan, state, task_of(plan, "a", to=("d", "c")), task_of(plan, "b", to=("c", Send("a", 1))))
        assert (state.next, state.sends) == (("c", "d"), (Send("a", 1),))
        assert (state.step, state.version, state.ran) == (2, 1, ("a", "b"))

    def test_an_unknown_target_is_logged_and_ignored(self, caplog: pytest.LogCaptureFixture) -> None:
        plan = plan_of()
        state = state_of(plan, "a")
        step(plan, state, task_of(plan, "a", to=("nobody", "b")))
        assert state.next == ("b",)
        assert "goes to unknown node 'nobody': ignored" in caplog.text

    def test_a_join_waits_for_all_and_is_emptied_when_its_node_has_run(self) -> None:
        plan = plan_of((["a", "b"], "c"))
        state = state_of(plan, "a")
        a, b = plan.nodes["a"], plan.nodes["b"]
        assert (a.joins, b.joins) == (("join:a+b:c",), ("join:a+b:c",))
        step(plan, state, task_of(plan, "a"))
        assert (state.next, state.barriers) == ((), {"join:a+b:c": frozenset("a")})
        step(plan, state, task_of(plan, "b"))
        assert state.next == ("c",)
        step(plan, state, task_of(plan, "c"))
        assert (state.next, state.barriers) == ((), {})

    def test_a_join_may_fill_again_while_its_node_runs(self) -> None:
        plan = plan_of((["a", "b"], "c"))
        state = state_of(plan, "a", "b")
        step(plan, state, task_of(plan, "a"), task_of(plan, "b"))
        step(plan, state, task_of(plan, "a"), task_of(plan, "c"))
        assert (state.next, state.barriers) == ((), {"join:a+b:c": frozenset("a")})

    def test_a_deferred_node_waits_until_nothing_else_is_ready(self) -> None:
        plan = plan_of(deferred=("d",))
        state = state_of(plan, "a", "b")
        step(plan, state, task_of(plan, "a", to=("d",)), task_of(plan, "b", to=("c",)))
        assert (state.next, state.waiting) == (("c",), frozenset("d"))
        step(plan, state, task_of(plan, "c"))
        assert (state.next, state.waiting) == (("d",), frozenset())

    def test_a_deferred_node_waits_for_tasks_of_sends_too(self) -> None:
        plan = plan_of(deferred=("d",))
        state = state_of(plan, "a")
        step(plan, state, task_of(plan, "a", to=("d", Send("b", 1))))
        assert (state.next, state.sends) == ((), (Send("b", 1),))
        step(plan, state, task_of(plan, "b", key=0))
        assert state.next == ("d",)

    def test_an_ephemeral_key_lives_for_one_superstep(self) -> None:
        plan = plan_of()
        state = state_of(plan, "a")
        step(plan, state, task_of(plan, "a", ("flash", "now")))
        assert state.values["flash"] == "now"
        assert step(plan, state, task_of(plan, "b", ("x", 1))) == {"x": 1, "flash": MISSING}
        assert "flash" not in state.values

    def test_what_a_person_overwrote_counts(self) -> None:
        plan = plan_of()
        state = state_of(plan, "a", log=["in"])
        task = task_of(plan, "a", ("log", ["a"]))
        changes, _ = combine(plan, state.values, [task])
        advance(plan, state, [task], changes, {"log": ["whole"]})
        assert state.values["log"] == ["whole"]


class TestStoring:
    def test_records_hold_what_was_appended_what_went_away_and_nothing_untracked(self) -> None:
        plan = plan_of()
        changes = {"log": ["in", "a"], "x": 2, "flash": MISSING, "secret": "s"}
        assert records_of(plan, {"log": ["in"]}, changes, {"log": [["a"]], "x": [2]}) == {
            "log": Extend(("a",)), "x": 2, "flash": REMOVED,
        }  # fmt: skip

    def test_a_state_comes_back_as_it_was(self) -> None:
        plan = plan_of((["a", "b"], "c"), deferred=("d",))
        state = state_of(plan, "b", sends=(Send("c", {"n": 1}, timeout=2.0),), log=["in"], x=3)
        state.barriers, state.waiting, state.version = {"join:a+b:c": frozenset("a")}, frozenset("d"), 4
        stored = Stored(
            "t", "", "id", None, 0, "loop", 0.0, 4, {**state.values, "gone": 1}, state.control(plan), {"a": 4}, {}, {}
        )
        back = State.restored(plan, stored)
        assert back.values == state.values, "keys that the graph does not have any more are left out"
        for name in ("next", "sends", "barriers", "waiting", "version", "step"):
            assert getattr(back, name) == getattr(state, name)
        assert back.sends[0] == Send("c", {"n": 1}, timeout=2.0)

    def test_sends_are_stored_without_untracked_keys(self) -> None:
        plan = plan_of()
        state = state_of(plan, sends=(Send("b", {"x": 1, "secret": "s"}),))
        assert state.control(plan).sends == (("b", {"x": 1}, None),)


def test_end_is_no_route() -> None:
    plan = plan_of(("a", END), ("a", "b"))
    assert plan.nodes["a"].successors == ("b",)
    assert plan.nodes["a"].to_end
