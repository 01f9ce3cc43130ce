"""What a builder takes and refuses, and what its schemas, reducers and nodes come to."""

# ruff: noqa: B023  what is made in a loop runs at once

import asyncio
import collections.abc
import logging
import operator
import warnings
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired, Optional, Required, Union

from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.channels import LastValue, Topic
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.managed.base import ManagedValue
from langgraph.types import Command, RetryPolicy, Send
from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class Log(TypedDict):
    log: Annotated[list, operator.add]


def told(call: Any) -> Any:
    """What a call gives, or the class and first line of what it raises."""
    try:
        return call()
    except Exception as error:
        return type(error).__name__, str(error).splitlines()[0] if str(error) else ""


def kind(call: Any) -> Any:
    """What a call gives, or the class of what it raises."""
    try:
        return call()
    except Exception as error:
        return type(error).__name__


def lone(schema: Any, node: Any = lambda s: {}, **options: Any) -> Any:
    return StateGraph(schema, **options).add_node("a", node).add_edge(START, "a").compile()


def keys_of_two_schemas(show: Any) -> None:
    """A second schema may have a plain key of the first, or the same reducer, or any lambda; nothing else."""

    def first(a: list, b: list) -> list:
        return a + b

    class A(TypedDict):
        k: Annotated[list, first]

    class Plain(TypedDict):
        k: list

    class Same(TypedDict):
        k: Annotated[list, first]

    class Other(TypedDict):
        k: Annotated[list, operator.add]

    class OneLambda(TypedDict):
        k: Annotated[list, lambda a, b: a + b]

    class AnotherLambda(TypedDict):
        k: Annotated[list, lambda a, b: b]

    class AsTopic(TypedDict):
        k: Annotated[list, Topic(int)]

    for one, other in (
        (A, Plain),
        (Plain, A),
        (A, Same),
        (A, Other),
        (OneLambda, AnotherLambda),
        (A, OneLambda),
        (A, AsTopic),
    ):

        def node(s: other) -> dict:
            return {"k": [1]}

        def build(one: Any = one, other: Any = other, node: Any = node) -> Any:
            g = StateGraph(one)
            g.add_node("a", node, input_schema=other)
            g.add_edge(START, "a")
            return g.compile().invoke({"k": [0]})

        show((one.__name__, other.__name__, kind(build)))


def schemas_of_nodes_and_routers(show: Any) -> None:
    class Private(TypedDict):
        secret: Annotated[list, operator.add]

    class Routing(TypedDict):
        hint: str

    def a(s: Log) -> Private:
        return {"secret": ["x"], "log": ["a"]}

    def b(s: Private) -> dict:
        return {"log": list(s["secret"]), "hint": "z"}

    def route(s: Routing) -> Literal["c"]:
        seen.append(dict(s))
        return "c"

    def c(s: Routing) -> dict:
        return {"log": [s.get("hint")]}

    seen: list[Any] = []
    g = StateGraph(Log).add_node(a).add_node(b).add_node(c).add_edge(START, "a").add_edge("a", "b")
    app = g.add_conditional_edges("b", route).compile()
    show(app.invoke({"log": []}), seen, sorted(key for key in app.channels if ":" not in key and key[:2] != "__"))
    show(list(app.stream({"log": []}, stream_mode="values")), list(app.stream({"log": []}, stream_mode="updates")))


def pydantic_is_coerced_when_read(show: Any) -> None:
    class Model(BaseModel):
        n: int
        m: str = "m"

    seen: list[Any] = []

    def a(s: Model) -> dict:
        seen.append((type(s).__name__, s.n, s.m))
        return {"n": "7"}

    def b(s: Model) -> dict:
        seen.append((type(s).__name__, s.n))
        return {}

    app = StateGraph(Model).add_sequence([a, b]).add_edge(START, "a").compile()
    show(app.invoke({"n": "5"}), seen)
    show(app.invoke(Model(n=1)), type(app.invoke(Model(n=1))).__name__)
    try:
        app.invoke({"m": "only"})
    except Exception as error:
        show(type(error).__name__, any("task with name 'a'" in note for note in getattr(error, "__notes__", [])))
    try:
        app.invoke({"n": "no number"})
    except Exception as error:
        show(type(error).__name__)


def dataclass_is_coerced_when_read(show: Any) -> None:
    @dataclass
    class Data:
        n: int
        items: Annotated[list[str], operator.add] = field(default_factory=list)
        m: str = "m"

    seen: list[Any] = []

    def a(s: Data) -> dict:
        seen.append((type(s).__name__, s.n, s.items, s.m))
        return {"items": ["a"]}

    app = lone(Data, a)
    show(app.invoke({"n": "5"}), app.invoke(Data(1)), app.invoke(Data(2, ["x"])), seen)
    show(kind(lambda: app.invoke({"m": "only"})))


def a_bare_type(show: Any) -> None:
    for schema, node, given in (
        (int, lambda n: n + 1, 1),
        (str, lambda s: s + "!", "x"),
        (Annotated[list, operator.add], lambda s: [len(s)], ["x"]),
        (Annotated[list, operator.add], lambda s: None, ["x"]),
    ):
        app = lone(schema, node)
        show(app.invoke(given), list(app.stream(given)), list(app.stream(given, stream_mode="values")))
        show(sorted(key for key in app.channels if ":" not in key and key not in ("__pregel_tasks", START)))


def signatures_of_reducers(show: Any) -> None:
    def one(a: Any) -> Any: ...
    def three(a: Any, b: Any, c: Any) -> Any: ...
    def third_by_default(a: Any, b: Any, c: Any = 1) -> Any: ...
    def keyword_only(a: Any, b: Any, *, c: Any = 1) -> Any:
        return (a or []) + b

    def star(*args: Any) -> Any: ...
    def two(a: Any, b: Any) -> Any:
        return (a or []) + b

    class Adder:
        def __call__(self, a: Any, b: Any) -> Any:
            return (a or []) + b

    for metadata in (
        (one,),
        (three,),
        (third_by_default,),
        (keyword_only,),
        (star,),
        (two, "note"),
        ("note", two),
        (one, two),
        (two, one),
        (Adder(),),
        (Topic(int), two),
        (two, Topic(int)),
        (Topic, "x"),
        (LastValue(list),),
        (two, LastValue(list)),
    ):

        def build(metadata: Any = metadata) -> Any:
            State = TypedDict("State", {"k": Annotated[(list, *metadata)]})  # noqa: UP013  its metadata varies
            app = lone(State, lambda s: {"k": [2]})
            return type(app.channels["k"]).__name__, app.invoke({"k": [1]})

        names = [getattr(each, "__name__", type(each).__name__) for each in metadata]
        found = told(build)
        if isinstance(found[1], str):
            found = (found[0], "Invalid reducer signature. Expected (a, b) -> c" in found[1])
        show((names, found))


def required_or_not(show: Any) -> None:
    class State(TypedDict, total=False):
        a: Required[Annotated[list, operator.add]]
        b: Annotated[NotRequired[list], operator.add]
        c: NotRequired[Annotated[int, operator.add]]
        d: Annotated[Required[int], operator.add]

    show(lone(State, lambda s: {"a": [1], "b": [2], "c": 3, "d": 4}).invoke({"a": [0], "b": [0], "c": 1, "d": 1}))


def what_a_reducer_begins_with(show: Any) -> None:
    """`T()`, of an abstract type a list, set or dict; without one the first write is kept as it is."""
    calls: list[Any] = []

    def note(a: Any, b: Any) -> Any:
        calls.append((a, b))
        return b

    class NeedsArguments:
        def __init__(self, x: int) -> None:
            self.x = x

    for typ in (
        int,
        str,
        list,
        dict,
        set,
        tuple,
        float,
        bool,
        list[int],
        dict[str, int],
        collections.abc.Sequence,
        collections.abc.Set,
        collections.abc.Mapping,
        collections.abc.MutableSequence,
        Optional[int],  # noqa: UP045  both forms
        int | None,
        Union[int, str],  # noqa: UP007  both forms
        NeedsArguments,
        Any,
        collections.abc.Callable,
    ):
        calls.clear()
        State = TypedDict("State", {"k": Annotated[typ, note]})  # noqa: UP013  its type varies
        app = lone(State, lambda s: {"k": "written"})
        show((str(typ).split(".")[-1], kind(lambda: app.invoke({"k": "given"})), list(calls)))
        show(lone(State, lambda s: {}).invoke({"k": "given"}))


def adding_nodes(show: Any) -> None:
    def named(s: Log) -> dict:
        return {"log": ["named"]}

    class Thing:
        def __call__(self, s: Log) -> dict:
            return {"log": ["thing"]}

    def plain() -> Any:
        return StateGraph(Log)

    for call in (
        lambda: plain().add_node(named).nodes.keys(),
        lambda: plain().add_node(RunnableLambda(named)).nodes.keys(),
        lambda: plain().add_node(RunnableLambda(named, name="other")).nodes.keys(),
        lambda: plain().add_node(lambda s: {}).nodes.keys(),
        lambda: plain().add_node("x", Thing()).nodes.keys(),
        lambda: plain().add_node("a", named).add_node("a", named),
        lambda: plain().add_node("__start__", named),
        lambda: plain().add_node("__end__", named),
        lambda: plain().add_node("a|b", named),
        lambda: plain().add_node("a:b", named),
        lambda: plain().add_node("log", named).nodes.keys(),
        lambda: plain().add_node("__input__", named),
        lambda: plain().add_node("", named).nodes.keys(),
    ):
        found = told(call)
        show(found if isinstance(found, tuple) else list(found) if hasattr(found, "__iter__") else "builder")


def changes_after_compiling(show: Any) -> None:
    records: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record.getMessage())

    root, keep = logging.getLogger(), Keep(logging.WARNING)
    root.addHandler(keep)
    try:
        g = StateGraph(Log).add_node("a", lambda s: {"log": ["a"]}).add_node("b", lambda s: {"log": ["b"]})
        g.add_edge(START, "a")
        before = g.compile()
        g.add_node("c", lambda s: {"log": ["c"]})
        g.add_edge("a", "b")
        g.add_conditional_edges("b", lambda s: "c")
        g.add_edge(["a", "b"], "c")
        show(len(records), [each.split(".")[0] for each in records])
        show(before.invoke({"log": []}), g.compile().invoke({"log": []}))
    finally:
        root.removeHandler(keep)


def edges(show: Any) -> None:
    def g() -> Any:
        return StateGraph(Log).add_node("a", lambda s: {"log": ["a"]}).add_node("b", lambda s: {"log": ["b"]})

    for call in (
        lambda: g().add_edge(END, "a"),
        lambda: g().add_edge("a", START),
        lambda: g().add_edge("x", "a"),
        lambda: g().add_edge("a", "x"),
        lambda: g().add_edge(START, "a").add_edge("a", "x").compile(),
        lambda: g().add_edge(START, "a").add_edge("x", "b").compile(),
        lambda: g().compile(),
        lambda: g().add_edge("a", "b").compile(),
        lambda: g().add_edge(["a", "x"], "b"),
        lambda: g().add_edge(["a", END], "b"),
        lambda: g().add_edge(["a", "b"], "x"),
        lambda: g().add_edge(["a", "b"], START),
        lambda: g().add_edge([], "b"),
        lambda: g().add_edge(START, END).compile(),
        lambda: g().add_conditional_edges("x", lambda s: "a").compile(),
        lambda: g().add_edge(START, "a").add_conditional_edges("a", lambda s: "b", {"b": "x"}).compile(),
        lambda: g().add_conditional_edges(END, lambda s: "a"),
        lambda: g().add_sequence([]),
        lambda: g().add_sequence([("c", len), ("c", len)]),
        lambda: g().add_sequence([("a", len)]),
        lambda: g().add_edge(START, "a").compile(interrupt_before=["x"]),
        lambda: g().add_edge(START, "a").compile(interrupt_after=["x"]),
        lambda: g().add_edge(START, "a").compile(interrupt_before=["x"], interrupt_after="*"),
        lambda: g().add_edge(START, "a").compile(checkpointer="memory"),
        lambda: g().add_edge(START, "a").compile(checkpointer=object()),
    ):
        found = kind(call)
        show(found if isinstance(found, str) else "fine")
    show(
        g()
        .add_edge(START, "a")
        .add_edge(START, "a")
        .add_edge("a", "b")
        .add_edge("a", "b")
        .compile()
        .invoke({"log": []})
    )
    show(g().add_edge(START, "a").add_edge(["a", "b"], END).add_edge("a", "b").compile().invoke({"log": []}))
    show(g().add_edge(START, "a").add_edge(["a"], "b").compile().invoke({"log": []}))
    show(g().add_edge(START, "a").add_edge(START, END).compile().invoke({"log": []}))


def a_skipped_source(show: Any) -> None:
    """A join whose source was skipped never runs; what it has waits on the thread for a later run."""
    g = StateGraph(Log)
    for name in "abc":
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_conditional_edges(START, lambda s: s["log"][-1], ["a", "b"])
    g.add_edge(["a", "b"], "c")
    app = g.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    show(app.invoke({"log": ["a"]}, config), app.get_state(config).next)
    show(app.invoke({"log": ["a"]}, config), app.invoke({"log": ["b"]}, config), app.invoke({"log": ["b"]}, config))


def routers(show: Any) -> None:
    def g(route: Any, *more: Any) -> Any:
        b = StateGraph(Log)
        for name in "abc":
            b.add_node(name, lambda s, name=name: {"log": [name]})
        return b.add_edge(START, "a").add_conditional_edges("a", route, *more).compile()

    class Truthy:
        def __bool__(self) -> bool:
            return False

    for given, *more in (
        ("b",),
        (["b", "c"],),
        (("b", "c"),),
        ([],),
        (None,),
        (START,),
        (END,),
        ([END],),
        (["b", None],),
        (Send("b", {"log": []}),),
        ([Send("b", {"log": []}), "c"],),
        (Send(END, {}),),
        ([Send(END, {})],),
        ("x",),
        (Send("x", {}),),
        (True, {True: "b"}),
        ("k", {"k": "b"}),
        ("z", {"k": "b"}),
        (["k", "z"], {"k": "b"}),
        ("b", ["b"]),
        ("c", ["b"]),
        ("k", {"k": END}),
        (Send("b", {"log": []}), {"k": "c"}),
        (["k", Send("b", {"log": []})], {"k": "c"}),
        ((1, 2), {(1, 2): "b"}),
    ):
        show((given, kind(lambda: g(lambda s: given, *more).invoke({"log": []}))))
    show(told(lambda: g(lambda s: "z", {"k": "b"}).invoke({"log": []})))

    def named(s: Log) -> str:
        return "b"

    b = StateGraph(Log).add_node("a", named).add_conditional_edges("a", named)
    show(told(lambda: b.add_conditional_edges("a", named)))
    b.add_conditional_edges("a", lambda s: "b")
    show(kind(lambda: b.add_conditional_edges("a", lambda s: "a")))
    show({node: list(branches) for node, branches in b.branches.items()})


def what_a_router_reads(show: Any) -> None:
    seen: list[Any] = []

    class State(TypedDict):
        log: Annotated[list, operator.add]
        last: str

    def node(s: State) -> dict:
        return {"log": ["a"], "last": "mine", "unknown": "kept for the router"}

    def route(s: State) -> str:
        seen.append(dict(s))
        return END

    app = StateGraph(State).add_node("a", node).add_edge(START, "a").add_conditional_edges("a", route).compile()
    app.invoke({"log": ["in"]})
    commanded = StateGraph(State).add_node("a", lambda s: Command(update={"last": "c", "unknown": 1}))
    commanded.add_edge(START, "a").add_conditional_edges("a", route).compile().invoke({"log": ["in"]})
    asyncio.run(app.ainvoke({"log": ["in"]}))
    show(seen)


def defaults_of_nodes(show: Any) -> None:
    calls: list[str] = []

    def flaky(s: Log) -> dict:
        calls.append("flaky")
        if len(calls) % 2:
            raise ConnectionError("again")
        return {"log": [len(calls)]}

    def handler(s: Log) -> dict:
        return {"log": ["handled"]}

    def bad(s: Log) -> dict:
        raise ValueError("bad")

    def g() -> Any:
        return StateGraph(Log).set_node_defaults(
            retry_policy=RetryPolicy(initial_interval=0.001, jitter=False), error_handler=handler
        )

    app = g().add_node("a", flaky).add_node("b", bad).add_edge(START, "a").add_edge("a", "b").compile()
    show(app.invoke({"log": []}), calls)
    inner = StateGraph(Log).add_node("x", bad).add_edge(START, "x").compile()
    outer = g().add_node("inner", inner).add_edge(START, "inner").compile()
    show(outer.invoke({"log": []}))
    own = g().add_node("a", bad, error_handler=lambda s: {"log": ["own"]}).add_edge(START, "a").compile()
    show(own.invoke({"log": []}))


def what_nodes_return(show: Any) -> None:
    class State(TypedDict):
        log: Annotated[list, operator.add]
        x: int

    @dataclass
    class Update:
        log: list = field(default_factory=list)
        x: int = 1

    class Model(BaseModel):
        x: int | None = None
        log: list | None = None
        other: int = 5

    class Empty(BaseModel):
        log: list = Field(default_factory=lambda: ["default"])
        x: int | None = 4

    class Hinted:
        log: list
        x: int

    hinted = Hinted()
    hinted.x, hinted.log = 3, ["h"]

    for returned in (
        {},
        None,
        {"x": 1, "nonsense": 2},
        Command(update={"x": 1}),
        [Command(update={"x": 1}), {"log": ["l"]}],
        [{"log": [1]}, {"log": [2]}],
        [],
        [None, {"x": 2}],
        (Command(update={"x": 4}),),
        ({"x": 4},),
        Send("b", {"log": []}),
        [Send("b", {"log": []}), {"log": ["beside"]}],
        Update(),
        Update(["u"]),
        Model(),
        Model(x=None),
        Model(x=1),
        Model(log=[]),
        Empty(),
        Empty(x=None),
        Empty(log=["y"]),
        hinted,
        3,
        "text",
        ["text"],
        [3],
        object,
        Command(update=[("log", [1]), ("log", [2])]),
        Command(update=(("x", 1), ("log", [2]))),
        Command(update=None),
        Command(update=Update(2)),
        Command(update=Model(x=2)),
        Command(goto="b"),
        Command(goto=["b", Send("b", {"log": []})]),
        Command(goto=END),
        Command(goto=()),
        Command(update=[]),
        Command(update={"x": 1}, goto="b", resume="ignored"),
        [Command(goto="b"), Command(goto="b")],
        {"log": None},
        {"x": None},
    ):
        b = StateGraph(State).add_node("a", lambda s: returned, destinations=("b",))
        app = b.add_node("b", lambda s: {"log": ["b"]}).add_edge(START, "a").compile()
        show(
            (
                type(returned).__name__,
                kind(lambda: app.invoke({"log": []})),
                kind(lambda: list(app.stream({"log": []}))),
            )
        )


def injected(show: Any) -> None:
    class State(TypedDict):
        log: Annotated[list, operator.add]

    def by_config(s: State, config: RunnableConfig) -> dict:
        return {"log": [sorted(config) != []]}

    def optional_config(s: State, config: RunnableConfig | None = None) -> dict:
        return {"log": [config is not None]}

    def string_config(s: State, config: "RunnableConfig") -> dict:
        return {"log": [config is not None]}

    def bare_config(s: State, config) -> dict:
        return {"log": [config is not None]}

    def keyword(s: State, *, config: RunnableConfig, writer, store, runtime: Any) -> dict:
        return {"log": [config is not None, callable(writer), store is None, type(runtime).__name__]}

    def wrong(s: State, config: dict = {}) -> dict:  # noqa: B006  never changed
        return {"log": [config]}

    def wrong_writer(s: State, writer: int = 3, store: str = "s") -> dict:
        return {"log": [writer, store]}

    def previous(s: State, previous: Any = "unset") -> dict:
        return {"log": [previous]}

    for node in (by_config, optional_config, string_config, bare_config, keyword, wrong, wrong_writer, previous):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = kind(lambda: lone(State, node).invoke({"log": []}))
        show(
            (
                node.__name__,
                found,
                [str(each.message).split("(")[0][:60] for each in caught if "config" in str(each.message)],
            )
        )
        show(kind(lambda: asyncio.run(lone(State, node).ainvoke({"log": []}))))


def managed_of_a_user(show: Any) -> None:
    class Step(ManagedValue[int]):
        @staticmethod
        def get(scratchpad: Any) -> int:
            return scratchpad.step

    class State(TypedDict):
        log: Annotated[list, operator.add]
        step: Annotated[int, Step]

    app = StateGraph(State, input_schema=Log, output_schema=Log)
    app.add_node("a", lambda s: {"log": [s["step"]]}).add_node("b", lambda s: {"log": [s["step"]]})
    show(app.add_edge(START, "a").add_edge("a", "b").compile().invoke({"log": []}))
    show(kind(lambda: StateGraph(State).add_node("a", len).add_edge(START, "a").compile().invoke({"log": [1]})))
    show(kind(lambda: StateGraph(Log, input_schema=State)), kind(lambda: StateGraph(Log, output_schema=State)))

    class Before(TypedDict):
        k: Annotated[int, Step, "after"]

    show(kind(lambda: StateGraph(Before).channels.keys()))


def old_arguments(show: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        g = StateGraph(Log, config_schema=Log, input=Log, output=Log)
        g.add_node("a", lambda s: {"log": ["a"]}, input=Log, retry=RetryPolicy(max_attempts=1))
        g.add_edge(START, "a").compile()
    show([type(each.message).__name__ for each in caught])


def nodes_by_themselves(show: Any) -> None:
    """Unit tests of nodes run them without their graph."""
    import asyncio

    from langchain_core.runnables import RunnableConfig, RunnableLambda
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import StreamWriter

    class State(TypedDict):
        x: int

    def plain(s: State) -> dict:
        return {"x": s["x"] + 1}

    async def later(s: State) -> dict:
        return {"x": s["x"] + 2}

    def asks(s: State, config: RunnableConfig, writer: StreamWriter) -> dict:
        writer("heard")
        return {"x": config["configurable"].get("by", 0)}

    inner = StateGraph(State).add_node(plain).add_edge(START, "plain").compile()
    g = StateGraph(State).add_node(plain).add_node(later).add_node(asks).add_node("inner", inner)
    g.add_node("lambda", RunnableLambda(plain)).add_node("short", lambda s: {"x": 9, "unknown": 1})
    for name in ("plain", "later", "asks", "inner", "lambda", "short"):
        g.add_edge(START, name).add_edge(name, END)
    app = g.compile()
    for name in ("plain", "asks", "inner", "lambda", "short"):
        config: Any = {"configurable": {"by": 5}}
        show(name, app.nodes[name].invoke({"x": 1}, config), app.nodes[name].bound.invoke({"x": 1}, config))
        show(list(app.nodes[name].stream({"x": 1}, config)), g.nodes[name].runnable.invoke({"x": 1}, config))
    for name in ("plain", "later", "inner", "short"):
        show(name, asyncio.run(app.nodes[name].ainvoke({"x": 1})))
    try:
        app.nodes["later"].invoke({"x": 1})
    except TypeError as error:
        show("No synchronous function" in str(error))
    show(type(app.nodes["plain"].bound).__name__, type(g.nodes["plain"].runnable).__name__)
