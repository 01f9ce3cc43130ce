"""Graphs as Runnables of langchain-core. What callbacks hear is compared with LangGraph in tests/compat."""

from __future__ import annotations

import asyncio
import operator
import subprocess
import sys
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages.tool import ToolOutputMixin
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda, ensure_config
from langchain_core.tracers.context import collect_runs

from stepgraph import START, Command, StateGraph
from stepgraph.graph.compiled import CompiledStateGraph


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


def graph_of(*nodes: Any) -> Any:
    """A chain of nodes."""
    builder = StateGraph(Log).add_sequence(list(nodes))
    first = nodes[0][0] if isinstance(nodes[0], tuple) else nodes[0].__name__
    return builder.add_edge(START, first).compile()


def a(state: Log) -> Log:
    return {"log": ["a"]}


class Heard(BaseCallbackHandler):
    """The names of the runs that began."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **more: Any) -> None:
        self.names.append(more["name"])


def test_a_graph_is_a_runnable_and_still_a_compiled_graph() -> None:
    graph = graph_of(a)
    assert isinstance(graph, Runnable)
    assert isinstance(graph, CompiledStateGraph)
    assert (graph | RunnableLambda(len)).invoke({"log": []}) == 1


def test_without_langchain_core_nothing_of_it_is_imported() -> None:
    code = (
        "import sys, stepgraph\n"
        "app = stepgraph.StateGraph(dict).add_node('a', lambda s: s).add_edge('__start__', 'a').compile()\n"
        "app.invoke({})\n"
        "print(type(app).__name__, any(name.startswith('langchain') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["CompiledStateGraph", "False"]


def test_a_node_s_config_reaches_what_it_calls_without_a_config() -> None:
    seen: list[Any] = []

    def look(state: Log) -> Log:
        seen.append(ensure_config())
        RunnableLambda(lambda _: seen.append(ensure_config())).with_config(tags=["inner"]).invoke(1)
        seen.append(ensure_config())
        return {"log": []}

    graph_of(look).invoke({"log": []}, {"tags": ["outer"], "configurable": {"user": "u"}})
    assert [sorted(each["tags"]) for each in seen] == [["outer"], ["inner"], ["outer"]]
    assert all(each["configurable"]["user"] == "u" for each in seen)
    assert ensure_config()["tags"] == []


def test_a_thread_started_in_a_node_without_its_context_sees_no_config() -> None:
    from threading import Thread

    seen: list[Any] = []

    def look(state: Log) -> Log:
        thread = Thread(target=lambda: seen.append(ensure_config()["tags"]))
        thread.start()
        thread.join()
        return {"log": []}

    graph_of(look).invoke({"log": []}, {"tags": ["outer"]})
    assert seen == [[]]


def test_callbacks_hear_in_parallel_and_after_errors() -> None:
    def bad(state: Log) -> Log:
        raise ValueError("no")

    heard = Heard()
    graph = StateGraph(Log).add_node(a).add_node(bad).add_edge(START, "a").add_edge(START, "bad").compile()
    with pytest.raises(ValueError, match="no"):
        graph.invoke({"log": []}, {"callbacks": [heard]})
    assert sorted(heard.names) == ["LangGraph", "a", "bad"]


def test_a_graph_in_a_runnable_inherits_its_config() -> None:
    heard = Heard()
    graph = graph_of(a)
    around = RunnableLambda(lambda _: graph.invoke({"log": []}), name="around")
    around.invoke(1, {"callbacks": [heard]})
    assert heard.names == ["around", "LangGraph", "a"]


def test_a_graph_called_from_a_node_is_heard_below_it() -> None:
    inner = graph_of(a).with_config(run_name="inner")
    parents: dict[str, Any] = {}

    class Family(BaseCallbackHandler):
        def __init__(self) -> None:
            self.names: dict[Any, str] = {}

        def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, parent_run_id: Any, **more: Any) -> None:
            self.names[run_id] = more["name"]
            parents[more["name"]] = self.names.get(parent_run_id)

    def call(state: Log, config: RunnableConfig) -> Log:
        return {"log": inner.invoke({"log": []})["log"]}

    async def acall(state: Log) -> Log:
        return {"log": (await inner.ainvoke({"log": []}))["log"]}

    expected = {"LangGraph": None, "call": "LangGraph", "inner": "call", "a": "inner"}
    graph_of(call).invoke({"log": []}, {"callbacks": [Family()]})
    assert parents == expected
    parents.clear()
    asyncio.run(graph_of(("call", acall)).ainvoke({"log": []}, {"callbacks": [Family()]}))
    assert parents == expected


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_graph_that_alone_is_heard_has_the_tags_and_metadata_around_it(asynchronous: bool) -> None:
    """A node calls it with a handler of its own, and nobody hears the graph of that node."""
    told: list[Any] = []

    class Told(BaseCallbackHandler):
        def on_chain_start(self, serialized: Any, inputs: Any, *, tags: Any, metadata: Any, **more: Any) -> None:
            told.append(
                (more["name"], set(tags), {key: metadata.get(key) for key in ("langgraph_node", "user", "own")})
            )

    inner = graph_of(a).with_config(run_name="inner")
    own: Any = {"callbacks": [Told()], "tags": ["own"], "metadata": {"own": 1}}

    def call(state: Log) -> Log:
        return {"log": inner.invoke({"log": []}, own)["log"]}

    async def acall(state: Log) -> Log:
        return {"log": (await inner.ainvoke({"log": []}, own))["log"]}

    around: Any = {"tags": ["around"], "metadata": {"user": "me"}}
    if asynchronous:
        asyncio.run(graph_of(("call", acall)).ainvoke({"log": []}, around))
    else:
        graph_of(call).invoke({"log": []}, around)
    assert told[0] == ("inner", {"around", "own"}, {"langgraph_node": "call", "user": "me", "own": 1})
    assert told[1] == ("a", {"around", "own", "graph:step:1"}, {"langgraph_node": "a", "user": "me", "own": 1})


def test_runs_of_graphs_are_collected_where_they_are_called() -> None:
    inner = graph_of(a).with_config(run_name="inner")
    seen: list[Any] = []

    def call(state: Log) -> Log:
        with collect_runs() as runs:
            inner.invoke({"log": []})
        seen.extend(run.name for run in runs.traced_runs)
        return {"log": []}

    with collect_runs() as runs:
        graph_of(call, ("inner", inner)).invoke({"log": []}, {"callbacks": [Heard()]})
    assert seen == ["inner"]
    assert [run.name for run in runs.traced_runs] == ["inner", "LangGraph"]


def test_tools_may_return_commands() -> None:
    assert isinstance(Command(goto="a"), ToolOutputMixin)
    assert repr(Command(goto="a")) == "Command(goto='a')"


def test_classes_of_a_programs_own_may_be_made_of_command() -> None:
    script = """
import pickle, weakref
from dataclasses import dataclass
import langchain_core.messages
import stepgraph.integrations.ambient
from stepgraph import Command

class Bare(Command):
    __slots__ = ()

@dataclass(frozen=True, kw_only=True, slots=True)
class More(Command):
    more: int = 0

found = More(update={"a": 1}, more=2)
assert (found.update, found.more, hasattr(found, "other")) == ({"a": 1}, 2, False)
assert Bare(goto="x").goto == "x" and not hasattr(Bare(), "other")
assert weakref.ref(found)() is found and pickle.loads(pickle.dumps(found)) == found
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_runnable_that_becomes_a_node_is_not_asked_for_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(RunnableLambda, "__repr__", lambda self: asked.append(self) or "it")
    graph_of(("a", RunnableLambda(lambda state: {"log": ["a"]})))

    assert asked == []


def test_a_bound_config_stays_with_a_runnable_graph() -> None:
    heard = Heard()
    graph = graph_of(a).with_config({"callbacks": [heard], "run_name": "bound"})
    assert isinstance(graph, Runnable)
    graph.invoke({"log": []})
    list(graph.stream({"log": []}))
    assert heard.names == ["bound", "a", "bound", "a"]
