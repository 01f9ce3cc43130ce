"""The graph API as a tutorial would use it."""

import asyncio
import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel


class Log(TypedDict):
    log: Annotated[list[str], operator.add]
    count: int


def chain_of_three(show: Any) -> None:
    def step(name: str) -> Any:
        return lambda state: {"log": [name], "count": state.get("count", 0) + 1}

    app = StateGraph(Log).add_sequence([("a", step("a")), ("b", step("b")), ("c", step("c"))])
    app.add_edge(START, "a")
    graph = app.compile()
    show(graph.invoke({"log": [], "count": 0}))
    show(list(graph.stream({"log": ["in"], "count": 5})))
    show(list(graph.stream({"log": ["in"], "count": 5}, stream_mode="values")))
    show(list(graph.stream({"log": [], "count": 0}, stream_mode=["updates", "values"])))
    show(asyncio.run(graph.ainvoke({"log": [], "count": 0})))


def router_with_map(show: Any) -> None:
    def route(state: Log) -> Literal["small", "big"]:
        return "big" if state["count"] > 3 else "small"

    builder = StateGraph(Log)
    builder.add_node("start", lambda s: {"log": ["start"]})
    builder.add_node("small", lambda s: {"log": ["small"]})
    builder.add_node("big", lambda s: {"log": ["big"]})
    builder.set_entry_point("start")
    builder.add_conditional_edges("start", route)
    builder.set_finish_point("small")
    builder.set_finish_point("big")
    graph = builder.compile(name="sizes")
    show(graph.name, graph.invoke({"count": 1}), graph.invoke({"count": 9}))


def map_reduce(show: Any) -> None:
    class Whole(TypedDict):
        subjects: list[str]
        jokes: Annotated[list[str], operator.add]
        best: str

    def fan(state: Whole) -> list[Send]:
        return [Send("joke", {"subject": each}) for each in state["subjects"]]

    def joke(state: dict[str, str]) -> dict[str, list[str]]:
        return {"jokes": [f"about {state['subject']}"]}

    builder = StateGraph(Whole)
    builder.add_node("plan", lambda s: {"subjects": ["cats", "dogs", "owls"]})
    builder.add_node("joke", joke)
    builder.add_node("pick", lambda s: {"best": max(s["jokes"])})
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", fan, ["joke"])
    builder.add_edge("joke", "pick")
    builder.add_edge("pick", END)
    graph = builder.compile()
    show(graph.invoke({}))
    show(list(graph.stream({}, stream_mode="updates")))


def loops_and_limits(show: Any) -> None:
    from langgraph.errors import GraphRecursionError

    builder = StateGraph(Log)
    builder.add_node("work", lambda s: {"count": s["count"] + 1, "log": [str(s["count"])]})
    builder.add_edge(START, "work")
    builder.add_conditional_edges("work", lambda s: "work" if s["count"] < 4 else END)
    graph = builder.compile()
    show(graph.invoke({"count": 0, "log": []}))
    try:
        graph.invoke({"count": -100, "log": []}, {"recursion_limit": 5})
    except GraphRecursionError as error:
        show(type(error).__name__, "Recursion limit of 5" in str(error))


def people_in_the_loop(show: Any) -> None:
    def ask(state: Log) -> dict[str, Any]:
        answer = interrupt({"question": "go on?", "count": state["count"]})
        return {"log": [f"answer={answer}"]}

    builder = StateGraph(Log)
    builder.add_node("before", lambda s: {"log": ["before"], "count": s["count"] + 1})
    builder.add_node("ask", ask)
    builder.add_node("after", lambda s: {"log": ["after"]})
    builder.add_edge(START, "before").add_edge("before", "ask").add_edge("ask", "after")
    graph = builder.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    for chunk in graph.stream({"log": [], "count": 0}, config):
        show(chunk)
    state = graph.get_state(config)
    show(state.values, state.next, [task.interrupts[0].value for task in state.tasks])
    for chunk in graph.stream(Command(resume="yes"), config):
        show(chunk)
    show(graph.get_state(config).values, graph.get_state(config).next)
    history = list(graph.get_state_history(config))
    show([(each.next, each.values, each.metadata["source"], each.metadata["step"]) for each in history])
    # time travel: from before "ask"
    before = next(each for each in history if each.next == ("ask",))
    show(graph.invoke(None, before.config)["__interrupt__"][0].value)
    show(graph.invoke(Command(resume="no"), config))


def static_breakpoints(show: Any) -> None:
    builder = StateGraph(Log)
    builder.add_sequence(
        [("a", lambda s: {"log": ["a"]}), ("b", lambda s: {"log": ["b"]}), ("c", lambda s: {"log": ["c"]})]
    )
    builder.add_edge(START, "a")
    graph = builder.compile(checkpointer=InMemorySaver(), interrupt_before=["b"], interrupt_after=["b"])
    config = {"configurable": {"thread_id": "x"}}
    show(graph.invoke({"log": [], "count": 0}, config))
    show(graph.get_state(config).next)
    graph.update_state(config, {"log": ["edited"]})
    show(graph.invoke(None, config))
    show(graph.get_state(config).next, graph.invoke(None, config))


def commands(show: Any) -> None:
    def first(state: Log) -> Command[Literal["left", "right"]]:
        return Command(update={"log": ["first"]}, goto="left" if state["count"] else "right")

    builder = StateGraph(Log)
    builder.add_node(first)
    builder.add_node("left", lambda s: {"log": ["left"]})
    builder.add_node("right", lambda s: Command(update={"log": ["right"]}, goto=END))
    builder.add_edge(START, "first")
    graph = builder.compile()
    show(graph.invoke({"count": 0, "log": []}), graph.invoke({"count": 1, "log": []}))


def subgraph_and_parent(show: Any) -> None:
    inner = StateGraph(Log)
    inner.add_node("up", lambda s: Command(graph=Command.PARENT, update={"log": ["from inside"]}, goto="end"))
    inner.add_edge(START, "up")
    outer = StateGraph(Log)
    outer.add_node("inner", inner.compile(), destinations=("end",))
    outer.add_node("end", lambda s: {"log": ["end"]})
    outer.add_edge(START, "inner")
    graph = outer.compile()
    show(graph.invoke({"log": [], "count": 0}))
    show([(len(ns), chunk) for ns, chunk in graph.stream({"log": [], "count": 0}, subgraphs=True)])


def schemas(show: Any) -> None:
    class In(TypedDict):
        question: str

    class Out(TypedDict):
        answer: str

    class Whole(In, Out):
        notes: Annotated[list[str], operator.add]

    class Private(TypedDict):
        secret: str

    def think(state: In) -> Private:
        return {"secret": state["question"].upper()}

    def answer(state: Private) -> Whole:
        return {"answer": state["secret"] + "!", "notes": ["done"]}

    builder = StateGraph(Whole, input_schema=In, output_schema=Out)
    builder.add_sequence([think, answer])
    builder.add_edge(START, "think")
    graph = builder.compile()
    show(graph.invoke({"question": "why"}), list(graph.stream({"question": "why"})))


def models_and_dataclasses(show: Any) -> None:
    class Model(BaseModel):
        name: str
        items: Annotated[list[int], operator.add] = []

    @dataclass
    class Data:
        name: str
        items: Annotated[list[int], operator.add] = field(default_factory=list)

    for kind in (Model, Data):

        def one(state: Any) -> Any:
            return {"items": [len(state.name)]}

        builder = StateGraph(kind)
        builder.add_node("one", one)
        builder.add_node("two", lambda s, kind=kind: kind(name=s.name + "!", items=[7]))
        builder.add_edge(START, "one").add_edge("one", "two")
        graph = builder.compile()
        show(graph.invoke({"name": "bob"}), graph.invoke(kind(name="al", items=[1])))
    try:
        StateGraph(Model).add_node("x", lambda s: None).add_edge(START, "x").compile().invoke({"name": [1]})
    except Exception as error:
        show(type(error).__name__)


def joins_and_defer(show: Any) -> None:
    def node(name: str) -> Any:
        return lambda state: {"log": [name]}

    builder = StateGraph(Log)
    for name in "abcd":
        builder.add_node(name, node(name))
    builder.add_node("late", node("late"), defer=True)
    builder.add_edge(START, "a").add_edge(START, "b").add_edge("a", "c").add_edge(["c", "b"], "d").add_edge(
        "a", "late"
    ).add_edge("d", END)
    graph = builder.compile()
    show(graph.invoke({"log": [], "count": 0}))


def errors_at_build(show: Any) -> None:
    from langgraph.errors import InvalidUpdateError

    def attempt(function: Any) -> None:
        try:
            function()
        except Exception as error:
            show(type(error).__name__)

    attempt(lambda: StateGraph(Log).compile())
    attempt(lambda: StateGraph(Log).add_node("a", lambda s: s).add_edge("a", "b").add_edge(START, "a").compile())
    attempt(lambda: StateGraph(Log).add_node("a", lambda s: s).add_node("a", lambda s: s))
    attempt(lambda: StateGraph(Log).add_edge(END, "a"))
    both = StateGraph(Log).add_node("a", lambda s: {"count": 1}).add_node("b", lambda s: {"count": 2})
    both.add_edge(START, "a").add_edge(START, "b")
    attempt(lambda: both.compile().invoke({"count": 0}))
    bad = StateGraph(Log).add_node("a", lambda s: 5).add_edge(START, "a").compile()
    attempt(lambda: bad.invoke({"count": 0}))
    attempt(lambda: bad.invoke(None))
    show(issubclass(InvalidUpdateError, Exception))


def custom_streams(show: Any) -> None:
    from langgraph.config import get_stream_writer
    from langgraph.types import StreamWriter

    def one(state: Log, writer: StreamWriter) -> dict[str, Any]:
        writer({"progress": 1})
        return {"log": ["one"]}

    async def two(state: Log) -> dict[str, Any]:
        get_stream_writer()("half")
        return {"log": ["two"]}

    builder = StateGraph(Log).add_node(one).add_edge(START, "one")
    show(list(builder.compile().stream({"log": []}, stream_mode=["custom", "updates"])))
    builder.add_node(two)
    builder.add_edge("one", "two")
    graph = StateGraph(Log).add_sequence([one, two]).add_edge(START, "one").compile()

    async def main() -> None:
        show([chunk async for chunk in graph.astream({"log": []}, stream_mode="custom")])

    asyncio.run(main())
