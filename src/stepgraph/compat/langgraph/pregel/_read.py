"""Nodes of graphs of channels, and how their code reads. Needs langchain-core."""

from __future__ import annotations

from stepgraph.graph.pregel_node import PregelNode
from stepgraph.integrations.channel_steps import ChannelRead
from stepgraph.integrations.runnables import RunnableCallable

__all__ = ("DEFAULT_BOUND", "ChannelRead", "PregelNode")

DEFAULT_BOUND = RunnableCallable(lambda given: given)
"""What a node does that only passes its input on."""
