"""Threads in an SQLite file, where langgraph-checkpoint-sqlite is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from stepgraph.compat.savers_ours import LangGraphSaver
from stepgraph.persist.sqlite import SqliteCheckpointer

__all__ = ("SqliteSaver",)


class SqliteSaver(LangGraphSaver):
    """LangGraph's saver on top of this library's file: threads in LangGraph's form, in tables of this library.

    `conn` is a path or an open connection of `sqlite3`, whose file is opened once more.
    """

    def __init__(self, conn: Any, *, serde: Any = None) -> None:
        super().__init__(SqliteCheckpointer(file_of(conn)), serde=serde)
        self.conn = conn

    @classmethod
    @contextmanager
    def from_conn_string(cls, conn_string: str) -> Iterator[Self]:
        """The saver of a file, or of `:memory:`, closed at the end of the `with` block."""
        saver = cls(conn_string)
        try:
            yield saver
        finally:
            saver.checkpointer.close()

    def setup(self) -> None:
        """Nothing to do: the file is ready once it is open."""


def file_of(conn: Any) -> Any:
    """The path of a connection's file; a path as it is."""
    if not hasattr(conn, "execute"):
        return conn
    return conn.execute("PRAGMA database_list").fetchone()[2] or ":memory:"
