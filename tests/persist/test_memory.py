"""The memory checkpointer keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from stepgraph.core.checkpoint import Checkpoint, Checkpointer, Extend
from stepgraph.persist import MemoryCheckpointer
from tests.contract.checkpointer import CheckpointerContract, Story


class TestMemory(CheckpointerContract):
    @pytest.fixture
    def checkpointer(self) -> Checkpointer:
        return MemoryCheckpointer()

    @pytest.fixture
    def fresh(self) -> Callable[[], Checkpointer]:
        return MemoryCheckpointer

    def reopened(self, checkpointer: MemoryCheckpointer) -> MemoryCheckpointer:
        """Without tips, everything is replayed from the lines, as another process would."""
        for log in checkpointer._logs.values():
            log.tip = None
        return checkpointer


class OneRun(MemoryCheckpointer):
    """Gets checkpoints as one run hands them over: metadata is one object. So small ones wait unencoded."""

    metadata: Mapping[str, Any] = MappingProxyType({})

    def save(self, thread: str, ns: str, checkpoint: Checkpoint) -> None:
        if not checkpoint.metadata:
            checkpoint.metadata = self.metadata
        super().save(thread, ns, checkpoint)


class TestMemoryThatWaits(TestMemory):
    @pytest.fixture
    def checkpointer(self) -> Checkpointer:
        return OneRun()

    @pytest.fixture
    def fresh(self) -> Callable[[], Checkpointer]:
        return OneRun

    test_a_random_step_costs_the_same_in_a_long_run = None  # type: ignore[assignment]  # the first read encodes all

    @pytest.mark.parametrize(
        "value",
        [
            {"a": [1, {"b": (2, [3])}]},
            [[1], {}],
            Extend(({"deep": {"er": [1]}},)),
            ({"x": []},),
            {1: {"y": 2}},
            {"s": {1}, "f": [frozenset((2,))]},
            {n: [n] for n in range(20)},
            [[[[[[[[[1]]]]]]]]],
            b"text",
        ],
        ids=repr,
    )
    def test_small_values_wait_and_are_read_as_they_were(self, value: Any) -> None:
        checkpointer = OneRun()
        story = Story(checkpointer)
        plain = list(value.items) if type(value) is Extend else value
        story.save({"key": value})
        story.record(story.ids[0], "task", "outcome", ((("key", plain), ("n", 1)), (), ()))
        log = checkpointer._logs["t", ""]
        assert len(log.recent) == 2
        assert log.lines == []
        wanted = deepcopy(plain)
        _spoil(plain)
        assert story.values() == {"key": wanted}
        (found,) = story.load(story.ids[0]).records
        assert found.payload[0] == (("key", wanted), ("n", 1))
        assert type(found.payload[0][0][1]) is type(plain)

    @pytest.mark.parametrize("value", [[Decimal(1)], [["x" * 5000]], list(range(5000)), {"deep": [["x" * 5000]]}])
    def test_other_values_are_encoded_at_once(self, value: Any) -> None:
        checkpointer = OneRun()
        story = Story(checkpointer)
        story.save({"n": 0})
        story.save({"key": value})
        assert not checkpointer._logs["t", ""].recent
        assert story.values() == {"n": 0, "key": value}

    def test_long_texts_do_not_pile_up_while_they_wait(self) -> None:
        checkpointer = OneRun()
        story = Story(checkpointer)
        text = "x" * 20_000
        for number in range(100):
            text += f"{number} more words"
            story.save({"key": text})
        log = checkpointer._logs["t", ""]
        assert sum(len(each.changes) for each in log.recent if type(each.changes) is bytes) < 100_000
        assert sum(map(len, log.lines)) < 300_000
        assert story.values() == {"key": text}

    def test_much_that_is_new_waits(self) -> None:
        checkpointer = OneRun()
        story = Story(checkpointer)
        story.save({"key": Extend(tuple([{"many": n} for n in range(2000)]))})
        assert checkpointer._logs["t", ""].weight > 20
        assert len(story.values()["key"]) == 2000

    def test_after_big_values_small_ones_wait_again(self) -> None:
        checkpointer = OneRun()
        story = Story(checkpointer)
        for _ in range(3):
            story.save({"key": [["x" * 5000]]})
        for number in range(20):
            story.save({"key": [number]})
        assert checkpointer._logs["t", ""].recent
        assert story.values() == {"key": [19]}


def _spoil(value: Any) -> None:
    """Change everything in it in place."""
    if isinstance(value, dict | list | tuple):
        for each in list(value.values() if isinstance(value, dict) else value):
            _spoil(each)
    if isinstance(value, dict):
        value["spoiled"] = True
    elif isinstance(value, list):
        value.append("spoiled")
