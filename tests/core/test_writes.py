"""What a node returned, as writes and gotos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from stepgraph import Command, Send
from stepgraph.core.errors import InvalidUpdateError, ParentCommand
from stepgraph.core.plan import Node
from stepgraph.core.types import ROOT
from stepgraph.core.writes import collect

KEYED = Node("node", None, writes=frozenset({"a", "b"}))
LONE = Node("node", None, writes=frozenset({ROOT}))


@dataclass
class Plain:
    a: int
    b: str = "b"
    other: int = 0


class Model(BaseModel):
    a: int = 1
    b: str | None = None
    other: int = 0


class Annotated:
    a: int

    def __init__(self) -> None:
        self.a = 3


@pytest.mark.parametrize(
    ("result", "writes", "gotos"),
    [
        (None, (), ()),
        ({}, (), ()),
        ({"a": 1, "b": None}, (("a", 1), ("b", None)), ()),
        ({"a": 1, "unknown": 2}, (("a", 1),), ()),
        (Plain(1), (("a", 1), ("b", "b")), ()),
        (Model(), (("a", 1),), ()),
        (Model(b=None), (("a", 1), ("b", None)), ()),
        (Model(b="x"), (("a", 1), ("b", "x")), ()),
        (Annotated(), (("a", 3),), ()),
        (Send("x", 1), (), (Send("x", 1),)),
        (Command(), (), ()),
        (Command(goto="x"), (), ("x",)),
        (Command(goto="__end__"), (), ()),
        (Command(goto=["x", Send("y", 1), "__end__"]), (), ("x", Send("y", 1))),
        (Command(update={"a": 1}, goto=Send("y", 2)), (("a", 1),), (Send("y", 2),)),
        (Command(update=[("a", 1), ("a", 2), ("no", 3)]), (("a", 1), ("a", 2)), ()),
        (Command(update=Plain(4)), (("a", 4), ("b", "b")), ()),
        ([Command(update={"a": 1}, goto="x"), {"b": 2}, Command(goto="y")], (("a", 1), ("b", 2)), ("x", "y")),
    ],
)
def test_what_a_keyed_graph_takes(result: Any, writes: Any, gotos: Any) -> None:
    assert collect(KEYED, result) == (writes, gotos)


@pytest.mark.parametrize("value", [5, "text", [1, 2], {"a": 1}, False])
def test_a_lone_state_takes_any_value(value: Any) -> None:
    assert collect(LONE, value) == (((ROOT, value),), ())


def test_a_lone_state_takes_commands() -> None:
    assert collect(LONE, Command(update=[1], goto="x")) == (((ROOT, [1]),), ("x",))
    assert collect(LONE, None) == ((), ())


@pytest.mark.parametrize("result", [[{"a": 1}, {"a": 2}], 5, "text", [1, 2], Plain, object()])
def test_anything_else_is_refused_with_node_and_keys(result: Any) -> None:
    with pytest.raises(InvalidUpdateError, match="Expected dict, got") as caught:
        collect(KEYED, result)
    text = str(caught.value)
    assert "Node 'node' must return a dict of state keys, a Command or None" in text
    assert "['a', 'b']" in text
    assert "INVALID_GRAPH_NODE_RETURN_VALUE" in text


def test_a_command_for_the_parent_goes_up() -> None:
    command = Command(graph=Command.PARENT, update={"a": 1})
    with pytest.raises(ParentCommand) as caught:
        collect(KEYED, [{"b": 1}, command])
    assert caught.value.args[0] is command


def test_a_command_for_another_graph_is_for_this_one_and_an_empty_list_is_no_update() -> None:
    assert collect(KEYED, Command(graph="other", update={"a": 1}, goto="x")) == ((("a", 1),), ("x",))
    assert collect(KEYED, Command(update=[])) == ((), ())
