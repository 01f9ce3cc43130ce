"""What a schema makes of a graph's state: keys, reducers, managed values, private and input and output schemas."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, ClassVar, NotRequired, Required, TypedDict

import pytest
from pydantic import BaseModel, Field, ValidationError

from stepgraph import (
    START,
    BinaryOperatorAggregate,
    EphemeralValue,
    InvalidUpdateError,
    IsLastStep,
    LastValue,
    RemainingSteps,
    StateGraph,
    Topic,
)
from stepgraph.schema.channels import channels_of


class Typed(TypedDict, total=False):
    x: int
    log: Annotated[list[str], operator.add]


@dataclass
class Data:
    x: int = 0
    log: Annotated[list[str], operator.add] = field(default_factory=list)


class Model(BaseModel):
    x: int = 0
    log: Annotated[list[str], operator.add] = Field(default_factory=list)


class Private(TypedDict):
    secret: int


class Narrow(TypedDict):
    x: int


class In(TypedDict):
    question: str


class Out(TypedDict):
    answer: str


class Whole(In, Out):
    note: str


SCHEMAS = pytest.mark.parametrize("schema", [Typed, Data, Model])


def lone(schema: Any, node: Callable[[Any], Any], **options: Any) -> Any:
    """A graph of one node."""
    return StateGraph(schema, **options).add_node("a", node).add_edge(START, "a").compile()


@SCHEMAS
def test_each_kind_of_schema_gives_the_same_channels(schema: Any) -> None:
    channels, managed = channels_of(schema)

    assert {key: type(channel) for key, channel in channels.items()} == {"x": LastValue, "log": BinaryOperatorAggregate}
    assert managed == {}


@pytest.mark.parametrize("schema", [Data, Model])
def test_nodes_and_routers_get_objects_of_the_schema_and_callers_a_dict(schema: Any) -> None:
    seen: list[Any] = []

    def route(state: Any) -> str:
        seen.append(state)
        return "__end__"

    built = StateGraph(schema).add_node("a", lambda s: {"x": s.x + 1, "log": ["a"]}).add_edge(START, "a")
    app = built.add_conditional_edges("a", route).compile()

    assert app.invoke({"x": 1, "log": ["in"]}) == {"x": 2, "log": ["in", "a"]}
    assert seen == [schema(x=2, log=["in", "a"])]


@SCHEMAS
def test_objects_of_the_schema_may_be_input_and_update(schema: Any) -> None:
    app = lone(schema, lambda s: schema(x=5, log=["a"]))

    assert app.invoke(schema(x=1, log=["in"])) == {"x": 5, "log": ["in", "a"]}


def test_a_pydantic_update_writes_only_what_was_set() -> None:
    class Sparse(BaseModel):
        x: int | None = None
        y: int | None = None

    assert lone(Sparse, lambda s: Sparse(y=2)).invoke({"x": 1}) == {"x": 1, "y": 2}
    assert lone(Sparse, lambda s: Sparse(x=None)).invoke({"x": 1}) == {"x": None}


def test_a_value_that_the_model_refuses_is_told_before_the_node_runs_with_its_place() -> None:
    ran: list[Any] = []

    with pytest.raises(ValidationError) as caught:
        lone(Model, ran.append).invoke({"x": "many"})

    assert ran == []
    assert "During task with name 'a'" in "\n".join(caught.value.__notes__)


def test_a_state_without_keys_is_one_value() -> None:
    app = lone(Annotated[list, operator.add], lambda s: [len(s)])

    assert app.invoke(["in"]) == ["in", 1]
    assert list(app.stream(["in"], stream_mode="updates")) == [{"a": [1]}]
    assert list(app.stream(["in"], stream_mode="values")) == [["in"], ["in", 1]]


class Marked(TypedDict):
    need: Required[Annotated[list[int], operator.add]]
    may: NotRequired[Annotated[list[int], operator.add]]
    inside: Annotated[NotRequired[list[int]], operator.add]
    plain: NotRequired[int]


def test_required_and_not_required_change_nothing() -> None:
    channels, _ = channels_of(Marked)

    assert [type(each) for each in channels.values()] == [BinaryOperatorAggregate] * 3 + [LastValue]
    assert [channels[key].initial() for key in ("need", "may", "inside")] == [[], [], []]


class TestReducers:
    def test_metadata_that_is_no_reducer_is_left_alone(self) -> None:
        class S(TypedDict):
            x: Annotated[int, "a comment"]
            log: Annotated[list[str], "a comment", operator.add]

        channels, _ = channels_of(S)

        assert {key: type(each) for key, each in channels.items()} == {"x": LastValue, "log": BinaryOperatorAggregate}

    def test_a_channel_or_its_class_may_stand_in_the_annotation(self) -> None:
        class S(TypedDict):
            once: Annotated[int, EphemeralValue]
            news: Annotated[list[str], Topic(str, accumulate=True)]

        channels, _ = channels_of(S)

        assert {key: type(each) for key, each in channels.items()} == {"once": EphemeralValue, "news": Topic}
        assert [each.key for each in channels.values()] == ["once", "news"]

    @pytest.mark.parametrize("reducer", [lambda a: a, lambda a, b, c: a, lambda: None])
    def test_one_that_does_not_take_two_values_is_refused(self, reducer: Any) -> None:
        schema: Any = TypedDict("schema", {"log": Annotated[list, reducer]})

        with pytest.raises(ValueError) as caught:
            StateGraph(schema)

        assert "Invalid reducer signature. Expected (a, b) -> c." in str(caught.value)
        assert "for key 'log', which takes" in str(caught.value)

    @pytest.mark.parametrize("reducer", [max, operator.or_, partial(lambda c, a, b: a, 0), lambda a, b, *, c=1: a])
    def test_anything_that_takes_two_values_will_do(self, reducer: Any) -> None:
        schema: Any = TypedDict("schema", {"log": Annotated[int, reducer]})

        assert StateGraph(schema).channels["log"].initial() == 0

    def test_a_type_that_can_not_be_made_empty_starts_with_the_first_write(self) -> None:
        class Point:
            def __init__(self, x: int) -> None:
                self.x = x

        schema: Any = TypedDict("schema", {"p": Annotated[Point, lambda a, b: Point(a.x + b.x)]})
        app = lone(schema, lambda s: {"p": Point(2)})

        assert app.invoke({"p": Point(1)})["p"].x == 3

    def test_one_key_with_two_rules_is_refused(self) -> None:
        class Other(TypedDict):
            log: Annotated[list[str], operator.or_]

        with pytest.raises(ValueError) as caught:
            StateGraph(Typed, input_schema=Other)

        assert "Channel 'log' already exists with a different type" in str(caught.value)


class TestManagedValues:
    def test_tell_how_far_the_limit_is(self) -> None:
        class S(TypedDict):
            log: Annotated[list[Any], operator.add]
            last: IsLastStep
            left: RemainingSteps

        built = StateGraph(S).add_node("a", lambda s: {"log": [(s["left"], s["last"])]})
        app = built.add_edge(START, "a").add_conditional_edges("a", lambda s: "a" if len(s["log"]) < 3 else "__end__")

        result = app.compile().invoke({"log": []}, {"recursion_limit": 4})

        assert result == {"log": [(3, False), (2, False), (1, True)]}

    def test_are_true_in_the_last_superstep(self) -> None:
        class S(TypedDict):
            log: Annotated[list[Any], operator.add]
            last: IsLastStep

        app = lone(S, lambda s: {"log": [s["last"]]})

        assert app.invoke({"log": []}, {"recursion_limit": 2}) == {"log": [True]}
        assert app.invoke({"log": []}, {"recursion_limit": 3}) == {"log": [False]}

    def test_can_not_be_the_whole_state(self) -> None:
        with pytest.raises(ValueError, match="a whole state can't be a managed value"):
            StateGraph(IsLastStep)


class TestSeveralSchemas:
    def test_a_node_sees_only_the_keys_of_its_own_schema(self) -> None:
        seen: list[Any] = []

        def write(state: Typed) -> Any:
            seen.append(dict(state))
            return {"secret": 42, "x": 2}

        def read(state: Private) -> Any:
            seen.append(dict(state))
            return {"log": [str(state["secret"])]}

        built = StateGraph(Typed).add_sequence([write, read]).add_edge(START, "write")

        assert built.compile().invoke({"x": 1, "log": []}) == {"x": 2, "log": ["42"]}
        assert seen == [{"x": 1, "log": []}, {"secret": 42}]

    def test_input_and_output_schemas_say_what_goes_in_and_comes_out(self) -> None:
        def answer(state: Whole) -> Any:
            return {"answer": state["question"] + "!", "note": str(sorted(state))}

        app = lone(Whole, answer, input_schema=In, output_schema=Out)

        assert app.invoke({"question": "why", "note": "dropped"}) == {"answer": "why!"}
        assert list(app.stream({"question": "why"}, stream_mode="updates")) == [
            {"a": {"answer": "why!", "note": "['question']"}}
        ]
        assert list(app.stream({"question": "why"}, stream_mode="values"))[-1] == {
            "question": "why",
            "answer": "why!",
            "note": "['question']",
        }

    def test_a_router_may_read_a_schema_of_its_own(self) -> None:
        seen: list[Any] = []

        def route(state: Narrow) -> str:
            seen.append(dict(state))
            return "__end__"

        built = StateGraph(Typed).add_node("a", lambda s: {"log": ["a"]}).add_edge(START, "a")
        built.add_conditional_edges("a", route).compile().invoke({"x": 1, "log": []})

        assert seen == [{"x": 1}]


def test_class_variables_are_no_keys() -> None:
    @dataclass
    class S:
        x: int = 0
        shared: ClassVar[int] = 1

    assert list(channels_of(S)[0]) == ["x"]


def test_inherited_keys_are_keys() -> None:
    class More(Typed):
        y: int

    assert list(channels_of(More)[0]) == ["x", "log", "y"]


def test_a_name_that_can_not_be_resolved_is_told_with_the_schema() -> None:
    schema: Any = TypedDict("schema", {"x": "Nowhere"})  # noqa: F821  that it is unknown is the point

    with pytest.raises(NameError) as caught:
        StateGraph(schema)

    assert "Nowhere" in str(caught.value)
    assert "while reading the annotations of state schema" in caught.value.__notes__[0]


def test_two_writers_of_a_plain_key_are_refused_in_every_kind_of_schema() -> None:
    for schema in (Typed, Data, Model):
        built = StateGraph(schema).add_node("a", lambda s: {"x": 1}).add_node("b", lambda s: {"x": 2})
        app = built.add_edge(START, "a").add_edge(START, "b").compile()

        with pytest.raises(InvalidUpdateError, match="At key 'x'"):
            app.invoke({"x": 0})


def test_a_class_of_channels_with_a_type_is_no_reducer() -> None:
    class Schema(TypedDict):
        x: Annotated[list[int], Topic[int]]

    with pytest.raises(ValueError, match=r"Topic\[int\] for key .x.: name the class of the channel, Topic"):
        channels_of(Schema)
