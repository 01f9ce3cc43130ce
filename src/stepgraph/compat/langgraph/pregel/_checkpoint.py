"""How LangGraph makes checkpoints."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._checkpoint",
    "channels_from_checkpoint",
    "copy_checkpoint",
    "create_checkpoint",
    "empty_checkpoint",
)
