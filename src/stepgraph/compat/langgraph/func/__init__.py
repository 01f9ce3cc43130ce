"""Graphs of functions: entrypoints and tasks."""

from __future__ import annotations

from typing import Any

from stepgraph.core.registry import load_object

__all__ = ("entrypoint", "task")


def __getattr__(name: str) -> Any:
    if name in ("entrypoint", "task"):
        return load_object(f"stepgraph.graph.functional:{name}")
    raise AttributeError(f"module 'langgraph.func' has no attribute {name!r}")
