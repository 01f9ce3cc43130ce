"""Events have a form that files and pages understand."""

from __future__ import annotations

import json
import operator
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import START, Decision, Send, StateGraph, interrupt
from stepgraph.core.events import Event, from_json, to_json
from stepgraph.core.types import Pause
from stepgraph.persist import MemoryCheckpointer
from stepgraph.run.sync import SyncDriver


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]


class Ask:
    """Edits nothing, but is asked everywhere."""

    def wants(self, place: str, node: str | None, ns: tuple[str, ...]) -> bool:
        return place in ("after", "step")

    def __call__(self, pause: Pause) -> Decision:
        return Decision()


def events_of(fails: bool) -> list[Event]:
    """The events of a run with Sends, a subgraph, a question and, if it `fails`, an error."""

    def work(number: Any) -> dict[str, Any]:
        return {"log": [number, {1, 2}, 1j]}

    def ask(state: State) -> dict[str, Any]:
        if fails:
            raise ValueError("no good")
        return {"log": [interrupt("which one?")]}

    inner = StateGraph(State).add_node(ask).add_edge(START, "ask").compile()
    graph = StateGraph(State).add_node("work", work).add_node("inner", inner)
    graph.add_conditional_edges(START, lambda _: [Send("work", 1), Send("work", 2)], ["work"]).add_edge("work", "inner")
    found: list[Event] = []
    compiled = graph.compile(checkpointer=MemoryCheckpointer())
    engine = compiled.engine({"log": []}, {"configurable": {"thread_id": "t"}}, emit=found.append, gate=Ask())
    try:
        SyncDriver().run(engine.run())
    except ValueError:
        assert fails
    return found


@pytest.mark.parametrize("fails", [False, True])
def test_each_event_of_a_run_survives_json(fails: bool) -> None:
    for event in events_of(fails):
        row = json.loads(json.dumps(to_json(event)))
        again = from_json(row)

        assert type(again) is type(event)
        assert again.ns == event.ns
        assert json.loads(json.dumps(to_json(again))).keys() == row.keys()
        if "error" not in row:
            assert to_json(again) == row


def test_an_unknown_event_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"Unknown event 'Nonsense'; the events are RunStarted, "):
        from_json({"event": "Nonsense"})


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ValueError, match=r"The RunFinished event .* lacks its field 'ns'"):
        from_json({"event": "RunFinished"})
