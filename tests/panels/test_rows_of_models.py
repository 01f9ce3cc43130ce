"""Lists of Pydantic models and dataclasses are shown as tables, like lists of dicts."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from stepgraph.core.types import MISSING
from stepgraph.panels.difference import difference
from stepgraph.panels.values import one_line


class Correction(BaseModel):
    row: int | None
    new: str


@dataclass
class Point:
    x: int
    y: int


def test_models_are_rows_with_their_fields_as_columns():
    found = difference(MISSING, [Correction(row=3, new="male"), Correction(row=None, new="female")])
    assert found["kind"] == "rows"
    assert found["columns"] == ["row", "new"]
    assert [row["cells"] for row in found["rows"]] == [[["3"], ["male"]], [[""], ["female"]]]


def test_a_changed_field_of_a_dataclass_is_a_changed_cell():
    found = difference([Point(1, 2), Point(3, 4)], [Point(1, 2), Point(3, 5)])
    (row,) = found["rows"]
    assert (row["sign"], row["index"], row["cells"]) == ("~", 1, [["3"], ["4", "5"]])


def test_dicts_and_models_may_be_mixed_as_after_an_edit():
    found = difference([Correction(row=1, new="a")], [Correction(row=1, new="a"), {"row": 2, "new": "b"}])
    (row,) = found["rows"]
    assert (row["sign"], row["cells"]) == ("+", [["2"], ["b"]])


def test_a_class_is_no_record():
    assert difference([], [Point])["kind"] != "rows"


def test_a_model_inside_a_list_is_named():
    assert one_line([Point(1, 2)])[0] == "[Point(…)]"
