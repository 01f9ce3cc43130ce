"""What caches are."""

from __future__ import annotations

from stepgraph.cache.base import BaseCache

__all__ = ("BaseCache", "FullKey", "Namespace")

FullKey = tuple[tuple[str, ...], str]
Namespace = tuple[str, ...]
