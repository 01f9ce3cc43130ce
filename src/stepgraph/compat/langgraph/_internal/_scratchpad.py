"""What managed values are made from."""

from __future__ import annotations

from stepgraph.schema.managed import Progress as PregelScratchpad

__all__ = ("PregelScratchpad",)
