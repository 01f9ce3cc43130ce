"""Classes of a user's whose graphs run in a way of their own."""

from __future__ import annotations

import asyncio
import operator
import subprocess
import sys
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from stepgraph import Command, CompiledStateGraph, StateGraph, interrupt
from stepgraph.graph.pregel import Pregel
from stepgraph.persist import MemoryCheckpointer

T = {"configurable": {"thread_id": "t"}}


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


def chain(first: Any = None) -> CompiledStateGraph[Any]:
    graph = StateGraph(Log).add_node("a", first or (lambda s: {"log": ["a"]})).add_node("b", lambda s: {"log": ["b"]})
    return graph.add_edge("__start__", "a").add_edge("a", "b").compile()


class Wrapped(CompiledStateGraph[Any]):
    """A copy of a graph, as programs make them."""

    def __init__(self, graph: CompiledStateGraph[Any]) -> None:
        self.__dict__.update(graph.__dict__)


class Around(Wrapped):
    def invoke(self, *args: Any, **options: Any) -> Any:
        return {"log": ["(", *super().invoke(*args, **options)["log"], ")"]}

    async def ainvoke(self, *args: Any, **options: Any) -> Any:
        return {"log": ["<", *(await super().ainvoke(*args, **options))["log"], ">"]}


class Streamed(Wrapped):
    def stream(self, input: Any, *args: Any, **options: Any) -> Any:
        yield from super().stream({"log": ["pre", *input["log"]]}, *args, **options)

    async def astream(self, input: Any, *args: Any, **options: Any) -> Any:
        async for chunk in super().astream({"log": ["apre", *input["log"]]}, *args, **options):
            yield chunk


def as_node(graph: Any, **options: Any) -> CompiledStateGraph[Any]:
    return StateGraph(Log).add_node("inner", graph).add_edge("__start__", "inner").compile(**options)


def test_a_graph_that_runs_as_its_class_says_does_so_as_a_node_too() -> None:
    graph = as_node(Around(chain()))
    assert graph.invoke({"log": []})["log"] == ["(", "a", "b", ")"]
    assert asyncio.run(graph.ainvoke({"log": []}))["log"] == ["<", "a", "b", ">"]


def test_it_asks_and_is_resumed_as_others_are() -> None:
    graph = as_node(Around(chain(lambda s: {"log": [interrupt("who?")]})), checkpointer=MemoryCheckpointer())
    assert graph.invoke({"log": []}, T)["__interrupt__"][0].value == "who?"
    shown = graph.get_state(T, subgraphs=True)
    assert shown.tasks[0].state.next == ("a",)
    assert graph.invoke(Command(resume="me"), T)["log"] == ["(", "me", "b", ")"]


def test_invoke_goes_by_a_stream_of_the_class_own() -> None:
    graph = Streamed(chain())
    assert graph.invoke({"log": ["x"]})["log"] == ["pre", "x", "a", "b"]
    assert asyncio.run(graph.ainvoke({"log": ["x"]}))["log"] == ["apre", "x", "a", "b"]
    assert as_node(graph).invoke({"log": []})["log"] == ["pre", "a", "b"]


def test_a_class_that_changes_nothing_of_the_running_is_driven_as_any_graph() -> None:
    graph = as_node(Wrapped(chain()))
    assert graph.plan.nodes["inner"].child is not None
    assert graph.invoke({"log": []})["log"] == ["a", "b"]
    assert as_node(Around(chain())).plan.nodes["inner"].child is None


def test_a_replaced_method_is_called_of_graphs_that_are_nodes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    child = chain()
    graph, seen = as_node(child), []
    own = Pregel.invoke

    def invoke(self: Any, *args: Any, **options: Any) -> Any:
        seen.append(self)
        return own(self, *args, **options)

    with monkeypatch.context() as replaced:
        replaced.setattr(Pregel, "invoke", invoke)
        assert graph.invoke({"log": []})["log"] == ["a", "b"]
        assert seen == [graph, child]
    assert graph.invoke({"log": []})["log"] == ["a", "b"]
    assert len(seen) == 2
    assert graph.plan.nodes["inner"].child is child.plan


def test_methods_are_replaced_where_langchain_is_not_loaded() -> None:
    code = """
import sys
from stepgraph import START, StateGraph
from stepgraph.graph.pregel import Pregel
own, seen = Pregel.invoke, []
Pregel.invoke = lambda self, *args, **options: (seen.append(self), own(self, *args, **options))[1]
graph = StateGraph(dict).add_node("a", lambda s: {"a": 1}).add_edge(START, "a").compile()
print(graph.invoke({}), seen == [graph], "langchain_core" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "{'a': 1} True False\n", done.stderr


def test_a_stream_of_one_graph_is_what_its_invoke_goes_by() -> None:
    child = chain()
    graph = as_node(child)
    child.stream = lambda *_, **__: iter([("values", {"log": ["streamed"]})])  # type: ignore[method-assign]  # as mocks do
    assert child.invoke({"log": []}) == {"log": ["streamed"]}
    assert graph.invoke({"log": []})["log"] == ["streamed"]
    del child.stream
    assert graph.invoke({"log": []})["log"] == ["a", "b"]
