"""JSON by orjson and by the standard library: what is stored means the same, and one goes on where the other ended."""

from __future__ import annotations

import enum
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepgraph.persist import SqliteCheckpointer, fast
from stepgraph.persist.codec import ENCODING, Codec, Unstorable, canonical, line_of, parse, write
from tests.contract.checkpointer import Model, Story, operations, values

ORJSON = fast._found()
assert ORJSON is not None


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "dumps", ORJSON)


def by_both(value: Any) -> Iterator[Any]:
    """What `value()` gives with orjson, then without."""
    for fast.dumps in (ORJSON, None):
        yield value()


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**63 - 2, 2**64 + 2)
    | st.floats()
    | st.floats(-1e-3, 1e-3)
    | st.text(st.characters())
    | values,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner) | st.tuples(inner),
    max_leaves=20,
)


@given(anything)
def test_any_value_reads_back_the_same(value: Any) -> None:
    codec = Codec()
    quick, plain = by_both(lambda: codec.dumps(value))
    assert repr(codec.loads(quick)) == repr(codec.loads(plain)) == repr(codec.loads(codec.dumps(value)))
    assert canonical(quick) == canonical(plain) == plain


@given(anything)
def test_any_line_is_the_text(value: Any) -> None:
    plain = Codec().lower(value)
    for text, line in by_both(lambda: (write(plain), line_of(plain))):
        assert line == text.encode(*ENCODING)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        [math.inf, None],
        {"a": -math.inf},
        2**64,
        -(2**63) - 1,
        10**5000,
        "\ud800",
        {"\udfff": 1},
        [[1e-5], 1e-7, 1e22],
    ],
    ids=["nan", "infinity", "minus infinity", "big", "negative", "huge", "surrogate", "key", "floats"],
)
def test_what_orjson_would_tell_otherwise(value: Any) -> None:
    quick, plain = by_both(lambda: write(value))
    assert repr(parse(quick)) == repr(parse(plain))
    assert canonical(quick) == plain


class Number(enum.IntEnum):
    ONE = 1


@dataclass
class Thing:
    n: int


@pytest.mark.parametrize("value", [Thing(1), Number.ONE, type("Text", (str,), {})("a"), type("Keys", (dict,), {})(a=1)])
def test_nothing_becomes_json_by_itself(value: Any) -> None:
    """Classes are stored with their names: that none of them is here already is an error in any case."""
    told = []
    for outcome in by_both(lambda: _outcome(value)):
        told.append(outcome)
    assert told[0] == told[1]


def _outcome(value: Any) -> str:
    try:
        return write([value])
    except Unstorable as error:
        return error.what


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_file_that_both_wrote_in_turn(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("both") / "runs.db"

    def reopened(checkpointer: SqliteCheckpointer) -> SqliteCheckpointer:
        checkpointer.close()
        opened = SqliteCheckpointer(path)
        fast.dumps = data.draw(st.sampled_from([ORJSON, None]))
        return opened

    model = Model(SqliteCheckpointer(path), reopened)
    for operation in data.draw(st.lists(operations, max_size=25)):
        model.apply(operation)
    model.checkpointer = reopened(model.checkpointer)
    model.check()
    model.checkpointer.close()


def test_a_big_dict_of_tiny_floats_is_patched_across_encoders(tmp_path: Path) -> None:
    def state(number: int) -> dict[str, Any]:
        return {**{f"key{n}": [n / 1e7, 1e20 * n, "e5,"] for n in range(60)}, "last": number}

    turns = count()
    for _ in range(6):
        opened = SqliteCheckpointer(tmp_path / "runs.db")
        story = Story(opened)
        for _ in range(2):
            number = next(turns)
            fast.dumps = (ORJSON, None)[number // 3 % 2]
            story.ids = [story.load().id] if number else []
            story.counter = iter([number + 1])  # type: ignore[assignment]  # goes on where the last one ended
            story.save({"big": state(number)})
        opened.close()

    opened = SqliteCheckpointer(tmp_path / "runs.db")
    assert [each.values["big"] for each in opened.history("t", "")] == [state(number) for number in range(11, -1, -1)]
    lines = [line for (data,) in opened._file.rows("SELECT data FROM block") for line in data.split(b"\n")]
    assert sum('"p":' in line.decode() for line in lines) >= 8
    opened.close()


def test_it_is_loaded_with_the_first_file_only() -> None:
    code = """
        import sys, stepgraph, stepgraph.persist.memory
        assert "orjson" not in sys.modules
        from stepgraph.persist import SqliteCheckpointer
        SqliteCheckpointer(":memory:").close()
        assert "orjson" in sys.modules
    """
    subprocess.run([sys.executable, "-c", "\n".join(line.strip() for line in code.splitlines())], check=True)


def test_without_orjson_all_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "orjson", None)
    monkeypatch.setattr(fast, "dumps", None)
    fast.accelerate()
    assert fast.dumps is None
    assert line_of([1e16, {"a": ("b", None)}]) == json.dumps([1e16, {"a": ["b", None]}], separators=(",", ":")).encode()
