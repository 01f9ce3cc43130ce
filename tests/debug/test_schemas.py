"""States of every kind under the debugger: what a request shows and takes is typed."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from stepgraph.approve.judge import EditError
from stepgraph.core.types import START, Command
from stepgraph.graph.builder import StateGraph
from tests.debug.support import finished, held


class Item(BaseModel):
    name: str
    price: float = Field(gt=0)


class Order(BaseModel):
    items: Annotated[list[Item], operator.add] = []
    discount: float = Field(default=0, ge=0, le=1)


@dataclass
class Trip:
    days: int = 1
    stops: Annotated[list[str], operator.add] = field(default_factory=list)


def hold(support: Any, schema: Any, node: Any, spec: str, value: Any) -> Any:
    graph = StateGraph(schema).add_node("work", node).add_edge(START, "work").compile(name=schema.__name__)
    dbg = support.debug(graph)
    dbg.stop(spec)
    run = dbg.start(value)
    return run, held(run)[0]


def test_a_pydantic_state_judges_edits_by_its_fields(support):
    run, request = hold(
        support,
        Order,
        lambda order: {"items": [Item(name="tea", price=3)], "discount": 0.5},
        "after:work",
        {"items": []},
    )
    with pytest.raises(EditError) as caught:
        request.edit({"items": [{"name": "tea", "price": -1}], "discount": 7})
    assert [each["path"] for each in caught.value.errors] == [["items", 0, "price"], ["discount"]]
    request.edit({"items": {"$append": [{"name": "cup", "price": 9}]}})
    assert finished(run).result["items"] == [Item(name="tea", price=3), Item(name="cup", price=9)]


def test_the_input_of_a_pydantic_node_can_be_edited(support):
    seen: list[Order] = []
    run, request = hold(support, Order, lambda order: seen.append(order), "before:work", {"discount": 0.1})
    assert request.schema["properties"]["discount"]["maximum"] == 1
    request.edit({"discount": 0.2})
    finished(run)
    assert seen == [Order(discount=0.2)]
    assert run.result["discount"] == 0.1


def test_a_dataclass_state_works_the_same(support):
    def work(trip: Trip) -> dict[str, Any]:
        return {"days": trip.days + 1, "stops": ["Ulm"]}

    run, request = hold(support, Trip, work, "after:work", {"days": 2})
    assert request.update == {"days": 3, "stops": ["Ulm"]}
    request.edit({"days": "4"})
    assert finished(run).result == {"days": 4, "stops": ["Ulm"]}


def test_an_update_in_a_command_is_shown_with_where_it_goes(support):
    def work(trip: Trip) -> Command[Any]:
        return Command(update={"days": 5}, goto="work") if trip.days < 5 else Command(update={"stops": ["end"]})

    run, request = hold(support, Trip, work, "after:work", {"days": 1})
    assert (request.update, request.routes) == ({"days": 5}, ("work",))
    request.redirect("__end__")
    assert finished(run).result["days"] == 5


def test_a_state_that_is_no_mapping_has_one_value(support):
    graph = StateGraph(int).add_node("work", lambda number: number + 1).add_edge(START, "work").compile(name="number")
    dbg = support.debug(graph)
    dbg.stop("after:work")
    run = dbg.start(1)
    (request,) = held(run)
    assert (request.old, request.new) == (1, 2)
    with pytest.raises(EditError, match="valid integer"):
        request.edit("many")
    request.edit(7)
    assert finished(run).result == 7
