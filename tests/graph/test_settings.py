"""Each setting of a call that is of the wrong kind is refused with what it is and what it may be."""

from __future__ import annotations

import asyncio
import importlib
from fractions import Fraction
from typing import Any, TypedDict

import numpy
import pytest

from stepgraph import START, StateGraph
from stepgraph.persist import MemoryCheckpointer


class State(TypedDict):
    x: int


def compiled() -> Any:
    """A graph of the class that is of use now: a Runnable once langchain-core is loaded."""
    return StateGraph(State).add_node("a", lambda state: {"x": state["x"] + 1}).add_edge(START, "a").compile()


UNFIT: dict[str, tuple[Any, type[Exception], str]] = {
    "a number": (3, AttributeError, 'A config is a dict, e.g. {"configurable": {"thread_id": "t1"}}, and not 3'),
    "a text": ("t1", AttributeError, "and not 't1'; for a thread alone, write `thread=`."),
    "configurable": (
        {"configurable": "t1"},
        AttributeError,
        'configurable is a dict such as {"thread_id": "t1"}, not \'t1\': correct it in the config of the call.',
    ),
    "metadata": ({"metadata": 3}, AttributeError, "metadata is a dict, not 3"),
    "tags": ({"tags": 3}, TypeError, "tags is a list of texts, not 3"),
    "recursion_limit": ({"recursion_limit": "9"}, TypeError, "recursion_limit is a number of supersteps, not '9'"),
    "no superstep": ({"recursion_limit": 0}, ValueError, "recursion_limit must be at least 1"),
    "max_concurrency": (
        {"max_concurrency": "9"},
        TypeError,
        "max_concurrency is '9' in the config of this call or graph",
    ),
    "fewer than none": (
        {"max_concurrency": -1},
        ValueError,
        "max_concurrency is -1 in the config of this call or graph",
    ),
    "callbacks": ({"callbacks": 3}, AttributeError, "callbacks is a list of handlers or a callback manager, not 3."),
}


@pytest.mark.parametrize("module", ["stepgraph", "stepgraph.integrations.runnable_graph"], ids=["alone", "Runnable"])
@pytest.mark.parametrize("what", UNFIT)
def test_an_unfit_setting_is_named(what: str, module: str) -> None:
    """Also where compiled graphs are Runnables, which callbacks hear of."""
    importlib.import_module(module)
    app = compiled()
    config, error, message = UNFIT[what]
    for call in (
        lambda: app.invoke({"x": 1}, config),
        lambda: list(app.stream({"x": 1}, config)),
        lambda: asyncio.run(app.ainvoke({"x": 1}, config)),
        lambda: app.with_config({"tags": ["of the graph"], "metadata": {"of": "the graph"}}).invoke({"x": 1}, config),
    ):
        with pytest.raises(error) as raised:
            call()
        assert message in str(raised.value)


def test_an_unfit_setting_of_a_call_about_state_is_named() -> None:
    app = compiled().copy({"checkpointer": MemoryCheckpointer()})
    for call in (app.get_state, lambda config: app.update_state(config, {"x": 1})):
        with pytest.raises(AttributeError, match="configurable is a dict such as"):
            call({"configurable": 3})


def test_unfit_interrupts_of_a_call_are_named() -> None:
    with pytest.raises(TypeError, match="Interrupts before or after nodes are a list of their names"):
        compiled().invoke({"x": 1}, interrupt_before=3)


def test_settings_that_say_nothing_are_fine() -> None:
    nothing = dict.fromkeys(("configurable", "metadata", "tags", "max_concurrency", "callbacks"))
    assert compiled().invoke({"x": 1}, {**nothing, "recursion_limit": 5}) == {"x": 2}
    assert compiled().invoke({"x": 1}, {"tags": (), "max_concurrency": 0, "recursion_limit": 5.5}) == {"x": 2}


def test_what_says_the_same_as_a_list_or_a_number_is_fine() -> None:
    """As LangGraph takes it."""
    for tags in (["a"], ("a",), {"a"}, {"a": 1}, "a", (each for each in "a"), numpy.array(["a", "b"])):
        assert compiled().invoke({"x": 1}, {"tags": tags}) == {"x": 2}
    assert compiled().invoke({"x": 1}, {"max_concurrency": Fraction(2), "recursion_limit": Fraction(5)}) == {"x": 2}
