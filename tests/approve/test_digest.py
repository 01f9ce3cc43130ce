from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from stepgraph.approve.digest import digest


@dataclass
class Row:
    name: str
    sizes: list[int]


class Mail(BaseModel):
    to: str
    at: datetime | None = None


def values():
    return [
        {"a": [1, 2.0, None, True], "b": (1, 2), "c": {3, 4}},
        [Row("x", [1]), Row("x", [2])],
        Mail(to="ana", at=datetime(2026, 1, 2, tzinfo=UTC)),
        "text",
        b"bytes",
    ]


@pytest.mark.parametrize("at", range(5))
def test_equal_content_has_an_equal_digest_although_the_objects_differ(at):
    assert digest(values()[at]) == digest(values()[at])


def test_a_change_deep_inside_changes_the_digest():
    before, after = values()[1], values()[1]
    after[1].sizes.append(3)
    assert digest(before) != digest(after)


def test_types_are_told_apart():
    kinds = [1, 1.0, True, "1", [1], (1,), {1}, {1: None}]
    assert len({digest(kind) for kind in kinds}) == len(kinds)


def test_a_value_that_contains_itself_has_a_digest():
    loop: list = [Row("x", [])]
    loop.append(loop)
    assert len(digest(loop)) == 32


def test_the_digest_is_the_same_in_another_process():
    code = "from stepgraph.approve.digest import digest; print(digest({'a': {'x', 'y', 'z'}, 'b': ['long ' * 9, 1.5]}))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert shown == digest({"a": {"z", "y", "x"}, "b": ["long " * 9, 1.5]})
