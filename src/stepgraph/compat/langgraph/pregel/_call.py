"""How LangGraph calls tasks of the functional API."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._call",
    "SyncAsyncFuture",
    "call",
    "get_runnable_for_entrypoint",
    "get_runnable_for_task",
    "identifier",
)
