"""Handlers of pauses and resumes: with langchain-core's callbacks and without."""

from __future__ import annotations

import asyncio
import logging
import operator
import subprocess
import sys
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from typing_extensions import TypedDict

from stepgraph import (
    START,
    Command,
    GraphCallbackHandler,
    GraphInterruptEvent,
    GraphResumeEvent,
    StateGraph,
    interrupt,
)
from stepgraph.graph.compiled import CompiledStateGraph


class State(TypedDict):
    log: Annotated[list[Any], operator.add]


class Notes(GraphCallbackHandler):
    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        self.told.append(event)

    def on_resume(self, event: GraphResumeEvent) -> None:
        self.told.append(event)


class Bad(GraphCallbackHandler):
    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        raise KeyError("no")


def graph(**options: Any) -> Any:
    inner = StateGraph(State)
    inner.add_node("ask", lambda s: {"log": [interrupt("sure?")]})
    inner.add_edge(START, "ask")
    g = StateGraph(State)
    g.add_node("inner", inner.compile())
    g.add_edge(START, "inner")
    return g.compile(checkpointer="memory://", **options)


def config(*handlers: Any) -> dict[str, Any]:
    return {"configurable": {"thread_id": "t"}, "callbacks": list(handlers)}


def plain(app: Any) -> Any:
    """The same graph as where langchain-core is not loaded."""
    made = object.__new__(CompiledStateGraph)
    made.__dict__.update(app.__dict__)
    return made


@pytest.mark.parametrize("kind", [lambda app: app, plain], ids=["runnable", "plain"])
def test_a_pause_and_its_resume_are_told_with_their_checkpoints(kind: Any) -> None:
    app, notes = kind(graph()), Notes()
    app.invoke({"log": []}, config(notes))
    app.invoke(Command(resume="yes"), config(notes))
    paused, resumed, inner = notes.told
    first = next(each for each in app.get_state_history(thread="t") if each.next == ("inner",))
    assert paused.checkpoint_id == resumed.checkpoint_id == first.config["configurable"]["checkpoint_id"]
    assert (paused.status, [each.value for each in paused.interrupts]) == ("pending", ["sure?"])
    assert (paused.checkpoint_ns, resumed.checkpoint_ns) == ((), ())
    assert [part.partition(":")[0] for part in inner.checkpoint_ns] == ["inner"]


@pytest.mark.parametrize(("side", "status"), [("before", "interrupt_before"), ("after", "interrupt_after")])
def test_a_breakpoint_has_no_questions(side: str, status: str) -> None:
    g = StateGraph(State)
    g.add_sequence([("a", lambda s: {"log": ["a"]}), ("b", lambda s: {"log": ["b"]})])
    g.add_edge(START, "a")
    app, notes = g.compile(checkpointer="memory://"), Notes()
    app.invoke({"log": []}, config(notes), **{f"interrupt_{side}": ["b" if side == "before" else "a"]})
    app.invoke(None, config(notes))
    paused, resumed = notes.told
    assert (type(paused), paused.status, paused.interrupts) == (GraphInterruptEvent, status, ())
    assert (type(resumed), resumed.status) == (GraphResumeEvent, "pending")
    assert paused.checkpoint_id == resumed.checkpoint_id


def test_nothing_listens_where_there_is_no_such_handler() -> None:
    app = graph()
    for handlers in ((), (BaseCallbackHandler(),)):
        assert plain(app).engine({"log": []}, config(*handlers)).request.emit is None
    assert plain(app).engine({"log": []}, config(Notes())).request.emit is not None


def test_a_run_that_pauses_nowhere_tells_nothing() -> None:
    g = StateGraph(State)
    g.add_node("a", lambda s: {"log": ["a"]})
    g.add_edge(START, "a")
    notes = Notes()
    g.compile().invoke({"log": []}, config(notes))
    assert notes.told == []


def test_an_error_of_a_handler_is_logged_and_the_run_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    notes = Notes()
    with caplog.at_level(logging.WARNING, "stepgraph"):
        graph().invoke({"log": []}, config(Bad(), notes))
    assert len(notes.told) == 1
    assert "Error in Bad.on_interrupt callback: KeyError('no')" in caplog.text


def test_coroutines_are_awaited_before_the_run_returns() -> None:
    class Later(Notes):
        async def on_interrupt(self, event: GraphInterruptEvent) -> None:  # type: ignore[override]  # handlers may be async
            await asyncio.sleep(0.01)
            self.told.append(event)

    notes = Later()
    asyncio.run(graph().ainvoke({"log": []}, config(notes)))
    assert len(notes.told) == 1
    graph().invoke({"log": []}, config(notes))
    assert len(notes.told) == 2


def test_streams_go_on_beside_handlers() -> None:
    notes = Notes()
    chunks = list(graph().stream({"log": []}, config(notes), stream_mode=["updates", "tasks"], subgraphs=True))
    assert any("__interrupt__" in payload for _, mode, payload in chunks if mode == "updates")
    assert len(notes.told) == 1


def test_handlers_need_no_other_package() -> None:
    program = """
import sys
sys.modules["langchain_core"] = None
from stepgraph import START, Command, GraphCallbackHandler, StateGraph, interrupt

class Notes(GraphCallbackHandler):
    def on_interrupt(self, event):
        print("paused", event.status, [each.value for each in event.interrupts])
    def on_resume(self, event):
        print("goes on", event.status)

graph = StateGraph(dict)
graph.add_node("ask", lambda state: {"answer": interrupt("sure?")})
graph.add_edge(START, "ask")
app = graph.compile(checkpointer="memory://")
config = {"configurable": {"thread_id": "t"}, "callbacks": [Notes()]}
app.invoke({}, config)
app.invoke(Command(resume="yes"), config)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["paused pending ['sure?']", "goes on pending"], done.stderr


class Forwards(BaseCallbackHandler):
    """Has something under every name, as handlers that pass on what they hear."""

    def __init__(self) -> None:
        self.names: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **options: None

    def on_chain_start(self, serialized: Any, inputs: Any, **options: Any) -> None:
        self.names.append(options.get("name"))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_handler_that_has_something_under_every_name_hears_all(asynchronous: bool) -> None:
    g = StateGraph(State)
    g.add_node("node", (_async_node if asynchronous else lambda s: {"log": ["ran"]}))
    g.add_edge(START, "node")
    forwards = Forwards()
    app, called = g.compile(), {"callbacks": [forwards]}
    result = asyncio.run(app.ainvoke({"log": []}, called)) if asynchronous else app.invoke({"log": []}, called)
    assert result == {"log": ["ran"]}
    assert forwards.names == ["LangGraph", "node"]


async def _async_node(state: State) -> Any:
    return {"log": ["ran"]}
