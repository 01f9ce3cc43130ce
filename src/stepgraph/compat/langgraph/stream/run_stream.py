"""What a version 3 run gives back."""

from __future__ import annotations

from stepgraph.run.v3.runs import AsyncGraphRunStream, AsyncSubgraphRunStream, GraphRunStream, SubgraphRunStream

__all__ = ["AsyncGraphRunStream", "AsyncSubgraphRunStream", "GraphRunStream", "SubgraphRunStream"]
