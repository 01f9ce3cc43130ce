"""StateGraph and what goes with it."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import Any

from stepgraph.core.types import END, START
from stepgraph.graph.builder import StateGraph

__all__ = ("END", "START", "MessageGraph", "MessagesState", "StateGraph", "add_messages")

with suppress(ImportError):  # where it is installed, graphs are Runnables from the first on
    import_module("langchain_core.runnables")


def __getattr__(name: str) -> Any:
    """Graphs of messages, which need langchain-core, are loaded when they are asked for."""
    if name in ("MessageGraph", "MessagesState", "add_messages"):
        from stepgraph.compat.langgraph.graph import message

        return getattr(message, name)
    raise AttributeError(f"module 'langgraph.graph' has no attribute {name!r}")
