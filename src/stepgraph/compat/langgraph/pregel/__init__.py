"""Graphs of channels and nodes, which every runnable graph counts as."""

from __future__ import annotations

from stepgraph.graph.node_builder import NodeBuilder
from stepgraph.graph.pregel import Pregel

__all__ = ("NodeBuilder", "Pregel")
