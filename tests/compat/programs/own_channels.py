"""A program's own kinds of LangGraph's channels, which override what these do with their value."""

# ruff: noqa: B023  what is made in a loop runs at once

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from langgraph.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    NamedBarrierValue,
    Topic,
    UntrackedValue,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.errors import EmptyChannelError
from langgraph.graph import START, StateGraph
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import Command, Overwrite, interrupt


class Newest(LastValue):
    """The last of several writers counts."""

    def update(self, values: Any) -> bool:
        return super().update(list(values)[-1:])


class Capped(BinaryOperatorAggregate):
    """Keeps the newest three."""

    def update(self, values: Any) -> bool:
        changed = super().update(values)
        self.value = self.value[-3:]
        return changed


class Doubled(LastValue):
    def get(self) -> Any:
        return super().get() * 2


class Texts(Topic):
    def update(self, values: Any) -> bool:
        return super().update([str(value) for value in values])


class Tens:
    def update(self, values: Any) -> bool:
        return bool(super().update([value * 10 for value in values]))  # type: ignore[misc]  # of the class beside it


class Tenfold(Tens, LastValue):
    """With what changes its updates in another class."""


class More(Tens, Doubled):
    def get(self) -> Any:
        return super().get() + 1


class Set(Topic):
    """Changes its list in place, and empties it."""

    def update(self, values: Any) -> bool:
        if "none" in values:
            self.values = []
        else:
            for value in values:
                if value not in self.values:
                    self.values.append(value)
        return bool(values)


class Scratch(UntrackedValue):
    def update(self, values: Any) -> bool:
        return super().update([value + 1 for value in values])


class Limited(LastValue):
    """With an argument of its own."""

    def __init__(self, typ: Any, most: int = 5) -> None:
        super().__init__(typ)
        self.most = most

    def copy(self) -> Any:
        return self.from_checkpoint(self.checkpoint())

    def from_checkpoint(self, checkpoint: Any) -> Any:
        made = Limited(self.typ, self.most)
        made.key, made.value = self.key, checkpoint
        return made

    def update(self, values: Any) -> bool:
        return super().update([min(value, self.most) for value in values])


class Tagged(Newest):
    """A kind of the program's own kind, which stores something else."""

    def checkpoint(self) -> Any:
        return ["tag", super().checkpoint()]

    def from_checkpoint(self, checkpoint: Any) -> Any:
        return super().from_checkpoint(checkpoint[1] if isinstance(checkpoint, list) else checkpoint)


class Once(EphemeralValue):
    def consume(self) -> bool:
        return super().consume() or True


class Plain(AnyValue):
    """Overrides nothing."""


class State(TypedDict, total=False):
    a: Annotated[int, Newest]
    b: Annotated[list, Capped(list, operator.add)]
    c: Annotated[int, Doubled(int)]
    d: Annotated[list, Texts(str)]
    e: Annotated[int, Scratch(int)]
    f: Annotated[int, Limited(int)]
    g: Annotated[int, Plain(int)]
    h: Annotated[int, Tagged(int)]
    i: Annotated[list, Set(str)]
    j: Annotated[int, Tenfold(int)]
    k: Annotated[int, More(int)]


def attempt(show: Any, call: Any) -> None:
    try:
        show(call())
    except Exception as error:
        show(type(error).__name__)


def full(state: State) -> State:
    return {"a": 1, "b": ["full"], "c": 2, "d": [5, 6], "e": 3, "f": 9, "g": 7, "h": 8, "i": "x", "j": 1, "k": 2}


def half(state: State) -> State:
    return {"a": 2, "b": [1, 2, 3], "g": 7, "h": 9, "i": "y"}


def seen(state: State) -> State:
    return {"b": [repr(sorted(state.items()))], "i": "none"}


def builder() -> Any:
    made = StateGraph(State).add_node(full).add_node(half).add_node(seen)
    return made.add_edge(START, "full").add_edge(START, "half").add_edge("full", "seen")


def in_states(show: Any) -> None:
    config: Any = {"configurable": {"thread_id": "t"}}
    with SqliteSaver.from_conn_string(":memory:") as file:
        for saver in (None, InMemorySaver(), file):
            graph = builder().compile(checkpointer=saver)
            for given in ({"a": 0, "b": ["i"], "e": 1}, {"b": Overwrite([0])}, {}):
                attempt(show, lambda: graph.invoke(given, config))
                attempt(show, lambda: asyncio.run(graph.ainvoke(given, config)) if saver is not file else None)
            if saver is not None:
                show([each.values for each in graph.get_state_history(config)])
                graph.update_state(config, {"a": 5, "b": ["by hand"], "f": 50}, as_node="full")
                show(graph.get_state(config).values, graph.invoke(None, config))
    show(list(builder().compile().stream({"a": 0}, stream_mode=["updates", "values"])))


def asked(show: Any) -> None:
    made = StateGraph(State).add_node("ask", lambda state: {"a": interrupt("?"), "b": [1, 2, 3, 4]})
    graph = made.add_node(full).add_edge(START, "full").add_edge("full", "ask").compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    show(graph.invoke({"b": [0]}, config)["b"], graph.invoke(Command(resume=4), config))


def in_graphs_of_channels(show: Any) -> None:
    one = NodeBuilder().subscribe_only("a").do(lambda value: value + 1).write_to("b", "c", "all")
    other = NodeBuilder().subscribe_to("b").do(lambda given: given["b"]).write_to("out", "all")
    channels: Any = {"a": Once(int), "b": Newest(int), "c": Doubled(int), "out": Limited(int, 3)}
    channels["all"] = Texts(str, accumulate=True)
    graph = Pregel(
        nodes={"one": one, "other": other},
        channels=channels,
        input_channels="a",
        output_channels=["c", "out", "all"],
    )
    show(graph.invoke(4), list(graph.stream(1, stream_mode="values")))


def by_hand(show: Any) -> None:
    kinds = (Newest(int), Capped(list, operator.add), Doubled(int), Texts(str), Limited(int), Scratch(int), Once(int))
    for kind in (*kinds, Set(str), Tenfold(int), More(int)):
        value: Any = [1] if isinstance(kind, Capped) else 1
        show(type(kind).__name__, kind.is_available())
        attempt(show, kind.get)
        attempt(show, lambda: kind.update([value]))
        show(isinstance(kind, Scratch) or kind.checkpoint())
        for call in (kind.get, kind.finish, kind.consume, kind.is_available):
            attempt(show, call)
        other = kind.copy()
        attempt(show, lambda: (other.get(), other is kind, other == kind, type(other) is type(kind)))
        attempt(show, lambda: kind.from_checkpoint(kind.checkpoint()).get())
        attempt(show, lambda: (other.update([value]), kind.update(()), other.get()))
    try:
        Newest(int).get()
    except EmptyChannelError:
        show("empty")


class Crowd(NamedBarrierValue):
    """Says who came."""

    def update(self, values: Any) -> bool:
        came = super().update(values)
        self.told = sorted(self.seen)
        return came


def barriers(show: Any) -> None:
    crowd = Crowd(str, {"a", "b"})
    show(crowd.update(["a"]), crowd.told, crowd.is_available(), crowd.update(["b"]), crowd.told, crowd.is_available())
    show(crowd.copy().is_available(), crowd.consume(), crowd.is_available(), sorted(crowd.checkpoint()))
