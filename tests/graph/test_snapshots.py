"""What get_state and history tell of tasks, subgraphs and edits, and what is never stored."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import START, Command, Overwrite, StateGraph, StateUpdate, UntrackedValue, interrupt
from stepgraph.core.errors import InvalidUpdateError
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer
from tests.simulation.model import ModelCheckpointer


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    top: Annotated[int, max]
    x: int
    secret: Annotated[str, UntrackedValue(str)]


def chain(saver: Any, **nodes: Any) -> CompiledStateGraph:
    """Nodes by keyword, one after the other; each value is what the node returns, or a function."""
    g = StateGraph(State)
    previous = START
    for name, result in nodes.items():
        g.add_node(name, result if callable(result) else lambda state, result=result: result)
        g.add_edge(previous, name)
        previous = name
    return g.compile(checkpointer=saver)


THREAD: dict[str, Any] = {"configurable": {"thread_id": "t"}}
RESULTS: dict[str, tuple[Any, Any]] = {
    "an append": ({"log": ["a"]}, {"log": ["a"]}),
    "nothing": (None, {}),
    "a plain key": ({"x": None}, {"x": None}),
    "a fold that keeps the old value": ({"top": 1}, {"top": 1}),
    "a fold": ({"top": 9}, {"top": 9}),
    "an overwrite": ({"log": Overwrite([])}, {"log": Overwrite([])}),
    "one key twice": (Command(update=[("log", ["a"]), ("log", ["b"])]), {"log": {"$writes": [["a"], ["b"]]}}),
    "a value equal to the old one": ({"x": 1}, {"x": 1}),
}


@pytest.mark.parametrize("listens", [False, True], ids=["quiet", "streamed"])
@pytest.mark.parametrize("name", RESULTS)
def test_history_shows_what_a_lone_node_returned(name: str, listens: bool) -> None:
    returned, shown = RESULTS[name]
    app = chain(ModelCheckpointer(), node=returned, after={"x": 5})
    given: State = {"log": ["in"], "top": 4, "x": 1}
    if listens:
        list(app.stream(given, THREAD))
    else:
        app.invoke(given, THREAD)
    history = list(app.get_state_history(THREAD))
    (record,) = [each for each in history if each.next == ("node",)]
    assert record.tasks[0].result == shown
    assert app.get_state(record.config).tasks[0].result == shown
    (page,) = app.get_state_history(THREAD, before=history[1].config, limit=1)
    assert page.tasks[0].result == shown


def test_a_record_shows_the_first_branch_after_a_fork() -> None:
    answers = iter([["first"], ["second"]])
    app = chain(ModelCheckpointer(), node=lambda state: {"log": next(answers)})
    app.invoke({"log": []}, THREAD)
    (record,) = [each for each in app.get_state_history(THREAD) if each.next == ("node",)]
    app.invoke(None, record.config)
    assert app.get_state(record.config).tasks[0].result == {"log": ["first"]}
    (fork,) = [each for each in app.get_state_history(THREAD) if (each.metadata or {})["source"] == "fork"]
    assert fork.tasks[0].result == {"log": ["second"]}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_an_untracked_value_is_stored_nowhere(durability: Any) -> None:
    saver = ModelCheckpointer()
    app = chain(
        saver,
        put=lambda state: Command(update={"secret": "open sesame", "log": ["put"]}),
        use=lambda state: {"log": [f"used {state.get('secret') is not None}"]},
        ask=lambda state: {"log": [interrupt("?")]},
    )
    app.invoke({"log": [], "secret": "given open sesame"}, THREAD, durability=durability)
    app.invoke(Command(resume="yes", update={"secret": "commanded open sesame"}), THREAD, durability=durability)
    app.update_state(THREAD, {"secret": "edited open sesame"}, as_node="ask")
    assert app.get_state(THREAD).values["log"] == ["put", "used True", "yes"]
    assert "sesame" not in repr([*saver.everything()])


def test_a_failed_run_at_exit_keeps_the_checkpoint_and_finished_siblings() -> None:
    saver, runs = ModelCheckpointer(), list[str]()

    def bad(state: State) -> State:
        runs.append("bad")
        if runs.count("bad") == 1:
            raise ConnectionError("down")
        return {"log": ["bad"]}

    def good(state: State) -> State:
        runs.append("good")
        return {"log": ["good"]}

    g = StateGraph(State)
    g.add_node("first", lambda state: {"log": ["first"]})
    g.add_node("bad", bad)
    g.add_node("good", good)
    g.add_edge(START, "first")
    g.add_edge("first", "bad")
    g.add_edge("first", "good")
    app = g.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        app.invoke({"log": []}, THREAD, durability="exit")
    saver.flush()
    saver.crash()
    assert app.get_state(THREAD).next == ("bad",)
    assert app.invoke(None, THREAD, durability="exit", output_keys=["log"]) == {"log": ["first", "bad", "good"]}
    assert sorted(runs) == ["bad", "bad", "good"]


FAILURES = {"a sibling": "ValueError('down')", "the caller": "CancelledError()"}


@pytest.mark.parametrize("listens", [False, True], ids=["quiet", "streamed"])
@pytest.mark.parametrize("by", FAILURES)
def test_a_parallel_task_that_was_cancelled_says_so(by: str, listens: bool) -> None:
    async def waits(state: State) -> State:
        await asyncio.Event().wait()
        return {}

    async def fails(state: State) -> State:
        await asyncio.sleep(0)
        if by == "a sibling":
            raise ValueError("down")
        asyncio.get_running_loop().call_soon(run.cancel)
        return await waits(state)

    g = StateGraph(State)
    for node in (waits, fails):
        g.add_node(node)
        g.add_edge(START, node.__name__)
    app = g.compile(checkpointer=ModelCheckpointer())
    run: asyncio.Task[Any]

    async def main() -> None:
        nonlocal run
        if listens:
            run = asyncio.create_task(drain(app.astream({"x": 1}, THREAD)))
        else:
            run = asyncio.create_task(app.ainvoke({"x": 1}, THREAD))
        await run

    with pytest.raises((ValueError, asyncio.CancelledError)):
        asyncio.run(main())

    errors = {task.name: task.error for task in app.get_state(THREAD).tasks}
    assert errors == {"waits": "CancelledError()", "fails": FAILURES[by]}


async def drain(stream: Any) -> list[Any]:
    return [chunk async for chunk in stream]


class TestEdits:
    def test_an_edit_that_could_be_anybodys_is_refused_with_the_names(self) -> None:
        g = StateGraph(State)
        for name in ("left", "right"):
            g.add_node(name, lambda state: {"log": ["x"]})
            g.add_edge(START, name)
        app = g.compile(checkpointer=ModelCheckpointer())
        app.invoke({"log": []}, THREAD)
        with pytest.raises(InvalidUpdateError, match="Ambiguous update, specify as_node") as caught:
            app.update_state(THREAD, {"log": ["edit"]})
        assert "['left', 'right']" in str(caught.value)
        assert app.get_state(THREAD).values["log"] == ["x", "x"]

    def test_an_edit_as_nobody_is_refused_with_the_names(self) -> None:
        app = chain(ModelCheckpointer(), a={"x": 1})
        with pytest.raises(InvalidUpdateError, match="Node nobody does not exist") as caught:
            app.update_state(THREAD, {"x": 1}, as_node="nobody")
        assert "'a'" in str(caught.value)

    def test_several_edits_are_one_checkpoint_a_superstep(self) -> None:
        app = chain(ModelCheckpointer(), a={"x": 1}, b={"x": 2})
        app.bulk_update_state(
            THREAD,
            [
                [StateUpdate({"log": ["in"]}, "__input__")],
                [StateUpdate({"log": ["as a"]}, "a"), StateUpdate({"log": ["as b"], "top": 3}, "b")],
                [StateUpdate({"log": ["as b again"]}, "b")],
            ],
        )
        history = list(app.get_state_history(THREAD))
        assert [(each.metadata or {})["source"] for each in history] == ["update", "update", "input"]
        assert history[0].values["log"] == ["as a", "as b", "as b again"]

    def test_an_edit_by_a_fold_is_shown_and_kept(self) -> None:
        app = chain(ModelCheckpointer(), a={"top": 3}, b={"x": 1})
        app.invoke({"top": 1}, THREAD, interrupt_before=["b"])
        app.update_state(THREAD, {"top": 7}, as_node="b")
        assert app.get_state(THREAD).values["top"] == 7
        shown = [each.tasks[0].result for each in app.get_state_history(THREAD) if each.next == ("b",)]
        assert shown == [{"top": 7}]


class TestSubgraphs:
    @pytest.fixture
    def app(self) -> CompiledStateGraph:
        inner = StateGraph(State)
        inner.add_node("ask", lambda state: {"log": [interrupt("inside?")]})
        inner.add_edge(START, "ask")
        g = StateGraph(State)
        g.add_node("child", inner.compile())
        g.add_node("plain", lambda state: None)
        g.add_edge(START, "child")
        g.add_edge("child", "plain")
        return g.compile(checkpointer=ModelCheckpointer())

    def test_a_waiting_subgraph_can_be_looked_at_and_edited_where_it_is(self, app: CompiledStateGraph) -> None:
        app.invoke({"log": ["in"]}, THREAD)
        inside = app.get_state(THREAD, subgraphs=True).tasks[0].state
        assert inside.next == ("ask",)
        assert [each.value for each in inside.interrupts] == ["inside?"]
        assert app.get_state(inside.config).values == inside.values
        app.update_state(inside.config, {"log": ["by hand"]}, as_node="ask")
        assert app.invoke(None, THREAD)["log"] == ["in", "in", "by hand"]

    def test_an_update_of_a_namespace_that_no_subgraph_has_is_refused(self, app: CompiledStateGraph) -> None:
        config = {"configurable": {"thread_id": "t", "checkpoint_ns": "nobody:1"}}
        with pytest.raises(ValueError, match="Subgraph nobody not found") as caught:
            app.update_state(config, {"x": 1})
        assert "['child']" in str(caught.value)
        assert app.get_state(config).next == ()  # a tool may run a graph there: reading is allowed

    def test_graphs_inside_are_listed(self, app: CompiledStateGraph) -> None:
        assert [name for name, _ in app.get_subgraphs()] == ["child"]

    def test_an_answer_is_given_once(self) -> None:
        inner = StateGraph(State)
        for name in ("one", "left", "right"):
            inner.add_node(name, lambda state, name=name: {"log": [f"{name}: {interrupt(name)}"]})
        inner.add_edge(START, "one")
        inner.add_edge("one", "left")
        inner.add_edge("one", "right")
        g = StateGraph(State)
        g.add_node("child", inner.compile())
        g.add_edge(START, "child")
        app = g.compile(checkpointer=ModelCheckpointer())
        app.invoke({"log": []}, THREAD)
        app.invoke(Command(resume="A"), THREAD)
        left, right = sorted(app.get_state(THREAD).interrupts, key=lambda each: str(each.value))
        assert (left.value, right.value) == ("left", "right")
        app.invoke(Command(resume={left.id: "L"}), THREAD)
        assert [each.value for each in app.get_state(THREAD).interrupts] == ["right"]
        assert app.invoke(Command(resume={right.id: "R"}), THREAD)["log"] == ["one: A", "left: L", "right: R"]

    def test_an_answer_by_id_is_for_the_question_with_that_id(self) -> None:
        app = chain(ModelCheckpointer(), asks=lambda state: {"log": [interrupt("one?"), interrupt("two?")]})
        app.invoke({"log": []}, THREAD)
        (one,) = app.get_state(THREAD).interrupts
        for answer in ("first", "again"):
            app.invoke(Command(resume={one.id: answer}), THREAD)
            (two,) = app.get_state(THREAD).interrupts
            assert two.value == "two?"
        assert app.invoke(Command(resume={two.id: "second"}), THREAD)["log"] == ["first", "second"]


@pytest.mark.parametrize("checkpointer", [MemoryCheckpointer, lambda: SqliteCheckpointer(":memory:")])
def test_a_subgraphs_checkpoints_name_those_of_the_graphs_around_it(checkpointer: Callable[[], Any]) -> None:
    inner = StateGraph(State).add_node("ask", lambda state: {"x": interrupt("?")}).add_edge(START, "ask").compile()
    middle = StateGraph(State).add_node("inner", inner).add_edge(START, "inner").compile()
    graph = StateGraph(State).add_node("middle", middle).add_edge(START, "middle").compile(checkpointer())
    config = {"configurable": {"thread_id": "t"}, "metadata": {"said": 1}}
    graph.invoke({"x": 1}, config)

    outer = graph.get_state(config, subgraphs=True)
    between = outer.tasks[0].state
    within = between.tasks[0].state
    ids = [shown.config["configurable"]["checkpoint_id"] for shown in (outer, between, within)]
    spaces = [shown.config["configurable"]["checkpoint_ns"] for shown in (outer, between, within)]
    assert outer.metadata["parents"] == {}
    assert "checkpoint_map" not in outer.config["configurable"]
    assert between.metadata["parents"] == {"": ids[0]}
    assert within.metadata == {"source": "loop", "step": 0, "parents": {"": ids[0], spaces[1]: ids[1]}, "said": 1}
    assert within.config["configurable"]["checkpoint_map"] == dict(zip(spaces, ids, strict=True))
    before = within.parent_config["configurable"]
    assert before["checkpoint_map"] == {**within.metadata["parents"], spaces[2]: before["checkpoint_id"]}

    made = graph.update_state(within.config, {"x": 5}, as_node="ask")["configurable"]
    assert made["checkpoint_map"] == {**within.metadata["parents"], spaces[2]: made["checkpoint_id"]}
    assert graph.get_state({"configurable": made}).metadata["parents"] == within.metadata["parents"]


@pytest.mark.parametrize(
    "checkpointer", [MemoryCheckpointer, lambda: SqliteCheckpointer(":memory:"), ModelCheckpointer]
)
@pytest.mark.parametrize("command", [Command(goto="quick"), Command(update={"top": 2}), Command(resume="yes")])
def test_a_command_is_no_nodes_run(command: Command[Any], checkpointer: Callable[[], Any]) -> None:
    """An update without `as_node` comes from the node that ran last, not from START."""
    g = StateGraph(State)
    g.add_node("a", lambda state: {"log": ["a"]})
    g.add_node("ask", lambda state: {"x": interrupt("?") and interrupt("again?")})
    g.add_node("quick", lambda state: {"log": ["quick"]})
    g.add_edge(START, "a")
    g.add_edge("a", "ask")
    g.add_edge("a", "quick")
    graph = g.compile(checkpointer())
    config = {"configurable": {"thread_id": "t"}}
    graph.invoke({"log": ["in"]}, config)
    graph.invoke(command, config)

    graph.update_state(config, {"log": ["by hand"]})

    assert graph.get_state(config).next == ("ask", "quick")
    assert graph.get_state(config).values["log"] == ["in", "a", "by hand"]


@pytest.mark.parametrize("checkpointer", [MemoryCheckpointer, lambda: SqliteCheckpointer(":memory:")])
def test_the_history_of_one_checkpoint_is_that_one_or_nothing(checkpointer: Callable[[], Any]) -> None:
    app = chain(checkpointer(), a={"x": 1}, b={"x": 2})
    app.invoke({"x": 0}, THREAD)
    newest, older, *_ = app.get_state_history(THREAD)
    unknown = {"configurable": {"thread_id": "t", "checkpoint_id": "1"}}
    assert list(app.get_state_history(unknown)) == []
    assert app.get_state(unknown).metadata is None
    assert list(app.get_state_history(older.config)) == [older]
    assert list(app.get_state_history(older.config, before=newest.config)) == [older]
    assert list(app.get_state_history(older.config, before=older.config)) == []


@pytest.mark.parametrize("checkpointer", [MemoryCheckpointer, lambda: SqliteCheckpointer(":memory:")])
def test_a_history_of_no_snapshots_is_empty_and_unfit_questions_are_named(checkpointer: Callable[[], Any]) -> None:
    app = chain(checkpointer(), a={"x": 1})
    app.invoke({"x": 0}, THREAD)
    assert [len(list(app.get_state_history(THREAD, limit=limit))) for limit in (None, 2, 1, 0, -1)] == [3, 2, 1, 0, 0]
    with pytest.raises(AttributeError, match=r'`filter` is a dict of metadata, e.g. {"source": "loop"}, and not 3'):
        list(app.get_state_history(THREAD, filter=3))  # type: ignore[arg-type]  # a mistake
    with pytest.raises(TypeError, match="`before` is the config of a snapshot, and not '1'"):
        list(app.get_state_history(THREAD, before="1"))  # type: ignore[arg-type]  # a mistake
