"""Channels: handled directly, and a user's own."""

# ruff: noqa: B023  what is made in a loop runs at once

import operator
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from langgraph._internal._typing import MISSING
from langgraph.channels import (
    AnyValue,
    BaseChannel,
    BinaryOperatorAggregate,
    DeltaChannel,
    EphemeralValue,
    LastValue,
    NamedBarrierValue,
    Topic,
    UntrackedValue,
)
from langgraph.channels.last_value import LastValueAfterFinish
from langgraph.channels.named_barrier_value import NamedBarrierValueAfterFinish
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import EmptyChannelError, InvalidUpdateError
from langgraph.graph import START, StateGraph
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.types import Command, Overwrite, Send, interrupt


def handled_directly(show: Any) -> None:
    kinds = {
        "last": LastValue(int),
        "any": AnyValue(int),
        "ephemeral": EphemeralValue(int),
        "sum": BinaryOperatorAggregate(int, operator.add),
        "topic": Topic(int),
        "all": Topic(int, accumulate=True),
        "untracked": UntrackedValue(int),
    }
    for name, kind in kinds.items():
        channel = kind.from_checkpoint(MISSING)
        show(name, isinstance(kind, BaseChannel), str(channel.ValueType), channel.is_available())
        try:
            show(channel.get())
        except EmptyChannelError:
            show("empty")
        show(channel.update([3]), channel.get(), channel.update([]), channel.is_available())
        if channel.is_available():
            show(channel.get())
        try:
            channel.update([1, 2])
            show(channel.get())
        except InvalidUpdateError:
            show("refused")
        again = kind.from_checkpoint(channel.checkpoint())
        show(again.is_available(), again.get() if again.is_available() else None)


def a_barrier(show: Any) -> None:
    channel = NamedBarrierValue(str, {"a", "b"}).from_checkpoint(MISSING)
    show(channel.update(["a"]), channel.is_available(), channel.update(["b"]), channel.is_available(), channel.get())
    show(channel.consume(), channel.is_available())
    try:
        channel.update(["c"])
    except InvalidUpdateError:
        show("refused")


class Longest(BaseChannel[str, str, str]):
    """Keeps the longest text."""

    value: Any = MISSING

    @property
    def ValueType(self) -> Any:
        return str

    @property
    def UpdateType(self) -> Any:
        return str

    def from_checkpoint(self, checkpoint: Any) -> Any:
        fresh = type(self)(self.typ, self.key)
        fresh.value = checkpoint
        return fresh

    def get(self) -> str:
        if self.value is MISSING:
            raise EmptyChannelError
        return self.value

    def update(self, values: Sequence[str]) -> bool:
        found = max([*values, *([] if self.value is MISSING else [self.value])], key=len, default=MISSING)
        changed = found is not self.value
        self.value = found
        return changed


def of_a_user(show: Any) -> None:
    class State(TypedDict):
        text: Annotated[str, Longest]
        other: Annotated[str, Longest(str)]

    builder = StateGraph(State)
    builder.add_node("a", lambda s: {"text": "aaa"})
    builder.add_node("b", lambda s: {"text": "bb", "other": "b"})
    builder.add_node("c", lambda s: {"other": s["text"] + "!"})
    builder.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c")
    graph = builder.compile()
    show(graph.invoke({"text": "x"}))
    show(list(graph.stream({"text": "much longer"}, stream_mode="values")))


def folded_at_once(show: Any) -> None:
    def collect(state: list[Any], writes: Sequence[Any]) -> list[Any]:
        return [*state, *(item for write in writes for item in write)]

    class State(TypedDict):
        log: Annotated[list[str], DeltaChannel(collect)]

    builder = StateGraph(State).add_node("a", lambda s: {"log": ["a"]}).add_node("b", lambda s: {"log": ["b"]})
    builder.add_node("c", lambda s: {"log": Overwrite(["c", *s["log"]])}).add_edge(START, "a").add_edge(START, "b")
    graph = builder.add_edge(["a", "b"], "c").compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    show(graph.invoke({"log": ["in"]}, config), graph.invoke({"log": ["more"]}, config))
    show([each.values for each in graph.get_state_history(config)])
    show(graph.get_state(config).values)
    channel = DeltaChannel(collect, list).from_checkpoint(MISSING)
    show(channel.get(), channel.update([["x"], ["y"]]), channel.get(), channel.update([]))


def kind(call: Any) -> Any:
    try:
        return call()
    except BaseException as error:
        return type(error).__name__


def thread(name: str = "t", **more: Any) -> Any:
    return {"configurable": {"thread_id": name, **more}}


def two(schema: Any, one: Any, other: Any, given: Any) -> Any:
    g = (
        StateGraph(schema)
        .add_node("a", lambda s: one)
        .add_node("b", lambda s: other)
        .add_edge(START, "a")
        .add_edge(START, "b")
    )
    return kind(lambda: g.compile().invoke(given))


def overwrites(show: Any) -> None:
    class Log(TypedDict):
        log: Annotated[list, operator.add]

    class Raw(TypedDict):
        log: Annotated[Any, lambda a, b: (a, b)]

    new, plain = Overwrite(["new"]), ["p"]
    for one, other in (
        (new, plain),
        (plain, new),
        (new, new),
        ({"__overwrite__": ["d"]}, plain),
        ({"type": "__overwrite__", "value": ["t"]}, plain),
        ({"__overwrite__": 1, "more": 2}, plain),
        (Overwrite(None), plain),
    ):
        show(two(Log, {"log": one}, {"log": other}, {"log": ["in"]}))
    for given in ({"log": {"__overwrite__": ["d"]}}, {"log": ["in"]}):
        show((repr(given), two(Log, {}, {"log": ["b"]}, given), two(Raw, {}, {"log": 2}, given)))
    app = (
        StateGraph(Log)
        .add_node("a", lambda s: Command(update=[("log", Overwrite(["x"])), ("log", ["y"])]))
        .add_edge(START, "a")
        .compile()
    )
    show(app.invoke({"log": ["in"]}))
    many = (
        StateGraph(Log).add_node("a", lambda s: {"log": s}).add_node("b", lambda s: {"log": ["b"]}).add_edge(START, "b")
    )
    app = many.add_conditional_edges(
        START, lambda s: [Send("a", ["0"]), Send("a", Overwrite(["1"])), Send("a", ["2"])]
    ).compile()
    show(app.invoke({"log": ["in"]}))


def last_values(show: Any) -> None:
    class State(TypedDict):
        x: Any

    show(two(State, {"x": 1}, {"x": 2}, {"x": 0}), two(State, {"x": None}, {}, {"x": 0}), two(State, {"x": 1}, {}, {}))
    show(two(State, {"x": 1}, {"x": 1}, {"x": 0}))
    try:
        g = (
            StateGraph(State)
            .add_node("a", lambda s: {"x": 1})
            .add_node("b", lambda s: {"x": 2})
            .add_edge(START, "a")
            .add_edge(START, "b")
        )
        g.compile().invoke({"x": 0})
    except InvalidUpdateError as error:
        text = str(error)
        show([word in text for word in ("x", "Can receive only one value per step", "INVALID_CONCURRENT_GRAPH_UPDATE")])


def in_a_state(show: Any) -> None:
    class State(TypedDict):
        ephemeral: Annotated[int, EphemeralValue(int)]
        loose: Annotated[int, EphemeralValue(int, guard=False)]
        anything: Annotated[int, AnyValue(int)]
        untracked: Annotated[int, UntrackedValue(int)]
        topic: Annotated[list, Topic(int)]
        kept: Annotated[list, Topic(int, accumulate=True)]
        log: Annotated[list, operator.add]

    def look(name: str, update: Any = None) -> Any:
        def node(s: State) -> dict:
            return {"log": [(name, {key: s[key] for key in sorted(s) if key != "log"})], **(update or {})}

        return node

    written = {"ephemeral": 1, "loose": 1, "anything": 1, "untracked": 1, "topic": [1, 2], "kept": 3}
    g = (
        StateGraph(State)
        .add_node("a", look("a", written))
        .add_node("b", look("b", {"kept": [4], "anything": 2}))
        .add_node("c", look("c"))
        .add_node("d", look("d"))
    )
    g.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").add_edge("c", "d")
    app = g.compile(checkpointer=InMemorySaver(), interrupt_before=["c"])
    show(app.invoke({"log": [], "ephemeral": 7, "untracked": 7}, thread()), app.get_state(thread()).values)
    show(app.invoke(None, thread()))
    show([each.values for each in app.get_state_history(thread())])
    for key, one, other in (
        ("ephemeral", 1, 2),
        ("loose", 1, 2),
        ("anything", 1, 2),
        ("untracked", 1, 2),
        ("topic", [1], 2),
        ("kept", 1, [2]),
    ):
        show((key, two(State, {key: one}, {key: other}, {"log": []})))


def untracked_in_sends(show: Any) -> None:
    class State(TypedDict):
        log: Annotated[list, operator.add]
        secret: Annotated[Any, UntrackedValue(object)]

    def node(s: State) -> dict:
        return {"log": [sorted(s)]}

    g = StateGraph(State).add_node("a", lambda s: {"secret": 1}).add_node("b", node)
    g.add_edge(START, "a").add_conditional_edges("a", lambda s: [Send("b", {"secret": s["secret"], "kept": 2})])
    app = g.compile(checkpointer=InMemorySaver(), interrupt_before=["b"])
    show(app.invoke({"log": []}, thread()), app.get_state(thread()).values, app.invoke(None, thread()))
    show(g.compile().invoke({"log": []}))


def kept_apart_from_checkpoints(show: Any) -> None:
    """The values of a DeltaChannel, whatever the frequency of its snapshots, in every state and after every journey."""

    def fold(state: list, writes: Sequence[Any]) -> list:
        return [*state, *(item for write in writes for item in write)]

    for frequency in (1, 2, 100):

        class State(TypedDict):
            log: Annotated[list, DeltaChannel(fold, snapshot_frequency=frequency)]
            n: int

        def ask(s: State) -> dict:
            return {"log": [interrupt("q")]}

        g = (
            StateGraph(State)
            .add_node("a", lambda s: {"log": ["a"], "n": len(s["log"])})
            .add_node("b", lambda s: {"log": ["b"]})
            .add_node(ask)
        )
        g.add_node("c", lambda s: {"log": ["c"]}).add_edge(START, "a").add_edge(START, "b").add_edge(
            ["a", "b"], "ask"
        ).add_edge("ask", "c")
        app = g.compile(checkpointer=InMemorySaver())
        show(
            frequency,
            [each.value for each in app.invoke({"log": ["in"]}, thread())["__interrupt__"]],
            app.get_state(thread()).values,
        )
        show(app.invoke(Command(resume="yes"), thread()), app.invoke({"log": ["two"]}, thread())["log"])
        app.update_state(thread(), {"log": ["edit"]}, as_node="c")
        app.update_state(thread(), {"log": Overwrite(["fresh"])}, as_node="c")
        show(app.get_state(thread()).values, [each.values for each in app.get_state_history(thread())])
        old = [each for each in app.get_state_history(thread()) if each.next == ("c",)][-1]
        show(app.invoke(None, old.config), app.get_state(thread()).values)
        forked = app.update_state(old.config, {"log": ["fork"]})
        show(app.get_state(forked).values, app.invoke(None, forked))
        show(
            app.invoke({"log": ["exit"]}, thread("exit"), durability="exit")["log"],
            app.get_state(thread("exit")).values,
        )
        show(
            app.invoke(Command(resume="later"), thread("exit"), durability="exit"), app.get_state(thread("exit")).values
        )
    show(DeltaChannel(fold, list) == DeltaChannel(fold, list), kind(lambda: DeltaChannel(fold, snapshot_frequency=0)))


def the_last_steps(show: Any) -> None:
    class State(TypedDict):
        log: Annotated[list, operator.add]
        last: IsLastStep
        left: RemainingSteps

    g = StateGraph(State)
    for name in "abc":
        g.add_node(name, lambda s, name=name: {"log": [(name, s["last"], s["left"])]})
    app = g.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").compile()
    for limit in (3, 4, 10, 25):
        show((limit, kind(lambda: app.invoke({"log": []}, {"recursion_limit": limit}))))


def keys_of_every_kind(show: Any) -> None:
    """What nodes, routers, streams, snapshots and results see of a channel that is a key of the state."""
    kinds: dict[str, Any] = {
        "after finish": (Annotated[int, LastValueAfterFinish], 1, 2),
        "an instance": (Annotated[int, LastValueAfterFinish(int)], 1, 2),
        "any": (Annotated[int, AnyValue], 1, 2),
        "ephemeral": (Annotated[int, EphemeralValue], 1, 2),
        "untracked": (Annotated[int, UntrackedValue], 1, 2),
        "topic": (Annotated[int, Topic], 1, [2]),
        "collected": (Annotated[int, Topic(int, accumulate=True)], 1, [2, 3]),
        "barrier": (Annotated[str, NamedBarrierValue(str, {"x", "y"})], "x", "y"),
        "late barrier": (Annotated[str, NamedBarrierValueAfterFinish(str, {"x", "y"})], "x", "y"),
    }
    for kind, (hint, first, second) in kinds.items():
        for writes in ((first, None, None), (first, second, None), (None, None, first), (None, first, second)):
            for given in ({"other": 1}, {"key": first, "other": 1}):
                schema: Any = TypedDict("State", {"key": hint, "other": int})  # type: ignore[operator]  # not one name
                _show_key(show, kind, schema, writes, given)


def _show_key(show: Any, kind: str, schema: Any, writes: Any, given: Any) -> None:
    seen: list[Any] = []
    builder = StateGraph(schema)

    def node(name: str, write: Any) -> Any:
        def run(state: Any) -> Any:
            seen.append((name, dict(state)))
            return {"other": 1} if write is None else {"key": write}

        return run

    def choose(state: Any) -> str:
        seen.append(("router", dict(state)))
        return "c"

    for name, write in zip("abc", writes, strict=True):
        builder.add_node(name, node(name, write), defer=name == "c" and "finish" in kind)
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    builder.add_conditional_edges("b", choose, ["c"])
    graph = builder.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}

    def attempt(call: Any) -> Any:
        try:
            return call()
        except Exception as error:
            return type(error).__name__

    modes = ["values", "updates"]
    show(kind, attempt(lambda: list(graph.stream(given, config, stream_mode=modes, durability="sync"))), seen)
    show(attempt(lambda: [each.values for each in graph.get_state_history(config)]))
    show(attempt(lambda: graph.update_state(config, {"key": first_of(writes)}, as_node="b")["configurable"].keys()))
    show(attempt(lambda: graph.get_state(config).values), attempt(lambda: graph.get_state(config).next))
    show(attempt(lambda: graph.invoke(None, config)), attempt(lambda: builder.compile().invoke(given)))


def first_of(writes: Any) -> Any:
    return next(write for write in writes if write is not None)
