"""What a graph takes and gives, as JSON Schema: the same as LangGraph's; and copies of graphs."""

from __future__ import annotations

import operator
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any

import pytest
from langgraph.graph import StateGraph as TheirGraph
from pydantic import BaseModel
from pydantic.errors import PydanticUserError
from typing_extensions import TypedDict

from stepgraph import START, MessagesState, StateGraph
from stepgraph.persist import MemoryCheckpointer


class Dict(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    x: int


class Part(TypedDict):
    x: int


class Model(BaseModel):
    log: Annotated[list[str], operator.add] = []
    n: int


@dataclass
class Data:
    n: int
    log: Annotated[list[str], operator.add] = field(default_factory=list)
    s: str = "q"


class Context(TypedDict):
    user: str


SCHEMAS: dict[str, tuple[Any, dict[str, Any]]] = {
    "dict": (Dict, {}),
    "parts": (Dict, {"input_schema": Part, "output_schema": Part}),
    "model": (Model, {}),
    "dataclass": (Data, {}),
    "root": (Annotated[list[int], operator.add], {}),
    "context": (Dict, {"context_schema": Context}),
}


def compiled(builder: Any, schema: Any, options: dict[str, Any], name: str | None = None) -> Any:
    g = builder(schema, **options)
    g.add_node("a", lambda state: state)
    g.add_edge(START, "a")
    return g.compile(name=name)


@pytest.mark.parametrize("name", ["mine", None])
@pytest.mark.parametrize("kind", SCHEMAS)
def test_schemas_are_described_as_langgraph_does(kind: str, name: str | None) -> None:
    theirs, ours = (compiled(builder, *SCHEMAS[kind], name) for builder in (TheirGraph, StateGraph))
    for method in ("get_input_jsonschema", "get_output_jsonschema", "get_context_jsonschema"):
        assert getattr(ours, method)() == getattr(theirs, method)()
    for method in ("get_input_schema", "get_output_schema"):
        want, got = getattr(theirs, method)(), getattr(ours, method)()
        assert got.__name__ == want.__name__
        assert got.model_json_schema() == want.model_json_schema()
    assert (ours.InputType, ours.OutputType) == (theirs.InputType, theirs.OutputType)
    assert ours.get_name() == theirs.get_name()


class Chat(MessagesState):
    mood: str


def test_a_state_of_messages_is_described() -> None:
    """Its TypedDict is typing's, which Pydantic refuses on old Pythons."""
    found = compiled(StateGraph, Chat, {}).get_input_jsonschema()
    assert found["required"] == ["messages", "mood"]
    assert found["properties"]["messages"]["type"] == "array"


def test_a_context_that_is_no_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid context schema type"):
        compiled(StateGraph, Dict, {"context_schema": int}).get_context_jsonschema()


@dataclass
class Seeded:
    n: int
    seed: InitVar[int] = 0


@pytest.mark.parametrize("engine", [StateGraph, TheirGraph])
def test_what_pydantic_can_not_describe_it_refuses_itself(engine: Any) -> None:
    with pytest.raises(PydanticUserError, match="InitVar"):
        compiled(engine, Seeded, {}).get_input_jsonschema()


def test_a_copy_has_what_is_updated_and_leaves_the_graph_alone() -> None:
    graph = compiled(StateGraph, Dict, {}, "mine")
    saver = MemoryCheckpointer()
    other = graph.copy({"name": "other", "checkpointer": saver})
    assert (other.name, graph.name) == ("other", "mine")
    assert (other.checkpointer, graph.checkpointer) == (saver, None)
    assert other.invoke({"x": 1}, thread="t") == graph.invoke({"x": 1})
    assert graph.validate() is graph
