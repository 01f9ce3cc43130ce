"""Handlers that hear when a graph pauses and goes on."""

from __future__ import annotations

from stepgraph.compat.absent import absent
from stepgraph.integrations.callbacks import (
    GraphCallbackHandler,
    GraphInterruptEvent,
    GraphLifecycleEvent,
    GraphLifecycleStatus,
    GraphResumeEvent,
)

__all__ = (
    "GraphCallbackHandler",
    "GraphInterruptEvent",
    "GraphLifecycleEvent",
    "GraphLifecycleStatus",
    "GraphResumeEvent",
)

__getattr__ = absent(
    "langgraph.callbacks",
    "get_async_graph_callback_manager_for_config",
    "get_sync_graph_callback_manager_for_config",
)
