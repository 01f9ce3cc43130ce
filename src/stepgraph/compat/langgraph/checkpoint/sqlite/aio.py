"""The same for async code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from stepgraph.compat.savers_ours import LangGraphSaver
from stepgraph.persist.sqlite import SqliteCheckpointer

__all__ = ("AsyncSqliteSaver",)


class AsyncSqliteSaver(LangGraphSaver):
    """LangGraph's saver on top of this library's file, of a path: threads in LangGraph's form."""

    def __init__(self, conn: Any, *, serde: Any = None) -> None:
        super().__init__(SqliteCheckpointer(conn), serde=serde)
        self.conn = conn

    @classmethod
    @asynccontextmanager
    async def from_conn_string(cls, conn_string: str) -> AsyncIterator[Self]:
        """The saver of a file, or of `:memory:`, closed at the end of the `async with` block."""
        async with cls(conn_string) as saver:
            yield saver

    async def setup(self) -> None:
        """Nothing to do: the file is ready once it is open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: Any) -> None:
        self.checkpointer.close()
