"""StateGraph and what goes with it."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

from stepgraph.compat.langgraph.graph.message import MessageGraph, MessagesState
from stepgraph.core.types import END, START
from stepgraph.graph.builder import StateGraph
from stepgraph.messages import add_messages

__all__ = ("END", "START", "MessageGraph", "MessagesState", "StateGraph", "add_messages")

with suppress(ImportError):  # where it is installed, graphs are Runnables from the first on
    import_module("langchain_core.runnables")
