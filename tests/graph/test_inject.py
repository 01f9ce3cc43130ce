"""What nodes get beside the state, and how nodes of every kind are called."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict

import pytest

import stepgraph
from stepgraph import END, START, RunnableConfig, Runtime, StateGraph, get_config, get_runtime, get_store
from stepgraph.core.errors import InvalidUpdateError
from stepgraph.graph.inject import wanted
from tests import services


class State(TypedDict, total=False):
    seen: Any


def asked(function: Any) -> set[str]:
    """The names of the parameters that `function` is given by injection."""
    return {name for name, _ in wanted(function)}


def app(node: Any, **compiling: Any) -> Any:
    g = StateGraph(State)
    g.add_node("node", node)
    g.add_edge(START, "node")
    g.add_edge("node", END)
    return g.compile(**compiling)


def test_parameters_are_known_by_name_and_annotation() -> None:
    def all_of_them(state, config, writer, store, previous, *, runtime):  # type: ignore[no-untyped-def]  # names alone are what is tested
        pass

    def annotated(state: Any, config: RunnableConfig, runtime: int, writer: Callable[[Any], None]) -> None:
        pass

    def others(state: Any, store: int, writer: str, error: Any, *config: Any) -> None:
        pass

    def by_position(runtime: Any, config: RunnableConfig, /) -> None:
        pass

    assert asked(all_of_them) == {"config", "writer", "store", "previous", "runtime"}
    assert asked(annotated) == {"config", "runtime", "writer"}
    assert asked(others) == set()
    assert asked(by_position) == set()
    assert asked(len) == set()


@pytest.mark.parametrize(
    ("annotation", "given"),
    [
        ("RunnableConfig", True),
        ("Optional[RunnableConfig]", True),
        ("RunnableConfig | None", True),
        ("types.RunnableConfig", True),
        (RunnableConfig | None, True),
        ("dict", False),
        ("dict | None", False),
        (int, False),
        (RunnableConfig | int, False),
    ],
)
def test_a_config_with_another_annotation_is_left_alone_with_a_warning(annotation: Any, given: bool) -> None:
    def node(state: Any, config: Any = None) -> Any:
        return {"seen": config is not None}

    node.__annotations__["config"] = annotation
    if given:
        assert app(node).invoke({}) == {"seen": True}
        return
    with pytest.warns(UserWarning, match="'config' parameter should be typed as 'RunnableConfig'.*node does not"):
        made = app(node)
    assert made.invoke({}) == {"seen": False}


def test_an_error_is_asked_for_by_its_annotation_only() -> None:
    def node(state: Any, error: "NodeError") -> Any:  # noqa: F821, UP037  only its text counts
        return {"seen": error}

    assert app(node).invoke({}) == {"seen": None}


@dataclass
class User:
    name: str


def test_context_store_and_writer_come_with_the_runtime() -> None:
    store = object()

    def node(state: State, runtime: Runtime[User]) -> Any:
        runtime.stream_writer("hello")
        assert runtime.store is get_store() is store
        assert get_runtime(User).context is runtime.context
        return {"seen": runtime.context.name}

    g = StateGraph(State, context_schema=User)
    g.add_node("node", node)
    g.add_edge(START, "node")
    graph = g.compile(store=store)
    assert graph.invoke({}, context={"name": "ann"}) == {"seen": "ann"}
    assert list(graph.stream({}, context=User("bob"), stream_mode="custom")) == ["hello"]
    with pytest.raises(TypeError, match="nobody"):
        graph.invoke({}, context={"nobody": 1})


def test_the_runtime_says_where_it_is() -> None:
    def node(state: State, runtime: Runtime, config: RunnableConfig) -> Any:
        info = runtime.execution_info
        assert info is not None
        assert config["configurable"]["checkpoint_ns"] == info.checkpoint_ns == f"node:{info.task_id}"
        return {"seen": (info.thread_id, info.run_id, info.node_attempt, info.checkpoint_id)}

    graph = app(node, checkpointer="memory://")
    thread, run, attempt, checkpoint = graph.invoke({}, {"run_id": "7", "configurable": {"thread_id": 5}})["seen"]
    assert (thread, run, attempt) == ("5", "7", 1)
    assert [s.config["configurable"]["checkpoint_id"] for s in graph.get_state_history(thread="5")][1] == checkpoint


def test_a_runtime_can_be_merged_and_changed() -> None:
    base = Runtime(context=1, store="s", previous=0)
    assert base.merge(Runtime(context=2)).context == 2
    assert base.merge(Runtime()) == base
    assert base.override(store=None).store is None
    with pytest.raises(RuntimeError, match="no node is running"):
        base.patch_execution_info(node_attempt=2)
    known = base.override(execution_info=stepgraph.ExecutionInfo("c", "n", "t"))
    assert known.patch_execution_info(node_attempt=2).execution_info == stepgraph.ExecutionInfo(
        "c", "n", "t", node_attempt=2
    )


def test_a_server_tells_on_whose_behalf_it_runs() -> None:
    graph = app(lambda state, runtime: {"seen": runtime.server_info})
    config = {"configurable": {"assistant_id": "a", "graph_id": "g"}}
    assert graph.invoke({}, config)["seen"] == stepgraph.ServerInfo("a", "g")
    assert graph.invoke({})["seen"] is None


def test_outside_of_a_node_there_is_no_config() -> None:
    for function in (
        get_config,
        get_runtime,
        get_store,
        stepgraph.get_stream_writer,
        partial(stepgraph.interrupt, "?"),
    ):
        name = getattr(function, "func", function).__name__
        with pytest.raises(RuntimeError, match=rf"outside of a runnable context: {name}\(\) was called where no node"):
            function()


def test_async_callables_of_every_kind_run_under_invoke_too() -> None:
    class Later:
        async def __call__(self, state: State) -> Any:
            await asyncio.sleep(0)
            return {"seen": "later"}

    class Parts:
        async def __call__(self, state: State) -> AsyncIterator[Any]:
            yield {"seen": 1}
            yield {"seen": 2}

    assert app(Later()).invoke({}) == {"seen": "later"}
    assert app(Parts()).invoke({}) == {"seen": 2}
    assert asyncio.run(app(Parts()).ainvoke({})) == {"seen": 2}


def test_an_object_that_is_called_is_no_generator_node() -> None:
    class Parts:
        def __call__(self, state: State) -> Any:
            yield {"seen": 1}

        def part(self, state: State) -> Any:
            yield {"seen": 2}

    with pytest.raises(InvalidUpdateError, match="Expected dict, got <generator object"):
        app(Parts()).invoke({})
    assert app(Parts().part).invoke({}) == {"seen": 2}


class Both:
    """Looks like a Runnable: one way to call it for each driver."""

    def invoke(self, state: Any, config: Any) -> Any:
        return {"seen": ("sync", config["metadata"]["langgraph_node"])}

    async def ainvoke(self, state: Any, config: Any) -> Any:
        await asyncio.sleep(0)
        return {"seen": ("async", config["metadata"]["langgraph_node"])}


def test_a_runnable_is_awaited_by_an_async_driver() -> None:
    graph = app(Both())
    assert graph.invoke({}) == {"seen": ("sync", "node")}
    assert asyncio.run(graph.ainvoke({})) == {"seen": ("async", "node")}
    chunks = asyncio.run(_listed(graph.astream({}, stream_mode="updates")))
    assert chunks == [{"node": {"seen": ("async", "node")}}]


async def _listed(chunks: Any) -> list[Any]:
    return [chunk async for chunk in chunks]


def test_a_node_without_a_name_takes_that_of_its_callable() -> None:
    class Named(Both):
        def get_name(self) -> str:
            return "given"

    class Callable_:  # noqa: N801  another name than the type's
        def __call__(self, state: State) -> None: ...

    g = StateGraph(State)
    g.add_node(Named())
    g.add_node(Callable_())
    g.add_node(User)
    assert list(g.nodes) == ["given", "Callable_", "User"]


def test_a_dict_as_a_node_needs_langchain() -> None:
    script = (
        "import sys; sys.modules['langchain_core'] = None\n"
        "from stepgraph import StateGraph\n"
        "try: StateGraph(dict).add_node('n', {'a': len})\n"
        "except ImportError as error: print(error)"
    )
    said = services.run([sys.executable, "-c", script])
    assert 'pip install "stepgraph[langchain]"' in said


def test_node_code_may_call_a_graph_from_a_thread_of_its_own_with_its_config() -> None:
    """The config tells where it runs, even where no context variable does."""
    from threading import Thread

    seen: list[Any] = []
    inner = app(lambda state, runtime: seen.append(runtime.execution_info.checkpoint_ns))

    def outer(state: State, config: RunnableConfig) -> None:
        for given in (config, None):
            thread = Thread(target=inner.invoke, args=({}, given))
            thread.start()
            thread.join()

    app(outer).invoke({})
    assert [ns.count("|") for ns in seen] == [1, 0]
