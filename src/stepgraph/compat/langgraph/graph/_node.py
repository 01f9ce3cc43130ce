"""A node as it was added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepgraph.graph.specs import StateNodeSpec

__all__ = ("StateNode", "StateNodeSpec")

StateNode = Callable[..., Any]
