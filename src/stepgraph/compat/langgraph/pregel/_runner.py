"""What runs LangGraph's tasks."""

from __future__ import annotations

from stepgraph.compat.absent import absent
from stepgraph.compat.futures import FuturesDict
from stepgraph.compat.futures import exception_of as _exception
from stepgraph.compat.futures import should_stop_others as _should_stop_others

__all__ = ("FuturesDict", "_exception", "_should_stop_others")

__getattr__ = absent("langgraph.pregel._runner", "PregelRunner")
