"""Each channel's rule as a function of the value before and the updates."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepgraph.core.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    Channel,
    DeltaChannel,
    EphemeralValue,
    LastValue,
    NamedBarrierValue,
    Topic,
    UntrackedValue,
    empty,
    overwritten,
)
from stepgraph.core.checkpoint import Extend
from stepgraph.core.errors import InvalidUpdateError
from stepgraph.core.types import MISSING, Overwrite


def adding() -> BinaryOperatorAggregate:
    return BinaryOperatorAggregate(list, operator.add, key="k")


@pytest.mark.parametrize(
    ("channel", "value", "updates", "result"),
    [
        (LastValue(int, key="k"), 1, [2], 2),
        (LastValue(int, key="k"), 1, [None], None),
        (AnyValue(int, key="k"), 1, [2, 3], 3),
        (EphemeralValue(int, key="k"), MISSING, [2], 2),
        (EphemeralValue(int, guard=False, key="k"), 1, [2, 3], 3),
        (UntrackedValue(int, key="k"), 1, [2], 2),
        (UntrackedValue(int, guard=False, key="k"), 1, [2, 3], 3),
        (Topic(str, key="k"), ["old"], ["a", ["b", "c"]], ["a", "b", "c"]),
        (Topic(str, accumulate=True, key="k"), ["old"], ["a", ["b"]], ["old", "a", "b"]),
        (Topic(str, key="k"), MISSING, [[]], MISSING),
        (NamedBarrierValue(str, names=["a", "b"], key="k"), frozenset(), ["a"], frozenset("a")),
        (NamedBarrierValue(str, names=["a", "b"], key="k"), frozenset("a"), ["b"], frozenset("ab")),
        (adding(), [1], [[2], [3]], [1, 2, 3]),
        (adding(), MISSING, [[2]], [2]),
        (adding(), MISSING, [[2], [3]], [2, 3]),
        (adding(), [1], [Overwrite([9])], [9]),
        (adding(), [1], [[2], Overwrite([9]), [3]], [9]),
        (adding(), [1], [{"__overwrite__": [9]}], [9]),
        (adding(), [1], [{"type": "__overwrite__", "value": [9]}], [9]),
        (BinaryOperatorAggregate(int, max, key="k"), 4, [7, 2], 7),
        (BinaryOperatorAggregate(dict, operator.or_, key="k"), {"a": 1}, [{"b": 2}], {"a": 1, "b": 2}),
    ],
)
def test_what_updates_make_of_a_value(channel: Channel, value: Any, updates: list[Any], result: Any) -> None:
    before = list(value) if isinstance(value, list) else value
    assert channel.reduce(value, updates) == result
    assert value == before, "a reducer never changes what it was given"


@pytest.mark.parametrize(
    ("channel", "updates", "message"),
    [
        (LastValue(int, key="k"), [1, 2], r"At key 'k': Can receive only one value per step.*Annotated\[list"),
        (EphemeralValue(int, key="k"), [1, 2], r"At key 'k'.*guard=True.*Use guard=False"),
        (UntrackedValue(int, key="k"), [1, 2], r"At key 'k'.*guard=True.*Use guard=False"),
        (NamedBarrierValue(str, names=["a"], key="k"), ["z"], r"At key 'k': Value 'z' not in \['a'\]"),
        (adding(), [Overwrite([1]), Overwrite([2])], "At key 'k': Can receive only one Overwrite value per super-step"),
    ],
)  # fmt: skip
def test_updates_that_a_channel_refuses(channel: Channel, updates: list[Any], message: str) -> None:
    with pytest.raises(InvalidUpdateError, match=message):
        channel.reduce(channel.initial() if channel.initial() is not MISSING else [], updates)


@pytest.mark.parametrize(
    ("channel", "settled"),
    [
        (LastValue(int), 5),
        (AnyValue(int), MISSING),
        (EphemeralValue(int), MISSING),
        (UntrackedValue(int), 5),
        (Topic(int), MISSING),
        (Topic(int, accumulate=True), 5),
        (adding(), 5),
    ],
)
def test_what_is_left_after_a_superstep_without_a_write(channel: Channel, settled: Any) -> None:
    assert channel.settle(5) is settled


def test_a_barrier_is_read_when_complete_and_reset_when_consumed() -> None:
    barrier = NamedBarrierValue(str, names=["a", "b"])
    half, whole = frozenset("a"), frozenset("ab")
    assert barrier.initial() == frozenset()
    assert (barrier.read(half), barrier.read(whole)) == (MISSING, None)
    assert (barrier.consume(half), barrier.consume(whole)) == (half, frozenset())


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (LastValue(int), LastValue(str), True),
        (LastValue(int), AnyValue(int), False),
        (Topic(int), Topic(int, accumulate=True), False),
        (EphemeralValue(int), EphemeralValue(int, guard=False), False),
        (UntrackedValue(int), UntrackedValue(int, guard=False), False),
        (NamedBarrierValue(str, names=["a"]), NamedBarrierValue(str, names=["b"]), False),
        (adding(), adding(), True),
        (adding(), BinaryOperatorAggregate(list, operator.concat), False),
        (adding(), BinaryOperatorAggregate(list, lambda a, b: a), True),
    ],
)
def test_when_two_schemas_may_share_a_key(one: Channel, other: Channel, equal: bool) -> None:
    assert (one == other) is equal


def test_only_what_was_appended_is_stored_of_a_list_that_grew() -> None:
    assert adding().delta([1], [[2], [3]], [1, 2, 3]) == Extend((2, 3))
    assert adding().delta([1], [[2]], [1, 2]) == Extend((2,))
    assert adding().delta([1], [Overwrite([9])], [9]) == [9]
    assert BinaryOperatorAggregate(int, max).delta(1, [4], 4) == 4


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (list, []),
        (list[int], []),
        (dict[str, int], {}),
        (Sequence[int], []),
        (Mapping[str, int], {}),
        (int, 0),
        (str, ""),
    ],
)
def test_what_a_reducer_starts_from(kind: Any, value: Any) -> None:
    assert empty(kind) == value


def test_a_type_that_needs_arguments_starts_without_a_value() -> None:
    class Needs:
        def __init__(self, something: int) -> None: ...

    assert empty(Needs) is MISSING


@pytest.mark.parametrize("update", [[1], {"a": 1}, {"__overwrite__": 1, "b": 2}, {"type": "x", "value": 1}, None])
def test_an_ordinary_update_overwrites_nothing(update: Any) -> None:
    assert overwritten(update) is MISSING


@settings(deadline=None)  # a busy machine is no bug
@given(st.lists(st.integers()), st.lists(st.lists(st.integers()), min_size=1))
def test_appending_is_folding(value: list[int], updates: list[list[int]]) -> None:
    expected = list(value)
    for update in updates:
        expected = expected + update
    assert adding().reduce(value, updates) == expected
    extended = adding().delta(value, updates, expected)
    assert [*value, *extended.items] == expected


def folding(frequency: int = 100) -> DeltaChannel:
    def extend(state: list[Any], writes: Sequence[Any]) -> list[Any]:
        for write in writes:
            state.extend(write)
        return state

    return DeltaChannel(extend, list, snapshot_frequency=frequency, key="k")


def test_a_reducer_of_batches_may_change_what_it_is_given() -> None:
    before = [1]
    assert folding().reduce(before, [[2], [3]]) == [1, 2, 3]
    assert before == [1]


def test_what_was_written_before_the_last_overwrite_does_not_count_when_writes_are_replayed() -> None:
    kept = [9]
    assert folding().replay([1], [[2], Overwrite([5]), [6], Overwrite(kept), [7]]) == [9, 7]
    assert kept == [9]
    assert folding().replay(MISSING, [[1], [2]]) == [1, 2]
    assert folding().replay([1], [[2], Overwrite(None)]) == []
    assert folding().replay([1], []) == [1]
