"""Answers are checked against their schema, with Pydantic and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ValidationError

from stepgraph.schema import validate


class Answer(BaseModel):
    text: str
    score: int = 0


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("schema", "value", "result"),
    [
        (Answer, {"text": "a", "score": "3"}, Answer(text="a", score=3)),
        (Point, {"x": "1"}, Point(1)),
        (int, "5", 5),
        (list[int], ["1", 2], [1, 2]),
        (Literal["yes", "no"], "yes", "yes"),
    ],
)
def test_a_fitting_answer_comes_back_as_the_schema_makes_it(schema: Any, value: Any, result: Any) -> None:
    assert validate.coerce(schema, value) == result


@pytest.mark.parametrize(("schema", "value"), [(Answer, {"score": 1}), (int, "five"), (Literal["yes", "no"], "maybe")])
def test_another_answer_is_refused_with_the_schemas_words(schema: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        validate.coerce(schema, value)


def test_without_pydantic_plain_types_are_still_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pydantic", None)
    validate._adapter.cache_clear()
    try:
        assert validate.coerce(int, 5) == 5
        with pytest.raises(TypeError, match="Expected int, got 'five'"):
            validate.coerce(int, "five")
    finally:
        validate._adapter.cache_clear()
