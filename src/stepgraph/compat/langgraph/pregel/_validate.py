"""Whether the names in a graph of channels are known and free."""

from __future__ import annotations

from stepgraph.compat.checked import validate_graph, validate_keys

__all__ = ("validate_graph", "validate_keys")
