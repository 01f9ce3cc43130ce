"""Graphs of channels and nodes, which every runnable graph counts as."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from stepgraph.graph.node_builder import NodeBuilder
from stepgraph.graph.pregel import of_all

if find_spec("langchain_core") is not None:  # so that what is assigned to Pregel is assigned to all graphs
    import_module("langchain_core.runnables")
Pregel = of_all()

__all__ = ("NodeBuilder", "Pregel")
