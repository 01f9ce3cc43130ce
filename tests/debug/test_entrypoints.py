"""An entrypoint under the debugger: a person gives or edits what its function returns, not the keys that keep it."""

from __future__ import annotations

from typing import Any

import pytest

from stepgraph import Command, entrypoint
from stepgraph.approve.judge import EditError
from stepgraph.approve.requests import Request
from stepgraph.core.types import END, PREVIOUS
from stepgraph.debug import debug
from stepgraph.debug.run import Run
from stepgraph.panels.card import card
from stepgraph.persist import MemoryCheckpointer
from tests.debug.support import finished, held


@entrypoint()
def counting(n: int, *, previous: Any = None) -> int:
    return n + (previous or 0)


@entrypoint()
def apart(n: int, *, previous: Any = None) -> entrypoint.final[int, str]:
    return entrypoint.final(value=n, save=f"{previous} {n}")


@entrypoint()
def told(given: dict) -> dict:
    return {**given, "told": True}


def asked(graph: Any, given: Any, stop: str) -> tuple[Run, Request]:
    dbg = debug(graph)
    dbg.stop(stop)
    run = dbg.start(given)
    return run, held(run)[0]


def kept(run: Run) -> tuple[Any, Any]:
    state = finished(run).at(0).state
    return state[END], state[PREVIOUS]


def test_a_bare_value_is_given_in_place_of_the_function() -> None:
    run, request = asked(counting, 1, "before:counting")
    assert request.respond_schema == {"type": "integer"}
    with pytest.raises(EditError, match=r"value: .*valid integer, unable to parse string as an integer\. The request"):
        request.respond("many")
    request.respond(7)
    assert kept(run) == (7, 7)


@pytest.mark.parametrize(
    ("graph", "given", "value", "both"),
    [
        (told, {"a": 1}, {"b": 2}, ({"b": 2}, {"b": 2})),
        (counting, 1, {END: 7, PREVIOUS: 8}, (7, 8)),
        (counting, 1, Command(update={END: 7, PREVIOUS: 9}), (7, 9)),
        (apart, 1, entrypoint.final(value=7, save="x"), (7, "x")),
    ],
)
def test_other_forms_are_what_they_were(graph: Any, given: Any, value: Any, both: tuple[Any, Any]) -> None:
    run, request = asked(graph, given, f"before:{graph.plan.entry}")
    request.respond(value)
    assert kept(run) == both


@pytest.mark.parametrize("place", ["after:counting", "step"])
def test_an_edit_of_the_result_is_one_of_what_is_kept(place: str) -> None:
    run, request = asked(counting, 1, place)
    assert request.value == {END: 1}
    assert [each.key for each in request.own_changes] == [END]
    assert request.keys == {END, PREVIOUS}
    request.edit({END: 5})
    assert kept(run) == (5, 5)


def test_what_is_kept_may_be_edited_alone() -> None:
    run, request = asked(counting, 1, "after:counting")
    request.edit({PREVIOUS: 5})
    assert kept(run) == (1, 5)


def test_what_is_kept_apart_is_edited_apart() -> None:
    run, request = asked(apart, 1, "after:apart")
    assert request.value == {END: 1, PREVIOUS: "None 1"}
    request.edit({END: 5})
    assert kept(run) == (5, "None 1")


def test_a_bare_value_that_cant_be_kept_is_refused_with_what_can() -> None:
    def typed(n: int) -> Any:
        return entrypoint.final(value=n, save="x")

    typed.__annotations__["return"] = entrypoint.final[int, str]  # text, in this module, would be no type
    run, request = asked(entrypoint()(typed), 1, "before:typed")
    assert request.respond_schema is not None
    assert list(request.respond_schema["properties"]) == [END, PREVIOUS]
    assert card(request)["answer"] == {}
    with pytest.raises(
        EditError, match=r"as what is kept for the next run: .*valid string; give both, entrypoint\.final"
    ):
        request.respond(7)
    request.respond(entrypoint.final(value=7, save="x"))
    assert kept(run) == (7, "x")


def test_what_is_wrong_with_both_values_is_said_once() -> None:
    run, request = asked(counting, 1, "after:counting")
    with pytest.raises(EditError, match=r"superstep 0\): __end__: .*valid integer") as raised:
        request.edit({END: "many"})
    assert [each["path"] for each in raised.value.errors] == [[END]]
    request.approve()
    assert kept(run) == (1, 1)


def test_decisions_of_a_reopened_entrypoint_are_in_the_audit() -> None:
    @entrypoint(checkpointer=MemoryCheckpointer())
    def reopened(n: int) -> int:
        return n

    dbg = debug(reopened)
    dbg.stop("before:reopened")
    left = dbg.start(1, thread="t")
    held(left)[0].suspend()
    left.wait()
    run = dbg.open("t")
    for request in run.requests():
        request.edit(2)
    assert list(run.audit()["verb"]) == ["suspend", "edit"]


def test_a_key_of_the_input_may_be_left_out() -> None:
    run, request = asked(told, {"a": 1, "b": 2}, "before:told")
    request.edit({"a": {"$drop": True}, "b": 3})
    assert finished(run).result == {"b": 3, "told": True}
