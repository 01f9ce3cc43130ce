"""What node code changes in place and writes again is stored as it is then, and what was stored before stays."""

from __future__ import annotations

import collections
import dataclasses
import datetime
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
from langchain_core.messages import AIMessage, HumanMessage

from stepgraph.core.checkpoint import Extend
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer
from stepgraph.persist.blobs import BlobCodec
from stepgraph.persist.codec import Codec
from stepgraph.persist.items import Held, known
from tests.contract.checkpointer import Story


class Model(pydantic.BaseModel):
    name: str
    tags: list[Any] = []
    inner: Model | None = None
    _secret: dict[str, int] = pydantic.PrivateAttr(default_factory=dict)


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    name: str = "open"


@dataclasses.dataclass
class Note:
    text: str
    parts: Any = ()


@dataclasses.dataclass(slots=True)
class Slim:
    text: str
    parts: list[Any]


@dataclasses.dataclass(frozen=True)
class Frozen:
    parts: list[Any]


def letter() -> dict[str, Any]:
    """Of more than four thousand characters."""
    return {
        "number": 1,
        "parts": [{"text": f"{each:0100}", "flags": [True, None, each], "none": []} for each in range(40)],
    }


def said() -> AIMessage:
    calls = [{"name": "add", "args": {"a": 1, "b": [2]}, "id": "c1", "type": "tool_call"}]
    return AIMessage("text " * 100, id="m1", tool_calls=calls, additional_kwargs={"deep": {"er": [1]}})


Change = Callable[[Any], Any]
CASES: list[tuple[str, Callable[[], Any], Change]] = [
    ("dict", lambda: {"a": 1}, lambda item: item.update(a=2)),
    ("dict, other type", lambda: {"a": 1}, lambda item: item.update(a=True)),
    ("dict, order", lambda: {"a": 1, "b": 2}, lambda item: item.update(a=item.pop("a"))),
    ("dict, key gone", lambda: {"a": 1, "b": 2}, lambda item: item.pop("b")),
    ("list in dict", lambda: {"a": [1, [2, [3]]]}, lambda item: item["a"][1][1].append(4)),
    ("empty list", lambda: {"a": [[], {}]}, lambda item: item["a"][0].append(1)),
    ("empty dict", lambda: {"a": [[], {}]}, lambda item: item["a"][1].update(b=1)),
    ("tuple", lambda: {"a": (1, ([2],))}, lambda item: item["a"][1][0].append(3)),
    ("big, top", letter, lambda item: item.update(number=2)),
    ("big, leaf", letter, lambda item: item["parts"][20].update(text="other")),
    ("big, flags", letter, lambda item: item["parts"][39]["flags"].append(7)),
    ("big, empty list", letter, lambda item: item["parts"][39]["none"].append({})),
    ("big, shorter", letter, lambda item: item["parts"].pop()),
    ("big, brackets", lambda: {**letter(), "text": "]}" * 9}, lambda item: item["parts"][3]["flags"].append(1)),
    ("big, mixed list", lambda: {**letter(), "mix": [1, [2, {"x": 3}]]}, lambda item: item["mix"][1][1].update(x=4)),
    ("big, mixed, as many brackets", lambda: {**letter(), "mix": [1, [2]]}, lambda item: item["mix"][1].append(3)),
    ("big, list in a tuple", lambda: {**letter(), "pair": (1, [2])}, lambda item: item["pair"][1].append(3)),
    ("big, set", lambda: {**letter(), "set": {1}}, lambda item: item["set"].add(2)),
    ("big, list", lambda: [[each, ["x" * 60]] for each in range(100)], lambda item: item[50][1].append(2)),
    ("big, flat list", lambda: {"all": [float(each) for each in range(2000)]}, lambda item: item["all"].append(1)),
    ("big, model in it", lambda: {**letter(), "m": Model(name="a")}, lambda item: item["m"].tags.append(1)),
    ("set", lambda: {"a": {1}}, lambda item: item["a"].add(2)),
    ("bytearray", lambda: {"a": bytearray(b"x")}, lambda item: item["a"].extend(b"y")),
    ("deque", lambda: {"a": collections.deque([1])}, lambda item: item["a"].append(2)),
    ("defaultdict", lambda: collections.defaultdict(list, a=[1]), lambda item: item["a"].append(2)),
    ("model, field", lambda: Model(name="a"), lambda item: setattr(item, "name", "b")),
    ("model, list", lambda: Model(name="a"), lambda item: item.tags.append([])),
    ("model, set", lambda: Model(name="a", tags=[{1}]), lambda item: item.tags[0].add(2)),
    ("model, model in it", lambda: Model(name="a", inner=Model(name="b")), lambda item: item.inner.tags.append(1)),
    ("model, its field", lambda: Model(name="a", inner=Model(name="b")), lambda item: setattr(item.inner, "name", "c")),
    ("model, private", lambda: Model(name="a"), lambda item: item._secret.update(a=1)),
    ("model, fields set", lambda: Model(name="a"), lambda item: item.__pydantic_fields_set__.add("inner")),
    ("model, another set", lambda: Model(name="a"), lambda item: setattr(item, "inner", item.inner)),
    ("model, one replaces another", lambda: Model(name="a", inner=Model(name="b")),
     lambda item: setattr(item, "inner", Model(name="b", tags=[1]))),
    ("open model", Open, lambda item: setattr(item, "more", 1)),
    ("open model, list", lambda: Open(more=[1]), lambda item: item.more.append(1)),
    ("message, content", said, lambda item: setattr(item, "content", "other")),
    ("message, id", lambda: HumanMessage("a"), lambda item: setattr(item, "id", "x")),
    ("message, metadata", said, lambda item: item.response_metadata.update(model="m")),
    ("message, deep", said, lambda item: item.additional_kwargs["deep"]["er"].append(2)),
    ("message, arguments", said, lambda item: item.tool_calls[0]["args"].update(a=2)),
    ("message, call", said, lambda item: item.tool_calls.clear()),
    ("message, blocks", lambda: HumanMessage([{"type": "text", "text": "a"}]),
     lambda item: item.content[0].update(text="b")),
    ("message, its dict", said, lambda item: item.__dict__.update(name="x")),
    ("dataclass", lambda: Note("a"), lambda item: setattr(item, "text", "b")),
    ("dataclass, list", lambda: Note("a", [1]), lambda item: item.parts.append(2)),
    ("dataclass, tuple", lambda: Note("a", ([],)), lambda item: item.parts[0].append(2)),
    ("dataclass in one", lambda: Note("a", Note("b")), lambda item: setattr(item.parts, "text", "c")),
    ("slots", lambda: Slim("a", []), lambda item: setattr(item, "text", "b")),
    ("slots, list", lambda: Slim("a", []), lambda item: item.parts.append(1)),
    ("frozen", lambda: Frozen([1]), lambda item: item.parts.append(2)),
    ("array", lambda: {"a": np.arange(5)}, lambda item: item["a"].__setitem__(0, 7)),
    ("array, type", lambda: {"a": np.zeros(2)}, lambda item: item.update(a=np.zeros(2, dtype=int))),
    ("frame", lambda: {"a": pd.DataFrame({"x": [1, 2]})}, lambda item: item["a"].__setitem__("y", 3)),
    ("date", lambda: {"a": [datetime.date(2026, 1, 2)]}, lambda item: item["a"].append(datetime.date(2026, 1, 3))),
]  # fmt: skip
NAMES = [name for name, _, _ in CASES]


@pytest.fixture(params=["memory", "sqlite"])
def checkpointer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    found: Any = MemoryCheckpointer() if request.param == "memory" else SqliteCheckpointer(tmp_path / "t.db")
    yield found
    found.close()


def others(item: Any) -> list[Any]:
    """A list of more than four thousand characters with the item in its middle."""
    return [*({"n": each, "text": ["x" * 300]} for each in range(10)), item, *({"n": each} for each in range(5))]


Write = Callable[[Any, list[Any], int], dict[str, Any]]
WAYS: dict[str, Write] = {
    "itself": lambda item, _, number: {"key": item},
    "in a list that grows": lambda item, all_, number: {"key": [*all_, *range(number)]},
    "in a list that turns": lambda item, all_, number: {"key": all_[::-1] if number % 2 else all_[:]},
    "in a list of its own": lambda item, _, number: {"key": [item]},
    "in two keys": lambda item, all_, number: {f"key{number % 2}": all_, "key": all_[5:]},
    "appended, then whole": lambda item, all_, number: {"key": all_[:]} if number else {"old": Extend(tuple(all_))},
    "in a dict": lambda item, all_, number: {"key": {"list": all_, "item": item}},
}


@pytest.mark.parametrize(("make", "change"), [case[1:] for case in CASES], ids=NAMES)
def test_a_change_in_place_is_stored_and_changes_no_history(
    checkpointer: Any, make: Callable[[], Any], change: Change
) -> None:
    for way, write in WAYS.items():
        item, story = make(), Story(checkpointer, way)
        all_ = others(item)
        wanted: list[dict[str, Any]] = []
        for number in range(5):
            if number == 3:
                change(item)
            changes = write(item, all_, number)
            wanted.append({**(wanted[-1] if wanted else {}), **_plain(deepcopy(changes))})
            story.save(changes)
        texts = [_text(values) for values in wanted]
        assert [_text(story.values(each)) for each in story.ids] == texts, way
        assert [_text(each.values) for each in story.history()] == texts[::-1], way


def _text(values: dict[str, Any]) -> str:
    """All that is in some values: types, private attributes and the order of keys too."""
    return Codec(private=True).dumps({key: values[key] for key in sorted(values)})


def _plain(changes: dict[str, Any]) -> dict[str, Any]:
    return {key: [*value.items] if type(value) is Extend else value for key, value in changes.items()}


@pytest.mark.parametrize("make", [letter, said, lambda: Note("a", [1]), lambda: {"a": [1, {}]}], ids=range(4))
def test_a_value_that_is_put_in_place_of_an_equal_one_makes_no_difference(make: Callable[[], Any]) -> None:
    codec, item = BlobCodec(), make()
    held = Held([known(item, codec)])
    assert held.grew_to([item])
    assert not held.grew_to([make()])
