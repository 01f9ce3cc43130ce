"""What is guessed of big values and written by orjson is what a look at each part gives."""

from __future__ import annotations

import collections
import enum
import math
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepgraph.persist import SqliteCheckpointer
from stepgraph.persist.codec import Codec
from stepgraph.persist.guess import guessed, quick_json
from stepgraph.persist.pool import PoolCodec
from tests.contract.checkpointer import Story, same


class Color(enum.StrEnum):
    RED = "red"


class Text(str):
    """Not just a str."""


ODD: list[Any] = [
    (1, 2), [(1,)], [1, [2]], [1, {"a": [2]}], {1, 2}, frozenset({1}), b"x", bytearray(b"x"), math.nan, math.inf, 1.5,
    -0.0, 1e22, 1 << 63, 1 << 64, 10**50, "\ud800", "]}[{", "Great: null", None, True, {1: 2}, {"~": 1}, {None: 1},
    {"a": {"~": [1]}}, Color.RED, Text("x"), np.float64(1.5), np.arange(2), collections.OrderedDict(a=1),
    collections.defaultdict(list), collections.Counter("a"), [[]], [{}], {"a": ()}, "\x00\x1f\x7f\u2028é\n\"\\",
]  # fmt: skip


def big(other: Any) -> dict[str, Any]:
    return {"parts": [{"text": "x" * 600, "flags": [True, None]}], "other": other, "list": [other, "last"]}


@pytest.mark.parametrize("other", ODD, ids=range(len(ODD)))
def test_a_value_of_any_kind_is_written_as_by_the_codec(other: Any, tmp_path: Path) -> None:
    value = big(other)
    found = quick_json(value, orjson.dumps)
    if found is not None:
        text, copy = found
        assert same(Codec().loads(text), value)
        assert copy == value
        assert copy["list"] is not value["list"]
    try:
        wanted = Codec().loads(Codec().dumps(value))
    except Exception:  # noqa: BLE001  whatever cannot be stored
        assert found is None
        return
    checkpointer = SqliteCheckpointer(tmp_path / "t.db")
    story = Story(checkpointer)
    for name in ("one", "other"):
        story.save({name: [value, big(1)]})
    assert repr(story.values(story.ids[0])["one"][0]) == repr(wanted)
    assert repr(story.values()["other"][0]) == repr(wanted)
    checkpointer.close()


def test_plain_values_are_written_so() -> None:
    value = big([{"deep": [[1], {}]}, 1, "two", None])
    found = PoolCodec().quick(value)
    assert found is not None
    assert found[0] == Codec().dumps(value)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.binary(max_size=2)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(st.integers(), max_size=2)
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=300)
@given(values)
def test_whatever_orjson_writes_so_is_read_as_it_was(other: Any) -> None:
    value = big(other)
    found = quick_json(value, orjson.dumps)
    if found is not None:
        assert repr(Codec().loads(found[0])) == repr(value)
        assert repr(found[1]) == repr(value)


def test_a_copy_has_containers_of_its_own() -> None:
    value: dict[str, Any] = {"a": [1, 2], "b": [{"c": [3]}, 4], "d": {"e": {}, "f": []}, "g": [5, [6]]}
    copy, count = guessed(value)
    assert copy == value
    assert count == 9
    assert copy["g"][1] is value["g"][1]  # missed, which shows in the count: there are ten
    assert copy["b"][0]["c"] is not value["b"][0]["c"]
