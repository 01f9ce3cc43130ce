"""The transformers that come with version 3 streams."""

from __future__ import annotations

from stepgraph.run.v3.lifecycle import LifecyclePayload, LifecycleTransformer, SubgraphStatus, SubgraphTransformer
from stepgraph.run.v3.lifecycle import TasksLifecycle as _TasksLifecycleBase
from stepgraph.run.v3.modes import (
    CheckpointsTransformer,
    CustomTransformer,
    DebugTransformer,
    MessagesTransformer,
    TasksTransformer,
    UpdatesTransformer,
    ValuesTransformer,
)

__all__ = [
    "CheckpointsTransformer",
    "CustomTransformer",
    "DebugTransformer",
    "LifecyclePayload",
    "LifecycleTransformer",
    "MessagesTransformer",
    "SubgraphStatus",
    "SubgraphTransformer",
    "TasksTransformer",
    "UpdatesTransformer",
    "ValuesTransformer",
    "_TasksLifecycleBase",
]
