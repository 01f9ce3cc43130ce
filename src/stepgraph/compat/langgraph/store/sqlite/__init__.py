"""A store in an SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from stepgraph.compat.langgraph.store.sqlite.aio import AsyncSqliteStore
from stepgraph.store.base import IndexConfig, TTLConfig
from stepgraph.store.sqlite import SqliteStore as _SqliteStore

__all__ = ("AsyncSqliteStore", "SqliteStore")


class SqliteStore(_SqliteStore):
    """A store of this engine under LangGraph's name; its file is of its own format."""

    @classmethod
    @contextmanager
    def from_conn_string(
        cls, conn_string: str, *, index: IndexConfig | None = None, ttl: TTLConfig | None = None
    ) -> Iterator[Self]:
        """The store of a file, or of `:memory:`, closed at the end of the `with` block."""
        store = cls(conn_string, index=index, ttl=ttl)
        try:
            yield store
        finally:
            store.close()
