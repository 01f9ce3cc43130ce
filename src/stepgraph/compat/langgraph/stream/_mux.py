"""What hands the events of a version 3 stream to its transformers."""

from __future__ import annotations

from stepgraph.run.v3.mux import Factory as TransformerFactory
from stepgraph.run.v3.mux import StreamMux

__all__ = ["StreamMux", "TransformerFactory"]
