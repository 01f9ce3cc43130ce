"""Each mistake in building and compiling a graph says what is wrong and where, and how to mend it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import END, START, Command, IsLastStep, StateGraph, task
from stepgraph.core.deprecated import LangGraphDeprecationWarning


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    x: int


def note(state: State) -> State:
    return {"log": ["note"]}


def graph(*names: str) -> StateGraph:
    """A graph with these nodes and an edge from START to the first."""
    made = StateGraph(State)
    for name in names:
        made.add_node(name, note)
    return made.add_edge(START, names[0])


def other(state: State) -> str:
    return "nowhere"


class Managed(TypedDict):
    last: IsLastStep


def keyed(key: str) -> StateGraph:
    """A graph whose state has this key."""
    return StateGraph(TypedDict("Keyed", {key: int})).add_node("a", note).add_edge(START, "a")  # type: ignore[operator]  # a schema of parts


BUILDING: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a reserved key": (
        lambda: keyed("checkpoint_id").compile(),
        ValueError,
        "Channel name 'checkpoint_id' is reserved and cannot be used in the graph: choose another one.",
    ),
    "a key with the prefix of inner names": (
        lambda: keyed("__pregel_tasks").compile(),
        ValueError,
        "Channel name '__pregel_tasks' is reserved",
    ),
    "a reserved name": (
        lambda: graph("__interrupt__").compile(),
        ValueError,
        "Node name '__interrupt__' is reserved",
    ),
    "no name": (
        lambda: graph("a").add_node(None, note),
        RuntimeError,
        "A node needs a name and an action: add_node('plan', ",
    ),
    "a number of interrupts": (
        lambda: graph("a").compile(interrupt_after=3),
        TypeError,
        'Interrupts before or after nodes are a list of their names or "*", not 3.',
    ),
    "a name twice": (lambda: graph("a").add_node("a", note), ValueError, "Node `a` already present."),
    "the name of the entry": (lambda: graph("a").add_node(START, note), ValueError, "Node `__start__` is reserved."),
    "the name of the exit": (lambda: graph("a").add_node(END, note), ValueError, "Node `__end__` is reserved."),
    "a bar in a name": (lambda: graph("a|b"), ValueError, "'|' is a reserved character and is not allowed"),
    "a colon in a name": (lambda: graph("a:b"), ValueError, "':' is a reserved character and is not allowed"),
    "a number of attempts for a policy": (
        lambda: graph("a").add_node("b", note, retry_policy=3),
        TypeError,
        "retry_policy is a RetryPolicy or a list of them, not 3; for three attempts write RetryPolicy(max_attempts=3).",
    ),
    "numbers for policies by default": (
        lambda: graph("a").set_node_defaults(retry_policy=[3]),
        TypeError,
        "retry_policy is a RetryPolicy or a list of them, not 3",
    ),
    "seconds for a cache policy": (
        lambda: graph("a").add_node("b", note, cache_policy=60),
        TypeError,
        "cache_policy is a CachePolicy, not 60.",
    ),
    "seconds for a cache policy by default": (
        lambda: graph("a").set_node_defaults(cache_policy=60),
        TypeError,
        "cache_policy is a CachePolicy, not 60.",
    ),
    "seconds for the cache policy of a task": (
        lambda: task(note, cache_policy=60),
        TypeError,
        "cache_policy is a CachePolicy, not 60.",
    ),
    "a name for a trace policy": (
        lambda: graph("a").add_node("b", note, trace_policy="none"),
        TypeError,
        "trace_policy is a TracePolicy, not 'none'.",
    ),
    "a name for a timeout": (
        lambda: graph("a").add_node("b", note, timeout="soon"),
        ValueError,
        "run_timeout is a number of seconds or a timedelta, not 'soon'.",
    ),
    "a graph that is not compiled": (
        lambda: graph("a").add_node("b", graph("c")),
        TypeError,
        "got StateGraph: call its compile() first. Expected a Runnable, callable or dict.",
    ),
    "a dict for a schema": (
        lambda: StateGraph({"x": int}),
        TypeError,
        "A schema is a class, and not {'x': <class 'int'>}: write a TypedDict, a dataclass or a Pydantic model",
    ),
    "a dict for the schema of a node": (
        lambda: graph("a").add_node("b", note, input_schema={"x": int}),
        TypeError,
        "A schema is a class, and not {'x': <class 'int'>}",
    ),
    "no action": (lambda: graph("a").add_node("b"), RuntimeError, "Node 'b' needs an action: add_node('b', function)"),
    "no function": (
        lambda: graph("a").add_node("b", 42),
        TypeError,
        "Node 'b' must be a function, an async function, a Runnable, a dict of them or a compiled graph, got int.",
    ),
    "an edge from END": (lambda: graph("a").add_edge(END, "a"), ValueError, "END cannot be a start node"),
    "an edge to START": (lambda: graph("a").add_edge("a", START), ValueError, "START cannot be an end node"),
    "a join from END": (lambda: graph("a").add_edge(["a", END], "a"), ValueError, "END cannot be a start node"),
    "a join to START": (lambda: graph("a").add_edge(["a"], START), ValueError, "START cannot be an end node"),
    "a join from nobody": (lambda: graph("a").add_edge(["a", "b"], "a"), ValueError, "Need to add_node `b` first"),
    "a join to nobody": (lambda: graph("a").add_edge(["a"], "b"), ValueError, "Need to add_node `b` first"),
    "a router twice": (
        lambda: graph("a").add_conditional_edges("a", other).add_conditional_edges("a", other),
        ValueError,
        "Branch with name `other` already exists for node `a`",
    ),
    "a router that is none": (
        lambda: graph("a").add_conditional_edges("a", "b"),
        TypeError,
        "The path of conditional edges from 'a' must be a function, an async function, a Runnable, ",
    ),
    "an empty sequence": (lambda: graph("a").add_sequence([]), ValueError, "Sequence requires at least one node."),
    "a sequence of namesakes": (
        lambda: StateGraph(State).add_sequence([note, note]),
        ValueError,
        "Node names must be unique: node with the name 'note' already exists. "
        "If you need to use two different runnables/callables with the same name, "
        "please provide them as tuples (name, action).",
    ),
    "a managed value as input": (
        lambda: StateGraph(State, input_schema=Managed),
        ValueError,
        "Invalid managed channels detected in Managed: last. "
        "Managed channels are not permitted in Input/Output schema.",
    ),
}


@pytest.mark.parametrize("mistake", BUILDING)
def test_a_mistake_in_building_is_said_at_once(mistake: str) -> None:
    build, kind, message = BUILDING[mistake]

    with pytest.raises(kind) as caught:
        build()

    assert message in str(caught.value)


COMPILING: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no entry": (
        lambda: StateGraph(State).add_node("a", note).compile(),
        ValueError,
        "Graph must have an entrypoint: add at least one edge from START to another node",
    ),
    "an edge from nobody": (
        lambda: graph("a").add_edge("b", "a").compile(),
        ValueError,
        "Found edge starting at unknown node 'b'",
    ),
    "an edge to nobody": (
        lambda: graph("a").add_edge("a", "b").compile(),
        ValueError,
        "Found edge ending at unknown node `b`",
    ),
    "a router of nobody": (
        lambda: graph("a").add_conditional_edges("b", other).compile(),
        ValueError,
        "Found edge starting at unknown node 'b'",
    ),
    "a path map to nobody": (
        lambda: graph("a").add_conditional_edges("a", other, {"yes": "b"}).compile(),
        ValueError,
        "At 'a' node, 'other' branch found unknown target 'b'",
    ),
    "a breakpoint before nobody": (
        lambda: graph("a").compile(interrupt_before=["b"]),
        ValueError,
        "Interrupt node `b` not found",
    ),
    "a breakpoint after nobody": (
        lambda: graph("a").compile(interrupt_before="*", interrupt_after=["b"]),
        ValueError,
        "Interrupt node `b` not found",
    ),
    "a checkpointer that is none": (
        lambda: graph("a").compile(checkpointer=42),
        TypeError,
        'Invalid checkpointer provided. Expected an object of stepgraph.persist, a URL like "sqlite:///runs.db", '
        "a checkpointer of LangGraph's, True, False or None. Received int.",
    ),
    "a checkpointer's class": (
        lambda: graph("a").compile(checkpointer=dict),
        TypeError,
        "Invalid checkpointer provided.",
    ),
    "a URL of an unknown kind": (
        lambda: graph("a").compile(checkpointer="carrier-pigeon://roof"),
        ValueError,
        "Unknown checkpointer URL 'carrier-pigeon://roof'. The schemes are memory, sqlite",
    ),
}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda builder: builder.add_edge("drfat", "send"),
        lambda builder: builder.add_edge("send", "drfat"),
        lambda builder: builder.add_conditional_edges("send", other, ["drfat"]),
        lambda builder: builder.compile(interrupt_after=["drfat"]),
    ],
)
def test_an_unknown_name_is_told_with_the_closest_and_those_there_are(wrong):
    builder = StateGraph(State).add_node("draft", note).add_node("send", note).add_edge(START, "draft")
    with pytest.raises(ValueError, match=r"drfat.*did you mean 'draft'\?\). Nodes: draft, send; add it with add_node"):
        wrong(builder).compile()


@pytest.mark.parametrize("mistake", COMPILING)
def test_a_mistake_in_the_whole_is_said_when_compiling(mistake: str) -> None:
    compile_it, kind, message = COMPILING[mistake]

    with pytest.raises(kind) as caught:
        compile_it()

    assert message in str(caught.value)


def test_an_unreachable_node_compiles_and_never_runs() -> None:
    app = graph("a", "island").compile()

    assert app.invoke({"log": []}) == {"log": ["note"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.add_node("late", note), "Adding a node to a graph that has already been compiled"),
        (lambda g: g.add_edge("a", END), "Adding an edge to a graph that has already been compiled"),
        (lambda g: g.add_conditional_edges("a", other), "Adding an edge to a graph that has already been compiled"),
    ],
)
def test_a_change_after_compiling_is_logged(
    change: Callable[[StateGraph], Any], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    built = graph("a")
    built.compile()

    change(built)

    assert message in caplog.text


class Names(StrEnum):
    FIRST = "first"
    SECOND = "second"
    THIRD = "third"


@pytest.mark.parametrize("listened", [False, True])
def test_names_may_be_members_of_an_enum(*, listened: bool) -> None:
    built = StateGraph(State)
    built.add_node(Names.FIRST, note).add_node(Names.SECOND, lambda s: Command(goto=Names.THIRD))
    built.add_node(Names.THIRD, note)
    built.add_edge(START, Names.FIRST).add_conditional_edges(Names.FIRST, lambda s: Names.SECOND)

    app = built.compile("memory://")

    ran = [name for chunk in app.stream({"log": []}, thread="t") for name in chunk] if listened else []
    state = app.get_state(thread="t") if listened else app.invoke({"log": []}, thread="t")
    assert ran == (["first", "second", "third"] if listened else [])
    assert (state.values if listened else state) == {"log": ["note", "note"]}


def test_a_lone_function_gives_the_node_its_name() -> None:
    class Judge:
        def __call__(self, state: State) -> State:
            return {"log": ["judge"]}

    app = StateGraph(State).add_sequence([note, Judge()]).add_edge(START, "note").compile()

    assert [*app.nodes] == ["__start__", "note", "Judge"]
    assert app.invoke({"log": []}) == {"log": ["note", "judge"]}


def test_a_node_may_have_the_name_of_a_state_key() -> None:
    assert graph("log").compile().invoke({"log": []}) == graph("other").compile().invoke({"log": []})


def test_old_names_of_schemas_still_work_with_a_warning() -> None:
    class Answer(TypedDict):
        x: int

    with pytest.warns(LangGraphDeprecationWarning) as told:
        made = StateGraph(State, input=State, output=Answer, config_schema=dict)
    assert [str(each.message).split(" ")[0] for each in told] == ["`config_schema`", "`input`", "`output`"]
    assert (made.output_schema, made.context_schema) == (Answer, dict)
    assert {Path(each.filename) for each in told} == {Path(__file__)}
    with pytest.raises(TypeError, match="unexpected keyword argument 'inputs'"):
        StateGraph(State, inputs=State)


@pytest.mark.parametrize("edge", [("a", 5), (5, "a"), (["a", 5], "a"), (None, "a")])
def test_what_is_no_name_is_refused_where_the_edge_is_drawn(edge: Any) -> None:
    builder = StateGraph(dict).add_node("a", lambda state: state)
    with pytest.raises((TypeError, ValueError), match=r"can't name a node: it is of|Need to add_node `5` first"):
        builder.add_edge(*edge)
