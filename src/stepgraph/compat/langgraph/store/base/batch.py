"""Stores that answer operations together."""

from __future__ import annotations

from stepgraph.store.batched import AsyncBatchedBaseStore

__all__ = ("AsyncBatchedBaseStore",)
