from __future__ import annotations

import enum
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

import pandas as pd
import pytest
from langchain_core.messages import AnyMessage, BaseMessage, ToolMessage
from pydantic import BaseModel, Field

from stepgraph.approve.judge import judge_of, judge_type
from stepgraph.approve.plain import PlainJudge


class Tone(enum.Enum):
    PLAIN = "plain"
    WARM = "warm"


@dataclass
class Row:
    n: int
    note: str = ""


class Item(TypedDict):
    row: Row
    table: pd.DataFrame


class State(BaseModel):
    score: float = Field(ge=0, le=1)


TYPES: dict[str, Any] = {
    "n": int,
    "flag": bool,
    "messages": Annotated[list[str], operator.add],
    "tone": Tone,
    "row": Row,
    "size": Literal["s", "l"] | None,
    "pairs": dict[str, tuple[int, str]],
    "table": pd.DataFrame,
    "item": Item,
    "unknown": "Forward",
    "anything": Any,
}
JUDGES = [judge_of(TYPES), PlainJudge(TYPES)]


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize(
    ("key", "value", "typed"),
    [
        ("n", 5, 5),
        ("flag", True, True),
        ("messages", ["a"], ["a"]),
        ("tone", "warm", Tone.WARM),
        ("row", {"n": 1}, Row(1)),
        ("row", Row(2), Row(2)),
        ("size", None, None),
        ("size", "l", "l"),
        ("pairs", {"a": [1, "x"]}, {"a": (1, "x")}),
        ("unknown", object, object),
        ("anything", {1: 2}, {1: 2}),
    ],
)
def test_a_good_value_comes_back_typed(judge, key, value, typed):
    assert judge.check(key, value) == (typed, [])


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("n", "many", ["n"]),
        ("messages", ["a", 2], ["messages", 1]),
        ("messages", "a", ["messages"]),
        ("tone", "cold", ["tone"]),
        ("row", {"n": "x"}, ["row", "n"]),
        ("row", {}, ["row", "n"]),
        ("size", "m", ["size"]),
        ("table", [1], ["table"]),
        ("item", {"row": {"n": 1}, "table": 1}, ["item", "table"]),
    ],
)
def test_a_bad_value_is_refused_at_its_path(judge, key, value, path):
    _, problems = judge.check(key, value)
    assert [each["path"] for each in problems] == [path]
    assert all(each["message"] for each in problems)


@pytest.mark.parametrize("judge", JUDGES)
def test_the_schema_tells_a_form_what_to_draw(judge):
    schema = judge.schema(["n", "messages", "table", "no such key"])
    assert list(schema["properties"]) == ["n", "messages", "table"]
    assert schema["properties"]["n"] == {"type": "integer"}
    assert schema["properties"]["messages"] == {"type": "array", "items": {"type": "string"}}
    assert schema["properties"]["table"]["readOnly"] is True


def test_the_plain_schema_of_a_type_that_contains_itself_ends():
    @dataclass
    class Tree:
        children: list[Tree]

    Tree.__annotations__["children"] = list[Tree]
    assert PlainJudge({"tree": Tree}).schema(["tree"])["properties"]["tree"]["title"] == "Tree"


def test_a_pydantic_state_judges_with_its_constraints():
    judge = judge_of({"score": float}, State)
    assert judge.check("score", 0.5) == (0.5, [])
    assert "less than or equal to 1" in judge.check("score", 3)[1][0]["message"]
    assert judge.schema(["score"])["properties"]["score"]["maximum"] == 1


def test_an_interrupts_schema_is_judged_alone():
    schema, judge = judge_type(Row)
    assert schema is not None
    assert schema["$ref"] == "#/$defs/Row"
    assert judge.check("value", {"n": 3}) == (Row(3), [])
    assert judge_type(None)[0] is None


def test_a_message_of_langchain_core_is_judged_as_the_kind_that_it_says_it_is():
    class Mine(BaseMessage):
        type: str = "mine"

    judge = judge_of({"said": Annotated[Sequence[BaseMessage] | None, operator.add]})
    given = [{"type": "tool", "content": "42", "tool_call_id": "1"}, Mine("hi")]
    (answer, mine), problems = judge.check("said", given)
    assert problems == []
    assert answer == ToolMessage("42", tool_call_id="1")
    assert mine is given[1]
    assert judge.check("said", [{"type": "hearsay", "content": ""}])[1]


def test_what_a_class_raises_about_a_value_is_a_problem_of_the_value():
    judge = judge_of({"said": list[AnyMessage]})
    value, problems = judge.check("said", [{"type": "tool", "content": "without the call's id"}])
    assert value == [{"type": "tool", "content": "without the call's id"}]
    assert problems == [{"path": ["said"], "message": "KeyError: 'tool_call_id'"}]
