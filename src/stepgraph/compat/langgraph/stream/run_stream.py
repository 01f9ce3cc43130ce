"""What a version 3 run gives back."""

from __future__ import annotations

from stepgraph.compat.langgraph.stream._types import Unavailable


class GraphRunStream(Unavailable):
    """A run, read from sync code."""


class AsyncGraphRunStream(Unavailable):
    """A run, read from async code."""


class SubgraphRunStream(GraphRunStream):
    """The run of a subgraph, read from sync code."""


class AsyncSubgraphRunStream(AsyncGraphRunStream):
    """The run of a subgraph, read from async code."""
