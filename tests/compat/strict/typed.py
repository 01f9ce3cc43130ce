"""Threads in LangGraph's strict mode: objects of classes that the graph's types name come back, no others."""

import enum
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage
from langgraph._internal._serde import build_serde_allowlist, collect_allowlist_from_schemas, curated_core_allowlist
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Interrupt, Overwrite, PregelTask, Send, StateSnapshot, TimeoutPolicy, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

THREAD: Any = {"configurable": {"thread_id": "t"}}


class Part(BaseModel):
    n: int = 0


class Model(BaseModel):
    part: Part = Part()


@dataclass
class Data:
    n: int
    part: "Part | None" = None


class Kind(enum.Enum):
    A = 1


class Unknown(BaseModel):
    z: int = 1


class State(TypedDict, total=False):
    model: Model
    data: Data | None
    kinds: list[Kind]
    other: Any
    messages: list


class Whole(BaseModel):
    model: Model = Model()
    other: Any = None


def kept(show: Any) -> None:
    given = {"model": Model(), "data": Data(1, Part(n=2)), "kinds": [Kind.A], "other": Unknown()}
    given["messages"] = [AIMessage("hi", id="1")]
    for schema in (State, Whole):
        builder = StateGraph(schema).add_node("n", lambda s: given if isinstance(s, dict) else {"other": Unknown()})
        graph = builder.add_edge(START, "n").compile(checkpointer=InMemorySaver())
        show(graph.invoke({"model": Model(part=Part(n=5))}, THREAD), graph.get_state(THREAD).values)
        show([sorted(each.values) for each in graph.get_state_history(THREAD)])


def inside_and_sent(show: Any) -> None:
    inner = StateGraph(State).add_node("i", lambda s: {"data": Data(interrupt("how many?"))}).add_edge(START, "i")
    outer = StateGraph(State).add_node("o", inner.compile()).add_edge(START, "o")
    outer.add_conditional_edges(START, lambda s: [Send("sent", Unknown(z=2)), Send("sent", Part(n=3))])
    outer.add_node("sent", lambda given: {"kinds": [Kind.A]} if isinstance(given, Part) else {"other": repr(given)})
    graph = outer.compile(checkpointer=InMemorySaver())
    show(graph.invoke({"model": Model()}, THREAD), graph.invoke(Command(resume=5), THREAD))
    show(graph.get_state(THREAD).values)


def functions(show: Any) -> None:
    @task
    def other(given: Model) -> Unknown:
        return Unknown(z=given.part.n)

    @entrypoint(checkpointer=InMemorySaver())
    def flow(given: Model) -> Data:
        found = other(given).result()
        return Data(interrupt(repr(found)))

    show(flow.invoke(Model(part=Part(n=4)), THREAD), flow.invoke(Command(resume=1), THREAD))
    show(flow.get_state(THREAD).values)


def lists(show: Any) -> None:
    show(sorted(curated_core_allowlist()), sorted(collect_allowlist_from_schemas(schemas=[State, Whole, None, Data])))
    show(len(build_serde_allowlist(schemas=[Kind], channels={})))


def words(show: Any) -> None:
    """LangGraph's own objects, wherever they are: their classes are allowed by their names."""
    send = Send("n", {"again": [Send("n", 1, timeout=2)]})
    shown = StateSnapshot({"x": [[send]]}, (), {}, None, None, None, (PregelTask("1", "n", ()),), ())
    question = Interrupt("why?", id="1", response_schema={"type": "string"})
    command = Command(goto=[send], update={"x": [send]})
    given = [
        {"y": [(send, command, Overwrite([1]))]},
        {1: [[question]]},
        {Send("n", 2)},
        TimeoutPolicy(run_timeout=3),
        shown,
    ]
    builder = StateGraph(State).add_node("n", lambda _: {"other": given, "data": Data([[send]])}).add_edge(START, "n")
    graph = builder.compile(checkpointer=InMemorySaver())
    show(graph.invoke({"other": given}, THREAD), graph.get_state(THREAD).values)
    show([each.values for each in graph.get_state_history(THREAD)])
