"""A conditional edge as it was added."""

from __future__ import annotations

from stepgraph.graph.specs import BranchSpec

__all__ = ("BranchSpec",)
