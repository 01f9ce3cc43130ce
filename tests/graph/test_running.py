"""Each mistake at run time says what happened, where (node, key, superstep, thread), and how to mend it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import (
    END,
    START,
    Command,
    EmptyInputError,
    GraphRecursionError,
    InvalidUpdateError,
    Overwrite,
    Send,
    StateGraph,
    interrupt,
)
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.graph.engines import plain_engine
from stepgraph.persist import MemoryCheckpointer


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    x: int


def returning(value: Any) -> CompiledStateGraph:
    """A graph of one node that returns `value`."""
    return StateGraph(State).add_node("a", lambda s: value).add_edge(START, "a").compile()


def routing(value: Any, path_map: Any = None) -> CompiledStateGraph:
    """A graph whose first node has a router that returns `value`."""
    built = StateGraph(State).add_node("a", lambda s: None).add_node("b", lambda s: {"log": ["b"]})
    return built.add_edge(START, "a").add_conditional_edges("a", lambda s: value, path_map).compile()


def beside(one: Any, other: Any) -> CompiledStateGraph:
    """A graph of two nodes that run at once and return these."""
    built = StateGraph(State).add_node("left", lambda s: one).add_node("right", lambda s: other)
    return built.add_edge(START, "left").add_edge(START, "right").compile()


def kept() -> CompiledStateGraph:
    return (
        StateGraph(State)
        .add_node("a", lambda s: {"log": ["a"]})
        .add_edge(START, "a")
        .compile(checkpointer=MemoryCheckpointer())
    )


def two_questions() -> CompiledStateGraph:
    built = StateGraph(State)
    for name in ("left", "right"):
        built.add_node(name, lambda s: {"log": [interrupt("?")]}).add_edge(START, name)
    app = built.compile(checkpointer=MemoryCheckpointer())
    app.invoke({"log": []}, thread="t")
    return app


def loop() -> CompiledStateGraph:
    return StateGraph(State).add_node("a", lambda s: None).add_edge(START, "a").add_edge("a", "a").compile()


INPUT: dict[str, Any] = {"log": ["in"]}
MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], list[str]]] = {
    "no input": (
        lambda: returning(None).invoke(None),
        EmptyInputError,
        ["Received no input for __start__", "it needs an input"],
    ),
    "no input on a new thread": (
        lambda: kept().invoke(None, thread="t9"),
        EmptyInputError,
        ["Received no input for __start__", "has no checkpoint to resume from on thread 't9'"],
    ),
    "an empty command": (
        lambda: returning(None).invoke(Command()),
        EmptyInputError,
        ["Received an empty Command as input: give it `resume`, `update` or `goto`."],
    ),
    "a command for a parent of the root": (
        lambda: kept().invoke(Command(graph=Command.PARENT, goto="a"), thread="t"),
        InvalidUpdateError,
        ["There is no parent graph"],
    ),
    "an input that is no mapping": (
        lambda: returning(None).invoke(42),
        InvalidUpdateError,
        ["Expected dict, got 42", "The input must be a dict of state keys", "['log', 'x']"],
    ),
    "a thread in place of a config": (
        lambda: kept().invoke(INPUT, "t9"),
        AttributeError,
        ['A config is a dict, e.g. {"configurable": {"thread_id": "t1"}}, and not \'t9\'', "write `thread=`"],
    ),
    "a thread in place of a config of a stream": (
        lambda: list(kept().stream(INPUT, "t9")),
        AttributeError,
        ["and not 't9'"],
    ),
    "an unknown checkpoint": (
        lambda: kept().invoke(None, {"configurable": {"thread_id": "t9", "checkpoint_id": "c1"}}),
        EmptyInputError,
        ["has no checkpoint to resume from on thread 't9': there is no 'c1'."],
    ),
    "a limit below one": (
        lambda: returning(None).invoke(INPUT, {"recursion_limit": 0}),
        ValueError,
        ["recursion_limit must be at least 1"],
    ),
    "an endless loop": (
        lambda: loop().invoke(INPUT, {"recursion_limit": 5}),
        GraphRecursionError,
        [
            "Recursion limit of 5 reached",
            "wanted to run 'a' in superstep 6",
            '{"recursion_limit": N}',
            "GRAPH_RECURSION_LIMIT",
        ],
    ),
    "no thread id": (
        lambda: kept().invoke(INPUT),
        ValueError,
        ["Checkpointer requires one or more of the following 'configurable' keys: thread_id", 'Pass thread="…"'],
    ),
    "state without a thread id": (
        lambda: kept().get_state({}),
        KeyError,
        ["Checkpointer requires one or more of the following 'configurable' keys: thread_id", 'Pass thread="…"'],
    ),
    "an update without a thread id": (
        lambda: kept().update_state({"configurable": {}}, INPUT),
        KeyError,
        ["Checkpointer requires one or more of the following 'configurable' keys: thread_id", 'Pass thread="…"'],
    ),
    "state without a checkpointer": (
        lambda: returning(None).get_state(thread="t"),
        ValueError,
        ["No checkpointer set", 'compile(checkpointer="sqlite:///runs.db")'],
    ),
    "history without a checkpointer": (
        lambda: list(returning(None).get_state_history(thread="t")),
        ValueError,
        ["No checkpointer set"],
    ),
    "an update without a checkpointer": (
        lambda: returning(None).update_state({}, INPUT, thread="t"),
        ValueError,
        ["No checkpointer set"],
    ),
    "an answer without a checkpointer": (
        lambda: returning(None).invoke(Command(resume="yes")),
        RuntimeError,
        ["Cannot use Command(resume=...) without checkpointer"],
    ),
    "one answer to two questions": (
        lambda: two_questions().invoke(Command(resume="yes"), thread="t"),
        RuntimeError,
        ["multiple pending interrupts, you must specify the interrupt id", "Command(resume={id: answer})"],
    ),
    "a history of its own at the root": (
        lambda: (
            StateGraph(State)
            .add_node("a", lambda s: None)
            .add_edge(START, "a")
            .compile(checkpointer=True)
            .invoke(INPUT, thread="t")
        ),
        RuntimeError,
        ["checkpointer=True cannot be used for root graphs"],
    ),
    "an update by nobody": (
        lambda: kept().update_state({}, INPUT, as_node="b", thread="t"),
        InvalidUpdateError,
        ["Node b does not exist", "'a'"],
    ),
    "an update that is no mapping": (
        lambda: kept().update_state({}, 42, as_node="a", thread="t"),
        InvalidUpdateError,
        ["Expected dict, got 42", "Node 'a'"],
    ),
    "no supersteps": (lambda: kept().bulk_update_state({}, [], thread="t"), ValueError, ["No supersteps provided"]),
    "no updates": (lambda: kept().bulk_update_state({}, [[]], thread="t"), ValueError, ["No updates provided"]),
    "an unknown stream mode": (
        lambda: list(returning(None).stream(INPUT, stream_mode="vaules")),
        ValueError,
        ["Unknown stream mode 'vaules'; the modes are values, updates"],
    ),
    "a result that is no update": (
        lambda: returning(42).invoke(INPUT),
        InvalidUpdateError,
        ["Expected dict, got 42", "Node 'a' must return a dict of state keys", "['log', 'x']"],
    ),
    "a command to no name": (
        lambda: returning(Command(goto=[42])).invoke(INPUT),
        InvalidUpdateError,
        ["Node 'a' returned a Command with goto=[42]: 42 is neither a node's name nor a Send"],
    ),
    "two writers of a plain key": (
        lambda: beside({"x": 1}, {"x": 2}).invoke(INPUT),
        InvalidUpdateError,
        [
            "At key 'x': Can receive only one value per step.",
            "Annotated[list, operator.add]",
            "superstep 1, written by 'left', 'right'",
        ],
    ),
    "two overwrites of a key": (
        lambda: beside({"log": Overwrite([])}, {"log": Overwrite([])}).invoke(INPUT),
        InvalidUpdateError,
        ["At key 'log': Can receive only one Overwrite value per super-step, got 2", "written by 'left', 'right'"],
    ),
    "a router that returns nothing": (
        lambda: routing(None).invoke(INPUT),
        ValueError,
        [
            "Branch did not return a valid destination: router 'condition' of node 'a' returned None in superstep 1",
            "Return a node's name, END, a Send, or a list of them.",
        ],
    ),
    "a router that returns START": (
        lambda: routing(START).invoke(INPUT),
        ValueError,
        ["Branch did not return a valid destination", "'__start__'"],
    ),
    "a router that returns a number": (
        lambda: routing(["b", 42]).invoke(INPUT),
        ValueError,
        ["Branch did not return a valid destination", "returned ['b', 42]"],
    ),
    "a Send to END": (
        lambda: routing([Send(END, {})]).invoke(INPUT),
        InvalidUpdateError,
        ["Cannot send a packet to the END node (router 'condition' of node 'a')"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_at_run_time_is_said(mistake: str) -> None:
    run, kind, parts = MISTAKES[mistake]

    with pytest.raises(kind) as caught:
        run()

    message = str(caught.value)
    assert [part for part in parts if part not in message] == [], message


@pytest.mark.parametrize("answer", ["no", ["yes", "no"], {"un": "hashable"}])
def test_an_answer_that_a_path_map_does_not_have_names_router_and_known_answers(answer: Any) -> None:
    app = routing(answer, {"yes": "b"})

    with pytest.raises((KeyError, TypeError)) as caught:
        app.invoke(INPUT)

    notes = "\n".join(caught.value.__notes__)
    assert f"Router 'condition' of node 'a' returned {answer!r}" in notes
    assert "its path map [\"'yes'\"] does not have" in notes


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("value", [{}, {"__root__": 1}, {"a": 1}, [], 0], ids=repr)
def test_a_state_of_one_value_may_be_any_dict(value: Any, saved: bool) -> None:
    seen: list[Any] = []
    builder: Any = StateGraph(dict).add_node("a", lambda s: value).add_node("b", lambda s: seen.append(s))
    graph = (
        builder.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=MemoryCheckpointer() if saved else None)
    )
    options = {"thread": "t"} if saved else {}
    assert graph.invoke({"x": 1}, **options) == value
    assert seen == [value]
    graph = StateGraph(dict).add_node("b", lambda s: seen.append(s)).add_edge(START, "b").compile()
    assert graph.invoke(value) == value
    assert seen == [value, value]


def test_keys_that_the_graph_does_not_have_are_dropped() -> None:
    app = returning({"log": ["a"], "typo": 1})

    assert app.invoke({"log": ["in"], "unknown": 2}) == {"log": ["in", "a"]}


@pytest.mark.parametrize("where", ["router", "command", "send"])
def test_an_unknown_target_is_ignored_and_logged(where: str, caplog: pytest.LogCaptureFixture) -> None:
    apps = {
        "router": lambda: routing(["b", "nobody"]),
        "command": lambda: returning(Command(goto=["nobody"], update={"log": ["b"]})),
        "send": lambda: routing(["b", Send("nobody", {})]),
    }

    assert apps[where]().invoke(INPUT) == {"log": ["in", "b"]}

    assert "unknown node 'nobody'" in caplog.text
    assert "superstep" in caplog.text


def test_a_command_to_start_is_ignored_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    for app in (returning(Command(goto=START)), returning(Command(goto=[START], update={"log": ["a"]}))):
        app.invoke(INPUT, {"recursion_limit": 3})

    assert caplog.text.count("goes to unknown node '__start__': ignored. Known nodes: a.") == 2


def test_two_writers_leave_a_thread_that_can_be_read_and_mended() -> None:
    calls: list[str] = []
    broken = [True]

    def write(name: str) -> Any:
        def node(state: State) -> State:
            calls.append(name)
            return {"x": 1} if broken[0] else {"log": [name]}

        return node

    built = StateGraph(State).add_node("left", write("left")).add_node("right", write("right"))
    app = built.add_edge(START, "left").add_edge(START, "right").compile(checkpointer=MemoryCheckpointer())
    with pytest.raises(InvalidUpdateError):
        app.invoke(INPUT, thread="t")

    state = app.get_state(thread="t")
    again = app.update_state(state.config, {"x": 1}, as_node="left")

    assert (state.values, state.next) == (INPUT, ("left", "right"))
    assert sorted(calls) == ["left", "right"]
    assert app.get_state(again).values == {"log": ["in"], "x": 1}


class TestRenamedNode:
    """A thread that waits for a node which the graph no longer has."""

    @pytest.fixture
    def app(self) -> CompiledStateGraph:
        saver = MemoryCheckpointer()
        old = StateGraph(State).add_node("a", lambda s: {"log": ["a"]}).add_node("old", lambda s: {"log": ["old"]})
        old.add_edge(START, "a").add_edge("a", "old")
        old.compile(checkpointer=saver, interrupt_before=["old"]).invoke(INPUT, thread="t")
        new = StateGraph(State).add_node("a", lambda s: {"log": ["a"]}).add_node("new", lambda s: {"log": ["new"]})
        return new.add_edge(START, "a").add_edge("a", "new").compile(checkpointer=saver)

    @pytest.mark.parametrize("given", [None, Command(update={"log": ["by hand"]})])
    def test_cannot_go_on_and_says_where_else(self, app: CompiledStateGraph, given: Any) -> None:
        with pytest.raises(InvalidUpdateError) as caught:
            app.invoke(given, thread="t")

        assert "Thread 't' would go on with node 'old', which graph 'LangGraph' does not have" in str(caught.value)
        assert "Its nodes are ['a', 'new']" in str(caught.value)
        assert "say where to go on: `invoke(Command(goto=name), ...)`" in str(caught.value)

    def test_goes_on_where_a_command_says(self, app: CompiledStateGraph) -> None:
        assert app.invoke(Command(goto="new"), thread="t") == {"log": ["in", "a", "new"]}

    def test_takes_new_input(self, app: CompiledStateGraph) -> None:
        assert app.invoke({"log": ["again"]}, thread="t") == {"log": ["in", "a", "again", "a", "new"]}

    def test_goes_on_after_an_update_in_the_name_of_a_node(self, app: CompiledStateGraph) -> None:
        app.update_state({}, {"log": ["by hand"]}, as_node="a", thread="t")

        assert app.invoke(None, thread="t") == {"log": ["in", "a", "by hand", "new"]}

    def test_can_be_looked_at(self, app: CompiledStateGraph) -> None:
        assert app.get_state(thread="t").values == {"log": ["in", "a"]}
        assert [each.metadata["step"] for each in app.get_state_history(thread="t") if each.metadata] == [1, 0, -1]


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"configurable": {"thread_id": "t"}},
        {"configurable": {"thread_id": 5}, "recursion_limit": 7},
        {"configurable": {"thread_id": ""}},
        {"configurable": {"thread_id": "t", "user": "Ada"}},
        {"configurable": {"thread_id": "t", "checkpoint_ns": ""}},
        {"configurable": {"thread_id": "t"}, "metadata": {"team": "red"}},
        {"configurable": {"thread_id": "t"}, "tags": ["x"]},
    ],
    ids=lambda config: str(len(str(config))),
)
@pytest.mark.parametrize("saved", [False, True])
def test_a_call_with_few_settings_asks_for_what_the_long_way_does(config: dict[str, Any], saved: bool) -> None:
    graph = returning(None)
    graph.checkpointer = MemoryCheckpointer() if saved and config else None
    short, whole = plain_engine(graph, 1, config).request, graph.engine(1, config).request

    fields = {name for name in dir(whole) if not name.startswith("__")} - {"new_id"}
    assert {name: getattr(short, name) for name in fields} == {name: getattr(whole, name) for name in fields}


@pytest.mark.parametrize("config", [{}, {"configurable": {}}, {"configurable": {"thread_id": None}}])
def test_a_call_that_names_no_thread_is_refused_by_a_checkpointer(config: dict[str, Any]) -> None:
    graph = returning(None)
    graph.checkpointer = MemoryCheckpointer()

    with pytest.raises(ValueError, match="thread"):
        graph.invoke(1, config)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="recursion_limit must be at least 1"):
        returning(None).invoke(1, {"configurable": {"thread_id": "t"}, "recursion_limit": limit})
