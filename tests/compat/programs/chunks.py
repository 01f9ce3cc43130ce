"""Chunks of streams: their shapes by mode and version, and what is shown of which task."""

# ruff: noqa: B023  what is made in a loop runs at once

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


class Log(TypedDict):
    log: Annotated[list, operator.add]
    x: int


def kind(call: Any) -> Any:
    try:
        return call()
    except BaseException as error:
        return type(error).__name__


def thread(name: str = "t", **more: Any) -> Any:
    return {"configurable": {"thread_id": name, **more}}


def updates_of_each_kind(show: Any) -> None:
    for returned in (
        {"x": 1},
        None,
        {},
        {"y": 1},
        Command(update={"x": 1}),
        Command(goto="b"),
        [Command(update={"log": [1]}), Command(update={"log": [2]})],
        [Command(update={"log": [1], "x": 2}), Command(update={"log": [2]})],
        Command(update=[("log", [1]), ("log", [2]), ("x", 1)]),
    ):
        app = (
            StateGraph(Log)
            .add_node("a", lambda s: returned, destinations=("b",))
            .add_node("b", lambda s: None)
            .add_edge(START, "a")
            .compile()
        )
        show(
            (
                repr(returned)[:20],
                list(app.stream({"log": []}, stream_mode="updates")),
                list(app.stream({"log": []}, stream_mode="values")),
            )
        )
        show(
            [
                (each["name"], each.get("result"))
                for each in app.stream({"log": []}, stream_mode="tasks")
                if "result" in each
            ]
        )


def several_of_one_node(show: Any) -> None:
    g = (
        StateGraph(Log)
        .add_node("a", lambda n: {"log": [n]})
        .add_conditional_edges(START, lambda s: [Send("a", n) for n in range(3)])
    )
    app = g.compile()
    show(
        sorted(map(repr, app.stream({"log": []}, stream_mode="updates"))),
        list(app.stream({"log": []}, stream_mode="values")),
    )


def questions(show: Any) -> None:
    g = (
        StateGraph(Log)
        .add_node("a", lambda s: {"log": [interrupt("q")]})
        .add_node("b", lambda s: {"log": ["b"]})
        .add_edge(START, "a")
        .add_edge(START, "b")
    )
    app = g.compile(checkpointer=InMemorySaver())
    for mode in ("values", "updates", "tasks", "checkpoints", "debug"):
        found = list(app.stream({"log": []}, thread(mode), stream_mode=mode))
        show(
            mode,
            len(found),
            [sorted(each) for each in found]
            if mode in ("checkpoints", "debug")
            else found
            if mode in ("values",)
            else sorted(map(str, (sorted(each) for each in found))),
        )
    for mode in ("values", "updates"):
        show(
            mode,
            list(app.stream({"log": []}, thread(mode + "2"), stream_mode=mode, version="v2"))[-1]["type"],
            [sorted(each) for each in app.stream({"log": []}, thread(mode + "2"), stream_mode=mode, version="v2")],
        )
    show(
        app.invoke({"log": []}, thread("v2"), version="v2"), app.invoke(Command(resume="a"), thread("v2"), version="v2")
    )


def shapes(show: Any) -> None:
    inner = StateGraph(Log).add_node("i", lambda s: {"log": ["i"]}).add_edge(START, "i").compile()
    app = StateGraph(Log).add_node("sub", inner).add_edge(START, "sub").compile()
    for options in (
        {},
        {"stream_mode": "values"},
        {"stream_mode": ["values"]},
        {"stream_mode": ("values", "updates")},
        {"stream_mode": ["values", "updates"]},
        {"stream_mode": "updates", "subgraphs": True},
        {"stream_mode": ["updates", "values"], "subgraphs": True},
        {"stream_mode": [], "subgraphs": True},
        {"stream_mode": "updates", "subgraphs": True, "version": "v2"},
        {"stream_mode": ["values"], "version": "v2"},
        {"stream_mode": "custom"},
        {"stream_mode": "messages"},
        {"stream_mode": "checkpoints"},
        {"output_keys": "x"},
        {"output_keys": ["log"], "stream_mode": "values"},
        {"output_keys": [], "stream_mode": "values"},
    ):
        show((options, kind(lambda: list(app.stream({"log": []}, **options)))))
    for mode in ("values", "updates", ["values"], ["values", "updates"], "custom", "debug", "tasks"):
        found = kind(lambda: app.invoke({"log": []}, stream_mode=mode))
        show(
            (mode, type(found).__name__, found if mode in ("values", "updates", ["values", "updates"]) else len(found))
        )


def objects_in_v2(show: Any) -> None:
    class Model(BaseModel):
        x: int = 0
        log: Annotated[list, operator.add] = []

    @dataclass
    class Data:
        x: int = 0
        log: Annotated[list, operator.add] = field(default_factory=list)

    for schema in (Model, Data, Log):
        app = (
            StateGraph(schema)
            .add_node("a", lambda s: {"x": 2, "log": ["a"]})
            .add_edge(START, "a")
            .compile(checkpointer=InMemorySaver())
        )
        for mode in ("values", "updates", "checkpoints", "tasks"):
            found = list(app.stream({"x": 1, "log": []}, thread(mode), stream_mode=mode, version="v2"))
            show(
                (
                    schema.__name__,
                    mode,
                    [
                        (
                            each["type"],
                            each["ns"],
                            type(each["data"]).__name__,
                            type(each["data"].get("values")).__name__ if mode == "checkpoints" else None,
                        )
                        for each in found
                    ],
                )
            )
        out = app.invoke({"x": 1, "log": []}, thread("i"), version="v2")
        show(type(out).__name__, out.value, out.interrupts, app.invoke({"x": 1, "log": []}, thread("j")))
