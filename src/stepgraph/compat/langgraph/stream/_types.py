"""What transformers of version 3 streams are made of."""

from __future__ import annotations

from stepgraph.run.v3.transformer import ProtocolEvent, StreamTransformer
from stepgraph.run.v3.transformer import ProtocolEventParams as _ProtocolEventParams
from stepgraph.run.v3.transformer import needs_loop as transformer_requires_async

__all__ = ["ProtocolEvent", "StreamTransformer", "_ProtocolEventParams", "transformer_requires_async"]
