"""Channels: handled directly, and a user's own."""

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
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import EmptyChannelError, InvalidUpdateError
from langgraph.graph import START, StateGraph
from langgraph.types import Overwrite


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
