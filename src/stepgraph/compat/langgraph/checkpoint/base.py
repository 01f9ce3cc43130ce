"""What a checkpointer is."""

from __future__ import annotations

from stepgraph.core.checkpoint import Checkpointer as BaseCheckpointSaver
from stepgraph.core.errors import EmptyChannelError

__all__ = ("BaseCheckpointSaver", "EmptyChannelError")
