"""The chunks of `stream(version="v2")` as types: tell them apart by "type", and type checkers know their "data"."""

from __future__ import annotations

from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar, Union

from stepgraph.core.types import Interrupt, Namespace, StateSnapshot

StateT = TypeVar("StateT")
OutputT = TypeVar("OutputT")


class TaskPayload(TypedDict):
    """A task starts."""

    id: str
    name: str
    input: Any
    triggers: list[str]
    metadata: NotRequired[dict[str, Any]]
    """Of the node, if it has any."""


class TaskResultPayload(TypedDict):
    """A task has ended, failed, or asked somebody."""

    id: str
    name: str
    error: str | None
    interrupts: list[dict[str, Any]]
    result: dict[str, Any]


class CheckpointTask(TypedDict):
    """A task that a checkpoint plans, with what an earlier run left of it: an error, a result or questions."""

    id: str
    name: str
    error: NotRequired[str]
    result: NotRequired[Any]
    interrupts: NotRequired[list[dict[str, Any]]]
    state: StateSnapshot | dict[str, Any] | None
    """Of a subgraph: its state, or the config that addresses it."""


class CheckpointPayload(TypedDict, Generic[StateT]):
    """A checkpoint, as `get_state` shows it."""

    config: dict[str, Any] | None
    metadata: dict[str, Any]
    values: StateT
    next: list[str]
    parent_config: dict[str, Any] | None
    tasks: list[CheckpointTask]


class DebugCheckpointPayload(TypedDict, Generic[StateT]):
    """What `debug` says of a checkpoint."""

    step: int
    timestamp: str
    type: Literal["checkpoint"]
    payload: CheckpointPayload[StateT]


class DebugTaskPayload(TypedDict):
    """What `debug` says of a task's start."""

    step: int
    timestamp: str
    type: Literal["task"]
    payload: TaskPayload


class DebugTaskResultPayload(TypedDict):
    """What `debug` says of a task's end."""

    step: int
    timestamp: str
    type: Literal["task_result"]
    payload: TaskResultPayload


DebugPayload = Union[DebugCheckpointPayload[StateT], DebugTaskPayload, DebugTaskResultPayload]  # noqa: UP007  it takes a parameter


class ValuesStreamPart(TypedDict, Generic[OutputT]):
    """The state after a superstep, and what has been asked in it."""

    type: Literal["values"]
    ns: Namespace
    data: OutputT
    interrupts: tuple[Interrupt, ...]


class UpdatesStreamPart(TypedDict):
    """What a node has returned, under its name; questions are under `__interrupt__`."""

    type: Literal["updates"]
    ns: Namespace
    data: dict[str, Any]


class MessagesStreamPart(TypedDict):
    """A message or a part of one, with where it was made."""

    type: Literal["messages"]
    ns: Namespace
    data: tuple[Any, dict[str, Any]]


class CustomStreamPart(TypedDict):
    """What node code gave to its stream writer."""

    type: Literal["custom"]
    ns: Namespace
    data: Any


class CheckpointStreamPart(TypedDict, Generic[StateT]):
    """A checkpoint has been made."""

    type: Literal["checkpoints"]
    ns: Namespace
    data: CheckpointPayload[StateT]


class TasksStreamPart(TypedDict):
    """A task has started or ended."""

    type: Literal["tasks"]
    ns: Namespace
    data: TaskPayload | TaskResultPayload


class DebugStreamPart(TypedDict, Generic[StateT]):
    """A checkpoint, or a task that has started or ended, with step and time."""

    type: Literal["debug"]
    ns: Namespace
    data: DebugPayload[StateT]


StreamPart = Union[  # noqa: UP007  it takes parameters: of the state, then of the output
    CheckpointStreamPart[StateT],
    DebugStreamPart[StateT],
    ValuesStreamPart[OutputT],
    UpdatesStreamPart,
    MessagesStreamPart,
    CustomStreamPart,
    TasksStreamPart,
]
