"""An old place of RunnableCallable."""

from __future__ import annotations

from stepgraph.compat.langgraph._internal._runnable import RunnableCallable, RunnableLike

__all__ = ("RunnableCallable", "RunnableLike")
