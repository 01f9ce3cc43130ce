"""The review card: what a person is shown of a request, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepgraph import entrypoint, task
from stepgraph.approve.requests import Request
from stepgraph.debug import debug
from stepgraph.panels.card import LAZY, card
from tests.debug.support import held

Ask = Callable[..., Request]


@pytest.fixture
def asked() -> Ask:
    """`asked(graph, input, stop)`: the first request of a run that stops there."""

    def asked(graph: Any, given: Any, stop: str) -> Request:
        dbg = debug(graph)
        for each in list(dbg.stops):
            dbg.remove(each)
        dbg.stop(stop)
        return held(dbg.start(given))[0]

    return asked


@entrypoint()
def anything(given: Any) -> Any:
    return given


def test_an_input_that_is_too_large_to_be_sent_is_shown_by_its_beginnings(asked: Ask) -> None:
    whole = card(asked(anything, "x" * LAZY, "before:anything"))
    assert (whole["value"], whole["beginnings"]) == (None, [["", "x" * 299 + "…"]])
    keyed = card(asked(anything, {"n": 1, "rows": list(range(LAZY))}, "before:anything"))
    assert [key for key, _ in keyed["beginnings"]] == ["n", "rows"]
    assert card(asked(anything, {"n": 1}, "before:anything"))["beginnings"] == []


@task
def price(item: str, *, count: int = 1) -> float:
    return len(item) * count


@entrypoint()
def order(items: list) -> dict:
    return {"total": price(items[0], count=2).result()}


def test_a_called_function_shows_its_arguments_by_name_and_the_node_that_called_it(asked: Ask) -> None:
    shown = card(asked(order, ["cup"], "before:price"))
    assert (shown["path"], shown["within"], shown["value"]) == ("price", "order", {"item": "cup", "count": 2})
    assert (shown["answer"], shown["respond"], "redirect" in shown["allow"]) == (None, {"type": "number"}, False)


def test_a_result_that_is_kept_as_well_is_one_row(asked: Ask) -> None:
    (row,) = card(asked(order, ["cup"], "after:order"))["changes"]
    assert (row["key"], row["also"]) == ("__end__", "and kept for the next run")
