"""The same for async code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from stepgraph.store.base import IndexConfig, TTLConfig
from stepgraph.store.sqlite import SqliteStore

__all__ = ("AsyncSqliteStore",)


class AsyncSqliteStore(SqliteStore):
    """A store of this engine under LangGraph's name, which is set up and swept by awaiting."""

    @classmethod
    @asynccontextmanager
    async def from_conn_string(
        cls, conn_string: str, *, index: IndexConfig | None = None, ttl: TTLConfig | None = None
    ) -> AsyncIterator[Self]:
        """The store of a file, or of `:memory:`, closed at the end of the `async with` block."""
        store = cls(conn_string, index=index, ttl=ttl)
        try:
            yield store
        finally:
            store.close()

    async def setup(self) -> None:  # type: ignore[override]  # LangGraph's is awaited
        """Nothing to do: the file is ready when the store is made."""

    async def sweep_ttl(self) -> int:  # type: ignore[override]  # as `setup`
        """Take what is over its time out of the file; how many items that were."""
        return super().sweep_ttl()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: Any) -> None:
        self.close()
