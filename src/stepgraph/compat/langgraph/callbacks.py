"""Handlers that hear when a graph pauses and goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepgraph.integrations.callbacks import (
    GraphCallbackHandler,
    GraphInterruptEvent,
    GraphLifecycleEvent,
    GraphLifecycleStatus,
    GraphResumeEvent,
)

if TYPE_CHECKING:
    from stepgraph.integrations.graph_managers import async_manager_of as get_async_graph_callback_manager_for_config
    from stepgraph.integrations.graph_managers import manager_of as get_sync_graph_callback_manager_for_config

__all__ = (
    "GraphCallbackHandler",
    "GraphInterruptEvent",
    "GraphLifecycleEvent",
    "GraphLifecycleStatus",
    "GraphResumeEvent",
    "get_async_graph_callback_manager_for_config",
    "get_sync_graph_callback_manager_for_config",
)

_MANAGERS = {
    "GraphCallbacks": "GraphCallbacks",
    "get_async_graph_callback_manager_for_config": "async_manager_of",
    "get_sync_graph_callback_manager_for_config": "manager_of",
}
"""What needs langchain-core."""


def __getattr__(name: str) -> Any:
    if name not in _MANAGERS:
        raise AttributeError(f"module 'langgraph.callbacks' has no attribute {name!r}")
    from stepgraph.integrations import graph_managers

    return getattr(graph_managers, _MANAGERS[name])
