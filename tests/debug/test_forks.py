"""Looking back and branching off: nothing that happened changes, and nothing runs again without need."""

from __future__ import annotations

import operator
from collections import Counter
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph.approve.judge import EditError
from stepgraph.core.types import END, START, Overwrite
from stepgraph.graph.builder import StateGraph
from stepgraph.run.context import interrupt
from tests.debug.support import finished, held


def test_at_shows_the_state_after_each_superstep(support):
    run = finished(support.debug().start({"question": "refund"}))
    assert run.at(0).state == {"question": "refund", "messages": []}
    assert run.at(1).state["messages"] == ["classified"]
    assert run.at(-1).state == run.result == run.state
    assert run.at(-1).state is not run.state
    assert [run.at(step).next for step in range(4)] == [("classify",), ("draft",), ("send",), ()]
    with pytest.raises(ValueError, match="run-1 has no step 9; it has 0 to 3"):
        run.at(9)


def test_looking_back_gives_copies(support):
    run = finished(support.debug().start({"question": "refund"}))
    run.at(1).state["messages"].append("changed by the reader")
    assert run.at(1).state["messages"] == ["classified"]


def test_a_fork_with_changed_keys_runs_the_rest_again_on_its_own_thread(support):
    run = finished(support.debug().start({"question": "refund"}, thread="t1"))
    fork = run.at(1).fork("another question", question="invoice")
    assert finished(fork).result["answer"] == "about invoice"
    assert (fork.thread, fork.branch, fork.note, fork.parent) == ("t1~2", "fork 1", "another question", (run, 1))
    assert run.result["answer"] == "about refund"
    assert support.calls == {"classify": 1, "draft": 2, "send": 2}
    assert run.tree() == fork.tree() == [run, fork]


def test_updates_of_a_fork_go_through_reducers_or_past_them(support):
    run = finished(support.debug().start({"question": "refund"}))
    assert finished(run.at(1).fork(messages=["noted"])).state["messages"][:2] == ["classified", "noted"]
    assert finished(run.at(1).fork(messages={"$set": []})).state["messages"] == ["drafted", "sent: about refund"]
    assert finished(run.at(1).fork(messages=Overwrite(["x"]))).state["messages"][0] == "x"
    with pytest.raises(EditError, match="score: Input should be a valid number"):
        run.at(1).fork(score="high")
    with pytest.raises(EditError, match="did you mean 'question'"):
        run.at(1).fork(qestion="x")
    assert len(run.tree()) == 4


def test_a_fork_without_changes_asks_again_and_runs_nothing_again(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    held(run)[0].edit({"answer": "first"})
    finished(run)
    fork = run.at(1).fork("decide differently")
    (request,) = held(fork)
    assert request.value["answer"] == "about refund"
    request.edit({"answer": "second"})
    assert finished(fork).result["answer"] == "second"
    assert support.calls == {"classify": 1, "draft": 1, "send": 2}
    assert fork.stats.reruns == 0
    assert fork.steps()["status"].tolist() == ["done", "carried", "done"]


def test_tasks_that_nobody_was_asked_about_are_taken_over(support):
    run = finished(support.debug().start({"question": "refund"}))
    fork = finished(run.at(1).fork())
    assert fork.result == run.result
    assert support.calls == {"classify": 1, "draft": 1, "send": 2}


def test_rerun_is_a_fork_on_which_the_node_runs_again(support):
    run = finished(support.debug().start({"question": "refund"}))
    finished(run.at(1).rerun())
    assert support.calls == {"classify": 1, "draft": 2, "send": 2}


def test_a_fork_knows_the_steps_before_it_and_can_be_forked_in_turn(support):
    run = finished(support.debug().start({"question": "refund"}))
    fork = finished(run.at(2).fork(score=0.1))
    again = finished(fork.at(1).fork(question="invoice"))
    assert [row.step for row in fork.history()] == [0, 1, 2, 3]
    assert fork.at(2).state["score"] == 0.1
    assert fork.at(0).state == run.at(0).state
    assert again.result["answer"] == "about invoice"
    assert [each.thread for each in run.tree()] == ["run-1", "run-1~2", "run-1~3"]


def test_forking_a_held_run_leaves_it_held(support):
    dbg = support.debug()
    dbg.stop("after:draft")
    run = dbg.start({"question": "refund"})
    (request,) = held(run)
    fork = run.fork()
    held(fork)[0].skip()
    finished(fork)
    assert request.pending
    request.approve()
    assert finished(run).result["answer"] == "about refund"
    assert "answer" not in fork.result
    assert support.calls["draft"] == 1


class State(TypedDict, total=False):
    seen: Annotated[list[str], operator.add]


def test_finished_siblings_are_carried_into_the_fork_of_a_held_superstep():
    from stepgraph.debug import debug

    calls: Counter[str] = Counter()

    def node(name):
        def work(state: State) -> State:
            calls[name] += 1
            return {"seen": [name]}

        return work

    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, node(name)).add_edge(START, name)
    dbg = debug(builder.compile(name="parallel"))
    dbg.stop("after:b")
    dbg.stop("before:c")
    run = dbg.start({"seen": []})
    held(run, 2)
    fork = run.fork()
    for request in held(fork, 2):
        request.approve()
    assert finished(fork).result == {"seen": ["a", "b", "c"]}
    assert calls == {"a": 1, "b": 1, "c": 1}
    run.cancel()


def test_a_subgraph_in_the_middle_of_its_work_is_carried_too():
    from stepgraph.debug import debug

    calls: Counter[str] = Counter()

    def node(name):
        def work(state: State) -> State:
            calls[name] += 1
            return {"seen": [name]}

        return work

    inner = StateGraph(State).add_node("x", node("x")).add_node("y", node("y"))
    inner.add_edge(START, "x").add_edge("x", "y")
    graph = StateGraph(State).add_node("sub", inner.compile()).add_edge(START, "sub").compile(name="nested")
    dbg = debug(graph)
    dbg.stop("after:sub/y")
    run = dbg.start({"seen": []})
    held(run)
    fork = run.fork()
    (request,) = held(fork)
    request.edit({"seen": ["edited"]})
    assert finished(fork).result == {"seen": ["x", "edited"]}
    assert calls == {"x": 1, "y": 1}
    run.cancel()


def test_an_open_question_is_carried_under_its_new_name():
    from stepgraph.debug import debug

    def ask(state: State) -> State:
        return {"seen": [interrupt("who?")]}

    dbg = debug(StateGraph(State).add_node(ask).add_edge(START, "ask").compile(name="asking"))
    run = dbg.start({"seen": []})
    held(run)
    fork = run.fork()
    held(fork)[0].respond("forked")
    assert finished(fork).result == {"seen": ["forked"]}
    held(run)[0].respond("first")
    assert finished(run).result == {"seen": ["first"]}


def test_the_form_of_a_fork_has_schema_and_values(support):
    run = finished(support.debug().start({"question": "refund"}))
    form = run.at(1).form()
    assert form["value"] == {"question": "refund", "messages": ["classified"], "score": 0.5}
    assert form["schema"]["properties"]["score"] == {"type": "number"}


def chain(names: str, calls: Counter[str], *, inner: dict[str, Any] | None = None) -> StateGraph:
    """A graph whose nodes follow each other, each telling its name; `inner` has subgraphs in place of nodes."""

    def node(name):
        def work(state: State) -> State:
            calls[name] += 1
            return {"seen": [name]}

        return work

    builder = StateGraph(State)
    for before, name in zip([START, *names], names, strict=False):
        builder.add_node(name, (inner or {}).get(name) or node(name)).add_edge(before, name)
    return builder


class TestStopsSetSinceThen:
    """What nobody was asked about is asked on a branch, where a stop fits it by now."""

    def session(self, names: str = "abc") -> Any:
        from stepgraph.debug import debug

        calls: Counter[str] = Counter()
        dbg = debug(chain(names, calls).compile(name="since"))
        return dbg, finished(dbg.start({"seen": []})), calls

    @pytest.mark.parametrize(
        ("spec", "answer"),
        [("after:b", {"seen": ["B"]}), ("step", {"seen": ["a", "B"]}), ("after:**", {"seen": ["B"]})],
    )
    def test_an_outcome_is_asked_about_and_no_body_runs_for_it(self, spec, answer):
        dbg, run, calls = self.session()
        dbg.stop(spec, once=True)
        fork = run.at(1).fork()
        (request,) = held(fork)
        assert (request.place, request.step, request.changes[0].new) == (
            "step" if spec == "step" else "after", 2, ["a", "b"],
        )  # fmt: skip
        request.edit(answer)
        assert finished(fork).result == {"seen": ["a", "B", "c"]}
        assert calls == {"a": 1, "b": 1, "c": 2}
        assert fork.stats.reruns == 0
        assert fork.steps()["status"].tolist() == ["done", "carried", "done"]

    def test_an_edge_is_asked_about_and_can_be_taken_elsewhere(self):
        dbg, run, calls = self.session()
        dbg.stop("edge:b", once=True)
        fork = run.at(1).fork()
        (request,) = held(fork)
        assert (request.place, request.routes) == ("edge", ("c",))
        request.redirect("a")
        assert finished(fork).result == {"seen": ["a", "b", "a", "b", "c"]}
        assert calls == {"a": 2, "b": 2, "c": 2}

    @pytest.mark.parametrize("spec", ["before:b", "plan"])
    def test_a_stop_before_the_task_lets_its_body_run_once_that_is_approved(self, spec):
        dbg, run, calls = self.session()
        dbg.stop(spec, once=True)
        fork = run.at(1).fork()
        (request,) = held(fork)
        assert calls["b"] == 1
        request.approve()
        assert finished(fork).result == run.result
        assert calls == {"a": 1, "b": 2, "c": 2}
        assert fork.stats.reruns == 0

    def test_a_decision_before_the_task_is_asked_again(self):
        from stepgraph.debug import debug

        calls: Counter[str] = Counter()
        dbg = debug(chain("ab", calls).compile(name="decided before"))
        dbg.stop("before:b")
        run = dbg.start({"seen": []})
        held(run)[0].respond({"seen": ["mine"]})
        assert finished(run).result == {"seen": ["a", "mine"]}
        fork = run.at(1).fork()
        held(fork)[0].skip()
        assert finished(fork).result == {"seen": ["a"]}
        assert calls == {"a": 1}

    def test_conditions_and_logs_are_no_reason_to_run_a_body_again(self):
        dbg, run, calls = self.session()
        dbg.stop("before:b", when=lambda q: len(q.state["seen"]) > 5)
        dbg.stop("before:b", log="{q.step}")
        dbg.stop("after:b", when=lambda q: len(q.new) > 5)
        dbg.stop("before:c").enabled = False
        assert finished(run.at(1).fork()).result == run.result
        assert calls == {"a": 1, "b": 1, "c": 2}

    def test_parallel_outcomes_are_asked_about_one_by_one(self):
        from stepgraph.debug import debug

        calls: Counter[str] = Counter()
        builder = chain("a", calls)
        for name in "xyz":
            builder.add_node(name, lambda state, name=name: calls.update(name) or {"seen": [name]})
            builder.add_edge("a", name)
        dbg = debug(builder.compile(name="parallel since"))
        run = finished(dbg.start({"seen": []}))
        dbg.stop("after:y")
        fork = run.at(1).fork()
        (request,) = held(fork)
        request.skip()
        assert finished(fork).result == {"seen": ["a", "x", "z"]}
        assert calls == dict.fromkeys("axyz", 1)

    def test_a_commands_way_is_kept_beside_what_the_router_chooses_again(self):
        from stepgraph.core.types import Command
        from stepgraph.debug import debug

        def leave(state: State) -> Any:
            return Command(update={"seen": ["leave"]}, goto="by_command")

        builder = StateGraph(State).add_node("leave", leave).add_edge(START, "leave")
        for name in ("by_command", "by_router", "edited"):
            builder.add_node(name, lambda state, name=name: {"seen": [name]})
        builder.add_conditional_edges("leave", lambda state: "edited" if "!" in state["seen"] else "by_router")
        dbg = debug(builder.compile(name="both ways"))
        run = finished(dbg.start({"seen": []}))
        dbg.stop("after:leave")
        same, other = run.at(0).fork(), run.at(0).fork()
        held(same)[0].approve()
        held(other)[0].edit({"seen": ["!"]})
        assert finished(same).result == run.result == {"seen": ["leave", "by_command", "by_router"]}
        assert finished(other).result == {"seen": ["!", "by_command", "edited"]}


class TestDecisionsInsideASubgraph:
    """ "Changed my mind" goes for what was decided in a subgraph that has finished since."""

    def session(self, *, deep: bool = False, checkpointer: Any = None, url: str = "memory://") -> Any:
        from stepgraph.debug import debug

        calls: Counter[str] = Counter()
        sub = chain("xyz", calls).compile(checkpointer=checkpointer)
        if deep:
            sub = chain("ps", calls, inner={"s": sub}).compile()
        graph = chain("asb", calls, inner={"s": sub}).compile(name="decided inside", checkpointer=url)
        return debug(graph), calls

    def loop(self) -> Any:
        """Turns of a subgraph (`grow`, `fee`) and a node that books, four of them."""
        from stepgraph.debug import debug

        class Turn(TypedDict):
            turn: int
            balance: int

        calls: Counter[str] = Counter()

        def node(name: str, give: Any) -> Any:
            def body(state: Turn) -> Any:
                calls[name] += 1
                return give(state)

            return body

        sub = StateGraph(Turn)
        sub.add_sequence(
            [("grow", node("grow", lambda s: {"balance": s["balance"] + 2})),
             ("fee", node("fee", lambda s: {"balance": s["balance"] - 1}))]
        ).add_edge(START, "grow")  # fmt: skip
        graph = StateGraph(Turn).add_node("save", sub.compile())
        graph.add_node("book", node("book", lambda s: {"turn": s["turn"] + 1}))
        graph.add_edge(START, "save").add_edge("save", "book")
        graph.add_conditional_edges("book", lambda s: "save" if s["turn"] < 6 else END, ["save", END])
        return debug(graph.compile(name="turns")), calls

    def test_it_is_asked_again_and_what_was_before_it_does_not_run(self):
        dbg, calls = self.session()
        dbg.gate("after:a")
        gate = dbg.gate("after:s/y")
        run = dbg.start({"seen": []})
        held(run)[0].edit({"seen": ["A"]})
        held(run)[0].edit({"seen": ["first"]})
        assert finished(run).result["seen"] == ["A", "A", "x", "first", "z", "b"]
        fork = run.at(1).fork("changed my mind")
        (request,) = held(fork)
        assert (request.path, request.stop, request.changes[0].new) == ("s/y", gate, ["A", "x", "y"])
        request.edit({"seen": ["second"]})
        assert finished(fork).result["seen"] == ["A", "A", "x", "second", "z", "b"]
        assert calls == {"a": 1, "x": 1, "y": 1, "z": 2, "b": 2}
        assert fork.stats.reruns == 0
        assert run.result["seen"] == ["A", "A", "x", "first", "z", "b"]

    def test_of_a_loop_only_the_next_turn_is_asked_anew(self):
        dbg, calls = self.loop()
        dbg.stop("after:save/fee", when=lambda q: q.new > 2)
        run = dbg.start({"turn": 0, "balance": 0})
        held(run)[0].edit({"balance": 30})  # turn 3
        held(run)[0].approve()  # turn 4: its subgraph is over now, and decided
        (now,) = held(run)
        assert (now.title, now.new) == ("after:save/fee", 32)
        dbg.stop("before:book")
        before = calls.copy()
        fork = run.at(6).fork()
        (request,) = held(fork)
        assert (request.title, request.old, request.new) == ("after:save/fee", 32, 31)
        request.approve()
        (request,) = held(fork)
        assert (request.title, request.state["turn"], request.state["balance"]) == ("before:book", 3, 31)
        assert calls == before, "what the branch took over has not run again"

    def test_of_a_finished_turn_a_stop_behind_it_holds_at_once(self):
        dbg, _ = self.loop()
        dbg.stop("after:save/fee", when=lambda q: q.new > 2)
        run = dbg.start({"turn": 0, "balance": 0})
        assert held(run)[0].new == 3
        (request,) = held(run.out())
        assert request.title == "committed"
        dbg.stop("before:book")
        fork = run.at(request.step).fork()
        (request,) = held(fork)
        assert (request.title, request.state["balance"]) == ("before:book", 3)

    def test_a_fork_of_the_fork_asks_once_more(self):
        dbg, calls = self.session()
        dbg.gate("after:s/y")
        run = dbg.start({"seen": []})
        held(run)[0].approve()
        fork = finished(run).at(1).fork()
        held(fork)[0].edit({"seen": ["second"]})
        again = finished(fork).at(1).fork()
        held(again)[0].edit({"seen": ["third"]})
        assert "third" in finished(again).result["seen"]
        assert (calls["x"], calls["y"]) == (1, 1)

    def test_in_a_subgraph_of_a_subgraph(self):
        dbg, calls = self.session(deep=True)
        dbg.gate("after:s/s/y")
        run = dbg.start({"seen": []})
        held(run)[0].edit({"seen": ["first"]})
        fork = finished(run).at(1).fork()
        held(fork)[0].edit({"seen": ["second"]})
        assert finished(fork).result == {"seen": ["second" if each == "first" else each for each in run.result["seen"]]}
        assert calls == {"a": 1, "p": 1, "x": 1, "y": 1, "z": 2, "b": 2}

    @pytest.mark.parametrize("spec", ["before:s/y", "plan:s", "step:s", "committed:s", "edge:s/y", "after:s/y"])
    def test_at_every_place(self, spec):
        dbg, calls = self.session()
        dbg.gate(spec, when=lambda q: q.state["seen"][-1] == ("y" if q.place == "edge" else "x"))
        run = dbg.start({"seen": []})
        (request,) = held(run)
        request.approve()
        fork = finished(run).at(1).fork()
        (again,) = held(fork)
        assert (again.title, again.step) == (request.title, request.step)
        again.approve()
        assert finished(fork).result == run.result
        assert calls["x"] == 1

    def test_a_stop_set_since_then_asks_inside_as_well(self):
        dbg, calls = self.session()
        run = finished(dbg.start({"seen": []}))
        dbg.stop("after:s/z")
        fork = run.at(1).fork()
        held(fork)[0].edit({"seen": ["Z"]})
        assert finished(fork).result["seen"] == ["Z" if each == "z" else each for each in run.result["seen"]]
        assert calls == {"a": 1, "x": 1, "y": 1, "z": 1, "b": 2}

    def test_one_where_no_stop_would_hold_is_taken_over(self):
        dbg, calls = self.session()
        dbg.gate("after:s/**", when=lambda q: "never" in q.new)
        run = finished(dbg.start({"seen": []}))
        assert finished(run.at(1).fork()).result == run.result
        assert calls == {"a": 1, "x": 1, "y": 1, "z": 1, "b": 2}

    @pytest.mark.parametrize("url", ["memory://", "sqlite://:memory:"])
    def test_one_that_keeps_no_checkpoints_begins_again(self, url):
        dbg, calls = self.session(checkpointer=False, url=url)
        dbg.gate("after:s/y")
        run = dbg.start({"seen": []})
        held(run)[0].edit({"seen": ["first"]})
        fork = finished(run).at(1).fork()
        held(fork)[0].edit({"seen": ["second"]})
        assert "second" in finished(fork).result["seen"]
        assert calls == {"a": 1, "x": 2, "y": 2, "z": 2, "b": 2}

    def test_in_a_process_that_did_not_see_the_run(self, tmp_path):
        from stepgraph.debug import debug

        calls: Counter[str] = Counter()
        sub = chain("xyz", calls).compile()
        graph = chain("asb", calls, inner={"s": sub}).compile(checkpointer=f"sqlite:///{tmp_path}/runs.db")
        dbg = debug(graph, name="saw it")
        dbg.gate("after:s/y")
        run = dbg.start({"seen": []}, thread="t")
        held(run)[0].edit({"seen": ["first"]})
        finished(run)
        later = debug(graph, name="did not see it")
        later.gate("after:s/y")
        fork = later.open("t").at(1).fork()
        held(fork)[0].edit({"seen": ["second"]})
        assert finished(fork).result["seen"] == ["a", "a", "x", "second", "z", "b"]
        assert calls == {"a": 1, "x": 1, "y": 1, "z": 2, "b": 2}
