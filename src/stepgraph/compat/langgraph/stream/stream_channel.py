"""What a projection of a version 3 stream is read from."""

from __future__ import annotations

from stepgraph.compat.langgraph.stream._types import Unavailable


class StreamChannel(Unavailable):
    """A queue of a projection's items, with one reader."""
