"""Calls of functions as tasks. Needs langchain-core."""

from __future__ import annotations

from stepgraph.compat.called import (
    SyncAsyncFuture,
    _explode_args_trace_inputs,
    call,
    get_runnable_for_entrypoint,
    get_runnable_for_task,
    identifier,
)

__all__ = (
    "SyncAsyncFuture",
    "_explode_args_trace_inputs",
    "call",
    "get_runnable_for_entrypoint",
    "get_runnable_for_task",
    "identifier",
)
