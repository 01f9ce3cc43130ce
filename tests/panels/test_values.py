"""Values as trees, for any type a state may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from stepgraph.panels.values import LARGE, at, branch, children, count, line, one_line, search, spelled_out


@dataclass
class Point:
    x: int
    y: list[int]


class Model(BaseModel):
    name: str = "a"
    inner: dict[str, int] = {"k": 1}


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Slots:
    def __init__(self) -> None:
        self.shown = 1
        self._hidden = 2


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("text", 0),
        (b"bytes", 0),
        (None, 0),
        (3, 0),
        ({}, 0),
        ({"a": 1, 2: 3}, 2),
        ((1, 2), 2),
        ({3, 1}, 2),
        (Point(1, []), 2),
        (Model(), 2),
        (Slots(), 1),
        (Broken(), 0),
        (int, 0),
        (len, 0),
        (pandas.DataFrame({"a": [1, 2, 3]}), 3),
    ],
)
def test_every_type_has_a_size_and_as_many_children(value: Any, size: int) -> None:
    assert count(value) == size
    assert len(list(children(value))) == size
    assert isinstance(line("x", value)["text"], str)


def test_a_broken_repr_does_not_hide_the_rest() -> None:
    lines = branch({"bad": Broken(), "good": 1})["lines"]
    assert "whose repr raised RuntimeError" in lines[0]["text"]
    assert lines[1]["text"] == "1"


class Spiteful:
    """Raises whatever is asked of it."""

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("no attributes")

    def __repr__(self) -> str:
        raise RuntimeError("no words")


def test_what_raises_whatever_is_asked_is_shown_as_that() -> None:
    for value in (Spiteful(), [Spiteful()], {"a": Spiteful()}):
        assert "can't be shown: RuntimeError" in one_line(value)[0]
    lines = branch({"bad": Spiteful(), "good": 1})["lines"]
    assert [each["size"] for each in lines] == [0, 0]


def test_children_are_addressed_by_position_whatever_their_keys_are() -> None:
    value = {("tuple", "key"): {7: ["deep"]}}
    assert at(value, (0, 0, 0)) == "deep"
    with pytest.raises(LookupError, match="Open it again"):
        at(value, (0, 3))


def test_long_lists_come_in_pages_and_long_texts_in_parts() -> None:
    page = branch(list(range(1_000)), offset=200, limit=50)
    assert [each["label"] for each in page["lines"]][:2] == ["200", "201"]
    assert page["total"] == 1_000
    text = branch("x" * 200_000, offset=LARGE)
    assert (len(text["text"] or ""), text["total"]) == (LARGE, 200_000)


def test_a_data_frame_is_a_table() -> None:
    frame = pandas.DataFrame({"name": ["a", None], "n": [1.5, 2.0]})
    found = branch(frame)
    assert found["columns"] == ["name", "n"]
    assert found["rows"] is not None
    assert found["rows"][0] == ["a", "1.5"]
    assert one_line(frame) == ("2 rows × 2 columns", False)


def test_a_line_is_one_line_and_bounded() -> None:
    text, cut = one_line("a\nb" * 1_000)
    assert cut
    assert "\n" not in text
    assert len(text) == 160
    assert len(one_line({f"key{i}": "v" * 100 for i in range(1_000)})[0]) <= 160


def test_a_search_looks_in_keys_and_texts_and_survives_cycles() -> None:
    value: dict[str, Any] = {"Needle": 1, "list": ["hay", {"deep": "a NEEDLE in it"}]}
    value["self"] = value
    hits, complete = search(value, "needle")
    assert complete
    assert [labels for _, labels, _ in hits] == [["Needle"], ["self", "Needle"], ["list", "1", "deep"]]


def test_a_search_stops_at_its_limit_and_says_so() -> None:
    hits, complete = search(["x"] * 1_000, "x", limit=10)
    assert (len(hits), complete) == (10, False)


def test_a_question_is_spelled_out_with_every_option() -> None:
    asked = {"question": "Which one?", "options": [{"street": "A 1"}, "B\nstreet 2"], "none": [], "n": 3}
    assert spelled_out(asked).splitlines() == [
        "question: Which one?", "options:", "  – street: A 1", "  – B", "    street 2", "none: []", "n: 3",
    ]  # fmt: skip
    assert spelled_out("<b>as it is</b>") == "<b>as it is</b>"


def test_a_question_that_can_not_be_spelled_out_is_shown_in_short() -> None:
    itself: list[object] = []
    itself.append(itself)
    assert len(spelled_out(itself)) < 4_001
    assert len(spelled_out({"a": "x" * 10_000})) == 4_000


def test_a_message_is_shown_by_what_it_says_and_calls() -> None:
    call = {"name": "order", "args": {"item": "pencils", "pieces": 500}, "id": "1"}
    talk = [
        HumanMessage("We are\nout of pencils"),
        AIMessage("Well", tool_calls=[call]),
        AIMessage("", tool_calls=[call]),
    ]
    assert one_line(talk)[0] == "[human, ai, ai]"
    assert [each["text"] for each in branch(talk)["lines"]] == [
        "human: We are⏎out of pencils",
        "ai: Well → order(item: “pencils”, pieces: 500)",
        "ai: order(item: “pencils”, pieces: 500)",
    ]
    assert [each["label"] for each in branch(talk, (2,))["lines"]] == ["content", "type", "tool_calls"]
    assert one_line(AIMessage([{"type": "text", "text": "hi"}]))[0] == "ai: [{2 keys}]"
