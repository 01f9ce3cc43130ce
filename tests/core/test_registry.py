"""Names stand for things that are loaded on use."""

from __future__ import annotations

import sys

import pytest

from stepgraph.core.registry import Registry, load_object


class TestRegistry:
    def test_a_string_is_imported_on_use_only(self) -> None:
        sys.modules.pop("wave", None)
        table = Registry("kind of file", {"wav": "wave:open"})
        assert "wav" in table
        assert "wave" not in sys.modules
        assert table.load("wav") is sys.modules["wave"].open

    def test_an_object_stands_for_itself_and_may_be_replaced(self) -> None:
        table = Registry("thing")
        table.register("a", 1)
        table.register("a", len)
        assert table.load("a") is len
        assert list(table) == ["a"]

    def test_an_unknown_name_is_told_with_the_known_ones(self) -> None:
        with pytest.raises(KeyError, match=r"Unknown thing 'c'\. Known: a, b\."):
            Registry("thing", {"b": 1, "a": 2}).load("c")

    def test_a_nested_name(self) -> None:
        assert load_object("collections:OrderedDict.fromkeys")("ab") == {"a": None, "b": None}
