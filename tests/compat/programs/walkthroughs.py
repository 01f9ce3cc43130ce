"""Whole programs that put several features together, on LangGraph's memory and file savers, sync and async."""

import asyncio
import operator
import re
import sqlite3
from collections.abc import Callable
from typing import Annotated, Any, Literal, NotRequired

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, Interrupt, Send, StateSnapshot, interrupt
from typing_extensions import TypedDict

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{32}\b|run--[0-9a-f-]+")
MODES = ["updates", "values", "tasks", "checkpoints", "custom"]


class Log(TypedDict, total=False):
    log: Annotated[list, operator.add]
    n: int


def tidy(value: Any) -> Any:
    """Without ids, messages in short, mappings in one order."""
    if isinstance(value, BaseMessage):
        return type(value).__name__, value.content, value.name
    if isinstance(value, StateSnapshot):
        tasks = [(task.name, repr(task.error), tidy(task.interrupts), tidy(task.result)) for task in value.tasks]
        inside = [tidy(task.state) for task in value.tasks if isinstance(task.state, StateSnapshot)]
        return tidy(value.values), value.next, tidy(value.metadata), tasks, inside, value.parent_config is not None
    if isinstance(value, Interrupt):
        return "asks", tidy(value.value)
    if isinstance(value, dict):
        found = {ID.sub("id", str(key)): tidy(each) for key, each in value.items() if key != "ls_model_type"}
        if "__interrupt__" in found:  # in the order in which they were asked: that of two nodes is by chance
            found["__interrupt__"].sort(key=str)
        return sorted(found.items())
    if isinstance(value, (list, tuple)):
        return [tidy(each) for each in value]
    return ID.sub("id", value) if isinstance(value, str) else value


def in_any_order(chunks: Any) -> list[str]:
    """Tasks beside each other end in any order."""
    return sorted(str(tidy(each)) for each in chunks)


Inputs = list[Any]


def everywhere(show: Any, build: Callable[[Any], Any], inputs: Inputs, more: Any = None, **options: Any) -> None:
    """Runs the inputs one after the other with each saver, and shows chunks, states and the whole history."""
    config: Any = {"configurable": {"thread_id": "t"}, **(more or {})}
    options = {"stream_mode": MODES, "subgraphs": True, **options}
    for saver in (InMemorySaver(), SqliteSaver(sqlite3.connect(":memory:", check_same_thread=False))):
        app = build(saver)
        for given in inputs:
            try:
                show(*in_any_order(app.stream(given, config, **options)))
            except Exception as error:
                show(type(error).__name__)
            show(tidy(app.get_state(config, subgraphs=True)))
        show(*map(tidy, app.get_state_history(config)))
    asyncio.run(on_a_loop(show, build, inputs, config, options))


async def on_a_loop(show: Any, build: Callable[[Any], Any], inputs: Inputs, config: Any, options: Any) -> None:
    async def play(saver: Any) -> None:
        app = build(saver)
        for given in inputs:
            try:
                show(*in_any_order([each async for each in app.astream(given, config, **options)]))
            except Exception as error:
                show(type(error).__name__)
            show(tidy(await app.aget_state(config, subgraphs=True)))
        show(*[tidy(each) async for each in app.aget_state_history(config)])

    await play(InMemorySaver())
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        await play(saver)


def map_and_reduce(show: Any) -> None:
    """A subgraph for each item, one of which asks."""

    class Item(TypedDict):
        subject: str
        joke: NotRequired[str]
        jokes: NotRequired[Annotated[list, operator.add]]

    class All(TypedDict, total=False):
        topic: str
        subjects: list[str]
        jokes: Annotated[list[str], operator.add]
        best: str

    def write(s: Item) -> Any:
        return {"joke": f"joke about {s['subject']}"}

    def review(s: Item) -> Any:
        joke = s.get("joke")
        return {"jokes": [interrupt({"review": joke}) if s["subject"] == "cats" else joke]}

    def build(saver: Any) -> Any:
        each = StateGraph(Item).add_sequence([write, review]).add_edge(START, "write").compile()
        g = StateGraph(All).add_node("topics", lambda s: {"subjects": ["lions", "cats", "dogs"]})
        g.add_node("joke", each).add_node("best", lambda s: {"best": max(s["jokes"])}).add_edge(START, "topics")
        sends: Any = lambda s: [Send("joke", {"subject": x}) for x in s["subjects"]]  # noqa: E731  short
        return g.add_conditional_edges("topics", sends, ["joke"]).add_edge("joke", "best").compile(checkpointer=saver)

    everywhere(show, build, [{"topic": "animals"}, Command(resume="edited"), {"topic": "again"}])


def handing_over(show: Any) -> None:
    """Two graphs that send each other on, one of which asks."""

    def build(saver: Any) -> Any:
        def to_bob(s: Log) -> Any:
            return Command(graph=Command.PARENT, goto="bob", update={"log": ["to bob"]})

        def ask(s: Log) -> Any:
            return {"log": [f"bob heard {interrupt('bob asks')}"]}

        def back(s: Log) -> Any:
            if len(s["log"]) > 6:
                return {"log": ["bob is done"]}
            return Command(graph=Command.PARENT, goto=Send("alice", {"log": ["sent"]}), update=[("log", ["to alice"])])

        alice = StateGraph(Log).add_sequence([("a1", lambda s: {"log": ["a1"]}), to_bob]).add_edge(START, "a1")
        bob = StateGraph(Log).add_sequence([ask, back]).add_edge(START, "ask")
        g = StateGraph(Log).add_node("alice", alice.compile(name="alice"))
        g.add_node("bob", bob.compile(name="bob"), destinations=("alice",))
        return g.add_edge(START, "alice").compile(checkpointer=saver)

    everywhere(show, build, [{"log": ["hi"]}, *(Command(resume=each) for each in "xyz")])


def questions(show: Any) -> None:
    """Two nodes ask beside each other, one of them several times, before a node with a breakpoint."""

    def ask(s: Log) -> Any:
        name, age = interrupt("name?"), None
        while not isinstance(age, int):
            age = interrupt(f"age of {name}?")
        return {"log": [name, age]}

    def build(saver: Any) -> Any:
        g = StateGraph(Log).add_node(ask).add_node("other", lambda s: {"log": [interrupt({"other": 1})]})
        g.add_node("end", lambda s: Command(update={"log": ["end"]}, goto=END))
        g.add_edge(START, "ask").add_edge(START, "other").add_edge(["ask", "other"], "end")
        return g.compile(checkpointer=saver, interrupt_before=["end"])

    for saver in (InMemorySaver(), SqliteSaver(sqlite3.connect(":memory:", check_same_thread=False))):
        app, config = build(saver), {"configurable": {"thread_id": "t"}}
        show(tidy(app.invoke({"log": []}, config)))
        for answers in ("x", ["Bob"], ["old"], [5, "P"], ["Q", 7], None, "nothing pending", None):
            given: Any = answers if answers is None else Command(resume=answers)
            if isinstance(answers, list):
                ids = [each.id for each in app.get_state(config).interrupts]
                given = Command(resume=dict(zip(ids, answers, strict=False)))
            try:
                show(tidy(app.invoke(given, config)))
            except RuntimeError as error:
                show(str(error)[:50])
            show(tidy(app.get_state(config)))
        show(*map(tidy, app.get_state_history(config)))


def remembering(show: Any) -> None:
    """Memories in a store, and a summary in place of old messages."""

    class State(MessagesState):
        summary: str

    def answer(s: State, config: RunnableConfig, *, store: BaseStore) -> Any:
        place = ("memories", config["configurable"]["user"])
        store.put(place, str(len(s["messages"])), {"text": s["messages"][-1].content})
        text = f"{len(store.search(place))} memories, {s.get('summary')}"
        return {"messages": [AIMessage(text, id=f"ai{len(s['messages'])}")]}

    def shorten(s: State) -> Any:
        old: Any = [RemoveMessage(id=str(each.id)) for each in s["messages"][:-2]]
        return {"summary": f"{len(s['messages'])} messages", "messages": old}

    def build(saver: Any) -> Any:
        g = StateGraph(State).add_node(answer).add_node(shorten).add_edge(START, "answer")
        g.add_conditional_edges("answer", lambda s: "shorten" if len(s["messages"]) > 4 else END)
        return g.compile(checkpointer=saver, store=InMemoryStore())

    said: Inputs = [{"messages": [HumanMessage(f"hi {i}", id=f"h{i}")]} for i in range(4)]
    forget: Any = {"messages": RemoveMessage(id=REMOVE_ALL_MESSAGES)}
    everywhere(show, build, [*said, forget], {"configurable": {"thread_id": "t", "user": "u"}})


def three_levels(show: Any) -> None:
    """A question two graphs deep, an edit of the innermost state before the answer, and a breakpoint outside."""

    def build(saver: Any) -> Any:
        innermost = StateGraph(Log).add_node("before", lambda s: {"log": ["before"]})
        innermost.add_node("ask", lambda s: {"log": [f"deep {interrupt('deep')}"]})
        innermost.add_edge(START, "before").add_edge("before", "ask")
        middle = StateGraph(Log).add_node("in", innermost.compile()).add_node("mid", lambda s: {"log": ["mid"], "n": 2})
        g = StateGraph(Log).add_node("middle", middle.add_edge(START, "in").add_edge("in", "mid").compile())
        g.add_node("side", lambda s: {"log": ["side"]}).add_node("end", lambda s: {"log": ["end"]})
        g.add_edge(START, "middle").add_edge(START, "side").add_edge(["middle", "side"], "end")
        return g.compile(checkpointer=saver, interrupt_after=["side"])

    everywhere(show, build, [{"log": ["in"]}, Command(resume="r"), None, None])
    for saver in (InMemorySaver(), SqliteSaver(sqlite3.connect(":memory:", check_same_thread=False))):
        app, config = build(saver), {"configurable": {"thread_id": "t"}}
        app.invoke({"log": ["in"]}, config)
        deep = app.get_state(config, subgraphs=True).tasks[0].state.tasks[0].state.config
        show(*map(tidy, app.get_state_history(deep)))
        app.update_state(deep, {"log": ["edited"]}, as_node="before")
        show(tidy(app.get_state(config, subgraphs=True)), tidy(app.invoke(Command(resume="after"), config)))
        show(tidy(app.get_state(config, subgraphs=True)), tidy(app.invoke(None, config)))
        show([name for name, _ in app.get_subgraphs()], [name for name, _ in app.get_subgraphs(recurse=True)])


def updates_without_a_name(show: Any) -> None:
    """As long as nothing has run, an update is the input's, however many there were."""
    g = StateGraph(Log).add_node("a", lambda s: {"log": ["a"]}).add_node("b", lambda s: {"log": ["b"]})
    app = g.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=InMemorySaver(), interrupt_before=["b"])
    config: Any = {"configurable": {"thread_id": "t"}}
    for _ in range(4):
        app.update_state(config, {"log": ["edit"]})
        show(tidy(app.get_state(config)))
    show(app.invoke(None, config))
    app.update_state(config, {"log": ["late"]})
    show(tidy(app.get_state(config)), app.invoke(None, config), [tidy(each) for each in app.get_state_history(config)])


def streams_inside(show: Any) -> None:
    """What an inner graph's writer says is on the outer stream, unless the node reads it from a stream of its own."""
    inner = StateGraph(Log).add_node("say", lambda s: [get_stream_writer()("inner"), {"log": ["i"]}][1])
    called = inner.add_edge(START, "say").compile()

    def node(s: Log) -> Any:
        write = get_stream_writer()
        write("first")
        called.invoke({"log": []})
        write(["read", *called.stream({"log": []}, stream_mode="custom")])
        write(["values", *called.stream({"log": []}, stream_mode="values")])
        return {"log": ["n"]}

    async def later(s: Log) -> Any:
        async for each in called.astream({"log": []}, stream_mode=["custom", "values"]):
            get_stream_writer()(["relayed", each])
        return {"log": ["later"]}

    g = StateGraph(Log).add_node(node).add_node("called", called).add_edge(START, "node").add_edge("node", "called")
    app = g.compile()
    for subgraphs in (False, True):
        for mode in ("custom", ["custom", "updates"]):
            for version in ("v1", "v2"):
                options: Any = {"stream_mode": mode, "subgraphs": subgraphs, "version": version}
                show(*app.stream({"log": []}, **options))
    app = StateGraph(Log).add_node(later).add_edge(START, "later").compile()

    async def listed(**options: Any) -> Any:
        return [each async for each in app.astream({"log": []}, **options)]

    for subgraphs in (False, True):
        show(*asyncio.run(listed(stream_mode=["custom", "updates"], subgraphs=subgraphs)))


class Model(BaseChatModel):
    """Says how many messages it was given."""

    @property
    def _llm_type(self) -> str:
        return "counting"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        answer = AIMessage(f"answer to {len(messages)}", id=f"ai{len(messages)}")
        return ChatResult(generations=[ChatGeneration(message=answer)])


def supervised(show: Any) -> None:
    """Agents named as their nodes are, and what comes with their messages."""

    def worker(name: str) -> Any:
        def answer(s: MessagesState) -> Any:
            return {"messages": [Model().invoke(s["messages"])]}

        return StateGraph(MessagesState).add_node(answer).add_edge(START, "answer").compile(name=name)

    def lead(s: MessagesState) -> Command[Literal["one", "two", "__end__"]]:
        done = sum(isinstance(each, AIMessage) for each in s["messages"])
        return Command(goto=("one", "two", "__end__")[min(done, 2)])

    g = StateGraph(MessagesState).add_node(lead).add_node("one", worker("one")).add_node("two", worker("other"))
    g.add_edge(START, "lead").add_edge("one", "lead").add_edge("two", "lead")
    app = g.compile(checkpointer=InMemorySaver(), name="top")
    for subgraphs in (False, True):
        config: Any = {"configurable": {"thread_id": str(subgraphs)}, "metadata": {"m": 1}, "tags": ["t"]}
        modes: Any = ["messages", "updates"]
        show(*map(tidy, app.stream({"messages": [("user", "q")]}, config, stream_mode=modes, subgraphs=subgraphs)))
    show([(name, graph.name) for name, graph in app.get_subgraphs(recurse=True)])
    show(app.get_graph(xray=True).draw_mermaid())


def heard(show: Any) -> None:
    """What callbacks hear of a graph with a graph inside that asks."""

    class Heard(BaseCallbackHandler):
        def __init__(self) -> None:
            self.all: list[Any] = []

        def on_chain_start(self, *_: Any, **about: Any) -> None:
            known = sorted(about.get("metadata") or {})
            self.all.append(("start", about.get("name"), sorted(about.get("tags") or []), known))

        def on_chain_end(self, outputs: Any, **_: Any) -> None:
            self.all.append(("end", type(outputs).__name__))

        def on_chain_error(self, error: BaseException, **_: Any) -> None:
            self.all.append(("error", type(error).__name__))

    def node(s: Log, config: RunnableConfig) -> Any:
        return {"log": [sorted(config.get("tags") or []), config.get("metadata", {}).get("m")]}

    inner = (
        StateGraph(Log).add_node("i", lambda s: {"log": [interrupt("q")]}).add_edge(START, "i").compile(name="inner")
    )
    g = StateGraph(Log).add_node(node, metadata={"own": 1}).add_node("inner", inner)
    g.add_edge(START, "node").add_edge("node", "inner").add_conditional_edges("inner", lambda s: END)
    app, listener = g.compile(checkpointer=InMemorySaver(), name="outer"), Heard()
    config: Any = {"configurable": {"thread_id": "t"}, "callbacks": [listener], "tags": ["T"], "metadata": {"m": 5}}
    for given in ({"log": []}, Command(resume="r")):
        show(tidy(app.invoke(given, config)), *listener.all)
        listener.all.clear()


def drawn_twice(show: Any) -> None:
    """Two nodes with a static and a conditional edge between them: the conditional one is drawn."""

    def draw(static: bool, router: Any = None, **options: Any) -> None:
        g = StateGraph(Log).add_node("a", lambda s: {}, **options)
        g.add_node("b", lambda s: {}).add_node("c", lambda s: {}).add_edge(START, "a")
        if static:
            g.add_edge("a", "b")
        if router:
            g.add_conditional_edges("a", lambda s: "b", router)
        show([(each.target, each.data, each.conditional) for each in g.compile().get_graph().edges])

    draw(True, destinations=("b",))
    draw(True, destinations={"b": "label"})
    draw(True, ["b", "c"])
    draw(True, {"x": "b"})
    draw(False, {"x": "b", "y": "c", "z": "b"})
    draw(True, destinations=(END, "b"))


def lasting(show: Any) -> None:
    """A graph with a history of its own, called by a node: answered, given new input, and left while it asks."""

    def build(saver: Any) -> Any:
        inner = StateGraph(Log).add_node("count", lambda s: {"log": [f"c{len(s['log'])}"], "n": s.get("n", 0) + 1})
        inner.add_node("ask", lambda s: {"log": [f"ask:{interrupt('q')}"]})
        kept = inner.add_edge(START, "count").add_edge("count", "ask").compile(checkpointer=True)

        def call(s: Log) -> Any:
            found = kept.invoke({"log": ["in"]})
            return {"log": [len(found["log"]), found["n"]]}

        g = StateGraph(Log).add_node(call).add_node("after", lambda s: {"log": ["after"]})
        return g.add_edge(START, "call").add_edge("call", "after").compile(checkpointer=saver)

    answers = [Command(resume="1"), {"log": []}, Command(resume="2"), None, {"log": ["x"]}, {"log": ["y"]}]
    everywhere(show, build, [{"log": []}, *answers, Command(resume="3")])
