"""The words that a graph author writes with, and the snapshots that come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from stepgraph.compat.executable import CacheKey, PregelExecutableTask
from stepgraph.core.checkpoint import Durability
from stepgraph.core.limits import CachePolicy, TimeoutPolicy, TracePolicy, default_cache_key, omit_payload
from stepgraph.core.policies import RetryPolicy, default_retry_on
from stepgraph.core.types import (
    Command,
    GraphOutput,
    Interrupt,
    Overwrite,
    PregelTask,
    Send,
    StateSnapshot,
    StateUpdate,
    StreamMode,
)
from stepgraph.run.context import interrupt
from stepgraph.run.parts import (
    CheckpointPayload,
    CheckpointStreamPart,
    CheckpointTask,
    CustomStreamPart,
    DebugPayload,
    DebugStreamPart,
    MessagesStreamPart,
    StreamPart,
    TaskPayload,
    TaskResultPayload,
    TasksStreamPart,
    UpdatesStreamPart,
    ValuesStreamPart,
)

All = Literal["*"]
Checkpointer = Any
StreamWriter = Callable[[Any], None]
_DC_KWARGS = {"kw_only": True, "slots": True, "frozen": True}
_INTERRUPT_KEY = "__interrupt__"
_DEFAULT_INTERRUPT_ID = "placeholder-id"

__all__ = (
    "All",
    "CacheKey",
    "CachePolicy",
    "CheckpointPayload",
    "CheckpointStreamPart",
    "CheckpointTask",
    "Checkpointer",
    "Command",
    "CustomStreamPart",
    "DebugPayload",
    "DebugStreamPart",
    "Durability",
    "GraphOutput",
    "Interrupt",
    "MessagesStreamPart",
    "Overwrite",
    "PregelExecutableTask",
    "PregelTask",
    "RetryPolicy",
    "Send",
    "StateSnapshot",
    "StateUpdate",
    "StreamMode",
    "StreamPart",
    "StreamWriter",
    "TaskPayload",
    "TaskResultPayload",
    "TasksStreamPart",
    "TimeoutPolicy",
    "TracePolicy",
    "UpdatesStreamPart",
    "ValuesStreamPart",
    "default_cache_key",
    "default_retry_on",
    "ensure_valid_checkpointer",
    "interrupt",
    "omit_payload",
)


def ensure_valid_checkpointer(checkpointer: Any) -> Any:
    """The checkpointer, if it is one, True, False or None. Raises TypeError."""
    valid = checkpointer is None or isinstance(checkpointer, bool)
    saves = hasattr(checkpointer, "save_record") or hasattr(checkpointer, "get_tuple")
    if not valid and (isinstance(checkpointer, type) or not saves):
        raise TypeError(
            "Invalid checkpointer provided. Expected an instance of `BaseCheckpointSaver`, `True`, `False`, or `None`. "
            f"Received {type(checkpointer).__name__}."
        )
    return checkpointer
