"""What other programs put in the place of what nodes were made of, under LangGraph's names."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any
from unittest.mock import MagicMock, Mock

import pytest
from langchain_core.runnables import RunnableLambda
from typing_extensions import TypedDict

from stepgraph import CompiledStateGraph, InvalidUpdateError, Runtime, StateGraph


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


def two(first: Any = None) -> CompiledStateGraph[Any]:
    graph = StateGraph(Log).add_node("a", first or (lambda s: {"log": ["a"]})).add_node("b", lambda s: {"log": ["b"]})
    return graph.add_edge("__start__", "a").add_edge("a", "b").compile()


def test_a_function_put_in_place_of_a_nodes_own_is_called() -> None:
    """As profilers and guards do, which put the node's own one back in the end."""
    graph = two()
    bound = graph.nodes["a"].bound
    own = bound.func

    def timed(state: Any, *args: Any, **options: Any) -> Any:
        return {"log": ["timed", *own(state, *args, **options)["log"]]}

    bound.func = timed
    assert graph.invoke({"log": []})["log"] == ["timed", "a", "b"]
    assert next(iter(graph.stream({"log": []}))) == {"a": {"log": ["timed", "a"]}}
    assert asyncio.run(graph.ainvoke({"log": []}))["log"] == ["timed", "a", "b"]
    assert graph.nodes["a"].bound.invoke({"log": []}) == {"log": ["timed", "a"]}
    graph.nodes["a"].bound.func = own
    assert graph.invoke({"log": []})["log"] == ["a", "b"]


def test_a_coroutine_function_put_in_place_of_a_nodes_own_is_awaited() -> None:
    async def later(state: Any, runtime: Runtime) -> Any:
        return {"log": [runtime.context["who"]]}

    graph = two(later)
    own = graph.nodes["a"].bound.afunc

    async def timed(*args: Any, **options: Any) -> Any:
        return {"log": ["timed", *(await own(*args, **options))["log"]]}

    graph.nodes["a"].bound.afunc = timed
    assert asyncio.run(graph.ainvoke({"log": []}, context={"who": "me"}))["log"] == ["timed", "me", "b"]
    assert graph.invoke({"log": []}, context={"who": "me"})["log"] == ["timed", "me", "b"]


@pytest.mark.parametrize("ran_before", [False, True])
def test_a_runnable_put_in_place_of_a_nodes_own_is_run(ran_before: bool) -> None:
    async def later(state: Any) -> Any:
        return {"log": ["later"]}

    for graph in (two(), two(later), two(two())):
        if ran_before:
            asyncio.run(graph.ainvoke({"log": []}))
        graph.nodes["a"].bound = RunnableLambda(lambda state: {"log": ["new"]})
        assert graph.invoke({"log": []})["log"] == ["new", "b"]
        assert asyncio.run(graph.ainvoke({"log": []}))["log"] == ["new", "b"]


def test_what_is_put_in_a_builders_nodes_is_compiled() -> None:
    graph = StateGraph(Log).add_node("a", lambda s: {"log": ["a"]}).add_edge("__start__", "a")
    own = graph.nodes["a"].runnable.func
    graph.nodes["a"].runnable.func = lambda s: {"log": ["timed", *own(s)["log"]]}
    assert graph.compile().invoke({"log": []})["log"] == ["timed", "a"]
    graph.nodes["a"].runnable = RunnableLambda(lambda s: {"log": ["new"]})
    assert graph.compile().invoke({"log": []})["log"] == ["new"]
    graph.nodes["a"].runnable = two()
    assert graph.compile().invoke({"log": []})["log"] == ["a", "b"]


@pytest.mark.parametrize("kind", [Mock, MagicMock])
def test_a_mock_is_called_as_the_node_wherever_it_is_put(kind: type[Mock]) -> None:
    """It has every attribute that anybody asks for, `ainvoke` and `plan` too."""
    graph = two(kind(return_value={"log": ["added"]}))
    assert graph.invoke({"log": []})["log"] == ["added", "b"]
    graph.nodes["a"].bound.func = kind(return_value={"log": ["bound"]})
    assert graph.invoke({"log": []})["log"] == ["bound", "b"]
    graph.builder.nodes["b"].runnable = kind(side_effect=lambda *_, **__: {"log": ["runnable"]})
    assert graph.builder.compile().invoke({"log": []})["log"] == ["added", "runnable"]
    with pytest.raises(InvalidUpdateError):
        two(lambda _: kind()).invoke({"log": []})
    routed = StateGraph(Log).add_node("a", lambda _: {"log": ["a"]}).add_edge("__start__", "a")
    routed.add_conditional_edges("a", kind(return_value="__end__"), ["__end__"])
    assert routed.compile().invoke({"log": []})["log"] == ["a"]
