"""Diffs in the form in which a person sees them best, bounded whatever is compared."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy
import pandas
import pytest

from stepgraph.core.types import MISSING
from stepgraph.panels.difference import difference, text


def joined(segments: list[tuple[str, str]], signs: str) -> str:
    return "".join(part for sign, part in segments if sign in signs)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("We can refund it today.", "We can refund it tomorrow."),
        ("", "new"),
        ("old", ""),
        ("same", "same"),
        ("abc", "xyz"),
        ("line one\nline two\n", "line one\nline 2\nline three\n"),
        ("a b c d e f", "a c e g b"),
    ],
)
def test_the_segments_of_a_text_make_both_texts_again(old: str, new: str) -> None:
    segments = text(old, new)
    assert joined(segments, "=-") == old
    assert joined(segments, "=+") == new


def test_words_are_replaced_whole() -> None:
    assert text("it is Tuesday", "it is Thursday") == [("=", "it is "), ("-", "Tuesday"), ("+", "Thursday")]


def test_rows_of_equal_tables_meet_by_number_and_only_changed_ones_are_shown() -> None:
    old = [{"id": i, "name": "a"} for i in range(100)]
    new = [dict(row) for row in old]
    new[7]["name"] = "b"
    found = difference(old, new)
    assert found["kind"] == "rows"
    assert found["rows"] == [{"sign": "~", "index": 7, "cells": [["7"], ["a", "b"]]}]
    assert (found["changed"], found["total"]) == (1, [100, 100])


def test_an_inserted_row_is_one_change() -> None:
    old = [{"id": i} for i in range(5)]
    new = [*old[:2], {"id": 99}, *old[2:]]
    assert [(row["sign"], row["index"]) for row in difference(old, new)["rows"]] == [("+", 2)]


def test_data_frames_are_compared_by_rows_and_missing_cells_are_equal() -> None:
    old = pandas.DataFrame({"species": ["Adelie", "Gentoo"], "mass": [3750.0, float("nan")], "note": [None, pandas.NA]})
    new = old.assign(species=["Adelie Penguin", "Gentoo"])
    found = difference(old, new)
    assert [row["cells"] for row in found["rows"]] == [[["Adelie", "Adelie Penguin"], ["3750.0"], [""]]]


def test_a_first_table_is_all_new() -> None:
    assert [row["sign"] for row in difference(MISSING, [{"a": 1}, {"a": 2}])["rows"]] == ["+", "+"]


def test_a_structure_shows_only_the_paths_that_changed() -> None:
    old = {"model": {"name": "a", "t": 0.7}, "tags": ["a", "b", "c"], "same": 1}
    new = {"model": {"name": "b", "t": 0.7}, "tags": ["a", "c", "d"], "same": 1, "more": True}
    paths = {tuple(each["path"]): each for each in difference(old, new)["paths"]}
    assert set(paths) == {("model", "name"), ("tags", "1"), ("tags", "2"), ("more",)}
    assert paths["tags", "1"]["new"] is None
    assert paths["more",]["old"] is None


def test_true_is_not_one_and_nan_is_nan() -> None:
    assert difference({"a": 1, "b": float("nan")}, {"a": True, "b": float("nan")})["paths"] == [
        {"path": ["a"], "old": "1", "new": "True"}
    ]


def test_arrays_are_compared_without_raising() -> None:
    old, new = {"a": numpy.zeros(3)}, {"a": numpy.ones(3)}
    assert len(difference(old, new)["paths"]) == 1
    assert difference(old, {"a": numpy.zeros(3)})["paths"] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("word " * 200_000, "word " * 100_000 + "x" + "word " * 100_000),
        ([{"id": i, "v": i} for i in range(20_000)], [{"id": i, "v": -i} for i in range(20_001)]),
        (list(range(100_000)), list(range(1, 100_001))),
        ({str(i): i for i in range(50_000)}, {str(i): -i for i in range(50_000)}),
    ],
    ids=["a megabyte of text", "20,000 rows", "100,000 numbers", "50,000 keys"],
)
def test_large_values_give_small_diffs_soon(old: Any, new: Any) -> None:
    begin = time.process_time()
    found = difference(old, new)
    assert len(json.dumps(found)) < 300_000
    assert time.process_time() - begin < 5


def test_a_text_put_before_another_is_only_added() -> None:
    assert text("On Thursday.", "Dear customer, On Thursday.") == [("+", "Dear customer, "), ("=", "On Thursday.")]
    assert text("On Thursday", "On Thursday, at last") == [("=", "On Thursday"), ("+", ", at last")]
    assert text("On Thursday", "On Thursdays") == [("=", "On "), ("-", "Thursday"), ("+", "Thursdays")]
