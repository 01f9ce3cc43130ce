"""Sends, Commands, questions and their ids, answers of every form, breakpoints."""

# ruff: noqa: B023  what is made in a loop runs at once

import asyncio
import operator
import warnings
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt, NodeInterrupt, ParentCommand
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Interrupt, Overwrite, Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


class Log(TypedDict):
    log: Annotated[list, operator.add]


def kind(call: Any) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error).__name__


def thread(name: str = "t", **more: Any) -> Any:
    return {"configurable": {"thread_id": name, **more}}


def saver() -> Any:
    return InMemorySaver()


def without_order(result: Any) -> Any:
    """Parallel questions come in the order in which their tasks ended: without it, and without ids."""
    if isinstance(result, dict) and "__interrupt__" in result:
        return {**result, "__interrupt__": sorted(each.value for each in result["__interrupt__"])}
    return result


def sends_and_order(show: Any) -> None:
    """Sends come first among tasks; their writes are applied after those of nodes, which come by name."""
    g = StateGraph(Log)
    g.add_node("first", lambda s: {"log": ["first"]})
    for name in ("z", "b", "a"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_node("pushed", lambda s: {"log": [("pushed", s)]})
    g.add_edge(START, "first")
    for name in ("z", "b", "a"):
        g.add_edge("first", name)
    g.add_conditional_edges(
        "first", lambda s: [Send("pushed", 2), Send("pushed", "text"), Send("nobody", 1), Send("pushed", [3])]
    )
    app = g.compile(checkpointer=saver(), interrupt_before=["a"])
    show(app.invoke({"log": []}, thread()))
    state = app.get_state(thread())
    show(state.next, [(task.name, task.path) for task in state.tasks])
    show(app.invoke(None, thread()))


def send_arguments(show: Any) -> None:
    class Model(BaseModel):
        n: int

    class State(TypedDict):
        log: Annotated[list, operator.add]

    def node(s: Model) -> dict:
        return {"log": [(type(s).__name__, s)]}

    for arg in ({"n": "1"}, Model(n=1), None, 3, [1], {"n": 1}):
        g = StateGraph(State).add_node("a", node).add_conditional_edges(START, lambda s: [Send("a", arg)])
        show(g.compile().invoke({"log": []}))
    one, same, other = Send("a", {"x": 1}), Send("a", {"x": 1}), Send("a", {"x": 2})
    show(
        one == same,
        one == other,
        repr(one),
        hash(Send("a", 1)) == hash(Send("a", 1)),
        kind(lambda: Send("a", 1, timeout=2).node),
    )


def commands(show: Any) -> None:
    def app(command: Any, **options: Any) -> Any:
        g = StateGraph(Log).add_node("a", lambda s: command, destinations=("b", "c"))
        g.add_node("b", lambda s: {"log": ["b"]}).add_node("c", lambda s: {"log": ["c"]})
        return g.add_edge(START, "a").add_edge("a", "b").compile(**options)

    for command in (
        Command(goto="c"),
        Command(goto=END),
        Command(goto="b"),
        Command(goto=["b", "c"]),
        Command(goto="x"),
        Command(goto=Send("c", 1)),
        [Command(goto="c", update={"log": [1]}), Command(update={"log": [2]})],
        Command(goto=["c", "c"]),
        Command(goto=[END, "c"]),
        Command(goto=START),
        Command(goto=Send(END, 1)),
        Command(goto=None),
        Command(update={"log": Overwrite(["new"])}),
    ):
        show((getattr(command, "goto", "several"), kind(lambda: app(command).invoke({"log": []}))))
    show(Command(goto="a") == Command(goto="a"), Command(update={"a": 1}, goto=["x"]), Command.PARENT)


def up_to_the_parent(show: Any) -> None:
    def inner(command: Any) -> Any:
        def node(s: Log) -> Any:
            return command

        g = StateGraph(Log).add_node("before", lambda s: {"log": ["before"]}).add_node("up", node)
        g.add_node("beside", lambda s: {"log": ["beside"]}).add_node("after", lambda s: {"log": ["after"]})
        return (
            g.add_edge(START, "before")
            .add_edge("before", "up")
            .add_edge("before", "beside")
            .add_edge("up", "after")
            .compile()
        )

    def outer(command: Any, levels: int = 1) -> Any:
        made = inner(command)
        for _ in range(levels):
            g = StateGraph(Log).add_node("sub", made, destinations=("end",)).add_node("end", lambda s: {"log": ["end"]})
            made = g.add_edge(START, "sub").compile(checkpointer=saver() if _ == levels - 1 else None)
        return made

    for command in (
        Command(graph=Command.PARENT, update={"log": ["up"]}),
        Command(graph=Command.PARENT, goto="end"),
        Command(graph=Command.PARENT, goto=[Send("end", {"log": []}), "end"]),
        Command(graph=Command.PARENT, goto=END),
        [Command(graph=Command.PARENT, update={"log": [1]}), Command(update={"log": [2]})],
        Command(graph="sub", update={"log": ["named"]}, goto="end"),
        Command(graph="LangGraph", update={"log": ["up"]}),
        Command(graph="nobody", update={"log": ["up"]}),
        Command(graph="", update={"log": ["root"]}, goto="end"),
        Command(graph=Command.PARENT, goto="nowhere"),
        Command(graph=Command.PARENT, update=[("log", ["x"]), ("log", ["y"])]),
    ):
        for levels in (1, 2):
            app = outer(command, levels)
            show((levels, repr(command), kind(lambda: app.invoke({"log": []}, thread()))))
            show(kind(lambda: asyncio.run(outer(command, levels).ainvoke({"log": []}, thread()))))
            show([(each.next, each.values) for each in app.get_state_history(thread())][:2])
    lone = inner(Command(graph=Command.PARENT, goto="end"))
    show(kind(lambda: lone.invoke({"log": []})), issubclass(ParentCommand, Exception))
    show(kind(lambda: lone.invoke(Command(graph=Command.PARENT, update={"log": []}))))


def up_from_a_called_graph(show: Any) -> None:
    """A graph that a node calls is below that node: its parent is the graph of the node, also that of the second."""
    inner = StateGraph(Log).add_node("x", lambda s: Command(graph=Command.PARENT, update={"log": ["up"]}, goto="end"))
    low = inner.add_edge(START, "x").compile()
    plain = StateGraph(Log).add_node("p", lambda s: {"log": ["p"]}).add_edge(START, "p").compile()

    def call(s: Log) -> Any:
        plain.invoke(s)
        low.invoke(s)
        return {"log": ["never"]}

    g = StateGraph(Log).add_node("call", call).add_node("end", lambda s: {"log": ["end"]}).add_edge(START, "call")
    show(g.compile().invoke({"log": []}), g.compile(checkpointer=saver()).invoke({"log": []}, thread()))
    g2 = StateGraph(Log).add_node("mid", g.compile()).add_edge(START, "mid")
    show(g2.compile(checkpointer=saver()).invoke({"log": []}, thread()))


def ids_of_questions(show: Any) -> None:
    """They come from the task's namespace, and from how many answers the task has."""
    import xxhash

    def digest(text: str) -> str:
        return xxhash.xxh3_128_hexdigest(text.encode())

    def ask(s: Log) -> dict:
        return {"log": [interrupt("one"), interrupt("two"), interrupt("three")]}

    app = StateGraph(Log).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver())
    result = app.invoke({"log": []}, thread())
    found = []
    for answer in (1, 2, 3):
        asked = result["__interrupt__"][0]
        task = app.get_state(thread()).tasks[0]
        ns = f"ask:{task.id}"
        found.append(
            (asked.value, [k for k in (None, *range(4)) if asked.id == digest(ns if k is None else f"{ns}|{k}")])
        )
        result = app.invoke(Command(resume={asked.id: answer}), thread())
    show(found, result)
    inner = StateGraph(Log).add_node("ask", ask).add_edge(START, "ask").compile()
    outer = StateGraph(Log).add_node("sub", inner).add_edge(START, "sub").compile(checkpointer=saver())
    asked = outer.invoke({"log": []}, thread())["__interrupt__"][0]
    top = outer.get_state(thread(), subgraphs=True).tasks[0]
    show(asked.id == digest(f"sub:{top.id}|ask:{top.state.tasks[0].id}"), top.interrupts[0].id == asked.id)
    show(repr(Interrupt(value=1, id="x")), Interrupt(1) == Interrupt(1), Interrupt.from_ns(value=2, ns="abc"))


def forms_of_answers(show: Any) -> None:
    def one(s: Log) -> dict:
        return {"log": [("one", interrupt("1"))]}

    def two(s: Log) -> dict:
        return {"log": [("two", interrupt("2"))]}

    def app() -> Any:
        g = StateGraph(Log).add_node(one).add_node(two).add_edge(START, "one").add_edge(START, "two")
        return g.compile(checkpointer=saver())

    for answer in ({}, "x", {"a": 1}, {"0" * 32: 1}, {"0" * 31: 1}, [], "", 0, False):
        made = app()
        made.invoke({"log": []}, thread())
        show((answer, without_order(kind(lambda: made.invoke(Command(resume=answer), thread())))))
        show(made.get_state(thread()).next)
    lone = StateGraph(Log).add_node(one).add_edge(START, "one")
    for answer in ({}, {"a": 1}, {"0" * 32: 1}, [], "", 0, False, {"x": {}}):
        made = lone.compile(checkpointer=saver())
        made.invoke({"log": []}, thread())
        show((answer, kind(lambda: made.invoke(Command(resume=answer), thread()))))
    made = app()
    asked = made.invoke({"log": []}, thread())["__interrupt__"]
    mixed = {each.id: each.value for each in asked} | {"f" * 32: "unknown"}
    show(made.invoke(Command(resume=mixed), thread()))
    show(
        kind(lambda: made.invoke(Command(resume="again"), thread())),
        without_order(kind(lambda: app().invoke(Command(resume=1), thread("new")))),
    )
    show(kind(lambda: lone.compile().invoke(Command(resume=1))), kind(lambda: lone.compile().invoke({"log": []})))


def one_answer_for_whoever_asks_first(show: Any) -> None:
    """One pending question, then a node that asks too: each answer goes to one."""

    def ask(s: Log) -> dict:
        return {"log": [interrupt("first")]}

    def then(s: Log) -> dict:
        return {"log": [interrupt("second")]}

    app = StateGraph(Log).add_sequence([ask, then]).add_edge(START, "ask").compile(checkpointer=saver())
    app.invoke({"log": []}, thread())
    show([each.value for each in app.invoke(Command(resume="a"), thread())["__interrupt__"]])
    show(app.invoke(Command(resume="b"), thread()))
    later = (
        StateGraph(Log).add_sequence([("quiet", lambda s: {"log": ["quiet"]}), ("ask", ask)]).add_edge(START, "quiet")
    )
    stopped = later.compile(checkpointer=saver(), interrupt_after=["quiet"])
    stopped.invoke({"log": []}, thread())
    show(stopped.invoke(Command(resume="early"), thread()))


def strict_answers(show: Any) -> None:
    def one(s: Log) -> dict:
        return {"log": [("one", interrupt("1"))]}

    def two(s: Log) -> dict:
        return {"log": [("two", interrupt("2"))]}

    for nodes in ((one,), (one, two)):
        for answer in ({}, "x", {"0" * 32: 1}):
            g = StateGraph(Log)
            for node in nodes:
                g.add_node(node).add_edge(START, node.__name__)
            app = g.compile(checkpointer=saver())
            asked = app.invoke({"log": []}, thread())["__interrupt__"]
            try:
                show(app.invoke(Command(resume=answer), thread("t", __pregel_strict_resume=True)))
            except Exception as error:
                show(
                    (type(error).__name__, getattr(error, "reason", None), sorted(getattr(error, "interrupt_ids", ())))
                )
                pending = getattr(error, "pending_ids", None)
                show(pending is not None and sorted(pending) == sorted(each.id for each in asked))
            show(app.get_state(thread()).next, len(app.checkpointer.storage["t"][""]))
    stopped = (
        StateGraph(Log)
        .add_node("a", lambda s: {"log": ["a"]})
        .add_edge(START, "a")
        .compile(checkpointer=saver(), interrupt_before="*")
    )
    stopped.invoke({"log": []}, thread())
    show(kind(lambda: stopped.invoke(Command(resume="go"), thread("t", __pregel_strict_resume=True))))


def schemas_of_answers(show: Any) -> None:
    class Model(BaseModel):
        n: int

    class Dict(TypedDict):
        n: int

    @dataclass
    class Data:
        n: int

    calls: list[str] = []

    def beside(s: Log) -> dict:
        calls.append("beside")
        return {"log": ["beside"]}

    for schema in (Model, Dict, Data, int, list[int], Literal["a", "b"]):

        def ask(s: Log) -> dict:
            return {"log": [interrupt("n?", response_schema=schema)]}

        app = StateGraph(Log).add_node(ask).add_edge(START, "ask").compile(checkpointer=saver())
        app.invoke({"log": []}, thread())
        for answer in ("nothing", {"n": "x"}, {"n": "3"}, 5, [1], "a"):
            try:
                show((str(schema), answer, app.invoke(Command(resume=answer), thread())))
                break
            except Exception as error:
                show((str(schema), answer, type(error).__name__, getattr(error, "is_invalid_resume", None)))
            state = app.get_state(thread())
            show(state.next, [each.value for each in state.interrupts], [task.error for task in state.tasks])


def breakpoints(show: Any) -> None:
    g = (
        StateGraph(Log)
        .add_sequence([(name, lambda s, name=name: {"log": [name]}) for name in "abc"])
        .add_edge(START, "a")
    )

    def walk(app: Any, **options: Any) -> list[Any]:
        config, seen = thread(), []
        given: Any = {"log": []}
        for _ in range(8):
            chunks = list(app.stream(given, config, stream_mode="updates", **options))
            state = app.get_state(config)
            seen.append((chunks, state.next, state.interrupts))
            given = None
            if not state.next:
                break
        return seen

    for compiled, called in (
        ({"interrupt_before": ["b"]}, {}),
        ({"interrupt_after": ["a", "b"]}, {}),
        ({"interrupt_before": "*"}, {}),
        ({"interrupt_after": "*"}, {}),
        ({"interrupt_before": ["b"]}, {"interrupt_before": []}),
        ({"interrupt_before": ["b"]}, {"interrupt_before": ["c"]}),
        ({"interrupt_before": ["b"]}, {"interrupt_after": ["b"]}),
        ({}, {"interrupt_before": "*"}),
        ({}, {"interrupt_before": ["x"]}),
        ({"interrupt_before": ["b"], "interrupt_after": ["a"]}, {}),
    ):
        show((compiled, called, kind(lambda: walk(g.compile(checkpointer=saver(), **compiled), **called))))
    show(
        g.compile(interrupt_before=["b"]).invoke({"log": []}),
        list(g.compile(interrupt_before=["b"]).stream({"log": []})),
    )
    routed: list[str] = []

    def route(s: Log) -> str:
        routed.append("routed")
        return "b"

    r = (
        StateGraph(Log)
        .add_node("a", lambda s: {"log": ["a"]})
        .add_node("b", lambda s: {"log": ["b"]})
        .add_edge(START, "a")
    )
    app = r.add_conditional_edges("a", route).compile(checkpointer=saver(), interrupt_after=["a"])
    show(
        app.invoke({"log": []}, thread()),
        routed,
        app.get_state(thread()).next,
        app.get_state(thread()).metadata["step"],
    )


def raised_in_a_node(show: Any) -> None:
    def node(s: Log) -> dict:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raise NodeInterrupt("why")

    app = StateGraph(Log).add_node("a", node).add_edge(START, "a").compile(checkpointer=saver())
    show(app.invoke({"log": []}, thread()), app.get_state(thread()).tasks[0].interrupts)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = NodeInterrupt("x", id="mine")
    show([type(each.message).__name__ for each in caught], made.args, issubclass(NodeInterrupt, GraphInterrupt))


def commands_as_input(show: Any) -> None:
    def app() -> Any:
        g = (
            StateGraph(Log)
            .add_sequence([(name, lambda s, name=name: {"log": [name]}) for name in "abc"])
            .add_edge(START, "a")
        )
        return g.compile(checkpointer=saver(), interrupt_before=["b"])

    for command in (
        Command(goto="c"),
        Command(update={"log": ["u"]}),
        Command(goto="c", update={"log": ["u"]}),
        Command(goto="x"),
        Command(goto=END),
        Command(goto=Send("c", {"log": []})),
        Command(goto=[Send("c", {"log": []}), "c"]),
        Command(update=[("log", ["u"]), ("log", ["v"])]),
        Command(update={"x": 1}),
        Command(goto=3),
        Command(graph="other", goto="c"),
        Command(goto=START),
    ):
        for began in (True, False):
            made = app()
            if began:
                made.invoke({"log": []}, thread())
            found = kind(lambda: made.invoke(command, thread()))
            show((repr(command), began, found))
            show([(s.metadata["source"], s.metadata["step"], s.values) for s in made.get_state_history(thread())])
    show(
        kind(lambda: app().builder.compile().invoke(Command(goto="c"))),
        kind(lambda: app().builder.compile().invoke(Command(update={"log": []}))),
    )


def an_answer_is_of_the_superstep_that_goes_on(show: Any) -> None:
    """Who asks later asks anew, also where nobody has taken the answer."""

    def asking(name: str) -> Any:
        return lambda _: {"log": [interrupt(name)]}

    def told(result: Any) -> Any:
        return result["log"], [each.value for each in result.get("__interrupt__", ())]

    for first, before in ((lambda _: {"log": ["a"]}, ["a"]), (asking("one"), None)):
        g = StateGraph(Log).add_node("a", first).add_node("b", asking("two")).add_edge(START, "a").add_edge("a", "b")
        app = g.compile(checkpointer=saver(), interrupt_before=before)
        show(told(app.invoke({"log": []}, thread())))
        show(told(app.invoke(Command(resume="first"), thread())))
        show(told(app.invoke(Command(resume="second"), thread())))
        at_a = next(each for each in app.get_state_history(thread()) if each.next == ("a",))
        show(told(app.invoke(Command(resume="third"), at_a.config)), app.get_state(thread()).next)
        show(told(app.invoke(Command(resume="fourth"), thread())))


def answers_and_questions_inside(show: Any) -> None:
    """A graph inside may take it in any superstep of its own: the one around it is the same."""
    inner = StateGraph(Log).add_node("x", lambda _: {"log": ["x"]}).add_node("y", lambda _: {"log": [interrupt("y")]})
    graph = inner.add_edge(START, "x").add_edge("x", "y").compile()
    g = StateGraph(Log).add_node("sub", graph).add_node("b", lambda _: {"log": [interrupt("b")]})
    app = g.add_edge(START, "sub").add_edge("sub", "b").compile(checkpointer=saver(), interrupt_before=["sub"])
    app.invoke({"log": []}, thread())
    for answer in ("first", "second"):
        result = app.invoke(Command(resume=answer), thread())
        show(result["log"], [each.value for each in result.get("__interrupt__", ())])


@dataclass
class Shown:
    one: Any = 1


@dataclass(repr=False)
class Unshown:
    one: int = 1


def as_commands_are_shown(show: Any) -> None:
    values: list[Any] = [
        None, 1, "s", [], {}, Shown(), Shown(Shown(2)), [Shown()], {"key": Shown(Shown())}, (Shown(),), Unshown(),
        [("key", Shown())], Shown,
    ]  # fmt: skip
    for value in values:
        show(repr(Command(update=value)), repr(Command(resume=value)), str(Command(update=value, goto="next")))
        if not isinstance(value, Unshown):  # its address would be shown
            show(repr(Command(goto=Send("next", value))), repr(Command(goto=[Send("next", [value])], graph="outer")))
    show(repr(Command()), repr(Command(graph=Command.PARENT)), repr(Command(update=0, resume=False, goto=[])))
