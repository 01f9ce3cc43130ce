"""Where results of nodes with a CachePolicy are kept: in memory or in an SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepgraph.cache.base import BaseCache
from stepgraph.cache.memory import InMemoryCache

if TYPE_CHECKING:
    from stepgraph.cache.sqlite import SqliteCache

__all__ = ["BaseCache", "InMemoryCache", "SqliteCache"]


def __getattr__(name: str) -> Any:
    if name == "SqliteCache":  # a program that keeps nothing in files need not load sqlite3
        from stepgraph.cache.sqlite import SqliteCache

        return SqliteCache
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
