"""Back in time, also inside subgraphs, and on with a graph whose nodes have other names since."""

from __future__ import annotations

import asyncio
import logging
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import START, Command, Send, StateGraph, interrupt
from stepgraph.core.changed import GRAPH, tell
from stepgraph.core.errors import EmptyInputError, InvalidUpdateError
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


Saver = Callable[[], Any]


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made: Any = MemoryCheckpointer() if request.param == "memory" else SqliteCheckpointer(str(tmp_path / "t.db"))
    yield made
    made.close()


def chain(*names: str, **nodes: Any) -> StateGraph:
    """Nodes one after the other; each logs its name, or does what is given for it."""
    g = StateGraph(State)
    previous = START
    for name in names:
        g.add_node(name, nodes.get(name, lambda state, name=name: {"log": [name]}))
        g.add_edge(previous, name)
        previous = name
    return g


class Outer:
    """A graph with a graph inside, and what ran in it."""

    def __init__(self, saver: Any, lasting: bool = False, called: bool = False) -> None:
        self.ran: list[str] = []
        names = ("i1", "i2", "i3")
        inner = chain(*names, **{name: self.counting(name) for name in names}).compile(checkpointer=lasting or None)
        node: Any = (lambda state: inner.invoke({"log": []})) if called else inner
        self.graph = chain("a", "child", "b", child=node).compile(checkpointer=saver)

    def counting(self, name: str) -> Any:
        def node(state: State) -> State:
            self.ran.append(name)
            return {"log": [name]}

        return node

    def inside(self, following: str) -> dict[str, Any]:
        """The config of the checkpoint inside from which that node ran."""
        for shown in self.graph.get_state_history(thread="t", subgraphs=True):
            for task in shown.tasks:
                if task.state is not None and task.state.metadata is not None:
                    place = task.state.config["configurable"]
                    history = self.graph.get_state_history(
                        {"configurable": {key: place[key] for key in ("thread_id", "checkpoint_ns")}}
                    )
                    return next(each.config for each in history if each.next == (following,))
        raise LookupError(following)


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("called", [False, True])
def test_a_replay_inside_a_subgraph_runs_what_came_after_only(saver: Any, lasting: bool, called: bool) -> None:
    outer = Outer(saver, lasting, called)
    first = outer.graph.invoke({"log": []}, thread="t")
    outer.ran.clear()

    assert outer.graph.invoke(None, outer.inside("i3")) == first
    assert outer.ran == ["i3"]


def test_a_replay_inside_needs_no_map_of_the_graphs_around(saver: Any) -> None:
    outer = Outer(saver)
    outer.graph.invoke({"log": []}, thread="t")
    outer.ran.clear()
    place = outer.inside("i2")["configurable"]
    config = {"configurable": {key: place[key] for key in ("thread_id", "checkpoint_ns", "checkpoint_id")}}

    outer.graph.invoke(None, config)
    assert outer.ran == ["i2", "i3"]


def test_a_fork_inside_a_subgraph_goes_on_with_what_was_written(saver: Any) -> None:
    outer = Outer(saver)
    outer.graph.invoke({"log": []}, thread="t")
    outer.ran.clear()

    made = outer.graph.update_state(outer.inside("i2"), {"log": ["forked"]}, as_node="i2")
    found = outer.graph.invoke(None, made)
    assert found["log"][-4:] == ["i1", "forked", "i3", "b"]
    assert outer.ran == ["i3"]


def test_a_question_inside_is_answered_again(saver: Any) -> None:
    inner = chain("i1", "ask", ask=lambda state: {"log": [interrupt("?")]}).compile()
    graph = chain("a", "child", "b", child=inner).compile(checkpointer=saver)
    graph.invoke({"log": []}, thread="t")
    asked = graph.get_state(thread="t", subgraphs=True).tasks[0].state.config
    assert graph.invoke(Command(resume="one"), thread="t")["log"][-2:] == ["one", "b"]

    again = graph.invoke(None, asked)
    assert [each.value for each in again["__interrupt__"]] == ["?"]
    assert graph.invoke(Command(resume="two"), thread="t")["log"][-2:] == ["two", "b"]


def test_the_three_verbs_mean_what_the_call_forms_do(saver: Any) -> None:
    graph = chain("a", "ask", "c", ask=lambda state: {"log": [interrupt("?")]}).compile(checkpointer=saver)
    graph.invoke({"log": []}, thread="t")
    assert graph.resume("one", thread="t") == {"log": ["a", "one", "c"]}

    asked = next(shown.config for shown in graph.get_state_history(thread="t") if shown.next == ("ask",))
    assert "__interrupt__" in graph.replay(asked)
    assert asyncio.run(graph.aresume("two", thread="t")) == {"log": ["a", "two", "c"]}

    made = graph.fork(asked, {"log": ["by hand"]}, as_node="ask")
    assert graph.get_state(made).next == ("c",)
    assert graph.invoke(None, made) == {"log": ["a", "by hand", "c"]}
    copied = asyncio.run(graph.afork(asked))
    assert graph.get_state(copied).values == graph.get_state(asked).values
    assert graph.get_state(copied).parent_config == graph.get_state(asked).parent_config


def test_going_on_after_a_breakpoint_needs_no_answer(saver: Any) -> None:
    graph = chain("a", "b").compile(checkpointer=saver, interrupt_before=["b"])
    graph.invoke({"log": []}, thread="t")
    assert graph.resume(thread="t") == {"log": ["a", "b"]}


@pytest.mark.parametrize("verb", ["replay", "fork"])
def test_a_verb_needs_a_checkpoint(saver: Any, verb: str) -> None:
    graph = chain("a").compile(checkpointer=saver)
    with pytest.raises(ValueError, match=rf"{verb}\(\) needs the config of a checkpoint"):
        getattr(graph, verb)({"configurable": {"thread_id": "t"}})


def test_a_replay_two_levels_down_runs_what_came_after_only(saver: Any) -> None:
    ran: list[str] = []

    def counting(name: str) -> Any:
        return lambda state: ran.append(name) or {"log": [name]}

    inner = chain("x", "y", x=counting("x"), y=counting("y")).compile()
    middle = chain("m", "inner", m=counting("m"), inner=inner).compile()
    graph = chain("middle", middle=middle).compile(checkpointer=saver)
    graph.invoke({"log": []}, thread="t")
    ran.clear()
    ns = max(saver.namespaces("t"), key=len)
    history = graph.get_state_history({"configurable": {"thread_id": "t", "checkpoint_ns": ns}})
    graph.invoke(None, next(each.config for each in history if each.next == ("y",)))
    assert ran == ["y"]


def test_a_lasting_subgraph_runs_in_every_run_also_after_an_answer(saver: Any) -> None:
    inner = chain("ask", ask=lambda state: {"log": [interrupt("?")]}).compile(checkpointer=True)

    def node(state: State) -> State:
        return {"log": [inner.invoke({"log": []})["log"][-1], inner.invoke({"log": []})["log"][-1]]}

    graph = chain("node", node=node).compile(checkpointer=saver)
    for answers in (("A", "B"), ("C", "D")):
        graph.invoke({"log": []}, thread="t")
        for answer in answers:
            found = graph.resume(answer, thread="t")
    assert found == {"log": ["A", "B", "C", "D"]}


def test_the_states_of_finished_subgraphs_are_in_the_history(saver: Any) -> None:
    outer = Outer(saver)
    outer.graph.invoke({"log": []}, thread="t")

    states = [
        task.state.values
        for shown in outer.graph.get_state_history(thread="t", subgraphs=True)
        for task in shown.tasks
        if task.name == "child"
    ]
    assert states == [{"log": ["a", "i1", "i2", "i3"]}]


def test_an_answer_that_nothing_waits_for_is_refused(saver: Any) -> None:
    graph = asking("approve", checkpointer=saver)
    with pytest.raises(EmptyInputError, match="Nothing waits for an answer on thread 'new': there is no such thread"):
        graph.resume("yes", thread="new")
    assert graph.get_state(thread="new").metadata is None
    graph.invoke({"log": []}, thread="t")
    graph.resume("yes", thread="t")
    ended = graph.get_state(thread="t")
    for again in (lambda: graph.resume("no", thread="t"), lambda: asyncio.run(graph.aresume("no", thread="t"))):
        with pytest.raises(EmptyInputError, match="Nothing waits for an answer on thread 't': it has ended"):
            again()
    assert graph.get_state(thread="t") == ended
    assert graph.resume(thread="t") == ended.values


def test_a_history_without_values_loads_none(saver: Any) -> None:
    outer = Outer(saver)
    outer.graph.invoke({"log": []}, thread="t")

    listed = list(outer.graph.get_state_history(thread="t", values=False))
    full = list(outer.graph.get_state_history(thread="t"))
    assert [(each.next, each.metadata, each.config) for each in listed] == [
        (each.next, each.metadata, each.config) for each in full
    ]
    assert all(each.values == {} for each in listed)


def test_a_filter_loads_the_values_of_what_matches_only(saver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = Outer(saver)
    outer.graph.invoke({"log": []}, thread="t")
    asked: list[bool] = []
    history = saver.history

    def watching(*args: Any, **options: Any) -> Any:
        asked.append(options.get("values", True))
        return history(*args, **options)

    monkeypatch.setattr(saver, "history", watching)
    found = list(outer.graph.get_state_history(thread="t", filter={"source": "input"}))
    assert [each.metadata["step"] for each in found if each.metadata] == [-1]
    assert asked == [False]


# Other names


def asking(name: str, **options: Any) -> CompiledStateGraph:
    """Two nodes side by side, one of which asks, and one after both."""
    g = StateGraph(State)
    g.add_node("plain", lambda state: {"log": ["plain"]})
    g.add_node(name, lambda state: {"log": [interrupt("?")]})
    g.add_node("after", lambda state: {"log": ["after"]})
    g.add_edge(START, "plain")
    g.add_edge(START, name)
    g.add_edge(["plain", name], "after")
    return g.compile(**options)


def test_a_renamed_node_goes_on_where_it_was(saver: Any) -> None:
    asking("approve", checkpointer=saver).invoke({"log": []}, thread="t")
    graph = asking("approval", checkpointer=saver, renamed={"approve": "approval"})

    shown = graph.get_state(thread="t")
    assert shown.next == ("approval",)
    assert [each.value for each in shown.interrupts] == ["?"]
    assert graph.invoke(Command(resume="yes"), thread="t") == {"log": ["yes", "plain", "after"]}


def test_tasks_of_sends_go_on_under_the_new_name(saver: Any) -> None:
    runs: list[str] = []

    def build(name: str, **options: Any) -> CompiledStateGraph:
        def work(arg: str) -> State:
            runs.append(arg)
            return {"log": [arg if arg == "a" else interrupt(arg)]}

        g = StateGraph(State)
        g.add_node(name, work)
        g.add_conditional_edges(START, lambda state: [Send(name, "a"), Send(name, "b")], [name])
        return g.compile(checkpointer=saver, **options)

    build("work").invoke({"log": []}, thread="t")
    runs.clear()
    found = build("worker", renamed={"work": "worker"}).invoke(Command(resume="B"), thread="t")
    assert found == {"log": ["a", "B"]}
    assert runs == ["b"]


def test_a_thread_that_waits_for_a_lost_node_says_how_to_mend_it(saver: Any) -> None:
    asking("approve", checkpointer=saver).invoke({"log": []}, thread="t")
    with pytest.raises(InvalidUpdateError, match=r"compile\(renamed=\{'approve': 'approval'\}\)"):
        asking("approval", checkpointer=saver).invoke(Command(resume="yes"), thread="t")


def test_a_thread_that_has_run_a_lost_node_warns(saver: Any, caplog: pytest.LogCaptureFixture) -> None:
    chain("draft", "review").compile(checkpointer=saver, interrupt_before=["review"]).invoke({"log": []}, thread="t")
    graph = chain("write", "review").compile(checkpointer=saver)
    with caplog.at_level(logging.WARNING):
        graph.invoke(None, thread="t")
    assert "was run by a graph with other nodes than 'LangGraph' has now: 'draft'" in caplog.text
    assert "compile(renamed={'draft': 'write'})" in caplog.text


def test_a_thread_whose_graph_is_the_same_does_not_warn(saver: Any, caplog: pytest.LogCaptureFixture) -> None:
    graph = asking("approve", checkpointer=saver)
    graph.invoke({"log": []}, thread="t")
    graph.invoke(Command(resume="yes"), thread="t")
    assert caplog.text == ""


def test_a_new_name_must_be_a_nodes() -> None:
    with pytest.raises(ValueError, match="the graph has no node 'nothing'"):
        asking("approve", renamed={"old": "nothing"})
    for wrong in (["approve"], [("old", "approve")], "approve", 5):
        given: Any = wrong
        with pytest.raises(TypeError, match=r"compile\(renamed=.*\): give a dict .* such as \{\"old\": \"new\"\}"):
            asking("approve", renamed=given)


def test_what_other_engines_note_beside_nodes_is_no_lost_node(caplog: pytest.LogCaptureFixture) -> None:
    saver = MemoryCheckpointer()
    graph = chain("a").compile(checkpointer=saver)
    graph.invoke({"log": []}, thread="t")
    stored = saver.load("t", "")
    assert stored is not None
    stored.seen["__interrupt__"] = 1  # LangGraph's own word, in a thread that one of its savers keeps
    tell(graph.plan, stored)
    assert caplog.text == ""


def waiting(*edges: tuple[str, str], **options: Any) -> CompiledStateGraph:
    """Nodes a, b and c with these edges after START -> a; the run stops before a."""
    g = StateGraph(State)
    for name in "abc":
        g.add_node(name, lambda state, name=name: {"log": [name]})
    g.add_edge(START, "a")
    for source, target in edges:
        g.add_edge(source, target)
    return g.compile(interrupt_before=["a"], **options)


@pytest.fixture(params=["memory", "sqlite", "langgraph"])
def any_saver(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "langgraph":
        from langgraph.checkpoint.memory import InMemorySaver

        yield InMemorySaver()
        return
    made: Any = MemoryCheckpointer() if request.param == "memory" else SqliteCheckpointer(str(tmp_path / "t.db"))
    yield made
    made.close()


def test_other_edges_behind_what_runs_next_warn_once(any_saver: Any, caplog: pytest.LogCaptureFixture) -> None:
    waiting(("a", "b"), ("b", "c"), checkpointer=any_saver).invoke({"log": []}, thread="t")
    graph = waiting(("a", "c"), checkpointer=any_saver)
    assert graph.invoke(None, thread="t") == {"log": ["a", "c"]}
    assert "with other edges than 'LangGraph' has now" in caplog.text
    assert "'a' led to 'b', now to 'c'" in caplog.text
    caplog.clear()
    graph.invoke(None, thread="t")
    assert caplog.text == ""


def test_other_edges_behind_what_does_not_run_next_do_not_warn(
    any_saver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    waiting(("a", "b"), ("b", "c"), checkpointer=any_saver).invoke({"log": []}, thread="t")
    graph = waiting(("a", "b"), checkpointer=any_saver)
    assert graph.invoke(None, thread="t") == {"log": ["a", "b"]}
    assert caplog.text == ""


def test_a_lost_node_that_never_ran_is_named_with_the_node_that_leads_where_it_did(
    saver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def build(*names: str) -> CompiledStateGraph:
        return chain(*names).compile(checkpointer=saver, interrupt_before=[names[0]])

    build("a", "summary", "z").invoke({"log": []}, thread="t")
    build("a", "outline", "z", "more").invoke(None, thread="t")
    assert "other nodes than 'LangGraph' has now: 'summary'" in caplog.text
    assert "compile(renamed={'summary': 'outline'})" in caplog.text


def test_a_renamed_graph_is_the_same_graph_and_needs_no_mapping_once_it_has_gone_on(
    saver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def build(*names: str, **options: Any) -> CompiledStateGraph:
        return chain(*names).compile(checkpointer=saver, interrupt_before="*", **options)

    build("a", "old", "z").invoke({"log": []}, thread="t")
    build("a", "new", "z", renamed={"old": "new"}).invoke(None, thread="t")
    graph = build("a", "new", "z")
    graph.invoke(None, thread="t")
    assert graph.invoke(None, thread="t") == {"log": ["a", "new", "z"]}
    assert caplog.text == ""


def test_a_join_that_no_edge_makes_any_more_warns(saver: Any, caplog: pytest.LogCaptureFixture) -> None:
    def build(*sources: str) -> CompiledStateGraph:
        g = StateGraph(State)
        for name in ("a", "b", "d", "c"):
            g.add_node(name, lambda state, name=name: {"log": [name]})
        g.add_edge(START, "a").add_edge(START, "b").add_edge("b", "d").add_edge(list(sources), "c")
        return g.compile(checkpointer=saver, interrupt_before=["d"])

    build("a", "d").invoke({"log": []}, thread="t")
    build("a", "b", "d").invoke(None, thread="t")
    assert "'c' waited for a and d, and no edge joins these now" in caplog.text


def test_the_graph_is_stored_once_a_thread_and_shown_nowhere(saver: Any) -> None:
    graph = chain("a", "b", "c").compile(checkpointer=saver)
    graph.invoke({"log": []}, thread="t")
    graph.invoke({"log": []}, thread="t")
    stored = list(saver.history("t", ""))
    assert {each.versions[GRAPH] for each in stored} == {1}
    assert all(set(each.values) <= {"log"} for each in graph.get_state_history(thread="t"))
    assert all(
        set(each.metadata or {}) == {"source", "step", "parents"} for each in graph.get_state_history(thread="t")
    )


def test_new_input_on_a_thread_of_a_changed_graph_is_no_reason_to_warn(
    saver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    chain("a").compile(checkpointer=saver).invoke({"log": []}, thread="t")
    graph = chain("b", "c").compile(checkpointer=saver, interrupt_before=["c"])
    graph.invoke({"log": []}, thread="t")
    assert graph.invoke(None, thread="t") == {"log": ["a", "b", "c"]}
    assert caplog.text == ""


def test_what_langgraphs_savers_keep_of_the_graph_is_shown_nowhere_and_in_no_filters_way() -> None:
    from langgraph.checkpoint.memory import InMemorySaver

    saver = InMemorySaver()
    graph = waiting(("a", "b"), checkpointer=saver)
    graph.invoke({"log": []}, thread="t")
    config: Any = {"configurable": {"thread_id": "t"}}
    newest = saver.get_tuple(config)
    assert newest is not None
    assert set(newest.metadata) == {"source", "step", "parents"}
    assert [each.metadata["step"] for each in saver.list(config, filter={"source": "loop"})] == [0]
    assert set(graph.get_state(thread="t").values) == {"log"}


def test_a_new_node_is_offered_for_one_lost_node_only(caplog: pytest.LogCaptureFixture) -> None:
    saver = MemoryCheckpointer()

    def build(*names: str) -> CompiledStateGraph:
        return chain(*names).compile(checkpointer=saver, interrupt_before=[names[0]])

    build("a", "alpha", "beta").invoke({"log": []}, thread="t")
    build("a", "merged").invoke(None, thread="t")
    assert "'alpha', 'beta'" in caplog.text
    assert caplog.text.count(": 'merged'") == 1
