"""What a graph tells of its schemas, and of itself."""

import operator
from dataclasses import dataclass
from typing import Annotated, Any

from langgraph.graph import START, StateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict


class In(TypedDict):
    question: str


class Out(TypedDict):
    answer: str


class Whole(In, Out):
    notes: Annotated[list[str], operator.add]


class Model(BaseModel):
    name: str
    size: int = 3


@dataclass
class Data:
    name: str
    items: list[int]


class Context(TypedDict):
    user: str


def json_schemas(show: Any) -> None:
    several = StateGraph(Whole, Context, input_schema=In, output_schema=Out)
    for builder in (several, StateGraph(Whole), StateGraph(Model), StateGraph(Data)):
        graph = builder.add_node("a", lambda s: {}).add_edge(START, "a").compile()
        show(graph.get_input_jsonschema(), graph.get_output_jsonschema(), graph.get_context_jsonschema())
        show(graph.input_schema.model_json_schema(), graph.output_schema.model_json_schema())
        show(graph.InputType, graph.OutputType)


def itself(show: Any) -> None:
    builder = StateGraph(Whole, input_schema=In, output_schema=Out).add_node("a", lambda s: {"answer": "x"})
    graph = builder.add_edge(START, "a").compile(interrupt_before=["a"], name="told")
    show(graph.name, graph.get_name(), sorted(graph.nodes), graph.stream_mode, graph.interrupt_before_nodes)
    show(graph.input_channels, sorted(graph.output_channels), sorted(graph.stream_channels_list))
    show([key for key in graph.channels if not key.startswith(("branch:", "__"))])
    show(graph.validate() is graph)
