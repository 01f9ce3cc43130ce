"""The same for async code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from stepgraph.persist.sqlite import SqliteCheckpointer

__all__ = ("AsyncSqliteSaver",)


class AsyncSqliteSaver(SqliteCheckpointer):
    """A checkpointer of this engine under LangGraph's name; it keeps threads in its own format."""

    @classmethod
    @asynccontextmanager
    async def from_conn_string(cls, conn_string: str) -> AsyncIterator[Self]:
        """The checkpointer of a file, or of `:memory:`, closed at the end of the `async with` block."""
        saver = cls(conn_string)
        try:
            yield saver
        finally:
            saver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: Any) -> None:
        self.close()
