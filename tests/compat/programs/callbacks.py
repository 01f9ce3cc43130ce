"""Handlers that hear of pauses and resumes."""

import asyncio
import operator
from typing import Annotated, Any

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.callbacks import GraphCallbackHandler, GraphInterruptEvent, GraphResumeEvent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


class Notes(GraphCallbackHandler):
    def __init__(self) -> None:
        self.runs: dict[Any, str] = {}
        self.checkpoints: list[str] = []
        self.told: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, **more: Any) -> None:
        self.runs[run_id] = more.get("name") or ""

    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        self._told(event, [each.value for each in event.interrupts])

    def on_resume(self, event: GraphResumeEvent) -> None:
        self._told(event, None)

    def _told(self, event: Any, asked: Any) -> None:
        self.checkpoints.append(event.checkpoint_id)
        ns = [part.partition(":")[0] for part in event.checkpoint_ns]
        self.told.append((type(event).__name__, event.status, ns, asked, self.runs.get(event.run_id)))

    def new(self) -> list[Any]:
        told, self.told = self.told, []
        return told


class AsyncNotes(Notes):
    async def on_interrupt(self, event: GraphInterruptEvent) -> None:  # type: ignore[override]  # handlers may be async
        await asyncio.sleep(0)
        super().on_interrupt(event)

    async def on_resume(self, event: GraphResumeEvent) -> None:  # type: ignore[override]  # handlers may be async
        super().on_resume(event)


def graph(**options: Any) -> Any:
    inner = StateGraph(State)
    inner.add_node("x", lambda s: {"log": [interrupt("x?")]})
    inner.add_edge(START, "x")
    g = StateGraph(State)
    g.add_node("a", lambda s: {"log": ["a"]})
    g.add_node("b", lambda s: {"log": [interrupt("b?")]})
    g.add_node("c", inner.compile())
    g.add_node("d", lambda s: {"log": ["d"]})
    g.add_edge(START, "a")
    g.add_edge("a", "b")
    g.add_edge("b", "c")
    g.add_edge("c", "d")
    return g.compile(checkpointer=InMemorySaver(), **options)


def _is_at(app: Any, config: Any, checkpoint: str) -> bool:
    return bool(app.get_state(config).config["configurable"]["checkpoint_id"] == checkpoint)


def pauses(show: Any) -> None:
    """Questions and breakpoints on both sides, each resumed to the end; new input while one waits; a replay."""
    for options in ({}, {"interrupt_before": ["b"]}, {"interrupt_after": ["a"]}, {"interrupt_after": "*"}):
        app, notes = graph(**options), Notes()
        config: Any = {"configurable": {"thread_id": "t"}, "callbacks": [notes]}
        app.invoke({"log": []}, config)
        show(notes.new(), _is_at(app, config, notes.checkpoints[-1]))
        for _ in range(6):
            state = app.get_state(config)
            if not state.next:
                break
            app.invoke(Command(resume="yes") if state.interrupts else None, config)
            show(notes.new())
        app.invoke({"log": ["again"]}, config)
        app.invoke({"log": ["and again"]}, config)
        show(notes.new(), _is_at(app, config, notes.checkpoints[-1]))
        old = [each for each in app.get_state_history(config) if each.next == ("d",)][-1]
        app.invoke(None, {**old.config, "callbacks": [notes]})
        show(notes.new())


def streams_and_loops(show: Any) -> None:
    """The same from streams and on a running loop, with handlers of both kinds."""

    async def main(notes: Any) -> None:
        app = graph()
        config: Any = {"configurable": {"thread_id": "t"}, "callbacks": [notes]}
        await app.ainvoke({"log": []}, config)
        show(notes.new())
        async for _ in app.astream(Command(resume="yes"), config, stream_mode="updates"):
            pass
        show(notes.new())
        await app.ainvoke(Command(resume="yes"), config)
        show(notes.new())

    for kind in (Notes, AsyncNotes):
        asyncio.run(main(kind()))
        app, notes = graph(), kind()
        config: Any = {"configurable": {"thread_id": "t"}, "callbacks": [notes]}
        list(app.stream({"log": []}, config))
        list(app.stream(Command(resume="yes"), config, stream_mode=["values", "updates"], subgraphs=True))
        show(notes.new())


def questions_of_entrypoints(show: Any) -> None:
    @entrypoint(checkpointer=InMemorySaver())
    def flow(x: int) -> Any:
        return [interrupt(x), interrupt("more?")]

    notes = Notes()
    config: Any = {"configurable": {"thread_id": "t"}, "callbacks": [notes]}
    for value in (1, Command(resume=2), Command(resume=3)):
        flow.invoke(value, config)
    show([each[:4] for each in notes.new()])


def failing_handlers(show: Any) -> None:
    """The run goes on, unless the handler says that its errors count."""

    class Bad(GraphCallbackHandler):
        def on_interrupt(self, event: GraphInterruptEvent) -> None:
            raise KeyError("no")

    strict = Bad()
    strict.raise_error = True
    for handler in (Bad(), strict):
        app = graph()
        try:
            show(app.invoke({"log": []}, {"configurable": {"thread_id": "t"}, "callbacks": [handler]})["log"])
        except KeyError as error:
            show(repr(error))


def without_a_checkpointer(show: Any) -> None:
    g = StateGraph(State)
    g.add_node("a", lambda s: {"log": [interrupt("a?"), 1]})
    g.add_node("b", lambda s: {"log": [interrupt("b?")]})
    g.add_edge(START, "a")
    g.add_edge(START, "b")
    notes = Notes()
    g.compile().invoke({"log": []}, {"callbacks": [notes]})
    show([(name, status, sorted(asked)) for name, status, _, asked, _ in notes.new()])


def the_config_of_a_blank_thread(show: Any) -> None:
    """It can be given to any call, again and again."""
    names: list[Any] = []

    class Names(BaseCallbackHandler):
        def on_chain_start(self, serialized: Any, inputs: Any, **told: Any) -> None:
            names.append(told.get("name"))

    app = StateGraph(dict).add_node("node", lambda s: {}).add_edge(START, "node").compile(checkpointer=InMemorySaver())
    config: Any = app.get_state({"configurable": {"thread_id": "t"}, "callbacks": [Names()]}).config
    show(type(config).__name__, sorted(config))
    asyncio.run(app.ainvoke({"a": 1}, config))
    app.invoke({"a": 2}, config)
    asyncio.run(app.ainvoke({"a": 3}, config))
    show(names, type(config["callbacks"]).__name__, app.get_state(config).values)
