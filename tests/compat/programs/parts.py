"""Chunks of version 2 as types: programs annotate with them, narrow by "type", and validate with Pydantic."""

import operator
import typing
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

import langgraph.types
from langgraph.channels import AnyValue, BinaryOperatorAggregate, EphemeralValue, LastValue, Topic
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph
from langgraph.types import (
    CachePolicy,
    CheckpointPayload,
    CheckpointStreamPart,
    CustomStreamPart,
    DebugStreamPart,
    GraphOutput,
    Interrupt,
    MessagesStreamPart,
    Overwrite,
    StateUpdate,
    StreamPart,
    TaskPayload,
    TaskResultPayload,
    TasksStreamPart,
    UpdatesStreamPart,
    ValuesStreamPart,
    interrupt,
)
from typing_extensions import TypedDict, is_typeddict

NAMES = (
    "ValuesStreamPart", "UpdatesStreamPart", "MessagesStreamPart", "CustomStreamPart", "CheckpointStreamPart",
    "TasksStreamPart", "DebugStreamPart", "TaskPayload", "TaskResultPayload", "CheckpointTask", "CheckpointPayload",
)  # fmt: skip
PARTS = {
    "values": ValuesStreamPart, "updates": UpdatesStreamPart, "messages": MessagesStreamPart,
    "custom": CustomStreamPart, "checkpoints": CheckpointStreamPart, "tasks": TasksStreamPart,
    "debug": DebugStreamPart,
}  # fmt: skip


class State(TypedDict):
    log: Annotated[list, operator.add]


@dataclass
class Point:
    x: int = 0


def app(**options: Any) -> Any:
    def node(s: State) -> Any:
        get_stream_writer()("written")
        return {"log": [interrupt("sure?")] if options else ["node"]}

    return StateGraph(State).add_node(node).add_edge(START, "node").compile(**options)


def shapes(show: Any) -> None:
    """Keys, which of them are required, and parameters."""
    for name in NAMES:
        part = getattr(langgraph.types, name)
        show((name, is_typeddict(part), part.__required_keys__, part.__optional_keys__, sorted(get_type_hints(part))))
        show((len(getattr(part, "__parameters__", ())), issubclass(part, dict)))
    show(typing.get_args(get_type_hints(ValuesStreamPart)["type"]))


def used(show: Any) -> None:
    """In annotations, with and without parameters; as plain dicts; and narrowed by their type."""

    def take(part: StreamPart[State, State], values: ValuesStreamPart[Point], debug: DebugStreamPart[State]) -> Any:
        return part["data"] if part["type"] == "custom" else part["type"]

    options: Any = {"stream_mode": list(PARTS), "version": "v2"}
    for part in app().stream({"log": []}, **options):
        show((take(part, part, part), type(part), sorted(part)))
    show(ValuesStreamPart(type="values", ns=(), data=1, interrupts=()), TaskPayload(id="1", name="a"))
    union: Any = StreamPart[State, State] | None
    show(len(typing.get_args(union)) > 1, isinstance(app(), StateGraph))


def fitting(show: Any) -> None:
    """Every chunk has the keys of its type."""
    for graph in (app(), app(checkpointer=InMemorySaver())):
        config: Any = {"configurable": {"thread_id": "t"}}
        for part in graph.stream({"log": []}, config, stream_mode=list(PARTS), version="v2"):
            kind, payload = PARTS[part["type"]], part["data"]
            show((part["type"], part.keys() == get_type_hints(kind).keys()))
            payload = payload["payload"] if part["type"] == "debug" else payload
            for known in (TaskPayload, TaskResultPayload, CheckpointPayload):
                if isinstance(payload, dict) and known.__required_keys__ <= payload.keys():
                    show((known.__name__, payload.keys() <= get_type_hints(known).keys()))
    show(typing.get_args(GraphOutput[State]), isinstance(app().invoke({"log": []}, version="v2"), GraphOutput))


def words(show: Any) -> None:
    """Generic classes take parameters, tuples unpack, and old forms go on working."""
    for kind in (CachePolicy, entrypoint, Interrupt, Topic, LastValue, BinaryOperatorAggregate, EphemeralValue):
        show((kind.__name__, typing.get_args(kind[int])))
    values, as_node, task_id = StateUpdate({"log": []}, "node")
    show(values, as_node, task_id, StateUpdate(None)._replace(as_node="a"), Overwrite([1]), Overwrite([1]).type)
    show(Topic(typ=str, accumulate=True) == Topic(str, True), LastValue(typ=int).typ, AnyValue(typ=int, key="k").key)
    old = Interrupt("why?", ns=["a", "b"], resumable=True, when="during")
    show(old.value, old.id == Interrupt.from_ns("why?", ns="a|b").id, old.interrupt_id == old.id)
    show(Interrupt("why?", "id", response_schema={}), Interrupt("why?") == Interrupt("why?"))
    graph = app(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    graph.invoke({"log": ["a"]}, config)
    graph.bulk_update_state(config, [[StateUpdate(values={"log": Overwrite(["b"])}, as_node="node")]])
    show(graph.get_state(config).values)
