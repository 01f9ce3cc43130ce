"""Graphs of functions: entrypoints and tasks."""

from __future__ import annotations

from stepgraph.graph.functional import entrypoint, task

__all__ = ("entrypoint", "task")
