"""Runs that are read as projections, LangGraph's v3 streams: values, messages, lifecycle, subgraphs and one's own."""

from stepgraph.run.v3.channel import StreamChannel
from stepgraph.run.v3.lifecycle import LifecyclePayload, LifecycleTransformer, SubgraphStatus, SubgraphTransformer
from stepgraph.run.v3.modes import (
    CheckpointsTransformer,
    CustomTransformer,
    DebugTransformer,
    MessagesTransformer,
    TasksTransformer,
    UpdatesTransformer,
    ValuesTransformer,
)
from stepgraph.run.v3.mux import StreamMux
from stepgraph.run.v3.runs import AsyncGraphRunStream, AsyncSubgraphRunStream, GraphRunStream, SubgraphRunStream
from stepgraph.run.v3.transformer import ProtocolEvent, StreamTransformer

__all__ = [
    "AsyncGraphRunStream",
    "AsyncSubgraphRunStream",
    "CheckpointsTransformer",
    "CustomTransformer",
    "DebugTransformer",
    "GraphRunStream",
    "LifecyclePayload",
    "LifecycleTransformer",
    "MessagesTransformer",
    "ProtocolEvent",
    "StreamChannel",
    "StreamMux",
    "StreamTransformer",
    "SubgraphRunStream",
    "SubgraphStatus",
    "SubgraphTransformer",
    "TasksTransformer",
    "UpdatesTransformer",
    "ValuesTransformer",
]
