"""The transformers that come with version 3 streams."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from stepgraph.compat.langgraph.stream._types import StreamTransformer

SubgraphStatus = Literal["started", "completed", "failed", "interrupted", "drained"]


class LifecyclePayload(TypedDict, total=False):
    """How a graph or subgraph fares."""

    event: SubgraphStatus
    namespace: list[str]
    graph_name: str
    trigger_call_id: str
    cause: Any
    error: str


class ValuesTransformer(StreamTransformer):
    """The state after each superstep."""


class UpdatesTransformer(StreamTransformer):
    """What each task wrote."""


class MessagesTransformer(StreamTransformer):
    """Messages as they are made."""


class CustomTransformer(StreamTransformer):
    """What nodes put on the stream."""


class CheckpointsTransformer(StreamTransformer):
    """Checkpoints as they are saved."""


class DebugTransformer(StreamTransformer):
    """Everything."""


class TasksTransformer(StreamTransformer):
    """Tasks as they begin and end."""


class _TasksLifecycleBase(StreamTransformer):
    """What is known of subgraphs from their tasks."""


class LifecycleTransformer(_TasksLifecycleBase):
    """How graph and subgraphs fare."""


class SubgraphTransformer(_TasksLifecycleBase):
    """The runs of subgraphs."""
