"""What a projection of a version 3 stream is read from."""

from __future__ import annotations

from stepgraph.run.v3.channel import StreamChannel

__all__ = ["StreamChannel"]
