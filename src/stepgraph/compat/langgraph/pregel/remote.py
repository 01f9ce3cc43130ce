"""Graphs that a LangGraph server runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepgraph.integrations.remote import RemoteException, RemoteGraph

__all__ = ("RemoteException", "RemoteGraph")

_NAMES = {name: name for name in __all__} | {"_sanitize_config_value": "_plain", "_merge_tracing_headers": "_traced"}


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'langgraph.pregel.remote' has no attribute {name!r}")
    from stepgraph.integrations import remote

    return getattr(remote, _NAMES[name])
