"""Big plain values in memory are kept pickled, apart from the lines: nobody may notice."""

from __future__ import annotations

import array
import gc
import math
import operator
import pickle
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import HumanMessage

from stepgraph.core.checkpoint import Checkpointer, Control, Extend
from stepgraph.core.errors import CheckpointError
from stepgraph.persist import MemoryCheckpointer, blobs, items
from stepgraph.persist.blobs import BlobCodec
from stepgraph.persist.codec import Codec
from stepgraph.persist.items import Held, Memo, known
from tests.benchmarks.storage import bytes_of
from tests.contract.checkpointer import Story, same
from tests.persist.test_memory import TestMemory


class TestMemoryOfBlobs(TestMemory):
    """Every container of built-in types, however small, is a blob."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(blobs, "_LEAST", 0)
        monkeypatch.setattr(blobs, "_FEW", 0)

    @pytest.fixture
    def checkpointer(self) -> Checkpointer:
        return MemoryCheckpointer()


def letter(number: int = 0) -> dict[str, Any]:
    return {"number": number, "parts": [{"text": f"{each:0100}", "flags": [True, None, each]} for each in range(40)]}


PLAIN = [
    letter(),
    [[each, [f"{each:050}"]] for each in range(100)],
    ({"a": [1]}, "x" * 600),
    {1: {True: "x" * 300}, (2, None): ["y" * 300], None: {1.5: b"z"}},
    {"sets": [{1, 2}, frozenset({3}), set()], "bytes": [b"x" * 600]},
    {"odd": [math.inf, -0.0, "\ud800", 10**5000, 1 << 64, -1, "é" * 600]},
    [float(each) for each in range(1000)],
    {"~": {"~": ["x" * 600]}},
]


@pytest.mark.parametrize("value", PLAIN, ids=range(len(PLAIN)))
def test_a_big_plain_value_comes_back_as_from_json(value: Any) -> None:
    codec = BlobCodec()
    blob = codec.blob(value)
    assert blob is not None
    assert len(blob.text) < 30
    assert same(codec.loads(blob.text), value)
    assert same(codec.loads(blob.text), Codec().loads(Codec().dumps(value)))


def test_nan_is_kept() -> None:
    codec = BlobCodec()
    blob = codec.blob([[math.nan], "x" * 600])
    assert blob is not None
    assert math.isnan(codec.loads(blob.text)[0][0])


class Text(str):
    """Not just a str."""


@pytest.mark.parametrize(
    "other",
    [
        np.float64(1), np.arange(3), array.array("i", [1]), memoryview(b"x"), pickle.PickleBuffer(b"x"), len, object(),
        Text("x"), int, letter, ValueError("x"),
    ],
    ids=lambda other: type(other).__name__,
)  # fmt: skip
def test_a_value_with_another_type_in_it_is_no_blob(other: Any) -> None:
    assert BlobCodec().blob({"big": ["x" * 600], "deep": [{"other": other}]}) is None


def test_what_contains_itself_is_refused_with_its_path() -> None:
    story = Story(MemoryCheckpointer())
    value: dict[str, Any] = letter()
    value["parts"].append(value)
    with pytest.raises(CheckpointError, match=r"key\.parts\[40\].*contains itself"):
        story.save({"key": value})


def test_small_and_flat_values_stay_in_their_line() -> None:
    codec = BlobCodec()
    assert codec.blob({"role": "user", "content": "x" * 10_000}) is None
    assert codec.blob({"a": [1, 2, 3]}) is None


@pytest.mark.parametrize("change", [
    lambda item: item.update(number=True),
    lambda item: item["parts"].pop(),
    lambda item: item["parts"][5]["flags"].append(1),
    lambda item: item["parts"][5].update(text="other"),
    lambda item: item["parts"].__setitem__(3, np.arange(3)),
])  # fmt: skip
@pytest.mark.parametrize("parts", [10, 40])
@pytest.mark.parametrize("seen", [0, 1, 2])
def test_a_change_in_place_is_seen_and_changes_no_history(change: Callable[[Any], Any], parts: int, seen: int) -> None:
    checkpointer = MemoryCheckpointer()
    story = Story(checkpointer)
    item = letter(2)
    del item["parts"][parts:]
    wanted = deepcopy(item)
    for number in range(seen + 1):
        story.save({"letters": [letter(1), item, letter(number)], "one": item})
    change(item)
    story.save({"letters": [letter(1), item], "one": item})
    assert story.values(story.ids[seen])["letters"][1] == wanted
    assert str(story.values()["letters"][1]) == str(item)
    assert str(story.values()["one"]) == str(item)


def test_a_change_of_what_cannot_be_copied_is_seen() -> None:
    codec, item = BlobCodec(), {"set": {1}, "text": ["x" * 3000]}
    held = Held([known(item, codec)])
    assert held.grew_to([item])
    item["set"].add(2)  # type: ignore[attr-defined]  # it is a set
    assert not held.grew_to([item])
    assert codec.loads(held.changed_to([item], codec, Memo()).known[0].text) == item


def test_equal_contents_are_kept_once() -> None:
    checkpointer = MemoryCheckpointer()
    story = Story(checkpointer)
    for number in range(20):
        story.save({f"key{number}": letter(), "list": [letter(each) for each in range(10)]})
    assert len(checkpointer._logs["t", ""].blobs) == 10
    assert bytes_of(checkpointer) < 100_000  # each letter takes 5 KB
    assert story.values()["key3"] == letter()
    assert story.values()["key3"] is not story.values()["key3"]


def test_a_message_is_kept_once_for_all_keys_tasks_and_records() -> None:
    checkpointer = MemoryCheckpointer()
    story = Story(checkpointer)
    messages = [HumanMessage("x" * 300, id=str(number)) for number in range(30)]
    for number in range(1, 31):
        send = ("tools", {"state": {"messages": messages[:number]}}, None)
        given = {"messages": messages[:number], "last": messages[number - 1], "turned": messages[:number][::-1]}
        story.save(given, control=Control((), (send, send)))
        story.record(story.ids[-1], "task", "outcome", ((), (send,), ()))
    assert len(checkpointer._logs["t", ""].blobs) == 30
    assert bytes_of(checkpointer) < 200_000  # 30 times 30 messages in five places take 1.8 MB
    found = story.load(story.ids[9])
    assert found.values == {"messages": messages[:10], "last": messages[9], "turned": messages[:10][::-1]}
    assert found.control.sends[1][1] == {"state": {"messages": messages[:10]}}
    assert found.records[0].payload[1][0][1] == {"state": {"messages": messages[:10]}}


def test_what_only_a_record_has_is_kept_as_long_as_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "_KEPT", 0)
    checkpointer = MemoryCheckpointer()
    story = Story(checkpointer)
    first, other = HumanMessage("x" * 300), HumanMessage("y" * 300)
    story.save({"messages": [first]})
    story.record(story.ids[0], "task", "outcome", ((), (("tools", [first, other], None),), ()))
    wanted = [first, other.model_copy()]
    other.content = "changed"
    for number in range(3):
        story.save({"n": [number, []], "more": HumanMessage("z" * 300)})
    gc.collect()
    assert story.load(story.ids[0]).records[0].payload[1][0][1] == wanted


def test_the_blobs_of_a_deleted_thread_are_freed_but_for_those_of_its_forks() -> None:
    checkpointer = MemoryCheckpointer()
    story = Story(checkpointer)
    story.save({"letters": [letter(0)]})
    story.save({"letters": Extend((letter(1),))})
    fork = Story(checkpointer, "t~2", run="1f0c8d2e-77a0-6b1c-0001")
    fork.save({"n": 1}, parent=story.ids[1], parent_thread="t", parent_ns="")
    story.save({"letters": Extend((letter(2),))})
    assert len(checkpointer._blobs._by_number) == 3
    checkpointer.delete("t")
    gc.collect()
    assert fork.values() == {"letters": [letter(0), letter(1)], "n": 1}
    assert len(checkpointer._blobs._by_number) == 2
    checkpointer.delete("t~2")
    gc.collect()
    assert not checkpointer._blobs._by_number
    assert not checkpointer._blobs._by_data


def test_snapshots_share_what_did_not_change_between_them() -> None:
    story = Story(MemoryCheckpointer())
    letters: list[Any] = []
    for number in range(6):
        letters = operator.add(letters, [letter(number)])
        story.save({"letters": letters})
    found = [each.values["letters"] for each in story.history()]
    assert found == [letters[:length] for length in range(6, 0, -1)]
    assert found[0][0] is found[-1][0]
