"""What a node's input is cached under by default."""

from __future__ import annotations

from stepgraph.core.limits import default_cache_key

__all__ = ("default_cache_key",)
