"""The words that a graph author writes with, and the snapshots that come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from stepgraph.core.checkpoint import Durability
from stepgraph.core.tracing import TracePolicy, omit_payload
from stepgraph.core.types import (
    Command,
    Interrupt,
    Overwrite,
    PregelTask,
    Send,
    StateSnapshot,
    StateUpdate,
    StreamMode,
)
from stepgraph.run.context import interrupt

All = Literal["*"]
Checkpointer = Any
StreamWriter = Callable[[Any], None]

__all__ = (
    "All",
    "Checkpointer",
    "Command",
    "Durability",
    "Interrupt",
    "Overwrite",
    "PregelTask",
    "Send",
    "StateSnapshot",
    "StateUpdate",
    "StreamMode",
    "StreamWriter",
    "TracePolicy",
    "interrupt",
    "omit_payload",
)
