"""How a state type becomes channels, managed values and a node's input."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, NotRequired, Required, TypedDict

import pytest
from pydantic import BaseModel, ValidationError

from stepgraph import AnyValue, EphemeralValue, IsLastStep, RemainingSteps, Topic
from stepgraph.core.channels import BinaryOperatorAggregate, Channel, LastValue
from stepgraph.core.types import ROOT
from stepgraph.schema.channels import channels_of, is_keyed, mapper_of


def join(one: str, other: str) -> str:
    return one + other


class Base(TypedDict):
    inherited: int


class Typed(Base, total=False):
    plain: int
    grown: Annotated[list[int], operator.add]
    joined: Annotated[str, "a note", join]
    needed: Required[Annotated[int, max]]
    spare: Annotated[NotRequired[int], min]
    topic: Annotated[Sequence[str], Topic(str, accumulate=True)]
    flash: Annotated[str, EphemeralValue]
    any: Annotated[int, AnyValue(int)]
    noted: Annotated[int, "only a note"]
    last: IsLastStep
    left: RemainingSteps


@dataclass
class Plain:
    log: Annotated[list[str], operator.add] = field(default_factory=list)
    x: int = 3
    shared: ClassVar[int] = 1


class Model(BaseModel):
    x: int
    log: Annotated[list[str], operator.add] = []
    limit: ClassVar[int] = 1


KINDS: dict[str, type[Channel]] = {
    "inherited": LastValue, "plain": LastValue, "grown": BinaryOperatorAggregate, "joined": BinaryOperatorAggregate,
    "needed": BinaryOperatorAggregate, "spare": BinaryOperatorAggregate, "topic": Topic, "flash": EphemeralValue,
    "any": AnyValue, "noted": LastValue,
}  # fmt: skip


def test_each_annotation_names_its_rule() -> None:
    channels, managers = channels_of(Typed)
    assert {key: type(channel) for key, channel in channels.items()} == KINDS
    assert {key: channel.key for key, channel in channels.items()} == {key: key for key in KINDS}
    assert set(managers) == {"last", "left"}
    assert (managers["last"](4, 5), managers["left"](4, 5)) == (True, 1)


@pytest.mark.parametrize(("schema", "keys"), [(Plain, ["log", "x"]), (Model, ["x", "log"])])
def test_fields_are_keys_and_class_variables_are_not(schema: Any, keys: list[str]) -> None:
    assert list(channels_of(schema)[0]) == keys


@pytest.mark.parametrize("schema", [list, int, Annotated[list, operator.add], dict[str, int]])
def test_a_type_without_keys_is_the_state_itself(schema: Any) -> None:
    assert not is_keyed(schema)
    channels, managers = channels_of(schema)
    assert list(channels) == [ROOT]
    assert managers == {}


@pytest.mark.parametrize("reducer", [lambda a: a, lambda a, b, c: a, lambda *, a, b: a])
def test_a_reducer_takes_value_and_update(reducer: Any) -> None:
    class Bad(TypedDict):
        key: Annotated[list, reducer]  # type: ignore[valid-type]  # the reducer is a test parameter

    Bad.__annotations__["key"] = Annotated[list, reducer]
    with pytest.raises(ValueError, match=r"Invalid reducer signature. Expected \(a, b\) -> c") as caught:
        channels_of(Bad)
    assert "for key 'key'" in str(caught.value)


def test_a_name_that_cannot_be_resolved_is_said_with_its_schema() -> None:
    class Lost(TypedDict):
        key: Unknown  # type: ignore[name-defined]  # noqa: F821  the mistake under test

    with pytest.raises(NameError, match="Unknown") as caught:
        channels_of(Lost)
    assert "define that name in the same module" in caught.value.__notes__[0]


def test_what_a_node_gets() -> None:
    assert mapper_of(Typed) is None, "a TypedDict is the dict itself"
    plain, model, lone = mapper_of(Plain), mapper_of(Model), mapper_of(list)
    assert plain is not None
    assert model is not None
    assert lone is not None
    assert plain({"log": ["a"]}) == Plain(["a"])
    assert model({"x": "4"}) == Model(x=4)
    assert lone({ROOT: [1]}) == [1]
    with pytest.raises(ValidationError):
        model({"x": "no number"})
