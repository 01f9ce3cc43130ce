"""Calls that leave something out, and the classes of the errors that programs catch for them."""

import asyncio
import operator
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


def graph(**options: Any) -> Any:
    return StateGraph(State).add_node("a", lambda s: {"log": ["a"]}).add_edge(START, "a").compile(**options)


async def listed(chunks: Any) -> list[Any]:
    return [each async for each in chunks]


def calls(app: Any, config: Any) -> dict[str, Any]:
    """Every call that needs a thread."""
    update = {"log": ["u"]}
    return {
        "get_state": lambda: app.get_state(config),
        "aget_state": lambda: asyncio.run(app.aget_state(config)),
        "get_state_history": lambda: list(app.get_state_history(config)),
        "aget_state_history": lambda: asyncio.run(listed(app.aget_state_history(config))),
        "update_state": lambda: app.update_state(config, update, "a"),
        "aupdate_state": lambda: asyncio.run(app.aupdate_state(config, update, "a")),
        "invoke": lambda: app.invoke(update, config),
        "astream": lambda: asyncio.run(listed(app.astream(update, config))),
    }


def without_a_thread(show: Any) -> None:
    """KeyError where state is read or written, ValueError where the graph runs or has no checkpointer."""
    for app, expected in ((graph(checkpointer=InMemorySaver()), KeyError), (graph(), ValueError)):
        for config in ({}, {"configurable": {}}, {"configurable": {"checkpoint_ns": ""}}):
            for name, call in calls(app, config).items():
                runs = name in ("invoke", "astream")
                try:
                    show((name, call()))
                except (KeyError, ValueError) as error:
                    told = ValueError if runs and not config.get("configurable") else expected
                    show((name, "refused", isinstance(error, told)))


def without_modes(show: Any) -> None:
    app = graph()
    show(list(app.stream({"log": []}, stream_mode=[])), app.invoke({"log": []}, stream_mode=[]))
    show(asyncio.run(listed(app.astream({"log": []}, stream_mode=[]))))
    show(list(app.stream({"log": []}, stream_mode=None)))


def has(call: Any, *words: str) -> Any:
    """The class of an error, and which of the words that people search for are in it."""
    try:
        call()
    except Exception as error:
        kind = ValueError if isinstance(error, ValueError) else type(error)
        return kind.__name__, [word for word in words if word not in str(error)]
    return "fine"


def words_of_errors(show: Any) -> None:
    def g() -> Any:
        return StateGraph(State).add_node("a", lambda s: {"log": ["a"]}).add_node("b", lambda s: {})

    def run(node: Any) -> Any:
        return lambda: StateGraph(State).add_node("a", node).add_edge(START, "a").compile().invoke({"log": []})

    saver = InMemorySaver()
    cases = (
        (lambda: g().add_edge(START, "a").add_edge("x", "b").compile(), "Found edge starting at unknown node 'x'"),
        (lambda: g().compile(), "Graph must have an entrypoint: add at least one edge from START to another node"),
        (
            lambda: g().add_edge(START, "a").add_conditional_edges("a", lambda s: "c", {"c": "c"}).compile(),
            "At 'a' node",
            "branch found unknown target 'c'",
        ),
        (lambda: g().add_edge(START, "a").add_edge("a", "x").compile(), "Found edge ending at unknown node `x`"),
        (lambda: g().add_edge(START, "a").compile(interrupt_before=["x"]), "Interrupt node `x` not found"),
        (lambda: g().add_node("a", len), "Node `a` already present."),
        (lambda: g().add_node(END, len), "Node `__end__` is reserved."),
        (lambda: g().add_node("x|y", len), "'|' is a reserved character"),
        (lambda: g().add_edge(["x"], "a"), "Need to add_node `x` first"),
        (lambda: g().add_edge(END, "a"), "END cannot be a start node"),
        (lambda: g().add_edge("a", START), "START cannot be an end node"),
        (run(lambda s: 3), "Expected dict, got 3", "INVALID_GRAPH_NODE_RETURN_VALUE"),
        (lambda: g().add_edge(START, "a").compile().invoke({}), "__start__"),
        (
            lambda: g().add_edge(START, "a").compile().invoke({"log": []}, {"recursion_limit": 0}),
            "recursion_limit",
            "at least 1",
        ),
        (
            lambda: g().add_edge(START, "a").compile(checkpointer=saver).invoke({"log": []}),
            "Checkpointer requires one or more of the following 'configurable' keys",
            "thread_id",
            "checkpoint_ns",
            "checkpoint_id",
        ),
        (
            lambda: g().add_edge(START, "a").compile().get_state({"configurable": {"thread_id": "t"}}),
            "No checkpointer set",
        ),
        (
            lambda: g().add_edge(START, "a").compile().invoke(Command(resume=1)),
            "Cannot use Command(resume=...) without checkpointer",
        ),
        (
            lambda: g().add_edge(START, "a").add_conditional_edges("a", lambda s: None).compile().invoke({"log": []}),
            "Branch did not return a valid destination",
        ),
        (
            lambda: (
                g()
                .add_edge(START, "a")
                .add_conditional_edges("a", lambda s: Send(END, 1))
                .compile()
                .invoke({"log": []})
            ),
            "Cannot send a packet to the END node",
        ),
        (
            lambda: g().add_edge(START, "a").add_edge("a", "a").compile().invoke({"log": []}, {"recursion_limit": 3}),
            "Recursion limit of 3 reached without hitting a stop condition",
            "GRAPH_RECURSION_LIMIT",
        ),
        (
            lambda: (
                g()
                .add_edge(START, "a")
                .compile(checkpointer=saver)
                .update_state({"configurable": {"thread_id": "n"}}, {"log": []}, as_node="x")
            ),
            "Node x does not exist",
        ),
        (lambda: g().add_edge(START, "a").compile(checkpointer=3), "Invalid checkpointer provided"),
        (lambda: g().add_edge(START, "a").compile(checkpointer="memory"), "Invalid checkpointer provided"),
        (lambda: g().add_sequence([]), "Sequence requires at least one node"),
        (lambda: g().add_sequence([("a", len)]), "Node names must be unique"),
        (
            lambda: g().add_conditional_edges("a", len).add_conditional_edges("a", len),
            "Branch with name `len` already exists for node `a`",
        ),
        (
            lambda: (
                g()
                .add_edge(START, "a")
                .compile(checkpointer=True)
                .invoke({"log": []}, {"configurable": {"thread_id": "t"}})
            ),
            "checkpointer=True cannot be used for root graphs",
        ),
    )
    for call, *words in cases:
        show((words, has(call, *words)))
