"""A cache in an SQLite file."""

from __future__ import annotations

from stepgraph.cache.sqlite import SqliteCache

__all__ = ("SqliteCache",)
